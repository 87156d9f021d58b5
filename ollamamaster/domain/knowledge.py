"""What is known besides the fleet itself: abilities, profiles, and what is ahead everywhere."""

from __future__ import annotations

from dataclasses import dataclass, field

from ollamamaster.domain.ability import Abilities
from ollamamaster.domain.profiles import Profiles
from ollamamaster.domain.queues import Queues


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Everything a decision rests on that no instance said. Empty, the priors answer."""

    abilities: Abilities = field(default_factory=Abilities)
    profiles: Profiles = field(default_factory=Profiles)
    queues: Queues = field(default_factory=Queues)
