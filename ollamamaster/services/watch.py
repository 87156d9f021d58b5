"""Keep looking, and say what changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ollamamaster.domain.changes import Change, changes

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ollamamaster.ports import Clock
    from ollamamaster.services.discover import DiscoverService, Discovery
    from ollamamaster.services.plan import DiscoverRequest

# Three small requests to each instance: often enough to see a model load, which takes seconds.
ASK_EVERY_S = 2.0
# A new machine is rarely waited for by the second, and a scan is thousands of packets.
SCAN_EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class Observed:
    """The fleet after something changed, and the changes since the one before."""

    discovery: Discovery
    changes: tuple[Change, ...]


class WatchService:
    """Changes of the fleet as they happen."""

    def __init__(self, discover: DiscoverService, clock: Clock) -> None:
        self._discover = discover
        self._clock = clock

    async def watch(
        self,
        request: DiscoverRequest,
        first: Discovery,
        *,
        ask_every_s: float = ASK_EVERY_S,
        scan_every_s: float = SCAN_EVERY_S,
    ) -> AsyncGenerator[Observed, None]:
        """What differs from `first`, from then on and without end.

        The known instances are asked every `ask_every_s` seconds, the whole discovery is
        repeated every `scan_every_s`. An instance that vanished is `down`, so nothing is
        forgotten meanwhile.
        """
        # Forgetting is done once, by the first look: after it nothing may vanish unsaid.
        request = replace(request, forget=False)
        current, scanned_at = first, self._clock.monotonic()
        while True:
            await self._clock.sleep(ask_every_s)
            if self._clock.monotonic() - scanned_at >= scan_every_s:
                found = await self._discover.discover(request)
                scanned_at = self._clock.monotonic()
            else:
                asked = await self._discover.refresh(current.fleet, save=request.save)
                found = replace(asked, scan=current.scan)
            what = changes(current.fleet, found.fleet, self._clock.now())
            current = found
            if what:
                yield Observed(found, what)
