"""Who is up, and what is in memory, at the moment a route must decide?"""

from __future__ import annotations

import asyncio  # noqa: TID253 (imported only by commands that wait for instances)
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ollamamaster.domain.instances import Instance, Status
from ollamamaster.errors import AttemptError, Outcome
from ollamamaster.services.fleet import LISTS_FRESH_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.ports import Clock, OllamaAPI

# What is in memory changes with every request, so only what was read within this command, or just
# before it, is not asked again; but nobody should wait for a machine that is switched off.
FRESH_S = 0.5
WITHIN_S = 0.25
# One that was late once may have been held up for a moment, and a route may wait for minutes: the
# fortieth part of its time goes into asking those that are late all the time.
LATE_FOR_S = 10.0


@dataclass
class Residency:
    """Brings a fleet up to date before a decision, within a bounded time.

    `refresh` asks so many instances for everything they have, within a second.
    """

    ollama: OllamaAPI
    clock: Clock
    refresh: Callable[[Fleet, Sequence[Instance]], Awaitable[Fleet]]
    _late_at: dict[str, float] = field(default_factory=dict)

    async def current(self, fleet: Fleet) -> Fleet:
        """The fleet with what is in memory now; one that is late keeps what was known."""
        age_s = fleet.age_s(self.clock.now())
        if age_s <= FRESH_S:
            return fleet
        if age_s <= LISTS_FRESH_S:
            return await self._with_memory(fleet, fleet.instances)
        down = [i for i in fleet if i.status is Status.DOWN and i.last_seen is not None]
        others = [i for i in fleet if i not in down]
        refreshed, revived = await asyncio.gather(
            self.refresh(fleet, others), self._with_memory(fleet, down)
        )
        asked = {i.id for i in down}
        back = {i.id: i for i in revived if i.id in asked}
        return replace(refreshed, instances=tuple(back.get(i.id, i) for i in refreshed))

    async def again(self, fleet: Fleet) -> Fleet:
        """The fleet after everyone was asked for everything, whatever its age."""
        return await self.refresh(fleet, fleet.instances)

    async def memory(self, fleet: Fleet, ids: Collection[str]) -> Fleet:
        """The fleet with what these instances have in memory now.

        For a route that waits and asks again and again: those that were late are left out for
        a while.
        """
        since = self.clock.monotonic() - LATE_FOR_S
        asked = [i for i in fleet if i.id in ids and self._late_at.get(i.id, since) <= since]
        return await self._with_memory(fleet, asked)

    async def _with_memory(self, fleet: Fleet, asked: Sequence[Instance]) -> Fleet:
        answers = await asyncio.gather(*map(self._now, asked))
        now = {instance.id: instance for instance in answers}
        return replace(fleet, instances=tuple(now.get(i.id, i) for i in fleet))

    async def _now(self, instance: Instance) -> Instance:
        try:
            async with asyncio.timeout(WITHIN_S):
                loaded = await self.ollama.ps(instance.endpoint, timeout_s=WITHIN_S)
        except TimeoutError:
            self._late_at[instance.id] = self.clock.monotonic()
            return instance
        except AttemptError as failure:
            if failure.outcome is Outcome.CONNECT_ERROR:
                return replace(instance, status=Status.DOWN)
            return instance
        self._late_at.pop(instance.id, None)
        status = Status.UP if instance.status is Status.DOWN else instance.status
        return replace(instance, loaded=loaded, status=status)


@dataclass
class SharedResidency(Residency):
    """The same for many routes of one process: what one of them was just told, all know."""

    _asked: dict[str, tuple[float, asyncio.Future[Instance]]] = field(default_factory=dict)

    async def _now(self, instance: Instance) -> Instance:
        now = self.clock.monotonic()
        at, answer = self._asked.get(instance.id, (now - FRESH_S, None))
        if answer is None or now - at >= FRESH_S:
            answer = asyncio.ensure_future(super()._now(instance))
            self._asked[instance.id] = now, answer
        # one route that is given up does not take the answer from the others
        return await asyncio.shield(answer)
