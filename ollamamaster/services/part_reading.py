"""The parts of a long text, read side by side on the whole fleet, each as a route of its own."""

from __future__ import annotations

import asyncio  # noqa: TID253 (imported only by commands that wait for instances)
from collections import Counter
from dataclasses import dataclass, field, replace
from statistics import median
from typing import TYPE_CHECKING, Protocol

from ollamamaster.domain.long_reading import note_of
from ollamamaster.domain.routing import PartResult
from ollamamaster.errors import OllamaMasterError, Outcome, UsageError
from ollamamaster.services.residency import SharedResidency
from ollamamaster.services.route_listener import RouteListener, Unheard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollamamaster.domain.long_reading import ReadingPlan
    from ollamamaster.domain.routing import Attempt, Document, RouteRequest
    from ollamamaster.domain.selection import Candidate
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.services.route import RouteRun, RouteService

# A part that takes so many times as long as most is on a machine that is far slower than was
# thought, and is read a second time elsewhere once nothing waits any more (the backup tasks of
# Dean and Ghemawat, MapReduce, 2004). Answers differ in length by less.
_LATE = 3.0
# How often that is looked at.
_LOOK_S = 0.25

# A part that failed everywhere is tried once more when the others are read: what was wrong may be
# over by then.
_ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """How far it is: parts that are done, of how many, and on which instances others run.

    `left_s` is what is expected to be left; `level` is that of PartResult.
    """

    done: int
    of: int
    level: int
    running: tuple[str, ...]
    left_s: float


class LongListener(RouteListener, Protocol):
    """Is also told how the parts go."""

    def planned(self, plan: ReadingPlan) -> None:
        """The texts are read in parts."""

    def reads(self, reading: Reading) -> None:
        """A part began or ended."""

    def part(self, part: PartResult) -> None:
        """A part is done, well or not."""


@dataclass
class PartReading:
    """Reads parts; `fleet` is as it was last asked for."""

    routes: RouteService
    plan: ReadingPlan
    fleet: Fleet
    listener: LongListener
    _levels: list[list[tuple[PartResult, str] | None]] = field(default_factory=list)
    _noted: set[str] = field(default_factory=set)
    _team: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._team |= self.plan.team
        # dozens that wait would each ask every instance every second
        means = self.routes.means
        own = means.residency
        shared = SharedResidency(own.ollama, own.clock, own.refresh)
        self.routes = replace(self.routes, means=replace(means, residency=shared))

    @property
    def results(self) -> list[PartResult]:
        """All that are done until now, level by level in the order of the text."""
        return [done[0] for found in self._levels for done in found if done is not None]

    @property
    def missing(self) -> list[str]:
        """The names of the parts that nobody could read."""
        return [result.name for result in self.results if result.error is not None]

    async def notes(
        self, asked: Sequence[tuple[str, RouteRequest]], level: int = 0
    ) -> list[Document]:
        """The notes, in their order, without those of parts that nobody could read.

        Raises the error of the first part when there is no note at all, and UsageError when
        the request itself is wrong.
        """
        work = _Work(self, len(asked), level)
        found: list[tuple[PartResult, str] | None] = [None] * len(asked)
        self._levels.append(found)

        async def read(number: int) -> None:
            part, _note = found[number] = await work.read(*asked[number])
            if part.error is None:
                self.listener.part(part)

        for _ in range(_ROUNDS):
            left = [n for n, done in enumerate(found) if done is None or done[0].error]
            tasks = [asyncio.ensure_future(read(n)) for n in left]
            try:
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        results = [done for done in found if done is not None]
        for result, _ in results:
            if result.error is not None:
                self.listener.part(result)
        notes = [note_of(result.name, text) for result, text in results if result.error is None]
        if not notes:
            raise next(result.error for result, _ in results if result.error is not None)
        return notes

    def begin(self, request: RouteRequest) -> RouteRun:
        """One part, for the team as it is then."""
        return self.routes.begin(replace(request, team=self._team))

    def leave(self, pair: tuple[str, str]) -> None:
        """A pair that failed, or was overtaken by another one, holds up no further part."""
        if len(self._team) > 1:
            self._team.discard(pair)

    def note(self, text: str) -> None:
        """What one part finds worth knowing is told once."""
        if text not in self._noted:
            self._noted.add(text)
            self.listener.note(text)


