"""What did the person configure? The values of config.toml, with their defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from ollamamaster.domain.models import Tier, TierLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollamamaster.domain.instances import InstanceAddress, InstanceSettings


class Performance(StrEnum):
    """What a doubling of the time must buy: little, some, a lot."""

    FAST = "fast"
    BALANCED = "balanced"
    POWERFUL = "powerful"


class CloudUse(StrEnum):
    """When a cloud model may be used."""

    BY_NAME = "by_name"
    ALLOW = "allow"
    NEVER = "never"


# Fractions of p(success) that a doubling of the time must buy.
PRICE_PER_DOUBLING: Mapping[str, float] = {"fast": 0.10, "balanced": 0.03, "powerful": 0.003}


@dataclass(frozen=True, slots=True)
class DiscoverySettings:
    """Where to look. `ports` is the text of one or more ranges; None is the built-in default."""

    ports: tuple[str, ...] = ("11434-11499",)
    loopback: bool = True
    networks: tuple[str, ...] = ()
    timeout_s: float | None = None
    concurrency: int = 4096


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """What the person knows of a model. `ability` is points from 0 to 100 per task type."""

    tier: Tier | None = None
    capabilities: frozenset[str] | None = None
    preferred_tasks: tuple[str, ...] = ()
    ability: Mapping[str, float] = field(default_factory=dict)
    context: int | None = None
    allow: bool = True
    keep_alive: str | int | None = None


@dataclass(frozen=True, slots=True)
class RouteSettings:
    """Defaults of `route`."""

    performance: Performance = Performance.BALANCED
    price_per_doubling: Mapping[str, float] = field(default_factory=lambda: PRICE_PER_DOUBLING)
    max_time_s: float | None = None
    hedge: bool = True
    local_only: bool = False
    cloud: CloudUse = CloudUse.BY_NAME


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """The person's rules: `model:GLOB`, `instance:GLOB`, `label:KEY=GLOB`; deny wins."""

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """What is remembered, and for how long."""

    store_text: bool = False
    keep_days: float = 90
    max_mb: float = 200


@dataclass(frozen=True, slots=True)
class McpSettings:
    """Defaults of the MCP server."""

    detach_after_s: float = 45
    file_roots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Defaults of sessions; `keep_days` 0 keeps them for ever."""

    summarise: bool = True
    keep_days: float = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """All of config.toml. `models` is keyed by the full model name."""

    discovery: DiscoverySettings = DiscoverySettings()
    instances: Mapping[InstanceAddress, InstanceSettings] = field(default_factory=dict)
    models: Mapping[str, ModelSettings] = field(default_factory=dict)
    tiers: TierLimits = field(default_factory=TierLimits)
    route: RouteSettings = RouteSettings()
    policy: PolicySettings = PolicySettings()
    history: HistorySettings = HistorySettings()
    mcp: McpSettings = McpSettings()
    sessions: SessionSettings = SessionSettings()
