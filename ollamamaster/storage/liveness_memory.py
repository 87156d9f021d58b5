"""The health of each instance, for a process that keeps nothing for others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollamamaster.domain.liveness import HEALTHY, Health

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class LivenessMemory:
    """What this process saw by itself; implements LivenessStore."""

    def __init__(self) -> None:
        self._seen: dict[str, Health] = {}

    def load(self) -> Mapping[str, Health]:
        """Health by instance id; an instance that is not in it is healthy."""
        return dict(self._seen)

    def update(self, instance: str, change: Callable[[Health], Health]) -> Health:
        """Change the health of one instance."""
        after = self._seen[instance] = change(self._seen.get(instance, HEALTHY))
        return after
