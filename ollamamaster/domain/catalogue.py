"""Which models does the fleet have, each once, and where?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ollamamaster.domain.instances import Status
from ollamamaster.domain.models import Capability, Tier, tier_of

if TYPE_CHECKING:
    from ollamamaster.domain.instances import Instance
    from ollamamaster.domain.models import LoadedModel, Model
    from ollamamaster.domain.settings import Settings
    from ollamamaster.domain.snapshot import Fleet


@dataclass(frozen=True, slots=True)
class ModelQuery:
    """Which models are wanted; None and False want all. `pattern` is part of a name, or a glob."""

    pattern: str | None = None
    tier: Tier | None = None
    capability: str | None = None
    loaded: bool = False
    instance: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """An instance that has the model, and the model in its memory, if it is there."""

    instance: Instance
    loaded: LoadedModel | None


@dataclass(frozen=True, slots=True)
class FleetModel:
    """One model of the fleet. `model` is as the first reachable instance describes it."""

    model: Model
    tier: Tier
    places: tuple[Place, ...]


def as_configured(model: Model, settings: Settings) -> Model:
    """The model with what the person's config says of it in place of what the instance said."""
    said = settings.models.get(str(model.name))
    if said is None or (said.capabilities is None and said.context is None):
        return model
    return replace(
        model,
        capabilities=model.capabilities if said.capabilities is None else said.capabilities,
        context_length=model.context_length if said.context is None else said.context,
    )


def tier_as_configured(model: Model, settings: Settings) -> Tier:
    """The tier the person gave the model, else by its size."""
    said = settings.models.get(str(model.name))
    return said.tier if said is not None and said.tier else tier_of(model, settings.tiers)


def catalogue(fleet: Fleet, query: ModelQuery, settings: Settings) -> tuple[FleetModel, ...]:
    """The models that match, sorted by name. Raises UsageError for an unknown instance."""
    only = fleet.find(query.instance).id if query.instance is not None else None
    places: dict[str, list[tuple[Model, Place]]] = {}
    for instance in sorted(fleet, key=_reachable_first):
        if only is None or instance.id == only:
            loaded = {str(m.name): m for m in instance.loaded}
            for model in instance.models:
                name = str(model.name)
                place = Place(instance, loaded.get(name))
                places.setdefault(name, []).append((model, place))
    found = (_one(entries, settings) for _, entries in sorted(places.items()))
    return tuple(m for m in found if _matches(m, query))


def _reachable_first(instance: Instance) -> int:
    return 1 if instance.status is Status.DOWN else 0


def _one(entries: list[tuple[Model, Place]], settings: Settings) -> FleetModel:
    model = as_configured(entries[0][0], settings)
    return FleetModel(model, tier_as_configured(model, settings), tuple(p for _, p in entries))


def _matches(found: FleetModel, query: ModelQuery) -> bool:
    return (
        (query.pattern is None or name_matches(str(found.model.name), query.pattern))
        and (query.tier is None or found.tier is query.tier)
        and (query.capability is None or query.capability in (found.model.capabilities or ()))
        and (not query.loaded or any(p.loaded for p in found.places))
    )


def known_capabilities(fleet: Fleet) -> frozenset[str]:
    """Those that are known, and what instances say beside them."""
    told = (c for i in fleet for m in i.models for c in m.capabilities or ())
    return frozenset([*map(str, Capability), *told])


def name_matches(name: str, pattern: str) -> bool:
    """Whether the name contains the pattern, or matches it when it is a glob; case is ignored."""
    wanted = pattern.lower()
    if any(c in wanted for c in "*?["):
        return fnmatchcase(name.lower(), wanted)
    return wanted in name.lower()
