"""Tell beforehand, honestly, whether and how fast the fleet can do a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollamamaster.domain.assessment import answer, understood
from ollamamaster.domain.others import Ours, uses_by_others
from ollamamaster.domain.weighing import World

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ollamamaster.domain.assessment import Assessment, AssessRequest
    from ollamamaster.domain.models import Model
    from ollamamaster.domain.snapshot import Fleet
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
        ran = {(t.on.instance, t.on.model) for t in tickets if t.on is not None}
        world = World(
            fleet,
            means.settings,
            means.abilities,
            profiles,
            tickets,
            frozenset(i for i, health in means.liveness.load().items() if health.skipped(now)),
            uses_by_others(before, fleet, now, Ours(ran, profiles.last_used)),
            now,
        )
        return answer(wanted, world, self.library(), request, work)
