"""Which models are compared, and in which order do they get in line?"""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING

from ollamamaster.domain.catalogue import tier_as_configured
from ollamamaster.domain.comparing import Entrant, Spread
from ollamamaster.domain.models import Tier
from ollamamaster.domain.schedule import plan
from ollamamaster.domain.tickets import ProcessId, Ticket

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ollamamaster.domain.machines import Machine
    from ollamamaster.domain.selection import Candidate, Decision
    from ollamamaster.domain.settings import Settings
    from ollamamaster.domain.tickets import Choice, Option, Priority

# A comparison is between two at least.
_AT_LEAST = 2
# All orders of so many are tried: 24 plans of a few milliseconds in all. Of more, a few orders.
_ALL_ORDERS = 4
# Plans that differ by less are equally good, and the order as typed is kept.
_SAME_S = 0.5


def entrants(decision: Decision, spread: Spread, settings: Settings) -> tuple[Entrant, ...]:
    """Who takes part by a decision about the prompt, the best of each kind; the small ones first.

    With `Spread.INSTANCES` the best model that is on several instances, on each of them.
    """
    if spread is Spread.INSTANCES:
        return tuple(_everywhere(decision.ranked))
    best: dict[Tier, Candidate] = {}
    for candidate in decision.ranked:
        best.setdefault(tier_as_configured(candidate.pair.model, settings), candidate)
    chosen = [best[tier] for tier in Tier if tier in best]
    if spread is Spread.GOOD:
        names = {candidate.model for candidate in chosen}
        for candidate in decision.ranked:
            if len(chosen) >= _AT_LEAST:
                break
            if candidate.model not in names:
                chosen.append(candidate)
                names.add(candidate.model)
    return tuple(Entrant(candidate.model) for candidate in chosen)


def _everywhere(ranked: Sequence[Candidate]) -> Iterator[Entrant]:
    """The places of the first model that has several, else of the first."""
    places: dict[str, list[str]] = {}
    for candidate in ranked:
        places.setdefault(candidate.model, []).append(candidate.instance)
    several = [model for model, where in places.items() if len(where) >= _AT_LEAST]
    for model in (several or list(places))[:1]:
        for instance in sorted(places[model]):
            yield Entrant(model, instance)


def in_best_order(
    wanted: Sequence[tuple[Option, ...]],
    others: Sequence[Ticket],
    machines: Mapping[str, Machine],
    price: float,
    priority: Priority,
    now: float,
) -> list[tuple[int, Choice]]:
    """In which order these should get in line, and what each would do then.

    The order in which the last is done first, and of those the one with the least waiting in all;
    `wanted` are the options of each. One without options is left out.
    """
    able = [index for index, options in enumerate(wanted) if options]
    # One that loses its patience where the slots are only believed still waits, over there.
    sure = {id_: replace(machine, slots_known=True) for id_, machine in machines.items()}

    def planned(order: Sequence[int]) -> list[tuple[int, Choice]]:
        tickets = {
            str(index): Ticket(
                str(index),
                # in line one after the other, behind everybody who is there already
                now + place * 1e-6,
                wanted[index],
                ProcessId(0, 0.0),
                price,
                priority,
            )
            for place, index in enumerate(order)
        }
        found = plan(sure, [*others, *tickets.values()], now + len(order) * 1e-6)
        return [(int(t.id), choice) for t, choice in found if tickets.get(t.id) is t]

    plans = [planned(order) for order in _orders(able, wanted)]
    return min(plans, key=_worth, default=[])


def seconds_of(choice: Choice) -> float:
    """When what is chosen so is likely to be done."""
    option = choice.option
    return 0.0 if option is None else choice.wait_s + option.load_s + option.work_s


def _worth(planned: Sequence[tuple[int, Choice]]) -> tuple[int, int]:
    ends = [seconds_of(choice) for _, choice in planned]
    return round(max(ends, default=0.0) / _SAME_S), round(sum(ends) / _SAME_S)


def _orders(able: Sequence[int], wanted: Sequence[tuple[Option, ...]]) -> Iterable[Sequence[int]]:
    """The orders to try, the one as given first."""
    if len(able) <= _ALL_ORDERS:
        return permutations(able)
    work = {index: min(o.load_s + o.work_s for o in wanted[index]) for index in able}
    return [
        able,
        sorted(able, key=lambda index: work[index]),
        sorted(able, key=lambda index: -work[index]),
        # one model after the other, so that none is loaded twice
        sorted(able, key=lambda index: (wanted[index][0].model, index)),
    ]
