"""The fleet a command works on: as known, asked again, or found now for the first time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollamamaster.errors import NoInstanceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ollamamaster.domain.instances import Instance
    from ollamamaster.domain.settings import Settings
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.services.discover import DiscoverService, Discovery

# A list of models changes when a person downloads something: a minute is rarely noticed, and a
# shell loop stays as fast as reading a file. After it those that were up are asked again.
LISTS_FRESH_S = 60.0

_HINT = """\
looked at {places}
start one:        ollama serve
on another host:  ollamamaster discover HOST
just try it:      ollamamaster sandbox run -- ollamamaster route "hello\""""


@dataclass
class FleetService:
    """What is known of the fleet, and how to know more.

    `known` reads the inventory with what the config says; `note` is told what is no error.
    """

    settings: Settings
    known: Callable[[], Fleet]
    discover: Callable[[], DiscoverService]
    note: Callable[[str], None]

    async def first(self) -> Fleet:
        """The fleet as known; when it was never looked for, what the default discovery finds.

        Raises NoInstanceError when no instance has ever answered.
        """
        fleet = self.known()
        if was_seen(fleet):
            return fleet
        self.note("no inventory yet: looking for Ollama")
        found = self._told(await self.discover().discover())
        if all(instance.last_seen is None for instance in found):
            raise self._nothing()
        return found

    async def current(self) -> Fleet:
        """Every known instance asked once more, within a second; else as `first`."""
        fleet = self.known()
        if not was_seen(fleet):
            return await self.first()
        return await self.refreshed(fleet, fleet.instances)

    async def refreshed(self, fleet: Fleet, instances: Sequence[Instance]) -> Fleet:
        """The fleet after these instances were asked for everything they have."""
        return self._told(await self.discover().refresh(fleet, instances))

    def _told(self, found: Discovery) -> Fleet:
        for note in found.notes:
            self.note(note)
        return found.fleet

    def _nothing(self) -> NoInstanceError:
        of = self.settings.discovery
        places = [f"127.0.0.1 and ::1, ports {','.join(of.ports)}"] if of.loopback else []
        places += ["OLLAMA_HOST", "config.toml", "your inventory"]
        return NoInstanceError("no Ollama found", hint=_HINT.format(places=", ".join(places)))


def was_seen(fleet: Fleet) -> bool:
    """Whether any instance of the fleet has ever answered."""
    return fleet.checked_at is not None and any(i.last_seen is not None for i in fleet)
