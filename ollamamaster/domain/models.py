"""What is a model: its name, its size and tier, what it can do, what it needs in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

GB = 1_000_000_000


class Tier(StrEnum):
    """How large a model is, which is also how slow and how able."""

    FAST = "fast"
    BALANCED = "balanced"
    POWERFUL = "powerful"


class Capability(StrEnum):
    """What a model can do, in Ollama's words."""

    COMPLETION = "completion"
    TOOLS = "tools"
    INSERT = "insert"
    VISION = "vision"
    EMBEDDING = "embedding"
    THINKING = "thinking"
    IMAGE = "image"
    AUDIO = "audio"


@dataclass(frozen=True, slots=True, order=True)
class ModelName:
    """A model's name with its tag. `name` has the registry and namespace, where there are any."""

    name: str
    tag: str = "latest"
    # `name:tag`. Asked for often for each pair of a decision, so it is put together once.
    text: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", f"{self.name}:{self.tag}")

    @classmethod
    def parse(cls, text: str) -> ModelName:
        """Read `name` or `name:tag`; no tag means `latest`. A colon before a slash is a port."""
        name, colon, tag = text.strip().rpartition(":")
        if not colon or "/" in tag or not tag:
            return cls(text.strip().removesuffix(":"))
        return cls(name, tag)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class ModelShape:
    """What `model_info` of `/api/show` says of the inside of a model; None where unknown."""

    parameter_count: int | None = None
    layers: int | None = None
    kv_heads: int | None = None
    key_length: int | None = None
    value_length: int | None = None
    expert_count: int | None = None
    expert_used_count: int | None = None

    def kv_bytes_per_token(self) -> int | None:
        """Bytes of key and value cache for one token, at Ollama's default of 16-bit values.

        layers x kv heads x (key length + value length) x 2 bytes.
        """
        if not (self.layers and self.kv_heads and self.key_length):
            return None
        return (
            self.layers
            * self.kv_heads
            * (self.key_length + (self.value_length or self.key_length))
            * 2
        )


@dataclass(frozen=True, slots=True)
class Model:
    """One model as one instance has it.

    `capabilities` and `shape` are None until the instance has told them; `context_length` is
    the longest context the model was made for.
    """

    name: ModelName
    digest: str = ""
    size_bytes: int | None = None
    family: str | None = None
    parameter_size: str | None = None
    quantization: str | None = None
    context_length: int | None = None
    capabilities: frozenset[str] | None = None
    remote_host: str | None = None
    modified_at: datetime | None = None
    shape: ModelShape | None = None

    @property
    def cloud(self) -> bool:
        """Whether a prompt to this model leaves the user's machines."""
        return self.remote_host is not None

    @property
    def parameters(self) -> float | None:
        """Number of parameters: from the shape, else read from a text such as `8.0B` or `3.04M`."""
        if self.shape is not None and self.shape.parameter_count:
            return float(self.shape.parameter_count)
        return parse_parameter_size(self.parameter_size)

    @property
    def active_fraction(self) -> float:
        """Share of the parameters that one token reads; below 1 for a mixture of experts.

        `expert_used_count / expert_count`; the layers all experts share make the true share
        somewhat larger, so this is a lower bound.
        """
        shape = self.shape
        if shape is None or not shape.expert_count or not shape.expert_used_count:
            return 1.0
        return min(1.0, shape.expert_used_count / shape.expert_count)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in an instance's memory. Sizes in bytes; `context_length` is per slot."""

    name: ModelName
    digest: str = ""
    size: int | None = None
    size_vram: int | None = None
    context_length: int | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TierLimits:
    """Where the tiers begin, in units of 10^9 bytes on disk."""

    fast_below_gb: float = 3.0
    powerful_above_gb: float = 10.0


# Bytes on disk per parameter at 4-bit quantization with its scales (Q4_K_M of 7B to 70B models:
# 0.57 to 0.62), to give a cloud model, which has no size on disk, the tier of its equals.
_DISK_BYTES_PER_PARAMETER = 0.6


def tier_of(model: Model, limits: TierLimits = TierLimits()) -> Tier:
    """Tier by size on disk; a cloud model's by its parameters; unknown size counts as balanced."""
    size: float | None = model.size_bytes
    if model.cloud or not size:
        size = model.parameters * _DISK_BYTES_PER_PARAMETER if model.parameters else None
    if size is None:
        return Tier.BALANCED
    if size < limits.fast_below_gb * GB:
        return Tier.FAST
    return Tier.POWERFUL if size > limits.powerful_above_gb * GB else Tier.BALANCED


_UNITS = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


def parse_parameter_size(text: str | None) -> float | None:
    """Number of parameters in `8.0B`, `3.04M` or `8x7B`; None when it cannot be read."""
    if not text or text[-1].upper() not in _UNITS:
        return None
    count = 1.0
    try:
        for factor in text[:-1].lower().split("x"):
            count *= float(factor)
    except ValueError:
        return None
    number = count * _UNITS[text[-1].upper()]
    return number if 0 < number < float("inf") else None
