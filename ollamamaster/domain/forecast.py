"""How long will a workflow take on this fleet, and where will its steps run?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollamamaster.domain.workflow import waves

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ollamamaster.domain.workflow import Step


@dataclass(frozen=True, slots=True)
class Place:
    """A pair that could do a piece of work. `load_s` is the part of `seconds` that loads it."""

    model: str
    instance: str
    seconds: float
    load_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Expected:
    """One step: when it begins and ends, in seconds from the start, and where it runs."""

    begins_s: float
    ends_s: float
    places: tuple[Place, ...] = ()

    @property
    def seconds(self) -> float | None:
        """How long it takes; None where nothing is known, as of a tool that was never called."""
        return self.ends_s - self.begins_s or None


# Work of a step: pieces that may run side by side, each with the places that could do it, the
# preferred one first; or the seconds of a call that uses no instance.
Work = tuple[tuple[Place, ...], ...] | float


def forecast(steps: Sequence[Step], work: Mapping[str, Work]) -> dict[str, Expected]:
    """When each step is expected to run, if instances do one piece of work at a time.

    Steps are placed in the order in which they become ready, each piece where it ends first. A
    model that was loaded by an earlier step needs no load any more.
    """
    by_id = {step.id: step for step in steps}
    free: dict[str, float] = {}
    loaded: set[tuple[str, str]] = set()
    found: dict[str, Expected] = {}
    for wave in waves(steps):
        ready = {i: max((found[b].ends_s for b in by_id[i].waits_for), default=0.0) for i in wave}
        for step_id in sorted(wave, key=ready.__getitem__):
            pieces = work[step_id]
            if isinstance(pieces, float):
                found[step_id] = Expected(ready[step_id], ready[step_id] + pieces)
            else:
                placed = [_place(options, ready[step_id], free, loaded) for options in pieces]
                found[step_id] = Expected(
                    min((begins for begins, _, _ in placed), default=ready[step_id]),
                    max((ends for _, ends, _ in placed), default=ready[step_id]),
                    tuple(dict.fromkeys(place for _, _, place in placed)),
                )
    return found


def _place(
    options: Sequence[Place],
    ready_s: float,
    free: dict[str, float],
    loaded: set[tuple[str, str]],
) -> tuple[float, float, Place]:
    def span(place: Place) -> tuple[float, float]:
        begins = max(ready_s, free.get(place.instance, 0.0))
        known = (place.model, place.instance) in loaded
        return begins, begins + place.seconds - (place.load_s if known else 0.0)

    best = min(options, key=lambda place: span(place)[1])
    begins, ends = span(best)
    free[best.instance] = ends
    loaded.add((best.model, best.instance))
    return begins, ends, best
