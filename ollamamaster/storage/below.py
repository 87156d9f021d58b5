"""Reads a file below a folder, for whom nothing outside of it may be read."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ollamamaster.errors import FileUnusableError
from ollamamaster.storage.documents import MAX_BYTES

if TYPE_CHECKING:
    from pathlib import Path

# A pipe or a device must not keep us waiting, nor a link be followed that was put there since.
_OPEN = os.O_RDONLY | sum(
    getattr(os, flag, 0) for flag in ("O_NONBLOCK", "O_NOFOLLOW", "O_CLOEXEC", "O_BINARY")
)
_OPEN_FOLDER = _OPEN | getattr(os, "O_DIRECTORY", 0)
_BY_FOLDER = os.open in os.supports_dir_fd


def read_below(given: str, real: Path, root: Path) -> bytes:
    """The file of a path without links. Raises OSError where it is no file, or has links now.

    `given` is what it was called. Raises FileUnusableError for one that is too large.
    """
    with os.fdopen(_opened(real, root), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(given)
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise FileUnusableError(f"{given}: it is larger than {MAX_BYTES // 1_000_000} MB")
    return content


def _opened(real: Path, root: Path) -> int:
    """Open it folder by folder: where the last one was a link in between, it is not followed."""
    if not _BY_FOLDER:
        return os.open(real, _OPEN)
    *folders, name = real.relative_to(root).parts or ("",)
    at = os.open(root, _OPEN_FOLDER)
    try:
        for folder in folders:
            inner = os.open(folder, _OPEN_FOLDER, dir_fd=at)
            os.close(at)
            at = inner
        return os.open(name, _OPEN, dir_fd=at)
    finally:
        os.close(at)
