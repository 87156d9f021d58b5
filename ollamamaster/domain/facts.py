"""What is known of a model's content, whoever said it?

A digest names the content of a model, so what `/api/show` said of it once holds for every
instance and every name that has it: each digest is asked about once, however old the servers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ollamamaster.domain.models import Model, ModelShape
    from ollamamaster.domain.snapshot import Fleet


@dataclass(frozen=True, slots=True)
class Facts:
    """What `/api/show` says that `/api/tags` may leave out; None where nobody said it."""

    capabilities: frozenset[str] | None = None
    context_length: int | None = None
    shape: ModelShape | None = None


def known_facts(*fleets: Fleet) -> Mapping[str, Facts]:
    """The facts by digest; what comes first is believed, what comes later fills the gaps."""
    found: dict[str, Facts] = {}
    for model in (m for fleet in fleets for instance in fleet for m in instance.models):
        if model.digest:
            so_far = found.get(model.digest, _NOTHING)
            found[model.digest] = Facts(
                model.capabilities if so_far.capabilities is None else so_far.capabilities,
                model.context_length if so_far.context_length is None else so_far.context_length,
                model.shape if so_far.shape is None else so_far.shape,
            )
    return found


_NOTHING = Facts()


def with_facts(models: Iterable[Model], facts: Mapping[str, Facts]) -> tuple[Model, ...]:
    """The models with what they left unsaid filled in; what they say themselves stays."""
    return tuple(_with(model, facts.get(model.digest, _NOTHING)) for model in models)


def _with(model: Model, facts: Facts) -> Model:
    if (
        (model.capabilities is not None or facts.capabilities is None)
        and (model.context_length is not None or facts.context_length is None)
        and (model.shape is not None or facts.shape is None)
    ):
        return model
    return replace(
        model,
        capabilities=facts.capabilities if model.capabilities is None else model.capabilities,
        context_length=(
            facts.context_length if model.context_length is None else model.context_length
        ),
        shape=facts.shape if model.shape is None else model.shape,
    )


def fleet_with_facts(fleet: Fleet, earlier: Fleet) -> Fleet:
    """The fleet with every gap filled that its own models or the earlier fleet can fill."""
    facts = known_facts(fleet, earlier)
    return replace(
        fleet,
        instances=tuple(replace(i, models=with_facts(i.models, facts)) for i in fleet),
    )
