"""Which fleet is simulated? Reads a fleet file, or one of the built-in fleets."""

from __future__ import annotations

import difflib
import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.hardware import DEFAULT_KEEP_ALIVE_S, Eviction, Hardware
from ollamamaster.domain.instances import Locality
from ollamamaster.domain.models import GB, Capability, ModelName
from ollamamaster.errors import FileUnusableError, UsageError
from ollamamaster.simulator.plan import FaultKind, FaultPlan, FleetPlan, InstancePlan, ModelPlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BUILT_IN = ("home", "duo", "lab")

# A thousand instances take a tenth of it.
_MAX_BYTES = 1_000_000
_HEADER = re.compile(r"\s*\[\[\s*(\w+)\s*\]\]")
_NUMBER = (int, float)

_KEYS = {
    "instances": (
        *("name", "port", "gpu", "vram_gb", "ram_gb", "bandwidth_gb_s", "ram_bandwidth_gb_s"),
        *("prefill_tokens_s", "load_gb_s", "slots", "max_loaded", "max_queue"),
        *("default_context", "keep_alive_s", "eviction", "locality", "labels", "models"),
    ),
    "models": (
        *("name", "size_gb", "parameters_b", "active_parameters_b", "quantization", "context"),
        *("capabilities", "quality", "family", "layers", "heads", "kv_heads", "head_length"),
        *("experts", "experts_used", "num_predict"),
    ),
    "faults": (
        *("instance", "kind", "after_requests", "after_s", "for_s", "count", "path", "tokens"),
    ),
}


class FleetFileError(UsageError):
    """A fleet file says something that cannot be."""


def load_fleet(which: str | Path | FleetPlan) -> FleetPlan:
    """The fleet of this built-in name, or of this file.

    Raises FileUnusableError when the file cannot be read, FleetFileError naming key and line
    when what it says cannot be.
    """
    if isinstance(which, FleetPlan):
        return which
    if str(which) in BUILT_IN:
        file = resources.files("ollamamaster.simulator") / "fleets" / f"{which}.toml"
        return parse_fleet(file.read_text("utf-8"), name=str(which))
    path = Path(which)
    if path.suffix != ".toml" and not path.exists():
        raise UsageError(
            f"{str(which)!r} is no fleet", hint=f"there are {', '.join(BUILT_IN)}, or PATH.toml"
        )
    try:
        with path.open("rb") as opened:
            content = opened.read(_MAX_BYTES + 1)
        text = content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileUnusableError(f"cannot read the fleet file {path}: {error}") from error
    if len(content) > _MAX_BYTES:
        raise FileUnusableError(f"the fleet file {path} is larger than {_MAX_BYTES:,} bytes")
    return parse_fleet(text, name=str(path))


