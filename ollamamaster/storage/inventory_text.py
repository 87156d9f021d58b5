"""The fleet as `inventory.toml` writes it.

    version = 1
    checked_at = 2026-11-22 15:00:00+00:00

    [[instances]]
    url = "http://127.0.0.1:11434"
    ...
    [instances.models]            # which models it has, and since when
    "phi4:latest" = 2026-08-01 10:00:00+00:00

    [models."phi4:latest"]        # each written once, however many instances have it
    digest = "sha256:..."

The details of a model stand once because tomllib reads about a megabyte a second: twelve
instances with twenty models each are read in a few milliseconds this way. Two models of one
name that differ get two entries, the second called `phi4:latest#2`. What is not known is left
out, as TOML has no null. What the config says of an instance is never in here.
"""

from __future__ import annotations

import math
import re
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from ollamamaster.domain.instances import (
    Gpu,
    GpuSource,
    Instance,
    InstanceAddress,
    Locality,
    Status,
    locality_of,
)
from ollamamaster.domain.models import LoadedModel, Model, ModelName, ModelShape
from ollamamaster.domain.plain_text import cleaned
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

VERSION = 1
_TITLE = "# What ollamamaster found. It writes this file itself; settings belong in config.toml.\n"
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_SHAPE = tuple(f.name for f in fields(ModelShape))
# Stands for a moment that is not known where a key must have a value.
_UNKNOWN = ""


class DamagedError(ValueError):
    """The text is not what this program writes; the message says where it differs."""


def to_text(fleet: Fleet) -> bytes:
    """The fleet as UTF-8 TOML that is safe to show on a terminal.

    Half of a surrogate pair, which no file can hold, becomes `?`.
    """
    import tomli_w

    details: dict[str, dict[str, Any]] = {}
    instances = [_from_instance(i, details) for i in fleet if _can_be_read_back(i.address)]
    document = _known(version=VERSION, checked_at=_moment(fleet.checked_at))
    document["instances"] = instances
    document["models"] = details
    text = _NOT_ASCII.sub(_escaped, tomli_w.dumps(document))
    return (_TITLE + text).encode("utf-8", "replace")


def from_text(content: bytes) -> Fleet:
    """The fleet in this text. Raises DamagedError for anything `to_text` does not write."""
    import tomllib

    try:
        return _to_fleet(tomllib.loads(content.decode()))
    except DamagedError:
        raise
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        raise DamagedError(str(error) or type(error).__name__) from error


def _escaped(found: re.Match[str]) -> str:
    """These characters, those that could act on a terminal as TOML's escapes.

    tomli_w does that to those of ASCII. All others stand between the quotes of basic strings.
    """
    return "".join(
        c if cleaned(c) or "\ud800" <= c <= "\udfff" else f"\\U{ord(c):08x}" for c in found[0]
    )


def _to_fleet(document: Mapping[str, Any]) -> Fleet:
    if _is(document.get("version"), int) != VERSION:
        raise DamagedError(f"its version is {document['version']}, not {VERSION}")
    details = {key: _to_model(key, _is(of, dict)) for key, of in _table(document, "models")}
    entries = (_is(entry, dict) for entry in _is(document.get("instances", []), list))
    found = tuple(_to_instance(entry, details) for entry in entries)
    return Fleet(found, _to_moment(document.get("checked_at")))


def _can_be_read_back(address: InstanceAddress) -> bool:
    """Whether the URL says the same address; OLLAMA_HOST may hold what no URL can."""
    try:
        return InstanceAddress.parse(address.url) == address
    except UsageError:
        return False


def _from_instance(instance: Instance, details: dict[str, dict[str, Any]]) -> dict[str, Any]:
    gpu = instance.gpu
    settings_labels = instance.settings.labels
    entry = _known(
        url=instance.address.url,
        aliases=list(instance.aliases) or None,
        locality=None if instance.settings.locality else str(instance.locality),
        status=str(instance.status),
        version=instance.version,
        latency_ms=instance.latency_ms,
        ram_total=instance.ram_total,
        first_seen=_moment(instance.first_seen),
        last_seen=_moment(instance.last_seen),
    )
    if gpu != Gpu() and gpu.source is not GpuSource.CONFIG:
        entry["gpu"] = _known(
            source=str(gpu.source),
            count=gpu.count,
            vram_total=gpu.vram_total,
            vram_used=gpu.vram_used,
        )
    found = {k: v for k, v in instance.labels.items() if settings_labels.get(k) != v}
    if found:
        entry["labels"] = found
    if instance.models:
        entry["models"] = {
            _key_of(model, details): _moment(model.modified_at) or _UNKNOWN
            for model in instance.models
        }
    if instance.loaded:
        entry["loaded"] = [_from_loaded(model) for model in instance.loaded]
    return entry


def _key_of(model: Model, details: dict[str, dict[str, Any]]) -> str:
    """The entry of this model in `details`, added when there is none like it."""
    described = _from_model(model)
    name = key = str(model.name)
    number = 1
    if ModelName.parse(name) != model.name:
        described |= {"name": model.name.name, "tag": model.name.tag}
    while details.setdefault(key, described) != described:
        number += 1
        key = f"{name}#{number}"
        described |= {"name": model.name.name, "tag": model.name.tag}
    return key


