"""Tell beforehand, honestly, whether and how fast the fleet can do a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollamamaster.domain.assessment import answer, understood
from ollamamaster.domain.others import Ours, used_by_others
from ollamamaster.domain.weighing import World

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ollamamaster.domain.assessment import Assessment, AssessRequest
    from ollamamaster.domain.models import Model
    from ollamamaster.domain.profiles import Profiles
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.domain.tickets import Ticket
    from ollamamaster.services.means import Means


@dataclass
class AssessService:
    """Weighs a task against the fleet as it is now; nothing is sent to any model.

    `library` gives what could be pulled.
    """

    means: Means
    library: Callable[[], Sequence[Model]]

    async def assess(self, request: AssessRequest, fleet: Fleet) -> Assessment:
        """The answer for this fleet, after asking what is in memory. Raises UsageError."""
        wanted, work = understood(request)
        means = self.means
        before, fleet = fleet, await means.residency.current(fleet)
        now = means.clock.now().timestamp()
        profiles, tickets = means.history.profiles(), means.tickets.others("")
        world = World(
            fleet,
            means.settings,
            means.abilities,
            profiles,
            tickets,
            frozenset(i for i, health in means.liveness.load().items() if health.skipped(now)),
            _foreign(before, fleet, profiles, tickets, now),
            now,
        )
        return answer(wanted, world, self.library(), request, work)


def _foreign(
    before: Fleet, fleet: Fleet, profiles: Profiles, tickets: Sequence[Ticket], now: float
) -> Mapping[str, float]:
    """For how long each instance is expected to be used by others."""
    if before.checked_at is None:
        return {}
    ran = {(t.on.instance, t.on.model) for t in tickets if t.on is not None}
    uses = used_by_others(
        before, before.checked_at.timestamp(), fleet, now, Ours(ran, profiles.last_used)
    )
    return {instance: use.seconds for instance, use in uses.items()}
