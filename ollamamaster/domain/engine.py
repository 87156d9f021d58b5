"""How does one Ollama instance serve? Slots, loads, evictions, keep-alive, the pending queue.

Follows server/sched.go of Ollama. Time is passed in, in seconds from any moment, and never goes
back: the same engine runs behind sockets on a wall clock and through traces in virtual time.

    submit ── resident with that context ──────────────► waits for a slot ► runs ► done
        └──── else: pending (at most max_queue) ► load ──────┘
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from ollamamaster.domain.hardware import Eviction
from ollamamaster.domain.serving import (
    Job,
    ModelTooLargeError,
    Phase,
    QueueFullError,
    Request,
    Runner,
    for_ever,
    shared_beginning,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollamamaster.domain.hardware import Hardware, Placement


@dataclass(slots=True)
class _Load:
    runner: Runner
    job: Job
    ends_at: float
    joined: list[Job] = field(default_factory=list)


class Engine:
    """One instance. All methods take the time and first catch up with it."""

    def __init__(self, hardware: Hardware, now: float = 0.0) -> None:
        self.hardware = hardware
        self.now = now
        self.loads = 0
        self.evictions = 0
        self.cancelled = 0
        self.finished = 0
        self.residents: dict[str, Runner] = {}
        self._pending: deque[Job] = deque()
        self._load: _Load | None = None
        self._active = 0
        # Work done by each running request: all share the machine equally, so one clock, which
        # runs at 1/n, tells for every request when it is through (processor sharing).
        self._work = 0.0
        self._marks: list[tuple[float, int, Job]] = []
        self._order = count()
        self._changed: list[Job] = []

    @property
    def running(self) -> int:
        """Requests that are being read or written."""
        return self._active

    @property
    def waiting(self) -> int:
        """Requests that wait for a load or a slot."""
        loading = 1 + len(self._load.joined) if self._load else 0
        return len(self._pending) + loading + sum(len(r.waiting) for r in self.residents.values())

    @property
    def loading(self) -> str | None:
        """The model that is being loaded."""
        return self._load.runner.model.name if self._load else None

    def submit(self, request: Request, now: float) -> Job:
        """Take a request. Raises QueueFullError or ModelTooLargeError."""
        self._catch_up(now)
        hardware = self.hardware
        job = Job(
            request, hardware.context_for(request.model, request.context), now, next(self._order)
        )
        place = hardware.placement(request.model, job.context)
        if not hardware.holds([place]):
            raise ModelTooLargeError(place.size, hardware.memory_bytes)
        runner = self.residents.get(request.model.name)
        if runner is not None and runner.context == job.context:
            self._attach(job, runner)
            self._rest(runner)
        elif self._joins(job):
            job.phase = Phase.LOADING
        elif len(self._pending) > hardware.max_queue or (
            # Ollama holds the head of the queue outside of it while it makes room.
            self._load is not None and len(self._pending) >= hardware.max_queue
        ):
            raise QueueFullError
        else:
            self._pending.append(job)
            self._make_room()
        return job

    def cancel(self, job: Job, now: float) -> None:
        """The caller went away: its slot is free at once, a load for it is thrown away."""
        self._catch_up(now)
        if job.ended:
            return
        phase, job.phase = job.phase, Phase.CANCELLED
        self.cancelled += 1
        job.finished_at = self.now
        load = self._load
        if phase is Phase.PENDING:
            self._pending.remove(job)
        elif phase is Phase.LOADING and load is not None:
            if load.job is job:
                self._load = None
                self._pending.extendleft(reversed(load.joined))
                for waiting in load.joined:
                    waiting.phase = Phase.PENDING
            else:
                load.joined.remove(job)
        elif phase is Phase.WAITING and job.runner is not None:
            job.runner.waiting.remove(job)
            self._rest(job.runner)
        else:
            self._release(job)
        self._make_room()

    def unload(self, model: str, now: float) -> None:
        """Take a model out of memory: at once when it is idle, else when it becomes so."""
        self._catch_up(now)
        runner = self.residents.get(model)
        if runner is None:
            return
        runner.leaving = True
        runner.keep_alive_s = 0.0
        self._rest(runner)
        self._make_room()

    def advance(self, now: float) -> list[Job]:
        """Let time pass; the jobs that became ready, were read, or ended since the last call."""
        self._catch_up(now)
        changed, self._changed = self._changed, []
        return changed

    def next_event(self) -> float:
        """When something happens by itself; infinite for never."""
        return self._next()[0]

    def tokens(self, job: Job) -> int:
        """Tokens of the answer that are written by now."""
        if job.phase is Phase.DONE:
            return job.request.output_tokens
        if job.phase is not Phase.WRITING:
            return 0
        # A billionth of a token: the token that is due now is not lost to rounding.
        written = 1 + math.floor((self._work - job.read_mark) / job.token_work + 1e-9)
        return min(written, job.request.output_tokens)

    def token_due(self, job: Job, number: int) -> float:
        """When the token of this number (from 1) is written, if nothing else comes or goes."""
        if job.phase is not Phase.WRITING:
            return math.inf
        mark = job.read_mark + (number - 1) * job.token_work
        return self.now + max(0.0, mark - self._work) * self._active

    # ---- time

    def _catch_up(self, now: float) -> None:
        while True:
            event, happens = self._next()
            if event > now:
                break
            self._move(event)
            happens()
            self._make_room()
        self._move(now)

    def _next(self) -> tuple[float, Callable[[], None]]:
        event, happens = math.inf, self._expire
        for runner in self.residents.values():
            if runner.expires_at is not None and runner.expires_at < event and not runner.busy:
                event = runner.expires_at
        marks = self._marks
        while marks and marks[0][2].ended:
            heapq.heappop(marks)
        if marks:
            due = self.now + max(0.0, marks[0][0] - self._work) * self._active
            if due < event:
                event, happens = due, self._pass_mark
        if self._load is not None and self._load.ends_at <= event:
            event, happens = self._load.ends_at, self._loaded
        return event, happens

    def _move(self, now: float) -> None:
        if now <= self.now:
            return
        if self._active:
            self._work += (now - self.now) / self._active
        self.now = now

    def _pass_mark(self) -> None:
        mark, _, job = heapq.heappop(self._marks)
        # It is due by definition; what rounding left is not to be waited for.
        self._work = max(self._work, mark)
        self._reached(job)

    def _expire(self) -> None:
        for runner in list(self.residents.values()):
            if runner.expires_at is not None and runner.expires_at <= self.now and not runner.busy:
                del self.residents[runner.model.name]

    # ---- loads

    def _joins(self, job: Job) -> bool:
        load = self._load
        if load is None or not self._wants(job, load.runner):
            return False
        load.joined.append(job)
        return True

    def _make_room(self) -> None:
        while self._pending and self._load is None:
            job = self._pending[0]
            name = job.request.model.name
            runner = self.residents.get(name)
            if runner is not None and runner.context == job.context:
                self._attach(self._pending.popleft(), runner)
                self._rest(runner)
                continue
            place = self.hardware.placement(job.request.model, job.context)
            victim = runner if runner is not None else self._victim(place)
            if victim is None:
                self._begin_load(self._pending.popleft(), place)
            elif any(r.leaving for r in self.residents.values()):
                return
            elif victim.busy:
                victim.leaving, victim.evicted = True, victim is not runner
                return
            else:
                del self.residents[victim.model.name]
                self.evictions += victim is not runner

    def _victim(self, place: Placement) -> Runner | None:
        """Who must leave first so that this fits; None when there is room."""
        runners = list(self.residents.values())
        full = len(runners) >= self.hardware.max_loaded
        if not runners or not (
            full or not self.hardware.holds([place, *(r.place for r in runners)])
        ):
            return None
        if self.hardware.eviction is Eviction.LEAST_RECENT:
            return min(runners, key=lambda r: (r.busy, r.used_at))
        return min(runners, key=lambda r: (r.busy, for_ever(r.keep_alive_s), r.model.name))

    def _begin_load(self, job: Job, place: Placement) -> None:
        request, hardware = job.request, self.hardware
        runner = Runner(
            request.model,
            job.context,
            place,
            hardware.keep_alive_s,
            self.now,
            prompts=[""] * hardware.slots,
            free=list(range(hardware.slots)),
        )
        job.phase = Phase.LOADING
        ends_at = self.now + hardware.load_s(request.model) * request.slowness
        self._load = load = _Load(runner, job, ends_at)
        # Those behind it that want the same would else be overtaken by whoever comes next.
        while self._pending and self._wants(self._pending[0], runner):
            joining = self._pending.popleft()
            joining.phase = Phase.LOADING
            load.joined.append(joining)

    @staticmethod
    def _wants(job: Job, runner: Runner) -> bool:
        return job.request.model.name == runner.model.name and job.context == runner.context

    def _loaded(self) -> None:
        load, self._load = self._load, None
        if load is None:
            return
        self.loads += 1
        self.residents[load.runner.model.name] = load.runner
        for job in (load.job, *load.joined):
            self._attach(job, load.runner)
        self._rest(load.runner)

    # ---- slots

    def _attach(self, job: Job, runner: Runner) -> None:
        job.runner, job.ready_at, job.phase = runner, self.now, Phase.WAITING
        if job.request.keep_alive_s is not None:
            runner.keep_alive_s = job.request.keep_alive_s
        self._changed.append(job)
        if job.request.load_only:
            self._end(job)
            return
        runner.waiting.append(job)
        self._fill(runner)

    def _fill(self, runner: Runner) -> None:
        while runner.free and runner.waiting:
            self._start(runner.waiting.popleft(), runner)

    def _start(self, job: Job, runner: Runner) -> None:
        request, hardware = job.request, self.hardware
        shared = {
            slot: shared_beginning(runner.prompts[slot], request.prompt) for slot in runner.free
        }
        job.slot = max(runner.free, key=lambda slot: (shared[slot], -slot))
        runner.free.remove(job.slot)
        runner.prompts[job.slot] = request.prompt
        runner.running += 1
        if not self._active:
            # The clock may start anew, which keeps it exact over long traces.
            self._work = 0.0
            self._marks.clear()
        self._active += 1
        read_s = hardware.prefill_s(
            request.model, runner.place, request.prompt_tokens, cached=shared[job.slot]
        )
        job.started_at, job.phase = self.now, Phase.READING
        job.read_mark = self._work + read_s * request.slowness
        job.token_work = hardware.token_s(request.model, runner.place) * request.slowness
        heapq.heappush(self._marks, (job.read_mark, job.order, job))

    def _reached(self, job: Job) -> None:
        self._changed.append(job)
        if job.phase is Phase.READING:
            job.phase, job.read_at = Phase.WRITING, self.now
            # Reading the prompt gives the first token; each further one is a step.
            if job.request.output_tokens > 1:
                steps = (job.request.output_tokens - 1) * job.token_work
                heapq.heappush(self._marks, (job.read_mark + steps, job.order, job))
                return
        self._end(job)
        self._release(job)

    def _end(self, job: Job) -> None:
        job.phase, job.finished_at = Phase.DONE, self.now
        self.finished += 1

    def _release(self, job: Job) -> None:
        runner = job.runner
        if runner is None:
            return
        self._active -= 1
        runner.running -= 1
        runner.free.append(job.slot)
        self._fill(runner)
        self._rest(runner)

    def _rest(self, runner: Runner) -> None:
        """The last request of a runner ended: its keep-alive begins, or it leaves."""
        if runner.busy:
            return
        runner.used_at = self.now
        runner.expires_at = self.now + for_ever(runner.keep_alive_s)
        if runner.keep_alive_s == 0.0 or runner.leaving:
            self.residents.pop(runner.model.name, None)
            self.evictions += runner.evicted
