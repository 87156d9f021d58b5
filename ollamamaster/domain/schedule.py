"""Who begins where, and when? Expected completion time with residency, bound as late as possible.

Whenever something comes or ends, all that wait are gone through in their order. Each takes what
is best for it over all instances, behind what runs there and what was planned there before it;
it begins only where a slot is free. Nobody is sent somewhere because a slot happens to be free
there, and nobody who waits for a better place holds up those behind.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from ollamamaster.domain.machines import LOAD_WEIGHT, Machine, Residency
from ollamamaster.domain.queues import ANYWHERE, Queues
from ollamamaster.domain.tickets import Choice, Ticket, TicketState
from ollamamaster.domain.time_price import time_term

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ollamamaster.domain.queues import Lane, Spot
    from ollamamaster.domain.tickets import Option

# A class up for each minute waited: people give a minute to a job they called unimportant, and
# nobody who waits longer than that is to be told that others were more important all the time.
_AGING_S = 60.0

# Nobody waits longer than this for a slot of which it is only believed that there is no other.
_BELIEVED_S = 30.0

# By how much of their own wait, in total, those ahead may be held up by shorter ones. On the Azure
# trace at 85% load none at all makes the mean half as long again and the 95% quantile a third
# longer; twice as much gains another 4% (tests/benchmarks/trace.py).
_OVERTAKEN = 0.5

# A session's last instance may have read most of the prompt already; worth 2% of the time, which
# decides between equals and nothing else.
_FAMILIAR_DOUBLINGS = math.log2(1.02)

# What waiting requests want stays half an hour: longer than any keep-alive in common use, so it
# is not what leaves first. The last request there brings the server's own keep-alive back.
_KEPT_S = 1800.0
# What is to leave for the next one: shorter than the default of five minutes, and long enough
# to be still there when that one is given up.
_OFFERED_S = 60.0


def in_order(tickets: Iterable[Ticket]) -> list[Ticket]:
    """First come first served; a class higher counts as having come a minute earlier."""
    return sorted(tickets, key=lambda t: (t.entered_at - _AGING_S * t.priority, t.id))


def queues(
    machines: Mapping[str, Machine], others: Sequence[Ticket], me: Ticket | None, now: float
) -> Queues:
    """What is ahead of a ticket, each of the others at its own best turn; of a new one if None."""
    waiting = [t for t in others if t.state is TicketState.WAITING]
    if me is not None:
        ordered = in_order([*waiting, me])
        waiting = ordered[: ordered.index(me)]
    ahead = Queues.of(machines, others, now)
    for _ in _walk(ahead, waiting, now):
        pass
    return ahead


def choose(
    me: Ticket, others: Sequence[Ticket], machines: Mapping[str, Machine], now: float
) -> Choice:
    """What a waiting ticket does now."""
    for ticket, choice in plan(machines, [*others, me], now):
        if ticket.id == me.id:
            return choice
    return Choice(me.on, begins=True)


def plan(
    machines: Mapping[str, Machine], tickets: Sequence[Ticket], now: float
) -> Iterator[tuple[Ticket, Choice]]:
    """What every waiting ticket does now, in the order in which they are planned."""
    waiting = [t for t in tickets if t.state is TicketState.WAITING]
    return _walk(Queues.of(machines, tickets, now), waiting, now)


def keep_alive_for(
    option: Option, others: Sequence[Ticket], machines: Mapping[str, Machine], now: float
) -> str | None:
    """How long a model should stay after the request that begins on `option` now.

    None leaves it to the server. Ollama evicts what has the shortest keep-alive: what others
    wait for is kept, and what must leave for the next one anyway is offered.
    """
    ahead = Queues.of(machines, others, now)
    lane = ahead.lane(option)
    if lane is None:
        return None
    ahead.add(option, _spot(lane, option), begins=True)
    waiting = [t for t in others if t.state is TicketState.WAITING]
    there = [
        choice
        for _, choice in _walk(ahead, waiting, now)
        if choice.option is not None and choice.option.instance == option.instance
    ]
    for choice in there:
        if choice.option is not None and choice.option.model == option.model:
            return f"{math.ceil(max(_KEPT_S, 2 * choice.wait_s))}s"
    memory = lane.machine.memory_bytes
    if not there or there[0].option is None or memory is None:
        return None
    beside = (option.bytes or 0) + (there[0].option.bytes or 0)
    return f"{_OFFERED_S:.0f}s" if beside > memory else None


class _Best(NamedTuple):
    """The option that is best for a ticket now."""

    option: Option
    spot: Spot


def _walk(ahead: Queues, waiting: Iterable[Ticket], now: float) -> Iterator[tuple[Ticket, Choice]]:
    left = in_order(waiting)
    bears = {t.id: _bears_s(t, now) for t in left}
    while left:
        best = _best(ahead, left[0])
        if best is None:
            yield left.pop(0), Choice(None, begins=False)
            continue
        place = 0
        passed: Mapping[str, float] = {}
        if best.spot.open and not best.option.cloud:
            place, best, passed = _shorter(ahead, left, best, bears)
        for id_, by_s in passed.items():
            bears[id_] -= (1 + _OVERTAKEN) * by_s
        ticket = left.pop(place)
        yield ticket, _place(ahead, ticket, best, now, passed)


def _shorter(
    ahead: Queues, left: Sequence[Ticket], first: _Best, bears: Mapping[str, float]
) -> tuple[int, _Best, Mapping[str, float]]:
    """Who begins on the slot that the first would take, and by how much that delays whom.

    One behind of the same class, if it would take that very slot, is shorter, and all before it
    can bear the delay; else the first itself.
    """
    slot, class_ = first.option.instance, left[0].priority
    most_s, shorter_s = bears[left[0].id], _seconds(first)
    for place, ticket in enumerate(left[1:], 1):
        if most_s <= 0 or ticket.priority is not class_:
            break
        if _could_take(ticket, slot, min(most_s, shorter_s)):
            best = _best(ahead, ticket)
            if best is not None and best.option.instance == slot and best.spot.open:
                by_s = {t.id: _delay_s(t, best) for t in left[:place]}
                bearable = all(by_s[id_] <= bears[id_] for id_ in by_s)
                if bearable and _seconds(best) < shorter_s:
                    return place, best, by_s
        most_s = min(most_s, bears[ticket.id])
    return 0, first, {}


def _could_take(ticket: Ticket, slot: str, most_s: float) -> bool:
    """Whether it is so short there, before looking closer."""
    for option in ticket.options:
        if option.instance == slot and option.work_s + option.above_s <= most_s:
            return True
    return False


def _bears_s(ticket: Ticket, now: float) -> float:
    """How much longer it may be held up by others, for what it waited without them."""
    own_s = now - ticket.entered_at - ticket.overtaken_s
    return _OVERTAKEN * own_s - ticket.overtaken_s


def _delay_s(ticket: Ticket, other: _Best) -> float:
    """How much later a ticket begins when the other goes first: a load too if it pushes others."""
    loads = [0.0]
    if other.spot.residency is Residency.EVICTS:
        loads += [o.load_s for o in ticket.options if o.instance == other.option.instance]
    return _seconds(other) + max(loads)


def _place(
    ahead: Queues, ticket: Ticket, best: _Best, now: float, passed: Mapping[str, float]
) -> Choice:
    option, spot = best.option, best.spot
    wait_s, begins = spot.begin_s, spot.open
    lane = ahead.lane(option)
    if not begins and lane is not None and not lane.machine.slots_known:
        left_s = _patience_s(best) - (now - ticket.entered_at)
        begins, wait_s = left_s <= 0, min(wait_s, left_s)
    position = 1 if begins or lane is None else lane.waiting + 1
    used = ahead.add(option, spot, begins=begins)
    if begins:
        return Choice(used, begins=True, passed=passed)
    return Choice(option, begins=False, wait_s=wait_s, position=position)


def _patience_s(best: _Best) -> float:
    """How long it waits for a slot that is never told free: not longer than it would take."""
    return min(_BELIEVED_S, 2 * _seconds(best))


def _seconds(best: _Best) -> float:
    """The load's median and the 80% quantile of the work."""
    option = best.option
    load_s = 0.0 if best.spot.residency is Residency.RESIDENT else option.load_s
    return load_s + option.work_s + option.above_s


