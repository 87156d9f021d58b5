"""How fast is a machine with a model, and what does the model take of its memory?

Pure figures for the simulated fleet. Sizes in bytes, rates per second, times in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ollamamaster.domain.models import GB

# ms/token = 1.23 x GB / (GB/s) x 1000 + 1.67: fitted to 15 published llama-bench points of
# consumer GPUs and Apple chips, median error 9%. 1.23 is the share of the bandwidth that is not
# reached, 1.67 ms what a token costs besides reading the weights.
_BANDWIDTH_LOSS = 1.23
_TOKEN_OVERHEAD_S = 0.00167

# `prefill_tokens_per_s` is stated for a model of this size, the 8B that most published figures
# are for; prefill is compute, so the rate of another model goes with its active parameters.
_REFERENCE_PARAMETERS = 8.03e9

# A load of any size takes half a second beside the reading: starting the runner, warming up.
_LOAD_OVERHEAD_S = 0.5

# The same prompt again took a tenth of the time on a real 0.24: the prefix cache saves the
# rest, the last token is always evaluated anew.
_CACHED_PREFILL = 0.1

DEFAULT_KEEP_ALIVE_S = 300.0


class Eviction(StrEnum):
    """Which idle model leaves when another needs its memory.

    Ollama takes the one with the shortest keep-alive, by name among equals (`ByDurationAndName`
    in server/sched.go); least recently used is there for comparisons.
    """

    SHORTEST_KEEP_ALIVE = "shortest_keep_alive"
    LEAST_RECENT = "least_recent"


@dataclass(frozen=True, slots=True)
class ServedModel:
    """What serving needs to know of a model. `active_parameters` are those one token reads."""

    name: str
    size_bytes: int
    parameters: float
    active_parameters: float
    context_length: int
    kv_bytes_per_token: int = 0

    @property
    def active_bytes(self) -> float:
        """Bytes read for one token."""
        return self.size_bytes * min(1.0, self.active_parameters / self.parameters)

    def footprint(self, context: int, slots: int) -> int:
        """Bytes in memory: weights, and a cache of `context` tokens for each slot."""
        return self.size_bytes + self.kv_bytes_per_token * context * slots


@dataclass(frozen=True, slots=True)
class Placement:
    """A model's bytes in memory, and how many of them are in that of the GPU."""

    size: int
    size_vram: int


@dataclass(frozen=True, slots=True)
class Hardware:
    """One machine and its Ollama's settings.

    Without `vram_bytes` it is a CPU, and `bandwidth` that of its memory. A model that is larger
    than the GPU's memory spills into RAM, which is read at `ram_bandwidth`.
    """

    vram_bytes: int
    ram_bytes: int
    bandwidth: float
    prefill_tokens_per_s: float
    load_bytes_per_s: float
    # Two channels of DDR5-4800, as most desktops have them, reach about this.
    ram_bandwidth: float = 60.0 * GB
    slots: int = 1
    max_loaded: int = 3
    max_queue: int = 512
    default_context: int = 4096
    keep_alive_s: float = DEFAULT_KEEP_ALIVE_S
    eviction: Eviction = Eviction.SHORTEST_KEEP_ALIVE

    @property
    def memory_bytes(self) -> int:
        """What one model alone may take."""
        return self.vram_bytes + self.ram_bytes

    def context_for(self, model: ServedModel, asked: int | None) -> int:
        """The context a runner gets: as asked, else the default, cut to the model's own."""
        return max(1, min(asked or self.default_context, model.context_length))

    def placement(self, model: ServedModel, context: int) -> Placement:
        """Where the model lies when it has the memory for itself."""
        size = model.footprint(context, self.slots)
        return Placement(size, min(size, self.vram_bytes))

    def holds(self, placements: list[Placement]) -> bool:
        """Whether these fit together; one that spills into RAM must be alone."""
        if not self.vram_bytes:
            return sum(p.size for p in placements) <= self.ram_bytes
        if len(placements) == 1:
            return placements[0].size <= self.memory_bytes
        return sum(p.size for p in placements) <= self.vram_bytes

    def token_s(self, model: ServedModel, place: Placement) -> float:
        """Seconds a token when nothing else runs."""
        in_vram = place.size_vram / place.size if self.vram_bytes else 1.0
        read_s = model.active_bytes * (
            in_vram / self.bandwidth + (1.0 - in_vram) / self.ram_bandwidth
        )
        return _BANDWIDTH_LOSS * read_s + _TOKEN_OVERHEAD_S

    def prefill_s(
        self, model: ServedModel, place: Placement, tokens: int, *, cached: float = 0.0
    ) -> float:
        """Seconds to read a prompt of which the share `cached` (0..1) is in the prefix cache.

        A model that spills reads its prompts slower by the same factor as it writes.
        """
        rate = self.prefill_tokens_per_s * _REFERENCE_PARAMETERS / model.active_parameters
        whole = Placement(place.size, place.size)
        spill = self.token_s(model, place) / self.token_s(model, whole)
        return tokens / rate * spill * (1.0 - (1.0 - _CACHED_PREFILL) * cached)

    def load_s(self, model: ServedModel) -> float:
        """Seconds to bring a model into memory."""
        return model.size_bytes / self.load_bytes_per_s + _LOAD_OVERHEAD_S
