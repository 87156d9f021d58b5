"""Which (model, instance) pairs could do the task, and why can the others not?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ollamamaster.domain.catalogue import as_configured
from ollamamaster.domain.instances import Instance, Locality, Status
from ollamamaster.domain.memory_fit import longest_context
from ollamamaster.domain.models import Capability, Model
from ollamamaster.domain.pair import Pair
from ollamamaster.domain.policy import denied_by
from ollamamaster.domain.settings import CloudUse

if TYPE_CHECKING:
    from collections.abc import Collection

    from ollamamaster.domain.settings import Settings
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.domain.task import Task


_CANNOT: dict[str, str] = {
    Capability.COMPLETION: "writes no text",
    Capability.VISION: "cannot see images",
    Capability.THINKING: "has no thinking",
}


# Looking a member up costs more than what is done with it for each pair.
_DOWN = Status.DOWN


class Reason(StrEnum):
    """Why a pair cannot do the task. Stable words for scripts."""

    INSTANCE_DOWN = "instance_down"
    MODEL_MISSING = "model_missing"
    NOT_REQUESTED = "not_requested"
    CAPABILITY_MISSING = "capability_missing"
    CONTEXT_TOO_SMALL = "context_too_small"
    TOO_LARGE = "too_large"
    OVER_TIME_LIMIT = "over_time_limit"
    POLICY_DENIED = "policy_denied"
    CLOUD_EXCLUDED = "cloud_excluded"
    LOCALITY_EXCLUDED = "locality_excluded"


@dataclass(frozen=True, slots=True)
class Rejection:
    """A pair that cannot, with the reason and a detail for a person."""

    model: str
    instance: str
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person insists on: a full model name, an instance id, staying in the house."""

    model: str | None = None
    instance: str | None = None
    local_only: bool = False


@dataclass(frozen=True, slots=True)
class Sifted:
    """All pairs of the fleet, parted."""

    fit: tuple[Pair, ...]
    rejected: tuple[Rejection, ...]


def sift(
    task: Task, fleet: Fleet, settings: Settings, wish: Wish, skipped: Collection[str] = ()
) -> Sifted:
    """Part the pairs of the fleet. `skipped` are the ids of instances that failed lately.

    Whether an instance is up is asked last, so that `instance_down` means that it would do.
    """
    fit: list[Pair] = []
    rejected: list[Rejection] = []
    for instance in fleet:
        for model in instance.models:
            pair = Pair(as_configured(model, settings) if settings.models else model, instance)
            verdict = _verdict(pair, task, settings, wish, skipped)
            if verdict is None:
                fit.append(pair)
            else:
                rejected.append(Rejection(*pair.key, *verdict))
        if wish.model is not None and instance.model(wish.model) is None:
            rejected.append(_missing(wish.model, instance))
    return Sifted(tuple(fit), tuple(rejected))


def _missing(model: str, instance: Instance) -> Rejection:
    if instance.status is Status.DOWN and not instance.models:
        return Rejection(model, instance.id, Reason.INSTANCE_DOWN, "the instance is down")
    return Rejection(model, instance.id, Reason.MODEL_MISSING, "it does not have it")


def _verdict(
    pair: Pair, task: Task, settings: Settings, wish: Wish, skipped: Collection[str]
) -> tuple[Reason, str] | None:
    model, instance = pair
    if wish.instance is not None and instance.id != wish.instance:
        return Reason.NOT_REQUESTED, f"only {wish.instance} was asked for"
    if wish.model is not None and model.name.text != wish.model:
        return Reason.NOT_REQUESTED, f"only {wish.model} was asked for"
    if refused := _refused_by_rules(pair, settings, wish):
        return refused
    if missing := _missing_capability(model, task):
        return Reason.CAPABILITY_MISSING, missing
    limit = model.context_length
    if limit is not None and task.context_tokens > limit:
        return (
            Reason.CONTEXT_TOO_SMALL,
            f"needs about {task.context_tokens:,} tokens of context, the model has {limit:,}",
        )
    if too_large := _too_large(pair, task):
        return Reason.TOO_LARGE, too_large
    if instance.status is _DOWN:
        return Reason.INSTANCE_DOWN, "the instance is down"
    if skipped and instance.id in skipped:
        return Reason.INSTANCE_DOWN, "the instance failed several times and is left alone a while"
    return None


def _refused_by_rules(pair: Pair, settings: Settings, wish: Wish) -> tuple[Reason, str] | None:
    model, instance = pair
    said = settings.models.get(model.name.text)
    if said is not None and not said.allow:
        return Reason.POLICY_DENIED, "your config never uses it (allow = false)"
    if denied := denied_by(settings.policy, model, instance):
        return Reason.POLICY_DENIED, denied
    if wish.local_only and instance.locality is Locality.REMOTE:
        return Reason.LOCALITY_EXCLUDED, "it is not in your own network"
    if model.remote_host is None:
        return None
    if wish.local_only or settings.route.cloud is CloudUse.NEVER:
        return Reason.CLOUD_EXCLUDED, "a cloud model sends the prompt away"
    if settings.route.cloud is CloudUse.BY_NAME and wish.model is None:
        return Reason.CLOUD_EXCLUDED, "cloud models are only used when asked for by name"
    return None


def _missing_capability(model: Model, task: Task) -> str | None:
    known = model.capabilities
    if known is not None and task.needs <= known:
        return None
    for need in sorted(task.needs):
        if known is None and need != Capability.COMPLETION:
            return f"not known to have {need}"
        if known is not None and need not in known:
            return _CANNOT.get(need, f"has no {need}")
    return None


def _too_large(pair: Pair, task: Task) -> str | None:
    """Whether the model and the cache for this context are more than all memory there is."""
    model, memory = pair.model, pair.instance.memory_bytes
    if memory is None or model.remote_host is not None or model.size_bytes is None:
        return None
    if model.size_bytes > memory:
        return f"{model.size_bytes / 1e9:.1f} GB do not fit in {memory / 1e9:.0f} GB of memory"
    room = longest_context(model, memory)
    if room is None or task.context_tokens <= room:
        return None
    return (
        f"with about {task.context_tokens} tokens of context it does not fit in "
        f"{memory / 1e9:.0f} GB of memory; {room} tokens would"
    )
