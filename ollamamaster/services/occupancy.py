"""Who is busy on each instance, and when would it have room?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollamamaster.domain.instances import Instance, Status
from ollamamaster.domain.machines import machines
from ollamamaster.domain.schedule import queues
from ollamamaster.domain.tickets import TicketState

if TYPE_CHECKING:
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.services.means import Means


@dataclass(frozen=True, slots=True)
class Occupancy:
    """The requests of this user on one instance, of all processes of this machine.

    `free_in_s` is when one more is expected to begin, 0 for now, None where it is down.
    """

    instance: Instance
    running: int
    waiting: int
    free_in_s: float | None


def occupancy(fleet: Fleet, means: Means) -> tuple[Occupancy, ...]:
    """Each instance of the fleet, by what is known without asking it."""
    tickets = means.tickets.others("")
    known = machines(fleet, means.history.profiles(), {})
    lanes = queues(known, tickets, None, means.clock.now().timestamp()).lanes
    running = [t.on.instance for t in tickets if t.on is not None]
    # Who waits has not chosen yet; it stands where it would go by now.
    waiting = [t.options[0].instance for t in tickets if t.state is TicketState.WAITING]
    found = []
    for instance in fleet:
        lane = lanes[instance.id]
        free_s = None if instance.status is Status.DOWN else 0.0 if lane.open else lane.begin_s
        counts = running.count(instance.id), waiting.count(instance.id)
        found.append(Occupancy(instance, *counts, free_s))
    return tuple(found)
