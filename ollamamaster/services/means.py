"""What does every route of this process work with?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ollamamaster.domain.ability import Abilities
    from ollamamaster.domain.settings import Settings
    from ollamamaster.ports import Clock, HistoryStore, LivenessStore, OllamaAPI, TicketStore
    from ollamamaster.services.residency import Residency


@dataclass(frozen=True, slots=True)
class Means:
    """The settings, the ports, and what is known, once for all routes."""

    settings: Settings
    ollama: OllamaAPI
    liveness: LivenessStore
    tickets: TicketStore
    history: HistoryStore
    clock: Clock
    residency: Residency
    abilities: Abilities
