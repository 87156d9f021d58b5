"""What is configured, what is wrong with it, and where does each value come from?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ollamamaster.storage.config import config_text
from ollamamaster.storage.problems import dotted
from ollamamaster.storage.reading import read_config
from ollamamaster.storage.schema import TABLES

if TYPE_CHECKING:
    from ollamamaster.storage.config import LoadedSettings
    from ollamamaster.storage.paths import Paths
    from ollamamaster.storage.problems import Problem


@dataclass(frozen=True, slots=True)
class Value:
    """One value in force. `origin` is `default`, `config.toml:LINE` or the variable's name."""

    key: str
    value: Any
    origin: str


@dataclass(frozen=True, slots=True)
class CheckedConfig:
    """Everything that is wrong, in the order of lines, and what is only worth saying."""

    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def check_config(paths: Paths, environ: Mapping[str, str]) -> CheckedConfig:
    """Look at all of config.toml and the environment; never raises."""
    text, unreadable = config_text(paths.config)
    read = read_config(text, environ)
    return CheckedConfig((*unreadable, *read.problems), read.notes)


def values_in_force(loaded: LoadedSettings) -> tuple[Value, ...]:
    """Every key with its value and origin, in the order of the schema.

    Of instances and models, which have no end of keys, only what is configured.
    """
    origins = loaded.origins
    found: list[Value] = []
    for table in TABLES:
        of = getattr(loaded.settings, table.name)
        holders: dict[tuple[str, ...], Any] = {(): of}
        if table.named_by is not None:
            holders = {(str(getattr(name, "id", name)),): held for name, held in of.items()}
        for named, holder in holders.items():
            for key in table.keys:
                name = dotted((table.name, *named, key.name))
                origin = origins.get(name, "default")
                if table.named_by is None or origin != "default":
                    found.append(Value(name, _plain(getattr(holder, key.name)), origin))
    return tuple(found)


def _plain(value: Any) -> Any:
    """The value as JSON has it."""
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return str(value) if isinstance(value, str) else value
