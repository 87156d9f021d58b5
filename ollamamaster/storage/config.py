"""What did the person configure? config.toml and the environment, read into Settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ollamamaster.domain.settings import Settings
from ollamamaster.storage.paths import HOME_VARIABLE, PREFIX
from ollamamaster.storage.regular_file import content_of_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ollamamaster.storage.paths import Paths
    from ollamamaster.storage.problems import Problem


def _no_origins() -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings, what is worth saying of them, and where they come from."""

    settings: Settings
    notes: tuple[str, ...] = ()
    find_origins: Callable[[], Mapping[str, str]] = field(default=_no_origins, compare=False)

    @property
    def origins(self) -> Mapping[str, str]:
        """`config.toml:LINE` or the name of a variable, for each key that is not at its default.

        Keys are dotted: `route.performance`, `instances."gpu:11434".label`. Looked for only now,
        because hardly any command asks.
        """
        return self.find_origins()


def load_settings(paths: Paths, environ: Mapping[str, str]) -> LoadedSettings:
    """The settings in force: environment before config.toml before defaults.

    Raises ConfigInvalidError with the first problem and how many there are.
    """
    return settings_of_file(paths.config, environ)


def settings_of_file(
    file: Path, environ: Mapping[str, str], read: Callable[[Path], bytes] = content_of_regular
) -> LoadedSettings:
    """The settings as if config.toml were this file. Raises ConfigInvalidError."""
    text, unreadable = config_text(file, read)
    if not (text or unreadable or any(_is_ours(name) for name in environ)):
        # nothing is configured: the schema need not even be loaded
        return LoadedSettings(Settings())
    from ollamamaster.storage.reading import read_config

    found = read_config(text, environ)
    problems = (*unreadable, *found.problems)
    if problems:
        from ollamamaster.storage.problems import refusal

        raise refusal(problems, file)
    return LoadedSettings(found.settings, found.notes, found.origins)


def _is_ours(name: str) -> bool:
    return name.startswith(PREFIX) and name != HOME_VARIABLE


def config_text(
    path: Path, read: Callable[[Path], bytes] = content_of_regular
) -> tuple[str, tuple[Problem, ...]]:
    """The text of the file, empty when there is none, and what keeps it from being read."""
    try:
        # some editors begin a file with a byte order mark
        return read(path).decode("utf-8-sig"), ()
    except (FileNotFoundError, NotADirectoryError):
        return "", ()
    except UnicodeDecodeError as error:
        from ollamamaster.storage.problems import Problem

        line = error.object.count(b"\n", 0, error.start) + 1
        return "", (Problem("", "this is not UTF-8 text", line, "save it as UTF-8"),)
    except OSError as error:
        from ollamamaster.storage.problems import Problem

        return "", (Problem("", f"it cannot be read: {error.strerror or error}"),)
