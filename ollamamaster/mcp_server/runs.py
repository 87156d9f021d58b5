"""Long calls: how do they go on after the host stopped waiting, and for how long are they kept?"""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from ollamamaster.errors import OllamaMasterError
from ollamamaster.mcp_server.failures import refusal_of
from ollamamaster.mcp_server.reply import RefusedError, Reply
from ollamamaster.mcp_server.words import quoted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from ollamamaster.ports import Clock

    Tell = Callable[[float, float | None, str], Awaitable[None]]

# A host that reconnects, or a person who comes back from lunch, still finds the answer.
KEPT_S = 30 * 60.0
KEPT_RESULTS = 100
KEPT_BYTES = 16_000_000
# More than any host starts by itself; each is one connection to an instance and its text.
MOST_AT_ONCE = 256
# A person sees that something goes on; more often would only be traffic.
TELL_EVERY_S = 1.0
# An id is all that is needed to read an answer, so it is as good as a password.
_ID_BYTES = 16


class RunStatus(StrEnum):
    """How far a run is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a run stands now: a line for a person, seconds it likely takes in all, text so far."""

    message: str
    total_s: float | None = None
    partial: str = ""


class Work(Protocol):
    """What a run does."""

    async def carry_out(self) -> Reply:
        """Do it. Raises OllamaMasterError, RefusedError."""

    def standing(self) -> Standing:
        """May be asked at any time."""


@dataclass
class Run:
    """One call that may outlive its request."""

    id: str
    tool: str
    work: Work
    began: float
    task: asyncio.Task[Reply] = field(init=False)
    ended: float | None = None
    size: int = 0

    @property
    def status(self) -> RunStatus:
        if not self.task.done():
            return RunStatus.RUNNING
        if self.task.cancelled():
            return RunStatus.CANCELLED
        return RunStatus.DONE if self.task.exception() is None else RunStatus.FAILED

    def reply(self) -> Reply:
        """What came of a run that is over. Raises RefusedError."""
        if self.task.cancelled():
            raise RefusedError(f"run {self.id} was cancelled. Next: call {self.tool} again.")
        failure = self.task.exception()
        if isinstance(failure, OllamaMasterError):
            refusal = refusal_of(failure)
            raise RefusedError(str(refusal) + _came_of(self.work.standing())) from failure
        if failure is not None:
            raise failure
        return self.task.result()


class Runs:
    """The runs of this server, those that go on and those that are kept."""

    def __init__(
        self,
        clock: Clock,
        changed: Callable[[str], None] = lambda _id: None,
        *,
        kept_s: float = KEPT_S,
    ) -> None:
        """`changed` is told the id of a run that began or ended."""
        self._clock = clock
        self._changed = changed
        self._kept_s = kept_s
        self._runs: dict[str, Run] = {}

    def __iter__(self) -> Iterator[Run]:
        self._forget()
        return iter(tuple(self._runs.values()))

    @property
    def going(self) -> tuple[Run, ...]:
        """Those that are not over."""
        return tuple(run for run in self if run.status is RunStatus.RUNNING)

    def begin(self, tool: str, work: Work) -> Run:
        """Start. Raises RefusedError when too many go on already."""
        if len(self.going) >= MOST_AT_ONCE:
            raise RefusedError(
                f"busy: {MOST_AT_ONCE} calls are running. Next: wait for some of them with "
                "get_result, or end some with cancel_run."
            )
        run = Run(secrets.token_urlsafe(_ID_BYTES), tool, work, self._clock.monotonic())
        run.task = asyncio.create_task(work.carry_out(), name=f"run {run.id}")
        run.task.add_done_callback(lambda _task: self._end(run))
        self._runs[run.id] = run
        self._changed(run.id)
        return run

    def find(self, run_id: str) -> Run:
        """The run of this id. Raises RefusedError for one that is unknown or forgotten."""
        self._forget()
        run = self._runs.get(run_id)
        if run is None:
            raise RefusedError(
                f"there is no run {run_id[:64]!r}; results are kept for "
                f"{self._kept_s / 60:.0f} minutes. Next: call the tool again."
            )
        return run

    def elapsed_s(self, run: Run) -> float:
        """Seconds from its beginning to its end, or to now."""
        until = self._clock.monotonic() if run.ended is None else run.ended
        return until - run.began

    async def follow(self, run: Run, wait_s: float, tell: Tell) -> None:
        """Wait for a run, at most so many seconds, and tell how it goes once a second."""
        now = self._clock.monotonic()
        until, tell_at = now + wait_s, now + TELL_EVERY_S
        while not run.task.done() and now < until:
            await asyncio.wait({run.task}, timeout=min(until, tell_at) - now)
            now = self._clock.monotonic()
            if now >= tell_at and not run.task.done():
                standing = run.work.standing()
                await tell(self.elapsed_s(run), standing.total_s, standing.message)
                now = self._clock.monotonic()
                tell_at = now + TELL_EVERY_S

    async def cancel(self, run: Run) -> None:
        """End a run, on the instance as well; returns when it has ended."""
        run.task.cancel()
        await asyncio.wait({run.task})

    async def close(self) -> None:
        """End all of them."""
        tasks = [run.task for run in self._runs.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _end(self, run: Run) -> None:
        run.ended = self._clock.monotonic()
        run.size = _size_of(run)
        self._changed(run.id)
        self._forget()

    def _forget(self) -> None:
        """Drop what is too old, and the oldest of what is too much."""
        over = sorted((r.ended, r.id) for r in self._runs.values() if r.ended is not None)
        now, size = self._clock.monotonic(), sum(self._runs[run_id].size for _, run_id in over)
        gone = []
        for index, (ended, run_id) in enumerate(over):
            too_many = len(over) - index > KEPT_RESULTS
            if now - ended > self._kept_s or too_many or size > KEPT_BYTES:
                size -= self._runs.pop(run_id).size
                gone.append(run_id)
        # Whoever is told may look at the runs, and finds none that is on its way out.
        for run_id in gone:
            self._changed(run_id)


def _size_of(run: Run) -> int:
    """About the bytes that a run which is over takes."""
    if run.task.cancelled() or run.task.exception() is not None:
        return len(run.work.standing().partial)
    reply = run.task.result()
    return len(reply.text) + len(json.dumps(reply.data))


def _came_of(standing: Standing) -> str:
    if not standing.partial:
        return ""
    return (
        f"\n{len(standing.partial)} characters of an answer had come:\n{quoted(standing.partial)}"
    )
