"""A route's place among all routes of this user: entered, waited for, held, left."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ollamamaster.domain.schedule import plan
from ollamamaster.domain.tickets import Choice, ProcessId, Ticket

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from ollamamaster.domain.machines import Machine
    from ollamamaster.domain.tickets import Option, Priority
    from ollamamaster.ports import Clock, TicketStore

# How often a waiting route looks whether anything changed: a tenth of what a person notices, and
# the look itself is microseconds.
LOOK_EVERY_S = 0.02
# What a ticket may run on, for its own choice and in the plans of the others, which must be the
# same: the best were ranked a moment before with everybody ahead counted, so what is seventeenth
# then is not first now, and rows stay small.
OPTIONS_TOLD = 16
# An estimate that changed by less does not change who goes first; told anew, it wakes everybody.
TOLD_ANEW_FACTOR = 1.5
# Of what takes less nobody is told anew, by whatever factor it changed.
_TINY_S = 0.05
# A waiting route decides again every second. One that does not take a free place for three has
# stopped (Ctrl-Z, a sleeping container) or sees it otherwise, and is not waited for.
STUCK_S = 3.0
# What two sums of the same terms differ by, and far less than anything is worth.
_ROUNDED = 1e-9
# A ticket that runs, its model and its instance.
_Place = tuple[str, str, str]
# The ticket store knows which process this is.
_THIS_PROCESS = ProcessId(0, 0.0)


@dataclass
class Line:
    """One route's ticket. `waited_s` is how long it stood waiting, all its waits together."""

    tickets: TicketStore
    clock: Clock
    id: str
    ticket: Ticket | None = None
    waited_s: float = 0.0
    _names: int = 0
    _seen: int = 0
    _others: set[_Place] = field(default_factory=set)
    _expected: dict[str, float] = field(default_factory=dict)

    def others(self) -> Sequence[Ticket]:
        """Everybody else."""
        return self.tickets.others(self._name)

    def enter(self, options: Sequence[Option], price: float, priority: Priority) -> None:
        """Stand in line for these, the best first; told anew when they are not what they were.

        The others remember what a ticket may run on, so one that changes goes by another name.
        """
        told = tuple(options[:OPTIONS_TOLD])
        before = self.ticket
        if before is not None and not _differ(before.options, told, options):
            return
        ticket = Ticket(
            f"{self.id}.{self._names}" if self._names else self.id,
            self.clock.now().timestamp(),
            told,
            _THIS_PROCESS,
            price,
            priority,
        )
        if before is not None:
            ticket = replace(ticket, entered_at=before.entered_at, overtaken_s=before.overtaken_s)
        self._names += 1
        self.ticket = ticket
        self.tickets.enter(ticket)
        if before is not None:
            self.tickets.leave(before.id)

    def take(self, machines: Mapping[str, Machine]) -> Choice:
        """Begin where there is room for it now, or learn for what to wait."""
        now = self.clock.now().timestamp()

        def chosen(me: Ticket, others: Sequence[Ticket]) -> Choice:
            at, expected = self.clock.monotonic(), {}
            here = [t for t in others if at - self._expected.get(t.id, at) < STUCK_S]
            choice = Choice(None, begins=False)
            for ticket, choice in plan(machines, [*here, me], now):
                if ticket.id == me.id:
                    break
                if choice.begins:
                    expected[ticket.id] = self._expected.get(ticket.id, at)
            stuck = {t.id for t in others} - {t.id for t in here}
            self._expected = expected | {i: self._expected[i] for i in stuck}
            return choice

        return self._taken(chosen)

    def take_alone(self, option: Option) -> bool:
        """Begin there if nobody else of ours runs there; whether it did."""

        def chosen(_me: Ticket, others: Sequence[Ticket]) -> Choice:
            taken = {instance for _, _, instance in _running(others)}
            return Choice(option, begins=option.instance not in taken)

        return self._taken(chosen).begins

    def _taken(self, chosen: Callable[[Ticket, Sequence[Ticket]], Choice]) -> Choice:
        def told(me: Ticket, others: Sequence[Ticket]) -> Choice:
            self.ticket, self._others = me, _running(others)
            return chosen(me, others)

        choice = self.tickets.take(self._name, told)
        self._seen = self.tickets.changes()
        if choice.begins and self.ticket is not None:
            self.ticket = replace(
                self.ticket, on=choice.option, started_at=self.clock.now().timestamp()
            )
        return choice

    def notice(self) -> None:
        """Look who runs where, so that what changes from now on is a change."""
        self._others = _running(self.others())
        self._seen = self.tickets.changes()

    async def change(self, within_s: float) -> frozenset[tuple[str, str]]:
        """Wait until something changed, or so long; the (model, instance) that began or ended."""
        began = self.clock.monotonic()
        try:
            while self.clock.monotonic() - began < within_s:
                await self.clock.sleep(min(LOOK_EVERY_S, within_s))
                if self.tickets.changes() != self._seen:
                    break
        finally:
            self.waited_s += self.clock.monotonic() - began
        before = self._others
        self.notice()
        return frozenset((model, instance) for _, model, instance in before ^ self._others)

    async def freed(self, instances: Collection[str], within_s: float) -> None:
        """Wait until one of ours ended on one of these instances, at most so long."""
        began = self.clock.monotonic()
        while (left := within_s - (self.clock.monotonic() - began)) > 0:
            before = self._others
            await self.change(left)
            if any(instance in instances for _, _, instance in before - self._others):
                return

    def wait(self) -> None:
        """Give the place up, and stand in line again."""
        if self.ticket is not None and self.ticket.on is not None:
            self.ticket = replace(self.ticket, on=None, started_at=None)
            self.tickets.move(self._name, None)

    def most_others(self) -> int:
        """The most others of this user that ran beside it."""
        return self.tickets.most_others(self._name)

    def leave(self) -> None:
        """Go away; whoever waited for this place may have it."""
        if self.ticket is not None:
            name, self.ticket = self._name, None
            self.tickets.leave(name)

    @property
    def _name(self) -> str:
        return self.id if self.ticket is None else self.ticket.id


def _running(tickets: Sequence[Ticket]) -> set[_Place]:
    return {(t.id, t.on.model, t.on.instance) for t in tickets if t.on is not None}


def _differ(old: Sequence[Option], told: Sequence[Option], known: Sequence[Option]) -> bool:
    """Whether what was told is wrong now.

    One is no more, one is the best, is worth more or less, or takes much longer.
    """
    work = {(o.model, o.instance): o.work_s for o in known}
    if any((o.model, o.instance) not in work for o in old):
        return True
    before = {(o.model, o.instance): o.work_s for o in old}
    if told and (told[0].model, told[0].instance) not in before:
        return True
    worth = {(o.model, o.instance): o.fixed for o in known}
    if any(abs(worth[o.model, o.instance] - o.fixed) > _ROUNDED for o in old):
        return True
    return any(
        max(was, work[key]) > TOLD_ANEW_FACTOR * max(min(was, work[key]), _TINY_S)
        for key, was in before.items()
    )
