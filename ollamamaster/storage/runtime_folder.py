"""Where may the processes of this user on this machine, and nobody else, share something?"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from ollamamaster.errors import StateUnusableError
from ollamamaster.storage.network_disk import on_network_disk

_APPLICATION = "ollamamaster"


def runtime_folder() -> Path:
    """A folder of this user alone, made when it is not there.

    Raises StateUnusableError when none can be had: a folder of that name which another user made
    is not used.
    """
    problem = ""
    for folder in _places():
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            problem = _not_private(folder)
        except OSError as error:
            problem = f"{folder}: {error.strerror or error}"
        if not problem:
            return folder
    raise StateUnusableError(
        f"there is no folder of this machine's for tickets ({problem})",
        hint="XDG_RUNTIME_DIR names one",
    )


def _places() -> list[Path]:
    """The best first. macOS has its own in the home, which may be on a network disk too."""
    import tempfile
    import warnings

    import platformdirs

    user = str(os.getuid()) if sys.platform != "win32" else ""
    temporary = Path(tempfile.gettempdir()) / f"{_APPLICATION}-{user}".rstrip("-")
    try:
        with warnings.catch_warnings():
            # it warns of a folder that it passes over; whatever it names is looked at below
            warnings.simplefilter("ignore")
            system = platformdirs.user_runtime_path(_APPLICATION, appauthor=False)
    except OSError:
        return [temporary]
    return [temporary] if on_network_disk(system / "any") else [system, temporary]


def _not_private(folder: Path) -> str:
    """Why the folder cannot be trusted; empty when it can."""
    if sys.platform == "win32":
        # both are inside the user's own profile, which Windows keeps from others
        return ""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        return f"{folder} is not a folder of this user's own"
    if folder.parent.stat().st_uid not in {0, os.getuid()}:
        # whose the folder above is can put another one in its place
        return f"{folder.parent} is somebody else's"
    if found.st_mode & 0o077:
        # a folder of ours that is open: made by a program that did not care, or by a umask
        folder.chmod(0o700)
    return ""
