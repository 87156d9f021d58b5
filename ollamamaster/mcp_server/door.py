"""How many routes at once stand in the line of the fleet, so that deciding stays quick?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import Hashable

# Everyone in line looks at all the others whenever something begins or ends. Of 200 calls at once
# on twelve instances the last was answered after 14 s with four in line, 21 s with eight, 38 s
# with sixteen and 116 s with 32; with no limit one was answered within five minutes
# (tests/benchmarks/mcp_server.py). Whoever has begun makes way, so no machine waits for the door.
OF_A_KIND = 4
# Those who want one model must not hold up those who want another one.
OF_ALL_KINDS = 16


@dataclass
class Door:
    """Lets so many of each kind in, the first who came first."""

    _all: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(OF_ALL_KINDS))
    # A kind is forgotten when nobody of it is here any more: callers make up names of models.
    _kinds: WeakValueDictionary[Hashable, asyncio.Semaphore] = field(
        default_factory=WeakValueDictionary
    )

    def place(self, kind: Hashable) -> Place:
        """A place for one that wants this, not taken yet."""
        own = self._kinds.get(kind)
        if own is None:
            own = self._kinds[kind] = asyncio.Semaphore(OF_A_KIND)
        return Place(own, self._all)


@dataclass
class Place:
    """One place behind the door: taken once, given back, however often either is asked."""

    _own: asyncio.Semaphore
    _all: asyncio.Semaphore
    _held: bool = False

    async def enter(self) -> None:
        """Wait for it."""
        if self._held:
            return
        await self._own.acquire()
        try:
            await self._all.acquire()
        except BaseException:
            self._own.release()
            raise
        self._held = True

    def leave(self) -> None:
        """Let the next one into the line."""
        if self._held:
            self._held = False
            self._all.release()
            self._own.release()
