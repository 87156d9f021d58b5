"""The fleet as it is now: served at once, kept true in the background, changes announced."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollamamaster.errors import OllamaMasterError, StateUnusableError
from ollamamaster.mcp_server.contents import (
    RUNS,
    STATS,
    WORKFLOWS,
    fleet_contents,
    run_state,
    stats_text,
    workflow_text,
)
from ollamamaster.services.fleet import was_seen

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from typing import Any

    from ollamamaster.bootstrap import Application
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.mcp_server.announcer import Announcer
    from ollamamaster.mcp_server.runs import Runs

_LOG = logging.getLogger(__name__)

# A host asks for the tools right after the handshake. Nothing of ours runs until it has them, or
# until so much time has passed that it did not ask.
QUIET_START_S = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How often, in seconds, the fleet is looked at.

    `look`: a model that loads or a machine that is switched on is noticed soon enough for an
    agent. `scan`: thousands of packets, and new machines are rare. `inventory`: one look at a
    file's date, so what another command found is known here as fast as a person reads.
    """

    look_s: float = 15.0
    scan_s: float = 60.0
    inventory_s: float = 2.0


USUAL = Pace()


class LiveFleet:
    """What is known of the fleet, in this process from its first second to its last."""

    def __init__(
        self,
        application: Application,
        announcer: Announcer,
        runs: Callable[[], Runs],
        pace: Pace = USUAL,
    ) -> None:
        self._application = application
        self._announcer = announcer
        self._runs = runs
        self._pace = pace
        self._first: asyncio.Task[Fleet] | None = None
        self._wanted = asyncio.Event()
        self._told: dict[str, str | None] | None = None
        self._looked_at: frozenset[str] = frozenset()
        self._tasks: list[asyncio.Task[None]] = []

    def known(self) -> Fleet:
        """The fleet as last seen, without asking anyone."""
        return self._application.fleet()

    async def fleet(self) -> Fleet:
        """The fleet as known; when it was never looked for, what the default discovery finds.

        All who ask meanwhile wait for the same discovery. Raises NoInstanceError.
        """
        self.want()
        fleet = self.known()
        if was_seen(fleet):
            return fleet
        if self._first is None or self._first.done():
            self._first = asyncio.create_task(self._application.fleet_service().first())
        # One who gives up waiting does not end it for the others.
        found = await asyncio.shield(self._first)
        self.announce()
        return found

    def want(self) -> None:
        """The handshake is over: from now on the background work may take its time."""
        self._wanted.set()

    def start(self) -> None:
        """Begin to keep it true."""
        self._tasks = [
            asyncio.create_task(work, name=name)
            for name, work in (("look", self._keep_looking()), ("inventory", self._keep_reading()))
        ]

    async def close(self) -> None:
        """Stop."""
        tasks: list[asyncio.Task[Any]] = [*self._tasks]
        if self._first is not None:
            tasks.append(self._first)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def announce(self) -> None:
        """Tell the subscribers what is not as it was when they were last told."""
        with _trying():
            self._announce()

    def _announce(self) -> None:
        after = fleet_contents(self.known(), self._application)
        wanted = self._wanted_contents()
        before, self._told = self._told, {**after, **wanted}
        if before is not None:
            uris = before.keys() | after.keys()
            # What nobody wanted until now was not looked at, and is no news.
            uris = (uris - self._looked_at - wanted.keys()) | (self._looked_at & wanted.keys())
            told = self._told
            self._announcer.changed(*(u for u in uris if before.get(u) != told.get(u)))
        self._looked_at = frozenset(wanted)

    def _wanted_contents(self) -> dict[str, str | None]:
        """What is only looked at for subscribers; None for what is not there."""
        wanted = self._announcer.wanted
        found: dict[str, str | None] = {}
        if STATS in wanted:
            with contextlib.suppress(StateUnusableError):
                found[STATS] = stats_text(self._application)
        for uri in wanted:
            if uri.startswith(f"{WORKFLOWS}/"):
                found[uri] = workflow_text(uri, self._application)
            elif uri.startswith(f"{RUNS}/"):
                found[uri] = run_state(uri, self._runs())
        return found

    async def _quiet_start(self) -> None:
        try:
            async with asyncio.timeout(QUIET_START_S):
                await self._wanted.wait()
        except TimeoutError:
            return

    async def _keep_reading(self) -> None:
        await self._quiet_start()
        while True:
            self.announce()
            await asyncio.sleep(self._pace.inventory_s)

    async def _keep_looking(self) -> None:
        await self._quiet_start()
        clock = self._application.clock
        scanned_at = clock.monotonic()
        await self._tried(self._first_look())
        while True:
            if clock.monotonic() - scanned_at >= self._pace.scan_s:
                await self._tried(self._application.discover_service().discover())
                scanned_at = clock.monotonic()
            else:
                await self._tried(self._look_again())
            self.announce()
            await asyncio.sleep(self._pace.look_s)

    async def _tried(self, look: Coroutine[Any, Any, object]) -> None:
        with _trying():
            await look

    async def _first_look(self) -> None:
        if not was_seen(self.known()):
            await self.fleet()

    async def _look_again(self) -> None:
        await self._application.discover_service().refresh(self.known())


@contextlib.contextmanager
def _trying() -> Iterator[None]:
    """Whatever goes wrong now may go right the next time."""
    try:
        yield
    except OllamaMasterError as error:
        _LOG.info("the fleet could not be looked at: %s", error.message)
    except Exception:  # noqa: BLE001 (looking goes on, whatever one look met)
        _LOG.exception("the fleet could not be looked at")
