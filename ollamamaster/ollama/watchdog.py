"""Does the instance hang, or does it only take its time?

A language model may need minutes before its first word: it loads, or it waits for its turn. So
there is no limit on that time; instead, while nothing comes, the instance is asked for a sign of
life on another connection. Only an instance that gives none is given up.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

# A pause this much longer than asked for means that this process itself was stopped (Ctrl-Z, a
# laptop's lid, a blocked terminal): the silence was ours.
_OVERSLEPT_S = 1.0


@dataclass(frozen=True, slots=True)
class Watch:
    """When silence is a hang, in seconds.

    Asked every 3 s with 2 s to answer, two misses in a row: a dead machine is given up after 8 s,
    and a version lost in a busy moment costs nothing. A stream that has begun brings a line every
    few hundred milliseconds even on a slow machine (0.3 tokens a second for a model that spills
    out of its GPU), so 30 s without one is silence whatever the version says; None for no limit.
    """

    ask_every_s: float = 3.0
    answer_within_s: float = 2.0
    misses: int = 2
    line_within_s: float | None = 30.0


class Ticks(Protocol):
    """The part of a clock that is needed here."""

    def monotonic(self) -> float: ...
    async def sleep(self, seconds: float) -> None: ...


class LoopClock:
    """The time of the running event loop."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Watchdog:
    """Watches one attempt; is told what arrives, and finds out when nothing does."""

    def __init__(self, watch: Watch, alive: Callable[[], Awaitable[bool]], clock: Ticks) -> None:
        self._watch = watch
        self._alive = alive
        self._clock = clock
        self._heard_at = clock.monotonic()
        self._begun = False
        self.paused = False
        """While nobody takes what arrived, silence means nothing."""

    def begin(self) -> None:
        """The first byte of the answer is there: from now on lines are expected."""
        if not self._begun:
            self._begun = True
            self._heard_at = self._clock.monotonic()

    def heard(self) -> None:
        """A complete line arrived. Bytes without an end are no line: dripping is silence."""
        self._heard_at = self._clock.monotonic()

    async def hang(self) -> str:
        """Return when the instance hangs, with the sentence that says so."""
        watch = self._watch
        misses = 0
        asked_at = self._heard_at
        while True:
            now = self._clock.monotonic()
            if self.paused:
                self._heard_at = now
            if self._heard_at > asked_at:
                misses = 0
            limit = watch.line_within_s if self._begun else None
            if limit is not None and now - self._heard_at >= limit:
                return f"no complete line for {limit:g} s in a stream that had begun"
            ask_at = max(self._heard_at, asked_at) + watch.ask_every_s
            if now < ask_at:
                wake_at = ask_at if limit is None else min(ask_at, self._heard_at + limit)
                await self._clock.sleep(wake_at - now)
                if self._clock.monotonic() > wake_at + _OVERSLEPT_S:
                    self._heard_at = self._clock.monotonic()
                continue
            asked_at = now
            misses = 0 if await self._alive() else misses + 1
            if misses >= watch.misses and self._heard_at <= asked_at:
                return f"silent, and no sign of life when asked {misses} times"
