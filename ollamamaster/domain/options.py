"""What may a ticket run on, as far as the others of this user must know?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollamamaster.domain.machines import bytes_needed
from ollamamaster.domain.tickets import Option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollamamaster.domain.candidates import Pair
    from ollamamaster.domain.selection import Candidate, Decision


def options_of(decision: Decision, candidates: Sequence[Candidate]) -> tuple[Option, ...]:
    """The options for these candidates of a decision, in their order.

    Where nothing fits the time limit only the time counts, as it does in the decision itself.
    """
    return tuple(_option(decision, candidate) for candidate in candidates)


def _option(decision: Decision, candidate: Candidate) -> Option:
    estimate, prospect = candidate.estimate, candidate.prospect
    context = prospect.context_tokens
    return Option(
        model=candidate.model,
        instance=candidate.instance,
        fixed=0.0 if decision.late else candidate.score - candidate.terms["time"],
        work_s=max(0.0, estimate.p50_s - estimate.wait_s - estimate.load_s),
        load_s=prospect.rates.load_s.median,
        above_s=estimate.p80_s - estimate.p50_s,
        bytes=_bytes(candidate.pair, context),
        context=context,
        cloud=candidate.pair.model.cloud,
    )


def _bytes(pair: Pair, context_tokens: int) -> int | None:
    """What the model takes in memory with its cache; None where its size is unknown."""
    loaded, model = pair.loaded, pair.model
    if loaded is not None and loaded.size is not None:
        return loaded.size
    return None if model.cloud else bytes_needed(model, context_tokens)
