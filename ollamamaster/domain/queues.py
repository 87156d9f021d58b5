"""What is ahead on every instance: when would a slot be free, and what is in memory by then?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from ollamamaster.domain.machines import Machine, Memory, Residency, bytes_needed, machine_of
from ollamamaster.domain.tickets import Option

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ollamamaster.domain.candidates import Pair
    from ollamamaster.domain.tickets import Ticket


@dataclass(frozen=True, slots=True)
class Turn:
    """When a request would begin on an instance, and what must happen before its first token.

    `wait_s` includes what the requests that run beside it take of the machine.
    """

    wait_s: float
    residency: Residency


@dataclass(frozen=True, slots=True)
class Spot:
    """A request's place in a lane: it begins in `begin_s` and is slowed by `shared_s`.

    `open` says that there is a slot right now.
    """

    begin_s: float
    shared_s: float
    residency: Residency
    open: bool


@dataclass(slots=True)
class _Run:
    """What is left of a request, in seconds of the whole machine, and the model it keeps there."""

    left_s: float
    model: str | None


_ANYWHERE = Spot(0.0, 0.0, Residency.RESIDENT, open=True)


class Lane:
    """One instance as the plan goes on: first come first served, `slots` at once.

    Requests that run at once share the machine: two decode at half the speed each, which was
    measured on a real server. So a free slot beside a running request saves no work.
    """

    __slots__ = ("_begin_s", "_running", "_runs", "machine", "memory", "waiting")

    def __init__(self, machine: Machine, running: Sequence[Ticket] = (), now: float = 0.0) -> None:
        self.machine = machine
        self.memory = Memory(machine)
        self.waiting = 0
        self._begin_s = 0.0
        self._runs = _left_of(running, now)
        for ticket in running:
            if ticket.on is not None:
                self.memory.use(ticket.on)
        if machine.foreign_s > 0:
            self._runs.append(_Run(machine.foreign_s, None))
        self._running = len(self._runs)
        self._until_free()

    @property
    def open(self) -> bool:
        """Whether a slot is free now and nobody waits for it."""
        return not self.waiting and self._running < self.machine.slots

    def spot(self, option: Option) -> Spot:
        """Where a request for this option would come if it came now."""
        residency = self.memory.residency(option.model, option.bytes, option.context)
        if not self._runs:
            return Spot(self._begin_s, 0.0, residency, self.open)
        begin_s, runs = self._begin_s, self._runs
        if residency is not Residency.RESIDENT:
            begin_s, runs = self._until_gone(option)
        load_s = 0.0 if residency is Residency.RESIDENT else option.load_s
        shared_s = sum(min(option.work_s, run.left_s) for run in _after(runs, load_s))
        return Spot(begin_s, shared_s, residency, self.open and len(runs) == len(self._runs))

    def add(self, option: Option, spot: Spot, *, begins: bool) -> None:
        """Put a request there; `begins` says that it is sent now, even without a free slot."""
        if spot.residency is not Residency.RESIDENT and self._runs:
            self._begin_s, self._runs = self._until_gone(option)
        load_s = 0.0 if spot.residency is Residency.RESIDENT else option.load_s
        self._runs = [*self._runs, _Run(load_s + option.work_s, option.model)]
        self.memory.use(option)
        if begins:
            self._running += 1
        else:
            self.waiting += 1
        self._until_free()

    def _until_free(self) -> None:
        """Let the plan go on until there is a slot."""
        while len(self._runs) >= self.machine.slots:
            self._begin_s, self._runs = _next_end(self._begin_s, self._runs)

    def _until_gone(self, option: Option) -> tuple[float, list[_Run]]:
        """When the models that must leave for this one have nothing to do any more."""
        leaving = set(self.memory.leaving(option))
        begin_s, runs = self._begin_s, self._runs
        while any(run.model in leaving for run in runs):
            begin_s, runs = _next_end(begin_s, runs)
        return begin_s, runs


def _left_of(running: Sequence[Ticket], now: float) -> list[_Run]:
    """What is left of each: its estimate minus what it got of the machine, not below zero.

    `running` is in the order of their starts. Those that ended meanwhile are forgotten, so a
    request that ran beside them has somewhat more left than is said.
    """
    starts = [now if t.started_at is None else min(now, t.started_at) for t in running]
    # While n ran, each got an n-th part of the time.
    parts = [(end - start) / n for n, (start, end) in enumerate(pairwise([*starts, now]), 1)]
    return [
        _Run(max(0.0, t.on.load_s + t.on.work_s - sum(parts[number:])), t.on.model)
        for number, t in enumerate(running)
        if t.on is not None
    ]


def _next_end(begin_s: float, runs: list[_Run]) -> tuple[float, list[_Run]]:
    """The moment when the shortest of them ends, and what is left of the others then."""
    least = min(runs, key=lambda run: run.left_s)
    rest = [_Run(run.left_s - least.left_s, run.model) for run in runs if run is not least]
    return begin_s + least.left_s * len(runs), rest


def _after(runs: list[_Run], seconds: float) -> list[_Run]:
    """What is left of them after a load beside them, which takes nothing from them."""
    if seconds <= 0 or not runs:
        return runs
    each = seconds / len(runs)
    return [_Run(max(0.0, run.left_s - each), run.model) for run in runs]


@dataclass(frozen=True, slots=True)
class Queues:
    """What is ahead on every instance. Instances that are not in it are idle."""

    lanes: dict[str, Lane] = field(default_factory=dict)

    @classmethod
    def of(cls, machines: Mapping[str, Machine], running: Iterable[Ticket], now: float) -> Queues:
        """The instances with what runs there and nobody waiting."""
        by_instance: dict[str, list[Ticket]] = {}
        for ticket in sorted(running, key=lambda t: t.started_at or now):
            if ticket.on is not None and not ticket.on.cloud:
                by_instance.setdefault(ticket.on.instance, []).append(ticket)
        known = {name: machines.get(name) or Machine(name) for name in (*machines, *by_instance)}
        return cls({n: Lane(m, by_instance.get(n, ()), now) for n, m in known.items()})

    def turn(self, pair: Pair, context_tokens: int, work_s: float = 0.0) -> Turn:
        """The turn of a request for this pair that needs so much context and does such work."""
        if pair.model.cloud:
            return Turn(0.0, Residency.RESIDENT)
        lane = self.lanes.get(pair.instance.id) or Lane(machine_of(pair.instance))
        model = str(pair.model.name)
        needed = bytes_needed(pair.model, context_tokens)
        spot = lane.spot(
            Option(model, lane.machine.instance, 0.0, work_s, 0.0, 0.0, needed, context_tokens)
        )
        return Turn(spot.begin_s + spot.shared_s, spot.residency)

    def spot(self, option: Option) -> Spot:
        """Where a request for this option would come if it came now."""
        if option.cloud:
            return _ANYWHERE
        return self._lane(option.instance).spot(option)

    def add(self, option: Option, spot: Spot, *, begins: bool) -> Option:
        """Put a request there; the option as it is used, without its load where none is needed."""
        if not option.cloud:
            self._lane(option.instance).add(option, spot, begins=begins)
        resident = spot.residency is Residency.RESIDENT
        return replace(option, load_s=0.0) if resident and option.load_s else option

    def waiting(self, option: Option) -> int:
        """How many wait for this instance."""
        return 0 if option.cloud else self._lane(option.instance).waiting

    def believed(self, option: Option) -> bool:
        """Whether the number of slots there is only believed."""
        return not option.cloud and not self._lane(option.instance).machine.slots_known

    def _lane(self, instance: str) -> Lane:
        lane = self.lanes.get(instance)
        if lane is None:
            lane = self.lanes[instance] = Lane(Machine(instance))
        return lane
