"""What may a ticket run on, as far as the others of this user must know?"""

from __future__ import annotations

from math import hypot
from typing import TYPE_CHECKING

from ollamamaster.domain.machines import bytes_needed
from ollamamaster.domain.tickets import Option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollamamaster.domain.estimate import Estimate
    from ollamamaster.domain.outlook import Prospect
    from ollamamaster.domain.pair import Pair
    from ollamamaster.domain.selection import Candidate, Decision
    from ollamamaster.domain.task import Range


def options_of(decision: Decision, candidates: Sequence[Candidate]) -> tuple[Option, ...]:
    """The options for these candidates of a decision, in their order.

    Where nothing fits the time limit only the time counts, as it does in the decision itself.
    """
    return tuple(_option(decision, candidate) for candidate in candidates)


def at_once(prospect: Prospect) -> Estimate:
    """What is expected when it is sent now and need not wait."""
    said, own = prospect.estimate, _own_share(prospect)
    p50_s = said.p50_s - said.wait_s
    return said._replace(
        p20_s=max(prospect.overhead_s, p50_s - (said.p50_s - said.p20_s) * own),
        p50_s=p50_s,
        p80_s=p50_s + (said.p80_s - said.p50_s) * own,
        wait_s=0.0,
    )


def _option(decision: Decision, candidate: Candidate) -> Option:
    prospect = candidate.prospect
    estimate = at_once(prospect)
    return Option(
        model=candidate.model,
        instance=candidate.instance,
        fixed=0.0 if decision.late else candidate.score - candidate.terms["time"],
        work_s=max(0.0, estimate.p50_s - estimate.load_s),
        load_s=prospect.rates.load_s.median,
        # Of many that are wanted together the early ones make up for the late ones.
        above_s=0.0 if candidate.member else _above_s(prospect),
        bytes=_bytes(candidate.pair, prospect.context_tokens),
        context=prospect.context_tokens,
        cloud=candidate.pair.model.cloud,
        familiar=_is_familiar(decision, candidate),
    )


def _is_familiar(decision: Decision, candidate: Candidate) -> bool:
    """Whether the last turn of the conversation ran on this very pair."""
    prefix = decision.task.prefix
    return prefix is not None and prefix.pair == candidate.pair.key


def _own_share(prospect: Prospect) -> float:
    """How much of the spread is not the wait's."""
    parts = prospect.parts
    return _share(prospect, parts.load, parts.prompt, parts.generation)


def _above_s(prospect: Prospect) -> float:
    """How far the 80% quantile of the work lies above its median.

    The load's is left out: who waits while another loads the same model, waits for a load that
    is as uncertain, so counting it for one's own only made everybody stand behind the first.
    """
    said, parts = prospect.estimate, prospect.parts
    return (said.p80_s - said.p50_s) * _share(prospect, parts.prompt, parts.generation)


def _share(prospect: Prospect, *of: Range) -> float:
    """How much of the whole spread these parts make; the spreads of parts add as squares."""
    parts = prospect.parts
    all_of = (parts.wait, parts.load, parts.prompt, parts.generation)
    whole = hypot(*(part.p80 - part.p50 for part in all_of))
    return hypot(*(part.p80 - part.p50 for part in of)) / whole if whole else 1.0


def _bytes(pair: Pair, context_tokens: int) -> int | None:
    """What the model takes in memory with its cache; None where its size is unknown."""
    loaded, model = pair.loaded, pair.model
    if loaded is not None and loaded.size is not None:
        return loaded.size
    return None if model.cloud else bytes_needed(model, context_tokens)
