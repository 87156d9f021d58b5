"""Does a model fit into a machine's memory, with the cache for as much context as is needed?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ollamamaster.domain.chances import bounded, normal
from ollamamaster.domain.context import context_step, is_enough

if TYPE_CHECKING:
    from ollamamaster.domain.models import Model
    from ollamamaster.domain.pair import Pair

# Cache bytes a token of an 8B model with grouped queries, from the published configurations
# (32 layers x 8 heads x (128 + 128) x 2 bytes); others go with the root of their parameters:
# Llama 3.2 1B has 33 kB (the rule 46), 3B 115 (83), Qwen 2.5 14B 197 (178), Llama 70B 328 (388).
_USUAL_CACHE = 131_072
_USUAL_PARAMETERS = 8e9

# Ollama's runner takes some memory beside weights and cache for its computation.
_RUNNER_SHARE = 1.1

# What machines have where nobody said: 16 or 32 GB mostly, and one in ten has 8 or less (hardware
# surveys of desktop computers), as median and sigma of the logarithm.
_USUAL_MEMORY = 20e9
_USUAL_MEMORY_SIGMA = 0.7


class Place(StrEnum):
    """Where the model would lie."""

    LOADED = "loaded"
    GRAPHICS = "graphics"
    MAIN = "main"
    SPILLS = "spills"
    TOO_LARGE = "too_large"
    CLOUD = "cloud"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class MemoryFit:
    """What a model takes and what there is, in bytes; None where unknown.

    `counted` says that the cache follows from the model's own shape, not from its size.
    """

    place: Place
    context: int
    weights: int | None = None
    cache: int | None = None
    available: int | None = None
    counted: bool = False

    @property
    def needed(self) -> int | None:
        """Weights, cache and the runner's own."""
        return None if self.weights is None else round(self.weights * _RUNNER_SHARE) + self._cache

    @property
    def _cache(self) -> int:
        return self.cache or 0

    @property
    def chance(self) -> float:
        """Probability that it fits; where nothing is known, by what machines usually have."""
        if self.place is Place.TOO_LARGE:
            return bounded(0.0)
        if self.place is not Place.UNKNOWN:
            return bounded(1.0)
        needed = self.needed or _USUAL_PARAMETERS * 0.6
        return bounded(normal(math.log(_USUAL_MEMORY / needed) / _USUAL_MEMORY_SIGMA))


def cache_bytes_per_token(parameters: float | None) -> int:
    """What a token takes in the cache of a model whose shape nobody told, by its size."""
    return round(_USUAL_CACHE * math.sqrt((parameters or _USUAL_PARAMETERS) / _USUAL_PARAMETERS))


def memory_fit(pair: Pair, context_tokens: int, slots: int = 1) -> MemoryFit:
    """How the model fits on its instance with so much context for each of its slots."""
    model, instance, loaded = pair.model, pair.instance, pair.loaded
    context = context_step(context_tokens, model.context_length)
    if model.cloud:
        return MemoryFit(Place.CLOUD, context)
    if loaded is not None and is_enough(loaded, context_tokens):
        place = Place.LOADED
        if loaded.size and loaded.size_vram and loaded.size_vram < loaded.size:
            place = Place.SPILLS
        return MemoryFit(
            place, loaded.context_length or context, loaded.size, available=instance.memory_bytes
        )
    told = model.shape.kv_bytes_per_token() if model.shape is not None else None
    each = told or cache_bytes_per_token(model.parameters)
    fit = MemoryFit(
        Place.UNKNOWN,
        context,
        model.size_bytes,
        each * context * max(1, slots),
        counted=told is not None,
    )
    return _placed(fit, pair)


def longest_context(model: Model, memory: int, slots: int = 1) -> int | None:
    """The tokens whose cache has room beside the weights, for each slot; None where unknown.

    It may be negative: the weights alone are too large by the memory of so many tokens.
    """
    each = model.shape.kv_bytes_per_token() if model.shape is not None else None
    if not each or model.size_bytes is None:
        return None
    return (memory - model.size_bytes) // (each * max(1, slots))


def context_room(pair: Pair, needed_tokens: int, slots: int = 1) -> int | None:
    """The longest context to give a model: what keeps it where it is fast, if that is enough.

    None where nothing is known, or where not even what is needed has room.
    """
    graphics, total = pair.instance.gpu.vram_total, pair.instance.memory_bytes
    for memory in (graphics, total):
        if memory:
            runner = round((pair.model.size_bytes or 0) * (_RUNNER_SHARE - 1))
            room = longest_context(pair.model, memory - runner, slots)
            if room is not None and room >= needed_tokens:
                return room
    return None


def _placed(fit: MemoryFit, pair: Pair) -> MemoryFit:
    graphics, main = pair.instance.gpu.vram_total, pair.instance.ram_total
    needed = fit.needed
    if needed is None or (graphics is None and main is None):
        return fit
    place, available = Place.UNKNOWN, graphics or main
    if graphics and needed <= graphics:
        place = Place.GRAPHICS
    elif main is not None and needed <= main + (graphics or 0):
        place, available = (Place.SPILLS if graphics else Place.MAIN), main + (graphics or 0)
    elif main is not None and graphics is not None:
        place, available = Place.TOO_LARGE, main + graphics
    return MemoryFit(place, fit.context, fit.weights, fit.cache, available, fit.counted)