class _Work:
    """The parts of one level under way."""

    def __init__(self, parts: PartReading, of: int, level: int) -> None:
        self.parts = parts
        self.running: Counter[str] = Counter()
        self._of, self._level = of, level
        self._waiting = 0
        self._took: list[float] = []
        self._room = asyncio.Semaphore(parts.plan.under_way)
        self._clock = parts.routes.means.clock
        self._began = self._clock.monotonic()
        self._expected_s = parts.plan.together.seconds.p50 * of / len(parts.plan.parts)

    async def read(self, name: str, request: RouteRequest) -> tuple[PartResult, str]:
        """One part, on whichever instance can, and on a second one when the first is very late."""
        async with self._room:
            heard = _Quiet(self)
            ears = [heard]
            self._waiting += 1
            tries = [asyncio.ensure_future(self._once(name, request, heard))]
            try:
                while not await _any(tries):
                    if len(tries) == 1 and self._late(heard):
                        self.parts.leave(heard.pair)
                        self._waiting += 1
                        ears.append(_Quiet(self))
                        again = self._once(name, request, ears[-1])
                        tries.append(asyncio.ensure_future(again))
                done = [t.result() for t in tries if t.done()]
                part, text = min(done, key=lambda told: told[0].error is not None)
            finally:
                self._waiting -= sum(ear.began is None for ear in ears)
                for one in tries:
                    one.cancel()
                await asyncio.gather(*tries, return_exceptions=True)
        if part.error is None:
            self._took.append(part.seconds or 0.0)
        self.tell()
        return part, text

    def _late(self, heard: _Quiet) -> bool:
        """Whether a machine may well be free, and the part takes far longer than the others."""
        if heard.began is None or self._waiting or len(self._took) * 2 < self._of:
            return False
        return self._clock.monotonic() - heard.began > _LATE * median(self._took)

    def begins(self) -> None:
        """A part has its place."""
        self._waiting -= 1

    async def _once(
        self, name: str, request: RouteRequest, heard: _Quiet
    ) -> tuple[PartResult, str]:
        run = self.parts.begin(request)
        error: OllamaMasterError | None = None
        try:
            await run.complete(self._fleet, heard, heard)
        except UsageError:
            raise
        except OllamaMasterError as failure:
            error = failure
        if len(run.fleet):
            self.parts.fleet = run.fleet
        result = run.so_far()
        last = result.attempts[-1] if result.attempts else None
        now = self._clock.monotonic()
        part = PartResult(
            name,
            self._level,
            result.model,
            result.instance,
            last.outcome if last is not None else None,
            error,
            None if heard.began is None else now - heard.began,
            result.usage,
        )
        return part, result.response

    async def _fleet(self) -> Fleet:
        return self.parts.fleet

    def tell(self) -> None:
        """Say how far it is."""
        elapsed_s = self._clock.monotonic() - self._began
        done = len(self._took)
        left_s = max(0.0, self._expected_s - elapsed_s)
        # when every machine has done one, what was seen is surer than what was expected
        if done >= self.parts.plan.together.lanes:
            left_s = elapsed_s / done * (self._of - done)
        running = tuple(sorted(self.running.elements()))
        self.parts.listener.reads(Reading(done, self._of, self._level, running, left_s))


async def _any(tries: Sequence[asyncio.Future[tuple[PartResult, str]]]) -> bool:
    """Wait a little; whether one has read it, or all have failed."""
    await asyncio.wait(tries, timeout=_LOOK_S, return_when=asyncio.FIRST_COMPLETED)
    return all(t.done() for t in tries) or any(
        t.done() and (t.exception() is not None or t.result()[0].error is None) for t in tries
    )


@dataclass
class _Quiet(Unheard):
    """Hears what one part does, of which only the place is told."""

    work: _Work
    began: float | None = None
    pair: tuple[str, str] = ("", "")
    _names: dict[str, str] = field(default_factory=dict)

    def started(self, attempt: Attempt, candidate: Candidate) -> None:
        name = self._names[attempt.instance] = candidate.pair.instance.name
        self.work.running[name] += 1
        if self.began is None:
            self.began = self.work.parts.routes.means.clock.monotonic()
            self.work.begins()
        self.pair = attempt.model, attempt.instance
        self.work.tell()

    def ended(self, attempt: Attempt) -> None:
        self.work.running[self._names[attempt.instance]] -= 1
        if attempt.outcome is not Outcome.OK:
            self.work.parts.leave((attempt.model, attempt.instance))

    def note(self, text: str) -> None:
        self.work.parts.note(text)