def _from_model(model: Model) -> dict[str, Any]:
    """All but the name, which is the key, and `modified_at`, which is each instance's own."""
    shape = model.shape
    return _known(
        digest=model.digest or None,
        size_bytes=model.size_bytes,
        family=model.family,
        parameter_size=model.parameter_size,
        quantization=model.quantization,
        context_length=model.context_length,
        capabilities=None if model.capabilities is None else sorted(model.capabilities),
        remote_host=model.remote_host,
        shape=None if shape is None else _known(**{n: getattr(shape, n) for n in _SHAPE}),
    )


def _from_loaded(model: LoadedModel) -> dict[str, Any]:
    return _known(
        name=model.name.name,
        tag=model.name.tag,
        digest=model.digest or None,
        size=model.size,
        size_vram=model.size_vram,
        context_length=model.context_length,
        expires_at=_moment(model.expires_at),
    )


def _known(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _moment(moment: datetime | None) -> datetime | None:
    if moment is None or moment.tzinfo is UTC:
        return moment
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        # the last day of the year 9999 west of Greenwich: what "for ever" looks like
        return moment.replace(tzinfo=UTC)


def _to_instance(entry: Mapping[str, Any], details: Mapping[str, Model]) -> Instance:
    gpu = _is(entry.get("gpu", {}), dict)
    address = _to_address(_is(entry["url"], str))
    # it is left out where the config overrides it; without the config the address tells
    by_address = locality_of(frozenset({address.host}), frozenset())
    return Instance(
        address=address,
        aliases=_texts(entry.get("aliases", [])),
        locality=Locality(entry.get("locality", by_address)),
        status=Status(entry.get("status", Status.DOWN)),
        version=_maybe(entry, "version", str),
        latency_ms=_number(entry, "latency_ms"),
        gpu=Gpu(
            _count(gpu, "count"),
            GpuSource(gpu.get("source", GpuSource.UNKNOWN)),
            _count(gpu, "vram_total"),
            _count(gpu, "vram_used"),
        ),
        models=tuple(_since(details[key], moment) for key, moment in _table(entry, "models")),
        loaded=tuple(_to_loaded(_is(m, dict)) for m in _is(entry.get("loaded", []), list)),
        ram_total=_count(entry, "ram_total"),
        labels={key: _is(value, str) for key, value in _table(entry, "labels")},
        first_seen=_to_moment(entry.get("first_seen")),
        last_seen=_to_moment(entry.get("last_seen")),
    )


def _to_address(url: str) -> InstanceAddress:
    try:
        return InstanceAddress.parse(url)
    except UsageError as error:
        raise DamagedError(error.message) from error


def _to_model(key: str, entry: Mapping[str, Any]) -> Model:
    capabilities, shape = entry.get("capabilities"), entry.get("shape")
    return Model(
        _to_name(entry) if "name" in entry else ModelName.parse(key),
        digest=_is(entry.get("digest", ""), str),
        size_bytes=_count(entry, "size_bytes"),
        family=_maybe(entry, "family", str),
        parameter_size=_maybe(entry, "parameter_size", str),
        quantization=_maybe(entry, "quantization", str),
        context_length=_count(entry, "context_length"),
        capabilities=None if capabilities is None else frozenset(_texts(capabilities)),
        remote_host=_maybe(entry, "remote_host", str),
        shape=None if shape is None else _to_shape(_is(shape, dict)),
    )


def _to_name(entry: Mapping[str, Any]) -> ModelName:
    return ModelName(_is(entry["name"], str), _is(entry["tag"], str))


def _to_shape(entry: Mapping[str, Any]) -> ModelShape:
    return ModelShape(**{name: _count(entry, name) for name in _SHAPE})


def _since(model: Model, moment: object) -> Model:
    """The model as one instance has it; dataclasses.replace would cost half of the loading."""
    if moment == _UNKNOWN:
        return model
    return Model(
        model.name,
        model.digest,
        model.size_bytes,
        model.family,
        model.parameter_size,
        model.quantization,
        model.context_length,
        model.capabilities,
        model.remote_host,
        _to_moment(moment),
        model.shape,
    )


def _to_loaded(entry: Mapping[str, Any]) -> LoadedModel:
    return LoadedModel(
        _to_name(entry),
        digest=_is(entry.get("digest", ""), str),
        size=_count(entry, "size"),
        size_vram=_count(entry, "size_vram"),
        context_length=_count(entry, "context_length"),
        expires_at=_to_moment(entry.get("expires_at")),
    )


def _is(value: Any, kind: type[T]) -> T:
    # bool is an int to Python, not to TOML
    if isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool):
        return value
    raise DamagedError(f"{str(value)[:40]!r} stands where {kind.__name__} belongs")


def _maybe(entry: Mapping[str, Any], key: str, kind: type[T]) -> T | None:
    value = entry.get(key)
    return None if value is None else _is(value, kind)


def _count(entry: Mapping[str, Any], key: str) -> int | None:
    """A count; what somebody wrote there that can be none is unknown."""
    number = _maybe(entry, key, int)
    return number if number is None or number >= 0 else None


def _number(entry: Mapping[str, Any], key: str) -> float | None:
    value = entry.get(key)
    if value is None:
        return None
    number = float(value if isinstance(value, int) else _is(value, float))
    return number if math.isfinite(number) and number >= 0 else None


def _table(entry: Mapping[str, Any], key: str) -> list[tuple[str, Any]]:
    return list(_is(entry.get(key, {}), dict).items())


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_is(item, str) for item in _is(value, list))


def _to_moment(value: object) -> datetime | None:
    return None if value is None else _moment(_is(value, datetime))