def _best(ahead: Queues, ticket: Ticket) -> _Best | None:
    """The option with the highest score at its turn; of equals the soonest, the first of those."""
    price, best, most = ticket.price, None, -math.inf
    for option in ticket.options:
        lane = ahead.lane(option)
        own_s = option.work_s + option.above_s
        fixed = option.fixed + (price * _FAMILIAR_DOUBLINGS if option.familiar else 0.0)
        # At best it need not load and shares with nobody: most need no closer look.
        soonest_s = own_s if lane is None else lane.begin_s + own_s
        if fixed + time_term(price, soonest_s) < most:
            continue
        spot = ANYWHERE if lane is None else _spot(lane, option)
        load_s = LOAD_WEIGHT[spot.residency] * option.load_s
        score = fixed + time_term(price, spot.begin_s + spot.shared_s + load_s + own_s)
        if score > most or (score == most and best is not None and _sooner(spot, best.spot)):
            best, most = _Best(option, spot), score
    return best


def _sooner(one: Spot, other: Spot) -> bool:
    """Whether one's turn comes first; a free slot comes before one that should be free by now.

    Waits that nobody notices score alike, and so does a request that takes longer than it was
    expected to.
    """
    return (not one.open, one.begin_s) < (not other.open, other.begin_s)


def _spot(lane: Lane, option: Option) -> Spot:
    return lane.spot(option.model, option.bytes, option.context, option.load_s, option.work_s)
