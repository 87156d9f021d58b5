"""Disks that are full or cannot be written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def as_root(*command: str) -> bool:
    """Run a command that needs root; False where it cannot be done."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


@contextmanager
def small_disk_at(folder: Path) -> Iterator[Path]:
    """A file system of the test's own with room for a few files; skips where none can be had."""
    folder.mkdir()
    if not as_root("mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs", str(folder)):
        pytest.skip("mounting needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> None:
    """Write until there is no room for a byte more."""
    with (folder / "filler").open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
