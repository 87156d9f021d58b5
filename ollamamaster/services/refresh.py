"""Ask the instances that are known, without looking for others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ollamamaster.domain.facts import with_facts
from ollamamaster.domain.instances import Instance, InstanceSettings
from ollamamaster.domain.sightings import after_answers
from ollamamaster.errors import StateUnusableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ollamamaster.domain.snapshot import Fleet, Snapshot
    from ollamamaster.ports import Clock, InventoryStore
    from ollamamaster.services.snapshots import Snapshots


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The fleet as it is now."""

    fleet: Fleet
    notes: tuple[str, ...] = ()


class Refresher:
    """Brings a fleet up to date within a second."""

    def __init__(
        self,
        inventory: InventoryStore,
        snapshots: Snapshots,
        clock: Clock,
        skipped: Callable[[], frozenset[str]],
    ) -> None:
        self._inventory = inventory
        self._snapshots = snapshots
        self._clock = clock
        self._skipped = skipped

    async def refresh(
        self, fleet: Fleet, instances: Sequence[Instance], *, within_s: float, save: bool
    ) -> Refreshed:
        """The fleet after these instances were asked; takes `within_s` at most."""
        began, began_s = self._clock.now(), self._clock.monotonic()
        endpoints = {i.id: i.endpoint for i in instances}
        answers = await self._snapshots.again(endpoints, within_s=within_s)
        left_s = within_s - (self._clock.monotonic() - began_s)
        told = [(endpoints[id_], s) for id_, s in answers.items() if s is not None]
        facts = await self._snapshots.facts(told, fleet, within_s=max(0.0, left_s))
        answers = {
            id_: s
            if s is None or s.models is None
            else replace(s, models=with_facts(s.models, facts))
            for id_, s in answers.items()
        }
        ended, skipped = self._clock.now(), self._skipped()

        def change(before: Fleet) -> Fleet:
            return after_answers(before, answers, began=began, ended=ended, skipped=skipped)

        notes: tuple[str, ...] = ()
        if save:
            try:
                self._inventory.update(lambda stored: change(_with_new(stored, fleet, answers)))
            except StateUnusableError as error:
                notes = (f"not saved: {error.message}",)
        return Refreshed(change(fleet), notes)


def _with_new(stored: Fleet, fleet: Fleet, answers: Mapping[str, Snapshot | None]) -> Fleet:
    """The stored fleet with those that only the config knew and that have answered now."""
    known = {name for i in stored for name in (i.id, *i.aliases)}
    new = [
        Instance(i.address, locality=i.locality, settings=InstanceSettings())
        for i in fleet
        if answers.get(i.id) is not None and not known & {i.id, *i.aliases}
    ]
    return replace(stored, instances=(*stored.instances, *new))
