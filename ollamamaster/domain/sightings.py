"""What is known of the fleet after it was looked at?

Pure, because it runs inside the lock around the inventory: what another process wrote meanwhile
is in the fleet that is passed in, and survives.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ollamamaster.domain.instances import Gpu, GpuSource, Instance, Locality, Status, locality_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from ollamamaster.domain.identity import Sighting
    from ollamamaster.domain.models import LoadedModel
    from ollamamaster.domain.snapshot import Fleet, Snapshot

SANDBOX_SUFFIX = "-sandbox"
_LOCALITIES = {Locality.LOCAL: 0, Locality.LAN: 1, Locality.REMOTE: 2}


@dataclass(frozen=True, slots=True)
class Looked:
    """The outcome of one look: who answered, and whose ids did not.

    `began` is when the look began: who was seen by another process since is not down.
    """

    seen: tuple[Instance, ...]
    silent: frozenset[str]
    began: datetime
    ended: datetime


@dataclass(frozen=True, slots=True)
class Machine:
    """What is known of this machine: its GPUs, and its main memory in bytes."""

    gpu: Gpu | None = None
    ram_total: int | None = None


def instance_of(
    sighting: Sighting,
    own_addresses: frozenset[str],
    *,
    known: Fleet,
    machine: Machine,
    skipped: bool,
) -> Instance:
    """The instance as it showed itself, without what the config says of it.

    Models it would not list are those that are known of it; `machine` is this one.
    """
    entry, snapshot = sighting.entry, sighting.snapshot
    sandbox = snapshot.version.endswith(SANDBOX_SUFFIX)
    locality = locality_of(entry.resolved, own_addresses)
    here = machine if locality is Locality.LOCAL and not sandbox else Machine()
    before = next((i for i in known if i.id in {entry.address.id, *entry.aliases}), None)
    bare = Instance(
        entry.address,
        models=before.models if before is not None else (),
        aliases=entry.aliases,
        locality=locality,
        gpu=here.gpu or Gpu(),
        ram_total=here.ram_total,
        labels={"sandbox": "true"} if sandbox else {},
        first_seen=snapshot.at,
    )
    return answered(bare, snapshot, skipped=skipped)


def answered(instance: Instance, snapshot: Snapshot, *, skipped: bool = False) -> Instance:
    """The instance after it answered; models it would not list are those it had."""
    whole = snapshot.models is not None and snapshot.loaded is not None
    loaded = snapshot.loaded or ()
    return replace(
        instance,
        status=Status.UP if whole and not skipped else Status.DEGRADED,
        version=snapshot.version,
        latency_ms=instance.latency_ms if snapshot.latency_ms is None else snapshot.latency_ms,
        models=instance.models if snapshot.models is None else snapshot.models,
        loaded=loaded,
        gpu=_gpu(instance.gpu, loaded),
        first_seen=instance.first_seen or snapshot.at,
        last_seen=snapshot.at,
    )


def _gpu(known: Gpu, loaded: tuple[LoadedModel, ...]) -> Gpu:
    """The GPU facts with the memory its models say they take, unless the driver has said more."""
    if known.source is GpuSource.NVIDIA_SMI:
        return known
    told = [model.size_vram for model in loaded if model.size_vram is not None]
    used = sum(told) if told else None
    if known.source is GpuSource.CONFIG:
        return replace(known, vram_used=used)
    return Gpu() if used is None else Gpu(source=GpuSource.OBSERVED, vram_used=used)


def after_look(
    stored: Fleet, looked: Looked, *, forget: bool = False, without: frozenset[str] = frozenset()
) -> Fleet:
    """The stored fleet after a look at it: who answered as it showed itself, who did not as `down`.

    Who was not looked at stays as it was. `forget` drops who did not answer; `without` are ids
    that are left out whatever they say.
    """
    seen = _under_known_ids(stored, looked)
    owner = {alias: i.id for i in reversed(seen) for alias in i.aliases} | {
        i.id: i.id for i in seen
    }
    found = {i.id: i for i in seen}
    kept: list[Instance] = []
    for old in stored:
        if old.id in owner:
            found[owner[old.id]] = _newer(old, found[owner[old.id]])
        elif not _is_silent(old, looked):
            aliases = tuple(alias for alias in old.aliases if alias not in owner)
            kept.append(replace(old, aliases=aliases))
        elif not forget:
            kept.append(replace(old, status=Status.DOWN))
    instances = [i for i in (*kept, *found.values()) if i.id not in without]
    whole = all(i.id in owner or i.id in looked.silent for i in stored)
    return replace(
        stored,
        instances=tuple(sorted(instances, key=_order)),
        checked_at=looked.ended if whole else stored.checked_at,
    )


def _under_known_ids(stored: Fleet, looked: Looked) -> tuple[Instance, ...]:
    """Who answered, with the id it had before when only an alias of it was asked this time."""
    asked = {name for i in looked.seen for name in (i.id, *i.aliases)} | looked.silent
    by_alias = {alias: old for old in stored if old.id not in asked for alias in old.aliases}
    taken: set[str] = {old.id for old in stored}
    named: list[Instance] = []
    for instance in looked.seen:
        old = by_alias.get(instance.id)
        if old is not None and instance.id not in taken:
            aliases = {*old.aliases, *instance.aliases, instance.id} - {old.id}
            named.append(replace(instance, address=old.address, aliases=tuple(sorted(aliases))))
            by_alias = {alias: of for alias, of in by_alias.items() if of is not old}
        else:
            named.append(instance)
    return tuple(named)


def _is_silent(old: Instance, looked: Looked) -> bool:
    seen_since = (
        old.status is not Status.DOWN and old.last_seen is not None and old.last_seen > looked.began
    )
    return old.id in looked.silent and not seen_since


def _newer(old: Instance, new: Instance) -> Instance:
    """What was seen last, known since it was seen first."""
    first = min((t for t in (old.first_seen, new.first_seen) if t is not None), default=None)
    is_newer = old.last_seen is not None and (
        new.last_seen is None or old.last_seen > new.last_seen
    )
    return replace(old if is_newer and old.id == new.id else new, first_seen=first)


def _order(instance: Instance) -> tuple[object, ...]:
    return (
        _LOCALITIES[instance.locality],
        instance.address.host,
        instance.address.port,
        instance.id,
    )


def after_answers(
    fleet: Fleet,
    answers: Mapping[str, Snapshot | None],
    *,
    began: datetime,
    ended: datetime,
    skipped: Iterable[str] = (),
) -> Fleet:
    """The fleet after the instances with these ids were asked; None is no answer."""
    by_id = {}
    skip = set(skipped)
    for instance in fleet:
        name = next((n for n in (instance.id, *instance.aliases) if n in answers), None)
        if name is None:
            by_id[instance.id] = instance
            continue
        snapshot = answers[name]
        if snapshot is not None:
            by_id[instance.id] = answered(instance, snapshot, skipped=name in skip)
        elif instance.last_seen is not None and instance.last_seen > began:
            by_id[instance.id] = instance
        else:
            by_id[instance.id] = replace(instance, status=Status.DOWN)
    whole = all(any(n in answers for n in (i.id, *i.aliases)) for i in fleet)
    return replace(
        fleet,
        instances=tuple(by_id.values()),
        checked_at=ended if whole and answers else fleet.checked_at,
    )
