"""Reads a file of a fixed name, in whose place a pipe or a device may stand that never ends."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def content_of_regular(path: Path) -> bytes:
    """What is in it. Raises OSError where it is no file, and does not wait for a pipe."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is a pipe or a device, and no file")
    return path.read_bytes()
