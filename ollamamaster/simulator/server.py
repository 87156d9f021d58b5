"""One simulated instance: its engine on the wall clock, its port, its models."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.engine import Engine
from ollamamaster.domain.keep_alive import LONGEST_S
from ollamamaster.simulator.acceptor import Acceptor
from ollamamaster.simulator.connection import Connection
from ollamamaster.simulator.faults import WHOLE_INSTANCE, Faults
from ollamamaster.simulator.plan import FaultKind, FaultPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ollamamaster.domain.serving import Job, Request, Runner
    from ollamamaster.simulator.connection import HttpRequest, Sent
    from ollamamaster.simulator.plan import InstancePlan, ModelPlan

# How long a restart takes where the fault does not say.
_RESTART_S = 1.0
# Timers of an event loop are good to about a millisecond: tokens that come faster are sent
# together, at their time.
_TICK_S = 0.001


class Server:
    """One instance on a loopback port. Lives in one event loop; nothing of it blocks.

    `answer` says what each request gets.
    """

    def __init__(
        self,
        plan: InstancePlan,
        catalogue: Mapping[str, ModelPlan],
        answer: Callable[[Server, Connection, HttpRequest], Sent],
        *,
        speed: float,
        seed: int,
    ) -> None:
        self._answer = answer
        self.plan = plan
        self.catalogue = catalogue
        self.models = {name: catalogue[name] for name in plan.models}
        self.speed = speed
        self.seed = seed
        self.port = plan.port
        self.numbers = 0
        self.requests = 0
        self._loop = asyncio.get_running_loop()
        self._born = self._loop.time()
        # Keep-alive is a promise to the client, in its seconds; the engine counts its own.
        keep_alive_s = plan.hardware.keep_alive_s
        self._hardware = replace(plan.hardware, keep_alive_s=keep_alive_s * speed)
        self.engine = Engine(self._hardware)
        self._before: dict[str, int] = {}
        self.faults = Faults(self._loop.time)
        self._connections: set[Connection] = set()
        self._acceptor: Acceptor | None = None
        self._reserved: socket.socket | None = None
        self._jobs: dict[Job, tuple[asyncio.Future[None], int | None] | None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timers: set[asyncio.TimerHandle] = set()

    # ---- the port

    def listen(self) -> None:
        """Begin to take connections, on the same port as before if there was one."""
        if self._acceptor is not None:
            return
        listener = self._reserved or self._bound()
        self._reserved = None
        self.port = listener.getsockname()[1]
        factory = partial(Connection, self._connections, partial(self._answer, self))
        self._acceptor = Acceptor(listener, factory)

    def start_faults(self) -> None:
        """Set the faults of the fleet file; their time counts from now."""
        for fault in self.plan.faults:
            self.set_fault(fault)

    def refuse(self) -> None:
        """Take no more connections; those there are go on."""
        if self._acceptor is None:
            return
        self._acceptor.close()
        self._acceptor = None
        # Bound but not listening: refused to clients, and nobody else can take the port. Where
        # a system does not allow it beside open connections, `listen` binds again.
        with contextlib.suppress(OSError):
            self._reserved = self._bound()

    def die(self) -> None:
        """Stop listening, reset every connection, lose what is in memory."""
        self.refuse()
        for connection in list(self._connections):
            connection.abort()
        for waiter in self._jobs.values():
            if waiter is not None and not waiter[0].done():
                waiter[0].cancel()
        self._jobs.clear()
        self._before = self._counts()
        self.engine = Engine(self._hardware, self._now())
        self._schedule()

    def close(self) -> None:
        """End for good."""
        self.die()
        for timer in (self._timer, *self._timers):
            if timer is not None:
                timer.cancel()
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None

    def _bound(self) -> socket.socket:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            if sys.platform != "win32":
                # On Windows this option would let others take the port while it is used.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", self.port))
        except OSError:
            listener.close()
            raise
        return listener

    # ---- faults

    def set_fault(self, plan: FaultPlan) -> None:
        """Set a fault now. One that takes the whole port begins at its time, or at a request."""
        takes_port = plan.kind in WHOLE_INSTANCE and plan.kind is not FaultKind.HANG
        if takes_port and not plan.after_requests and plan.tokens is None:
            self._later(plan.after_s, partial(self.strike, plan))
        else:
            self.faults.add(replace(plan, count=1) if takes_port else plan)

    def strike(self, plan: FaultPlan) -> None:
        """A fault that takes the whole port begins."""
        back_in_s = plan.for_s
        if plan.kind is FaultKind.REFUSE:
            self.refuse()
        else:
            self.die()
        if plan.kind is FaultKind.RESTART and back_in_s is None:
            back_in_s = _RESTART_S
        if back_in_s is not None:
            self._later(back_in_s, self.listen)

    def _later(self, seconds: float, action: partial[None] | Any) -> None:
        if seconds <= 0:
            action()
            return

        def run() -> None:
            self._timers.discard(timer)
            action()

        timer = self._loop.call_later(seconds, run)
        self._timers.add(timer)

    # ---- the engine on the wall clock

    def submit(self, request: Request) -> Job:
        """Hand a request to the engine; its errors go through."""
        job = self.engine.submit(request, self._now())
        self._jobs[job] = None
        self._tick()
        return job

    def cancel(self, job: Job) -> None:
        """The client is gone, or the answer is complete."""
        if job not in self._jobs:
            return
        del self._jobs[job]
        if not job.ended:
            self.engine.cancel(job, self._now())
        self._tick()

    async def progress(self, job: Job, sent: int | None) -> None:
        """Wait until more than `sent` tokens are written, or the end; None waits for the end."""
        while not job.ended and (sent is None or self.engine.tokens(job) <= sent):
            future: asyncio.Future[None] = self._loop.create_future()
            self._jobs[job] = (future, sent)
            self._schedule()
            await future

    def unload(self, model: str) -> None:
        """Take a model out of memory."""
        self.engine.unload(model, self._now())
        self._schedule()

    def loaded(self) -> list[tuple[ModelPlan, Runner, float]]:
        """The models in memory, and in how many of the client's seconds each expires."""
        self.engine.advance(self._now())
        found = []
        for name, runner in self.engine.residents.items():
            # Not used to the end yet: Ollama then says that it just was.
            used_at = self.engine.now if runner.expires_at is None else runner.used_at
            expires_in_s = (used_at - self.engine.now) / self.speed
            keep = runner.keep_alive_s
            # Ollama shows its longest duration for `keep_alive: -1`
            expires_in_s += LONGEST_S if keep < 0 else keep / self.speed
            found.append((self.catalogue[name], runner, expires_in_s))
        return found

    def state(self) -> dict[str, Any]:
        """What a test or a person wants to know of the inside."""
        loaded = self.loaded()
        return {
            "name": self.plan.name,
            "running": self.engine.running,
            "waiting": self.engine.waiting,
            "loading": self.engine.loading,
            "resident": [
                {
                    "model": model.full_name,
                    "context_length": runner.context,
                    "size": runner.place.size,
                    "size_vram": runner.place.size_vram,
                }
                for model, runner, _ in loaded
            ],
            "requests": self.requests,
            **self._counts(),
        }

    def _counts(self) -> dict[str, int]:
        engine, before = self.engine, self._before
        return {
            "served": before.get("served", 0) + engine.finished,
            "cancelled": before.get("cancelled", 0) + engine.cancelled,
            "loads": before.get("loads", 0) + engine.loads,
            "evictions": before.get("evictions", 0) + engine.evictions,
        }

    def _now(self) -> float:
        return (self._loop.time() - self._born) * self.speed

    def _tick(self) -> None:
        engine = self.engine
        engine.advance(self._now())
        for job, waiter in self._jobs.items():
            if waiter is None:
                continue
            future, sent = waiter
            if job.ended or (sent is not None and engine.tokens(job) > sent):
                if not future.done():
                    future.set_result(None)
                self._jobs[job] = None
        self._schedule()

    def _schedule(self) -> None:
        """One timer for the next thing that happens; none when nothing will."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.engine.next_event()
        for job, waiter in self._jobs.items():
            if waiter is not None and waiter[1] is not None:
                due = min(due, self.engine.token_due(job, waiter[1] + 1))
        if due < math.inf:
            at = max(self._born + due / self.speed, self._loop.time() + _TICK_S)
            self._timer = self._loop.call_at(at, self._tick)
