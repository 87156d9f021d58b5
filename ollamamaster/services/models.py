"""Every model of the fleet, and where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollamamaster.domain.catalogue import FleetModel, ModelQuery, catalogue
from ollamamaster.services.fleet import LISTS_FRESH_S, was_seen

if TYPE_CHECKING:
    from ollamamaster.domain.settings import Settings
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.ports import Clock


class ModelsService:
    """Every model of the fleet, and where it is."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    def is_fresh(self, fleet: Fleet) -> bool:
        """Whether the fleet was asked so recently that it can be shown as it is."""
        return was_seen(fleet) and fleet.age_s(self._clock.now()) <= LISTS_FRESH_S

    def matching(self, fleet: Fleet, query: ModelQuery) -> tuple[FleetModel, ...]:
        """The models of this fleet that match. Raises UsageError for an unknown instance."""
        return catalogue(fleet, query, self._settings)

    def total(self, fleet: Fleet) -> int:
        """How many models the fleet has, whatever a query asks for."""
        return len(catalogue(fleet, ModelQuery(), self._settings))
