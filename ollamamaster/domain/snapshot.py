"""What did an instance say at one moment, and which instances are there now?"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ollamamaster.domain.instances import (
    GpuSource,
    Instance,
    InstanceAddress,
    InstanceSettings,
    Locality,
    Status,
    locality_of,
)
from ollamamaster.domain.models import GB
from ollamamaster.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ollamamaster.domain.models import LoadedModel, Model
    from ollamamaster.domain.settings import Settings


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
        """Seconds since the fleet was last asked; infinite when it never was.

        Also when that lies ahead: a clock was set back, and nobody knows for how long.
        """
        if self.checked_at is None or self.checked_at > now:
            return float("inf")
        return (now - self.checked_at).total_seconds()

    def find(self, text: str) -> Instance:
        """The instance with this id, alias or unique label.

        Raises UsageError that lists what there is.
        """
        wanted = text.strip().lower()
        if not wanted:
            raise UsageError("the name of the instance is missing")
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


def with_settings(fleet: Fleet, settings: Settings) -> Fleet:
    """The fleet with what the config says of each instance, and what it alone knows as `down`.

    An instance the config names by one of its aliases is called as the config calls it. What
    the config says of labels, locality and GPU wins over what was found; disabled ones are left
    out. Doing it twice changes nothing.
    """
    configured = {address.id: (address, of) for address, of in settings.instances.items()}
    # each name belongs to one instance: its own id first, then an alias where it is met first
    named = {instance.id for instance in fleet}
    found: list[Instance] = []
    for each in fleet:
        aliases = tuple(alias for alias in each.aliases if alias not in named)
        named |= set(aliases)
        instance = replace(each, aliases=aliases, settings=InstanceSettings())
        key = next((id_ for id_ in (each.id, *aliases) if id_ in configured), None)
        if key is None:
            found.append(instance)
        elif not configured[key][1].disabled:
            found.append(_as_configured(_renamed(instance, configured[key][0]), configured[key][1]))
    present = {name for instance in found for name in (instance.id, *instance.aliases)}
    missing = (
        _as_configured(Instance(address, locality=_locality_by_name(address.host)), of)
        for id_, (address, of) in configured.items()
        if id_ not in present and not of.disabled
    )
    return replace(fleet, instances=(*found, *missing))


def _renamed(instance: Instance, address: InstanceAddress) -> Instance:
    """The instance under the config's name for it. An id says nothing of the scheme."""
    if address.id == instance.id:
        # a bare host:port is read as http, so only https is surely what the person meant
        return replace(instance, address=address) if address.scheme == "https" else instance
    aliases = (instance.id, *(alias for alias in instance.aliases if alias != address.id))
    return replace(instance, address=address, aliases=aliases)


def _as_configured(instance: Instance, settings: InstanceSettings) -> Instance:
    gpu = instance.gpu
    if settings.vram_gb is not None or settings.gpu_count is not None:
        gpu = replace(
            gpu,
            source=GpuSource.CONFIG,
            count=gpu.count if settings.gpu_count is None else settings.gpu_count,
            vram_total=gpu.vram_total if settings.vram_gb is None else round(settings.vram_gb * GB),
        )
    return replace(
        instance,
        settings=settings,
        locality=settings.locality or instance.locality,
        labels={**instance.labels, **settings.labels},
        gpu=gpu,
    )


def _locality_by_name(host: str) -> Locality:
    """What the host alone tells before anything was asked; a name could be anywhere."""
    address = "127.0.0.1" if host == "localhost" else host
    return locality_of(frozenset({address}), frozenset())
