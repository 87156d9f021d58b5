"""What is a simulated fleet made of: its machines, their models, what goes wrong when."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from ollamamaster.domain.hardware import Hardware, ServedModel
from ollamamaster.domain.instances import Locality
from ollamamaster.domain.models import GB, ModelName

if TYPE_CHECKING:
    from collections.abc import Mapping


class FaultKind(StrEnum):
    """What can go wrong with an instance."""

    REFUSE = "refuse"
    HANG = "hang"
    HANG_GENERATE = "hang_generate"
    SLOW = "slow"
    ERROR_500 = "error_500"
    BUSY_503 = "busy_503"
    NOT_FOUND = "not_found"
    GARBAGE = "garbage"
    TRUNCATE_STREAM = "truncate_stream"
    ERROR_IN_STREAM = "error_in_stream"
    RESET = "reset"
    SLOW_DRIP = "slow_drip"
    HUGE_LINE = "huge_line"
    WRONG_JSON = "wrong_json"
    CONTROL_CHARACTERS = "control_characters"
    DIE = "die"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """A fault that begins after so many requests that run a model, or after so many seconds.

    It ends after `count` requests or `for_s` seconds, whichever is first; None is never.
    `path` is a glob of request paths, None for those that run a model. `tokens` is how much of
    an answer comes before it breaks, None for what is usual for the kind. Seconds are the
    client's, also when simulated time runs faster: a fault is there for the client.
    """

    kind: FaultKind
    after_requests: int = 0
    after_s: float = 0.0
    count: int | None = None
    for_s: float | None = None
    path: str | None = None
    tokens: int | None = None


# The shape of a dense transformer from its parameters alone: 12 x layers x width^2 parameters,
# and a width of 128 for each layer; key and value heads of 128, eight of them (grouped-query
# attention). Within 10% of the layers and the cache of Llama 3, Qwen 3 and Phi 4.
_WIDTH_PER_LAYER = 128
_HEAD_LENGTH = 128
_KV_HEADS = 8
_CACHE_BYTES = 2


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """A model as the fleet file describes it. The shape's fields are derived where they are 0."""

    name: str
    size_gb: float
    parameters_b: float
    active_parameters_b: float | None = None
    quantization: str = "Q4_K_M"
    context: int = 8192
    capabilities: tuple[str, ...] = ("completion",)
    quality: Mapping[str, float] = field(default_factory=dict)
    family: str = "llama"
    layers: int = 0
    heads: int = 0
    kv_heads: int = 0
    head_length: int = 0
    experts: int = 0
    experts_used: int = 0
    num_predict: int | None = None

    @property
    def full_name(self) -> str:
        return str(ModelName.parse(self.name))

    @property
    def digest(self) -> str:
        return hashlib.sha256(f"sandbox model {self.full_name} {self.size_gb}".encode()).hexdigest()

    @property
    def size_bytes(self) -> int:
        return round(self.size_gb * GB)

    @property
    def block_count(self) -> int:
        width_cubed = self.parameters_b * GB / (12 * _WIDTH_PER_LAYER**2)
        return self.layers or max(1, round(width_cubed ** (1 / 3)))

    @property
    def key_length(self) -> int:
        return self.head_length or _HEAD_LENGTH

    @property
    def head_count(self) -> int:
        return self.heads or max(1, round(self.block_count * _WIDTH_PER_LAYER / self.key_length))

    @property
    def head_count_kv(self) -> int:
        return self.kv_heads or min(_KV_HEADS, self.head_count)

    @property
    def embedding_length(self) -> int:
        return self.head_count * self.key_length

    @property
    def active_fraction(self) -> float:
        return min(1.0, (self.active_parameters_b or self.parameters_b) / self.parameters_b)

    @property
    def modified_at(self) -> datetime:
        """Some moment of 2026, always the same for the same model."""
        seconds = int(self.digest[:6], 16)
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)

    def served(self) -> ServedModel:
        """The figures that the engine needs."""
        heads = self.block_count * self.head_count_kv
        return ServedModel(
            name=self.full_name,
            size_bytes=self.size_bytes,
            parameters=self.parameters_b * GB,
            active_parameters=self.parameters_b * GB * self.active_fraction,
            context_length=self.context,
            kv_bytes_per_token=heads * 2 * self.key_length * _CACHE_BYTES,
        )


@dataclass(frozen=True, slots=True)
class InstancePlan:
    """One machine with its Ollama. `port` 0 takes a free one."""

    name: str
    hardware: Hardware
    models: tuple[str, ...] = ()
    port: int = 0
    gpu: str = ""
    locality: Locality = Locality.LOCAL
    labels: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[FaultPlan, ...] = ()


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """All machines, and all models there are: those of the machines, and those to pull."""

    instances: tuple[InstancePlan, ...]
    models: Mapping[str, ModelPlan]
    name: str = ""
