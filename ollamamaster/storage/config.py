"""What did the person configure? config.toml and the environment, read into Settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.settings import Settings
from ollamamaster.storage.paths import HOME_VARIABLE, PREFIX

if TYPE_CHECKING:
    from pathlib import Path

    from ollamamaster.storage.paths import Paths
    from ollamamaster.storage.problems import Problem


@dataclass(frozen=True, slots=True)
class Value:
    """One value in force. `origin` is `default`, `config.toml:LINE` or the variable's name."""

    key: str
    value: Any
    origin: str


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings, the origin of what is not a default, and what is worth saying of them.

    `origins` is keyed by the dotted key (`route.performance`, `instances."gpu:11434".label`).
    """

    settings: Settings
    origins: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckedConfig:
    """Everything that is wrong, in the order of lines, and what is only worth saying."""

    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def load_settings(paths: Paths, environ: Mapping[str, str]) -> LoadedSettings:
    """The settings in force: environment before config.toml before defaults.

    Raises ConfigInvalidError with the first problem and how many there are.
    """
    text, unreadable = _text(paths.config)
    if not (text or unreadable or any(_is_ours(name) for name in environ)):
        # nothing is configured: the schema need not even be loaded
        return LoadedSettings(Settings())
    from ollamamaster.storage.reading import read_config

    read = read_config(text, environ)
    problems = (*unreadable, *read.problems)
    if problems:
        from ollamamaster.storage.problems import refusal

        raise refusal(problems, paths.config)
    return LoadedSettings(read.settings, read.origins, read.notes)


def check_config(paths: Paths, environ: Mapping[str, str]) -> CheckedConfig:
    """Look at all of config.toml and the environment; never raises."""
    from ollamamaster.storage.reading import read_config

    text, unreadable = _text(paths.config)
    read = read_config(text, environ)
    return CheckedConfig((*unreadable, *read.problems), read.notes)


def values_in_force(loaded: LoadedSettings) -> tuple[Value, ...]:
    """Every key with its value and origin, in the order of the schema.

    Of instances and models, which have no end of keys, only what is configured.
    """
    from ollamamaster.storage.problems import dotted
    from ollamamaster.storage.schema import TABLES

    found: list[Value] = []
    for table in TABLES:
        of = getattr(loaded.settings, table.name)
        holders: dict[tuple[str, ...], Any] = {(): of}
        if table.named_by is not None:
            holders = {(str(getattr(name, "id", name)),): held for name, held in of.items()}
        for named, holder in holders.items():
            for key in table.keys:
                name = dotted((table.name, *named, key.name))
                origin = loaded.origins.get(name, "default")
                if table.named_by is None or origin != "default":
                    found.append(Value(name, _plain(getattr(holder, key.name)), origin))
    return tuple(found)


def create_config(paths: Paths) -> Path:
    """Write the commented starter file and return its path.

    Raises UsageError when there is a config.toml already, StateUnusableError when it cannot be
    written.
    """
    from ollamamaster.errors import UsageError
    from ollamamaster.storage.atomic import create_file
    from ollamamaster.storage.lock import unusable
    from ollamamaster.storage.starter import starter_text

    try:
        create_file(paths.config, starter_text().encode())
    except FileExistsError as error:
        if not paths.config.exists():
            raise unusable(paths.config, error) from error
        raise UsageError(
            f"{paths.config} is there already; it is yours and stays as it is",
            hint="ollamamaster config show",
        ) from error
    except OSError as error:
        raise unusable(paths.config, error) from error
    return paths.config


def _is_ours(name: str) -> bool:
    return name.startswith(PREFIX) and name != HOME_VARIABLE


def _text(path: Path) -> tuple[str, tuple[Problem, ...]]:
    """The text of the file, empty when there is none, and what keeps it from being read."""
    try:
        # some editors begin a file with a byte order mark
        return path.read_bytes().decode("utf-8-sig"), ()
    except (FileNotFoundError, NotADirectoryError):
        return "", ()
    except UnicodeDecodeError as error:
        from ollamamaster.storage.problems import Problem

        line = error.object.count(b"\n", 0, error.start) + 1
        return "", (Problem("", "this is not UTF-8 text", line, "save it as UTF-8"),)
    except OSError as error:
        from ollamamaster.storage.problems import Problem

        return "", (Problem("", f"it cannot be read: {error.strerror or error}"),)


def _plain(value: Any) -> Any:
    """The value as JSON has it."""
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return str(value) if isinstance(value, str) else value