def parse_fleet(text: str, *, name: str) -> FleetPlan:
    """Read the text of a fleet file. Raises FleetFileError."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise FleetFileError(f"{name}: {error}") from error
    lines = _Lines(name, text)
    for key in document:
        if key not in {"instances", "models", "faults"}:
            raise lines.error(f"unknown key {key!r}", ("", 0), key)
    models: dict[str, ModelPlan] = {}
    for table in _tables(document, "models", lines):
        model = _model(table)
        if model.full_name in models:
            raise table.error("name", f"the model {model.name!r} stands here twice")
        models[model.full_name] = model
    faults: dict[str, list[FaultPlan]] = {}
    instance_tables = list(_tables(document, "instances", lines))
    names = [table.text("name") for table in instance_tables]
    for table in _tables(document, "faults", lines):
        target = table.text("instance")
        if target not in names:
            raise table.error("instance", f"there is no instance {target!r}")
        faults.setdefault(target, []).append(_fault(table))
    instances = tuple(
        _instance(table, models, tuple(faults.get(table.text("name"), ())))
        for table in instance_tables
    )
    if not instances:
        raise FleetFileError(f"{name}: there are no [[instances]]")
    for table, instance in zip(instance_tables, instances, strict=True):
        if names.count(instance.name) > 1:
            raise table.error("name", f"two instances are called {instance.name!r}")
    return FleetPlan(instances, models, name)


def _instance(
    table: _Table, models: Mapping[str, ModelPlan], faults: tuple[FaultPlan, ...]
) -> InstancePlan:
    hardware = Hardware(
        vram_bytes=round(table.number("vram_gb", 0.0, least=0.0) * GB),
        ram_bytes=round(table.number("ram_gb", 16.0, least=0.001) * GB),
        bandwidth=table.number("bandwidth_gb_s", least=0.001) * GB,
        prefill_tokens_per_s=table.number("prefill_tokens_s", least=0.001),
        load_bytes_per_s=table.number("load_gb_s", 2.0, least=0.001) * GB,
        ram_bandwidth=table.number("ram_bandwidth_gb_s", 60.0, least=0.001) * GB,
        slots=table.whole("slots", 1, least=1),
        max_loaded=table.whole("max_loaded", 3, least=1),
        max_queue=table.whole("max_queue", 512, least=0),
        default_context=table.whole("default_context", 4096, least=1),
        keep_alive_s=table.number("keep_alive_s", DEFAULT_KEEP_ALIVE_S),
        eviction=Eviction(table.choice("eviction", "shortest_keep_alive", list(Eviction))),
    )
    has = table.texts("models", ())
    for model in has:
        if str(ModelName.parse(model)) not in models:
            near = difflib.get_close_matches(model, models, 1)
            hint = f", did you mean {near[0]!r}?" if near else ""
            raise table.error("models", f"{model!r} is none of the [[models]]{hint}")
    labels = table.take("labels", {})
    if not isinstance(labels, dict) or not all(isinstance(v, str) for v in labels.values()):
        raise table.error("labels", "must be a table of texts")
    return InstancePlan(
        name=table.text("name"),
        hardware=hardware,
        models=tuple(str(ModelName.parse(model)) for model in has),
        port=table.whole("port", 0, least=0, most=65535),
        gpu=table.text("gpu", ""),
        locality=Locality(table.choice("locality", "local", list(Locality))),
        labels=labels,
        faults=faults,
    )


def _model(table: _Table) -> ModelPlan:
    quality = table.take("quality", {})
    if not isinstance(quality, dict) or not all(isinstance(v, _NUMBER) for v in quality.values()):
        raise table.error("quality", "must be a table of task types and numbers")
    capabilities = table.texts("capabilities", ("completion",))
    for capability in capabilities:
        if capability not in list(Capability):
            raise table.error("capabilities", f"{capability!r} is no capability")
    active = table.number("active_parameters_b", 0.0, least=0.0)
    predict = table.whole("num_predict", -1, least=-2)
    return ModelPlan(
        name=table.text("name"),
        size_gb=table.number("size_gb", least=0.0001),
        parameters_b=table.number("parameters_b", least=0.0001),
        active_parameters_b=active or None,
        quantization=table.text("quantization", "Q4_K_M"),
        context=table.whole("context", 8192, least=1),
        capabilities=capabilities,
        quality=quality,
        family=table.text("family", "llama"),
        layers=table.whole("layers", 0, least=0),
        heads=table.whole("heads", 0, least=0),
        kv_heads=table.whole("kv_heads", 0, least=0),
        head_length=table.whole("head_length", 0, least=0),
        experts=table.whole("experts", 0, least=0),
        experts_used=table.whole("experts_used", 0, least=0),
        num_predict=predict if predict > 0 else None,
    )


def _fault(table: _Table) -> FaultPlan:
    count = table.whole("count", 0, least=0)
    tokens = table.whole("tokens", -1, least=-1)
    return FaultPlan(
        kind=FaultKind(table.choice("kind", None, list(FaultKind))),
        after_requests=table.whole("after_requests", 0, least=0),
        after_s=table.number("after_s", 0.0, least=0.0),
        count=count or None,
        for_s=table.number("for_s", 0.0, least=0.0) or None,
        path=table.text("path", "") or None,
        tokens=tokens if tokens >= 0 else None,
    )


class _Lines:
    """Where in the text a key stands; tomllib does not tell."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.lines = text.splitlines()

    def error(self, problem: str, place: tuple[str, int], key: str) -> FleetFileError:
        line = self._line(place, key)
        where = f"{self.name}, line {line}" if line else self.name
        return FleetFileError(f"{where}: {problem}")

    def _line(self, place: tuple[str, int], key: str) -> int | None:
        kind, wanted = place
        seen, inside, start = 0, not kind, None
        pattern = re.compile(rf"\s*(\[+\s*)?(\w+\.)*[\"']?{re.escape(key)}[\"']?\s*[=.\]]")
        for number, line in enumerate(self.lines, 1):
            header = _HEADER.match(line)
            if header and kind:
                seen += header[1] == kind
                inside = header[1] == kind and seen == wanted + 1
                start = number if inside else start
            elif inside and pattern.match(line):
                return number
            if not kind and pattern.match(line):
                return number
        return start


class _Table:
    """One table of the file. A key that is none is reported before one that is missing."""

    def __init__(self, values: dict[str, Any], place: tuple[str, int], lines: _Lines) -> None:
        self._values = values
        self._place = place
        self._lines = lines
        for key in values:
            if key not in _KEYS[place[0]]:
                near = difflib.get_close_matches(key, _KEYS[place[0]], 1)
                hint = f", did you mean {near[0]!r}?" if near else ""
                raise self.error(key, f"is no key of {place[0]}{hint}")

    def error(self, key: str, problem: str) -> FleetFileError:
        return self._lines.error(f"{self._place[0]}.{key}: {problem}", self._place, key)

    def take(self, key: str, default: Any = None) -> Any:
        if key in self._values:
            return self._values[key]
        if default is None:
            raise self.error(key, "is missing")
        return default

    def number(
        self, key: str, default: float | None = None, *, least: float | None = None
    ) -> float:
        value = self.take(key, default)
        if isinstance(value, bool) or not isinstance(value, _NUMBER):
            raise self.error(key, f"must be a number, not {value!r}")
        if least is not None and not least <= value < float("inf"):
            raise self.error(key, f"must be at least {least:g}, not {value!r}")
        return float(value)

    def whole(
        self, key: str, default: int, *, least: int | None = None, most: int | None = None
    ) -> int:
        value = self.number(key, default, least=least)
        if value != int(value) or (most is not None and value > most):
            limit = f" up to {most}" if most is not None else ""
            raise self.error(key, f"must be a whole number{limit}, not {value:g}")
        return int(value)

    def text(self, key: str, default: str | None = None) -> str:
        value = self.take(key, default)
        if not isinstance(value, str) or (default is None and not value):
            raise self.error(key, f"must be a text, not {value!r}")
        return value

    def texts(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        value = self.take(key, default)
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            raise self.error(key, "must be a list of texts")
        return tuple(value)

    def choice(self, key: str, default: str | None, choices: Iterable[str]) -> str:
        value = self.text(key, default)
        allowed = [str(choice) for choice in choices]
        if value not in allowed:
            raise self.error(key, f"{value!r} is none of {', '.join(allowed)}")
        return value


def _tables(document: dict[str, Any], kind: str, lines: _Lines) -> Iterable[_Table]:
    found = document.get(kind, [])
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise lines.error(f"{kind} must be written as [[{kind}]]", ("", 0), kind)
    for index, values in enumerate(found):
        yield _Table(values, (kind, index), lines)
