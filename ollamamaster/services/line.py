"""A route's place among all routes of this user: entered, waited for, held, left."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ollamamaster.domain.schedule import choose
from ollamamaster.domain.tickets import Choice, ProcessId, Ticket

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from ollamamaster.domain.schedule import Machine
    from ollamamaster.domain.tickets import Option, Priority
    from ollamamaster.ports import Clock, TicketStore

# How often a waiting route looks whether anything changed: a tenth of what a person notices, and
# the look itself is microseconds.
LOOK_EVERY_S = 0.02
# What the others are told of: a ticket never waits for its seventeenth best place while the
# better ones are all full, and rows stay small.
OPTIONS_TOLD = 16
# The ticket store knows which process this is.
_THIS_PROCESS = ProcessId(0, 0.0)


@dataclass
class Line:
    """One ticket. `waited_s` is how long it stood waiting, all its waits together."""

    tickets: TicketStore
    clock: Clock
    id: str
    ticket: Ticket | None = None
    waited_s: float = 0.0
    _seen: int = 0
    _others: set[tuple[str, str]] = field(default_factory=set)

    def others(self) -> Sequence[Ticket]:
        """Everybody else."""
        return self.tickets.others(self.id)

    def enter(self, options: Sequence[Option], price: float, priority: Priority) -> None:
        """Stand in line. Does nothing when the ticket is there already."""
        if self.ticket is not None:
            return
        self.ticket = Ticket(
            self.id,
            self.clock.now().timestamp(),
            tuple(options[:OPTIONS_TOLD]),
            _THIS_PROCESS,
            price,
            priority,
        )
        self.tickets.enter(self.ticket)

    def take(self, options: Sequence[Option], machines: Mapping[str, Machine]) -> Choice:
        """Begin where there is room for it now, or learn for what to wait."""
        now = self.clock.now().timestamp()

        def chosen(me: Ticket, others: Sequence[Ticket]) -> Choice:
            return choose(replace(me, options=tuple(options)), others, machines, now)

        return self._taken(chosen)

    def take_alone(self, option: Option) -> bool:
        """Begin there if nobody else of ours runs there; whether it did."""

        def chosen(_me: Ticket, others: Sequence[Ticket]) -> Choice:
            return Choice(option, begins=option.instance not in {i for _, i in _running(others)})

        return self._taken(chosen).begins

    def _taken(self, chosen: Callable[[Ticket, Sequence[Ticket]], Choice]) -> Choice:
        def told(me: Ticket, others: Sequence[Ticket]) -> Choice:
            self.ticket, self._others = me, _running(others)
            return chosen(me, others)

        choice = self.tickets.take(self.id, told)
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

    async def change(self, within_s: float) -> frozenset[str]:
        """Wait until something changed, or so long; the instances where one began or ended."""
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
        return frozenset(instance for _, instance in before ^ self._others)

    async def freed(self, instances: Collection[str], within_s: float) -> None:
        """Wait until one of ours ended on one of these instances, at most so long."""
        began = self.clock.monotonic()
        while (left := within_s - (self.clock.monotonic() - began)) > 0:
            before = self._others
            await self.change(left)
            if any(instance in instances for _, instance in before - self._others):
                return

    def wait(self) -> None:
        """Give the place up, and stand in line again."""
        if self.ticket is not None and self.ticket.on is not None:
            self.ticket = replace(self.ticket, on=None, started_at=None)
            self.tickets.move(self.id, None)

    def most_others(self) -> int:
        """The most others of this user that ran beside it."""
        return self.tickets.most_others(self.id)

    def leave(self) -> None:
        """Go away; whoever waited for this place may have it."""
        if self.ticket is not None:
            self.ticket = None
            self.tickets.leave(self.id)


def _running(tickets: Sequence[Ticket]) -> set[tuple[str, str]]:
    return {(t.id, t.on.instance) for t in tickets if t.on is not None}
