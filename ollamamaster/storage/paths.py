"""Where are the program's files?"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ollamamaster.errors import ConfigInvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "OLLAMAMASTER_"
HOME_VARIABLE = f"{PREFIX}HOME"
_APPLICATION = "ollamamaster"


@dataclass(frozen=True, slots=True)
class Paths:
    """The folder of what the person and discovery wrote, and the folder of what is remembered."""

    config_dir: Path
    state_dir: Path

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Paths:
        """One flat folder when OLLAMAMASTER_HOME names it, else the system's user folders.

        Raises ConfigInvalidError when it names none, and when the folder of config.toml is none.
        """
        home = environ.get(HOME_VARIABLE, "").strip()
        if home:
            folder = _folder_of(home)
            _refuse_what_is_no_folder(folder, f"{HOME_VARIABLE}={home}: ")
            return cls(folder, folder)
        import platformdirs

        # absolute, as the other: what these variables name may be relative too
        config_dir = platformdirs.user_config_path(_APPLICATION, appauthor=False).absolute()
        _refuse_what_is_no_folder(config_dir)
        return cls(
            config_dir, platformdirs.user_state_path(_APPLICATION, appauthor=False).absolute()
        )

    @property
    def config(self) -> Path:
        """What the person configured."""
        return self.config_dir / "config.toml"

    @property
    def inventory(self) -> Path:
        """What discovery found."""
        return self.config_dir / "inventory.toml"

    @property
    def workflows(self) -> Path:
        """The person's workflow files."""
        return self.config_dir / "workflows"

    @property
    def history(self) -> Path:
        """What is remembered of requests and instances."""
        return self.state_dir / "history.db"


def _folder_of(home: str) -> Path:
    try:
        # made absolute at once: what runs later may change the working directory
        return Path(home).expanduser().absolute()
    except RuntimeError:
        problem = "there is no such user"
    except FileNotFoundError:
        problem = "it is relative to the working directory, which does not exist any more"
    raise ConfigInvalidError(
        f"{HOME_VARIABLE}={home}: {problem}",
        hint=f"{HOME_VARIABLE} names a folder, best by its full path",
    )


def _refuse_what_is_no_folder(folder: Path, named_by: str = "") -> None:
    other = no_folder(folder)
    if other is not None:
        raise ConfigInvalidError(
            f"{named_by}{other} is no folder",
            hint=f"move it away, or let {HOME_VARIABLE} name another folder",
        )


def no_folder(folder: Path) -> Path | None:
    """What stands in the place of a folder, or of one above it, and is none: it cannot be made."""
    for each in (folder, *folder.parents):
        if os.path.isdir(each):  # noqa: PTH112 (pathlib raises where one may not look)
            return None
        if os.path.lexists(each):
            return each
    return None


def home_of(path: Path) -> Path:
    """The folder of a file of ours, made for this user only when it is not there yet.

    Raises OSError where it cannot be made.
    """
    folder = path.parent
    if not folder.is_dir():
        other = no_folder(folder)
        if other is not None:
            raise NotADirectoryError(errno.ENOTDIR, f"{other} is no folder")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
