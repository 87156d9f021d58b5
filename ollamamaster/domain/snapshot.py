"""What did an instance say at one moment, and which instances are there now?"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollamamaster.domain.instances import Instance, InstanceAddress, Status
from ollamamaster.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ollamamaster.domain.models import LoadedModel, Model


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one instance said. `models` or `loaded` is None when it would not say."""

    at: datetime
    version: str
    latency_ms: float | None = None
    models: tuple[Model, ...] | None = None
    loaded: tuple[LoadedModel, ...] | None = None


@dataclass(frozen=True, slots=True)
class Fleet:
    """All instances known now. `checked_at` is when they were last asked, None for never."""

    instances: tuple[Instance, ...] = ()
    checked_at: datetime | None = None

    def __iter__(self) -> Iterator[Instance]:
        return iter(self.instances)

    def __len__(self) -> int:
        return len(self.instances)

    @property
    def up(self) -> tuple[Instance, ...]:
        return tuple(i for i in self.instances if i.status is not Status.DOWN)

    def age_s(self, now: datetime) -> float:
        """Seconds since the fleet was last asked; infinite when it never was."""
        if self.checked_at is None:
            return float("inf")
        return (now - self.checked_at).total_seconds()

    def find(self, text: str) -> Instance:
        """The instance with this id, alias or unique label.

        Raises UsageError that lists what there is.
        """
        wanted = text.strip().lower()
        spellings = {wanted}
        with contextlib.suppress(UsageError):
            spellings.add(InstanceAddress.parse(text).id)
        for instance in self.instances:
            if instance.id in spellings or spellings & set(instance.aliases):
                return instance
        labelled = [i for i in self.instances if (i.settings.label or "").lower() == wanted]
        if len(labelled) == 1:
            return labelled[0]
        known = ", ".join(i.name for i in self.instances) or "none"
        problem = "names several instances" if labelled else "is no known instance"
        raise UsageError(f"{text!r} {problem}", hint=f"known instances: {known}")
