"""Replace a file in one step: a reader sees the old one or the new one, never a half."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from ollamamaster.storage.paths import home_of

# Windows refuses to replace a file that a reader has open; readers of ours are done within
# milliseconds. Together a second and a half.
_PAUSES_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)


def replace_file(path: Path, content: bytes) -> None:
    """Write `content` in place of `path`, readable and writable by this user only.

    The caller holds the lock of the file, so there is one writer at a time: the temporary file
    has a fixed name, and what a killed process left of it is overwritten by the next. Whatever
    fails, full disk included, is an OSError, `path` is as it was and no temporary file stays. A
    symbolic link stays a link to the file that is replaced.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f"{target.name}.new")
    home_of(target)
    try:
        _write_durably(temporary, content)
        _put_in_place(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


def create_file(path: Path, content: bytes) -> None:
    """Write a new file for this user only. Raises FileExistsError; leaves nothing on failure."""
    home_of(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - from a descriptor
            file.write(content)
    except BaseException:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def _write_durably(path: Path, content: bytes) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - from a descriptor
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _put_in_place(temporary: Path, target: Path) -> None:
    for pause in (*_PAUSES_S, None):
        try:
            os.replace(temporary, target)  # noqa: PTH105 - documented as atomic
        except PermissionError:
            if os.name != "nt" or pause is None:
                raise
            import time

            time.sleep(pause)
        else:
            return


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut, where the system can; it is done either way."""
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
