"""What changed in the fleet between two looks at it?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ollamamaster.domain.instances import Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ollamamaster.domain.instances import Instance
    from ollamamaster.domain.snapshot import Fleet


class What(StrEnum):
    """The kinds of change."""

    UP = "up"
    DOWN = "down"
    DEGRADED = "degraded"
    ADDED = "added"
    MODEL_ADDED = "model_added"
    MODEL_REMOVED = "model_removed"
    LOADED = "loaded"
    UNLOADED = "unloaded"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one instance; `model` is the model it concerns, else None."""

    at: datetime
    instance: str
    what: What
    model: str | None = None


def changes(before: Fleet, after: Fleet, at: datetime) -> tuple[Change, ...]:
    """Every change from one fleet to the next, in the order of the later one.

    An instance that is new is `added`, and no more is said of it; of one that is down nothing
    is known but that.
    """
    known: dict[str, Instance] = {}
    for instance in before:
        known.update({name: instance for name in instance.aliases if name not in known})
    known.update({instance.id: instance for instance in before})
    found: list[Change] = []
    for instance in after:
        old = known.get(instance.id)
        if old is None:
            found.append(Change(at, instance.id, What.ADDED))
            continue
        if old.status is not instance.status:
            found.append(Change(at, instance.id, What(instance.status)))
        if instance.status is not Status.DOWN:
            found.extend(_of_models(old, instance, at))
    return tuple(found)


def _of_models(old: Instance, new: Instance, at: datetime) -> Iterator[Change]:
    pairs = (
        (old.models, new.models, What.MODEL_REMOVED, What.MODEL_ADDED),
        (old.loaded, new.loaded, What.UNLOADED, What.LOADED),
    )
    for had, has, gone, come in pairs:
        names_before, names_after = {str(m.name) for m in had}, {str(m.name) for m in has}
        for name in sorted(names_before - names_after):
            yield Change(at, new.id, gone, name)
        for name in sorted(names_after - names_before):
            yield Change(at, new.id, come, name)
