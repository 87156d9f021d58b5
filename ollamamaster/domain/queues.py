"""What is ahead on every instance: when would a slot be free, and what is in memory by then?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from ollamamaster.domain.machines import Machine, Memory, Residency, bytes_needed, machine_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ollamamaster.domain.pair import Pair
    from ollamamaster.domain.tickets import Option, Ticket


class Spot(NamedTuple):
    """A request's place in a lane: it begins in `begin_s` and is slowed by `shared_s`.

    `open` says that there is a slot right now. Thousands are made for one decision.
    """

    begin_s: float
    shared_s: float
    residency: Residency
    open: bool

    @property
    def wait_s(self) -> float:
        """Until it begins, and what the requests that run beside it take of the machine."""
        return self.begin_s + self.shared_s


# What is left of a request, in seconds of the whole machine, and the model it keeps there.
_Run: TypeAlias = tuple[float, str | None]

# Looking a member up costs more than what is done with it in the loops below.
_RESIDENT = Residency.RESIDENT

# Where everyone has room.
ANYWHERE = Spot(0.0, 0.0, Residency.RESIDENT, open=True)


class Lane:
    """One instance as the plan goes on: first come first served, `slots` at once.

    Requests that run at once share the machine: two decode at half the speed each, which was
    measured on a real server. So a free slot beside a running request saves no work.
    """

    __slots__ = ("_gone", "_running", "_runs", "begin_s", "machine", "memory", "waiting")

    def __init__(
        self,
        machine: Machine,
        running: Sequence[Ticket] = (),
        now: float = 0.0,
        again_s: float = 0.0,
    ) -> None:
        """`again_s` is what is expected of others who were lately on some instance."""
        self.machine = machine
        self.memory = Memory(machine)
        self.waiting = 0
        self.begin_s = 0.0
        self._gone: dict[tuple[str, ...], tuple[float, list[_Run]]] = {}
        self._runs = _left_of(running, now)
        for ticket in running:
            if ticket.on is not None:
                self.memory.use(ticket.on)
        self._running = len(self._runs)
        # Whoever may come again is no reason to stand behind our own request rather than go
        # where they were: one that we use is as little unused.
        foreign_s = machine.foreign_s or (again_s if running else 0.0)
        if foreign_s > 0:
            self._runs.append((foreign_s, None))
        self._until_free()

    @property
    def open(self) -> bool:
        """Whether no request of ours has or waits for a slot.

        For others nobody is held: that they are there is only seen from outside, and the
        instance's own queue lets us in the moment they end.
        """
        return not self.waiting and self._running < self.machine.slots

    def spot(
        self, model: str, needed: int | None, context: int, load_s: float, work_s: float
    ) -> Spot:
        """Where a request would come if it came now; `needed` are the bytes of the model."""
        residency, leaving = self.memory.room(model, needed, context)
        begin_s, runs, is_open = self.begin_s, self._runs, self.open
        if not runs:
            return Spot(begin_s, 0.0, residency, is_open)
        beside_s = 0.0
        if residency is not _RESIDENT:
            if leaving:
                begin_s, runs = self._until_gone(leaving)
                is_open = is_open and runs is self._runs
            # A load takes nothing from those that run beside it.
            beside_s = load_s / len(runs) if runs else 0.0
        shared_s = 0.0
        for left_s, _ in runs:
            after_s = left_s - beside_s
            if after_s > 0.0:
                shared_s += min(work_s, after_s)
        return Spot(begin_s, shared_s, residency, is_open)

    def add(self, option: Option, spot: Spot, *, begins: bool) -> None:
        """Put a request there; `begins` says that it is sent now, even without a free slot."""
        load_s = 0.0
        if spot.residency is not Residency.RESIDENT:
            load_s = option.load_s
            if self._runs:
                _, leaving = self.memory.room(option.model, option.bytes, option.context)
                self.begin_s, self._runs = self._until_gone(leaving)
        self._runs = [*self._runs, (load_s + option.work_s, option.model)]
        self.memory.use(option)
        self._gone.clear()
        if begins:
            self._running += 1
        else:
            self.waiting += 1
        self._until_free()

    def _until_free(self) -> None:
        """Let the plan go on until there is a slot."""
        while len(self._runs) >= self.machine.slots:
            self.begin_s, self._runs = _next_end(self.begin_s, self._runs)

    def _until_gone(self, leaving: tuple[str, ...]) -> tuple[float, list[_Run]]:
        """When these models have nothing to do any more."""
        found = self._gone.get(leaving)
        if found is None:
            begin_s, runs = self.begin_s, self._runs
            while any(run[1] in leaving for run in runs):
                begin_s, runs = _next_end(begin_s, runs)
            found = self._gone[leaving] = begin_s, runs
        return found


def _left_of(running: Sequence[Ticket], now: float) -> list[_Run]:
    """What is left of each: its estimate minus what it got of the machine, not below zero.

    `running` is in the order of their starts. Those that ended meanwhile are forgotten, so a
    request that ran beside them has somewhat more left than is said.
    """
    starts = [now if t.started_at is None else min(now, t.started_at) for t in running]
    # While n ran, each got an n-th part of the time.
    parts = [(end - start) / n for n, (start, end) in enumerate(pairwise([*starts, now]), 1)]
    return [
        (max(0.0, t.on.load_s + t.on.work_s - sum(parts[number:])), t.on.model)
        for number, t in enumerate(running)
        if t.on is not None
    ]


def _next_end(begin_s: float, runs: list[_Run]) -> tuple[float, list[_Run]]:
    """The moment when the shortest of them ends, and what is left of the others then."""
    if len(runs) == 1:
        return begin_s + runs[0][0], []
    least = min(runs, key=itemgetter(0))
    rest = [(left_s - least[0], model) for left_s, model in runs]
    rest.remove((0.0, least[1]))
    return begin_s + least[0] * len(runs), rest


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
        again_s = max((m.foreign_s for m in known.values() if m.lately), default=0.0)
        return cls({n: Lane(m, by_instance.get(n, ()), now, again_s) for n, m in known.items()})

    def turn(
        self, pair: Pair, context_tokens: int, load_s: float = 0.0, work_s: float = 0.0
    ) -> Spot:
        """The place of a request for this pair that needs so much context and does such work.

        `load_s` is what a load would take.
        """
        model = pair.model
        if model.remote_host is not None:
            return ANYWHERE
        lane = self.lanes.get(pair.instance.id) or Lane(machine_of(pair.instance))
        needed = bytes_needed(model, context_tokens)
        return lane.spot(model.name.text, needed, context_tokens, load_s, work_s)

    def lane(self, option: Option) -> Lane | None:
        """The lane of its instance; None where everyone has room."""
        if option.cloud:
            return None
        lane = self.lanes.get(option.instance)
        if lane is None:
            lane = self.lanes[option.instance] = Lane(Machine(option.instance))
        return lane

    def add(self, option: Option, spot: Spot, *, begins: bool) -> Option:
        """Put a request there; the option as it is used, without its load where none is needed."""
        lane = self.lane(option)
        if lane is not None:
            lane.add(option, spot, begins=begins)
        resident = spot.residency is Residency.RESIDENT
        return replace(option, load_s=0.0) if resident and option.load_s else option
