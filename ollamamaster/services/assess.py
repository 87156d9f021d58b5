"""Tell beforehand, honestly, whether and how fast the fleet can do a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollamamaster.domain.assessment import answer, understood
from ollamamaster.domain.judging import World

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
        fleet = await means.residency.current(fleet)
        now = means.clock.now().timestamp()
        world = World(
            fleet,
            means.settings,
            means.abilities,
            means.history.profiles(),
            means.tickets.others(""),
            frozenset(i for i, health in means.liveness.load().items() if health.skipped(now)),
            now,
        )
        return answer(wanted, world, self.library(), request, work)
