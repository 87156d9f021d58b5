"""Routes of one process as a test sees them: what a listener heard, who holds a place."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from program import PATIENCE_S

from ollamamaster.domain.routing import Attempt, RouteRequest
from ollamamaster.domain.tickets import Choice, Option, ProcessId, Ticket

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollamamaster.bootstrap import Application
    from ollamamaster.domain.answers import PullProgress
    from ollamamaster.domain.instances import Instance
    from ollamamaster.domain.long_reading import ReadingPlan
    from ollamamaster.domain.routing import PartResult, RouteResult
    from ollamamaster.domain.selection import Candidate, Decision
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.errors import Outcome
    from ollamamaster.services.part_reading import Reading
    from ollamamaster.services.route import RouteRun

MODEL = "llama3.2:3b"
_numbers = itertools.count()


@dataclass
class Heard:
    """What a listener of a route, and of a download, was told."""

    tokens: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    waits: list[tuple[str, int, float]] = field(default_factory=list)
    hedges: list[tuple[str, str]] = field(default_factory=list)
    ends: list[Attempt] = field(default_factory=list)
    parts: list[PartResult] = field(default_factory=list)
    summaries: list[Candidate] = field(default_factory=list)
    waits_now: asyncio.Event = field(default_factory=asyncio.Event)
    started_now: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def decided(self, decision: Decision) -> None: ...

    def waiting(self, instance_name: str, position: int, wait_s: float) -> None:
        self.waits.append((instance_name, position, wait_s))
        self.waits_now.set()

    def started(self, attempt: Attempt, candidate: Candidate) -> None:
        self.started_now.set()

    def hedged(self, late: Attempt, candidate: Candidate) -> None:
        self.hedges.append((late.instance, candidate.instance))
        self.news.set()

    def token(self, text: str, thinking: str) -> None:
        self.tokens.append(text)

    def restarted(self, attempt: Attempt) -> None:
        self.tokens.clear()

    def ended(self, attempt: Attempt) -> None:
        self.ends.append(attempt)
        self.news.set()

    def planned(self, plan: ReadingPlan) -> None: ...

    def reads(self, reading: Reading) -> None: ...

    def part(self, part: PartResult) -> None:
        self.parts.append(part)

    def summarises(self, candidate: Candidate) -> None:
        self.summaries.append(candidate)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def chosen(self, model: str, instance: Instance) -> None: ...

    def progress(self, progress: PullProgress) -> None: ...


@dataclass
class Going:
    """A route that runs as a task."""

    run: RouteRun
    heard: Heard
    task: asyncio.Task[RouteResult]

    async def waits(self) -> None:
        """Return when it has been told to wait for a place."""
        await asyncio.wait_for(self.heard.waits_now.wait(), PATIENCE_S)

    async def started(self) -> None:
        """Return when its first attempt began."""
        await asyncio.wait_for(self.heard.started_now.wait(), PATIENCE_S)

    async def hears(self, *, hedges: int = 0, ends: int = 0) -> None:
        """Return when so many second attempts began, and so many attempts ended."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.heard.hedges) < hedges or len(self.heard.ends) < ends:
                self.heard.news.clear()
                await self.heard.news.wait()

    async def result(self) -> RouteResult:
        """Its result, or its error."""
        return await asyncio.wait_for(self.task, PATIENCE_S)


def request(**wishes: Any) -> RouteRequest:
    """A short prompt for MODEL without a second attempt, unless the wishes say otherwise."""
    usual: dict[str, Any] = {"prompt": "hello", "model": MODEL, "options": {"num_predict": 20}}
    return RouteRequest(**usual | {"hedge": False} | wishes)


async def asked(application: Application) -> Fleet:
    """The fleet as just asked for everything, every instance equally near."""
    known = application.fleet()
    found = (await application.discover_service().refresh(known, within_s=PATIENCE_S)).fleet
    same = tuple(replace(i, latency_ms=1.0) for i in found)
    return replace(found, instances=same, checked_at=datetime.now(UTC))


def begin(application: Application, fleet: Fleet, *, age_s: float = 0.0, **wishes: Any) -> Going:
    """A route on this fleet, from now on, as if it was asked so long ago."""

    async def find() -> Fleet:
        return replace(fleet, checked_at=application.clock.now() - timedelta(seconds=age_s))

    run, heard = application.route_service().begin(request(**wishes)), Heard()
    return Going(run, heard, asyncio.ensure_future(run.complete(find, heard, heard)))


def hold(application: Application, instance: str, *, work_s: float, model: str = MODEL) -> str:
    """A ticket of this process that runs on an instance; returns its id."""
    option = Option(model, instance, fixed=1.0, work_s=work_s, load_s=0.0, context=4096)
    ticket_id = f"holder-{next(_numbers)}"
    at = application.clock.now().timestamp()
    application.tickets.enter(Ticket(ticket_id, at, (option,), ProcessId(0, 0.0)))
    application.tickets.take(ticket_id, lambda _me, _others: Choice(option, begins=True))
    return ticket_id


def outcomes(attempts: Sequence[Attempt]) -> list[tuple[str, Outcome | None]]:
    """Who was tried, and how it went."""
    return [(a.instance, a.outcome) for a in attempts]
