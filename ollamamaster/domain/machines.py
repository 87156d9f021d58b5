"""What is an instance to a plan: how many at once, how much memory, and what is in it?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from ollamamaster.domain.context import context_step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollamamaster.domain.instances import Instance
    from ollamamaster.domain.models import LoadedModel, Model
    from ollamamaster.domain.others import Use
    from ollamamaster.domain.profiles import Profiles
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.domain.tickets import Option


class Residency(StrEnum):
    """What must happen on the instance before the first token."""

    RESIDENT = "resident"
    FITS = "fits"
    EVICTS = "evicts"


# Looking a member up costs more than what is done with it for each pair of a decision.
_RESIDENT, _FITS, _EVICTS = Residency

# Loading a model that pushes another out costs the next request a load too. Four is where the
# mean waiting time stopped falling in simulations on the Azure 2023 conversation trace.
LOAD_WEIGHT = {Residency.RESIDENT: 0.0, Residency.FITS: 1.0, Residency.EVICTS: 4.0}

# OLLAMA_MAX_LOADED_MODELS where nobody set it: three a GPU, three without one.
_MOST_LOADED = 3


@dataclass(frozen=True, slots=True)
class Held:
    """A model in memory. `bytes` and `context` are None where unknown."""

    model: str
    bytes: int | None = None
    context: int | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """One instance. `resident` is what it has in memory, the least recently used first.

    `slots_known` is False where the number is only believed. `memory_bytes` is where models run
    fast, None where unknown; `most_loaded` how many may be there at once, None for any number.
    For `foreign_s` seconds more somebody else is expected to use a slot; `lately` says that they
    were only there a moment ago, and may come again.
    """

    instance: str
    slots: int = 1
    slots_known: bool = False
    memory_bytes: int | None = None
    resident: tuple[Held, ...] = ()
    foreign_s: float = 0.0
    most_loaded: int | None = None
    lately: bool = False


def machines(fleet: Fleet, profiles: Profiles, foreign: Mapping[str, Use]) -> Mapping[str, Machine]:
    """Every instance of the fleet by its id; `foreign` is how others use them."""
    found: dict[str, Machine] = {}
    for instance in fleet:
        slots, use = profiles.slots(instance), foreign.get(instance.id)
        found[instance.id] = machine_of(instance, slots.count, known=slots.known, use=use)
    return found


def machine_of(
    instance: Instance, slots: int = 1, *, known: bool = False, use: Use | None = None
) -> Machine:
    """One instance as it said of itself."""
    gpu, loaded = instance.gpu, sorted(instance.loaded, key=_last_use)
    return Machine(
        instance.id,
        max(1, slots),
        known,
        # Without a card, and only then, models run in main memory without spilling.
        instance.ram_total if gpu.vram_total == 0 else gpu.vram_total,
        tuple(Held(str(m.name), m.size, m.context_length) for m in loaded),
        0.0 if use is None else use.seconds,
        max(len(loaded), _MOST_LOADED * max(1, gpu.count or 1)),
        use is not None and use.lately,
    )


def bytes_needed(model: Model, context_tokens: int) -> int | None:
    """What a model takes in memory: its weights, and the cache of the context it is given."""
    if model.size_bytes is None:
        return None
    per_token = model.shape.kv_bytes_per_token() if model.shape is not None else None
    return model.size_bytes + (per_token or 0) * context_step(context_tokens, model.context_length)


# What has no time yet is being loaded, so it was used last.
_NOT_YET = datetime.max.replace(tzinfo=UTC)


def _last_use(loaded: LoadedModel) -> datetime:
    """With one keep-alive for all, the first to expire was used the longest time ago."""
    return loaded.expires_at or _NOT_YET


class Memory:
    """What is in an instance's memory as the plan goes on: loads, and evictions of the oldest."""

    __slots__ = ("_bytes", "_held", "_most", "_used")

    def __init__(self, machine: Machine) -> None:
        self._bytes = math.inf if machine.memory_bytes is None else machine.memory_bytes
        self._most = math.inf if machine.most_loaded is None else machine.most_loaded
        self._held = {held.model: held for held in machine.resident}
        self._used = sum(held.bytes or 0 for held in machine.resident)

    def room(
        self, model: str, needed: int | None, context: int
    ) -> tuple[Residency, tuple[str, ...]]:
        """What it takes to use a model of so many bytes with so much context, and who must go.

        That is the model itself too if it is to be reloaded.
        """
        held = self._held.get(model)
        used, count = self._used + (needed or 0), len(self._held)
        gone: list[str] = []
        if held is not None:
            if held.context is not None and held.context >= context:
                return _RESIDENT, ()
            used, count = used - (held.bytes or 0), count - 1
            gone.append(model)
        if not self._over(used, count):
            return _FITS, tuple(gone)
        for other in self._held.values():
            if not self._over(used, count):
                break
            if other is not held:
                used, count = used - (other.bytes or 0), count - 1
                gone.append(other.model)
        return _EVICTS, tuple(gone)

    def use(self, option: Option) -> None:
        """Bring the model in if it is not there; it is the most recently used from now on."""
        _, leaving = self.room(option.model, option.bytes, option.context)
        for model in leaving:
            self._used -= self._held.pop(model).bytes or 0
        held = self._held.pop(option.model, None)
        if held is None:
            held = Held(option.model, option.bytes, context_step(option.context, None))
            self._used += held.bytes or 0
        self._held[option.model] = held

    def _over(self, used: int, others: int) -> bool:
        """Whether one model beside so many others is too much. Alone it may spill."""
        return others > 0 and (others >= self._most or used > self._bytes)
