"""Which files may be read for a prompt? Only those below the folders that the person named."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from ollamamaster.errors import FileUnusableError
from ollamamaster.mcp_server.reply import RefusedError
from ollamamaster.storage.attachments import Attachments, attachments_of
from ollamamaster.storage.documents import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

# A pipe or a device must not keep us waiting, nor a link be followed that was put there since.
_OPEN = os.O_RDONLY | sum(
    getattr(os, flag, 0) for flag in ("O_NONBLOCK", "O_NOFOLLOW", "O_CLOEXEC", "O_BINARY")
)
_OPEN_FOLDER = _OPEN | getattr(os, "O_DIRECTORY", 0)
_BY_FOLDER = os.open in os.supports_dir_fd


def read_allowed(paths: Sequence[str], roots: Sequence[str]) -> Attachments:
    """The files, each below one of the folders after all links were followed.

    Raises RefusedError for one that is not, and FileUnusableError as for any attachment.
    """
    if not paths:
        return Attachments()
    real_roots = [Path(os.path.realpath(Path(root).expanduser())) for root in roots]
    if not real_roots:
        raise RefusedError(
            "no file may be read: the person allowed no folder. Next: put the text into the "
            "prompt, or ask the person to set mcp.file_roots in config.toml."
        )
    return attachments_of((given, _content(given, real_roots)) for given in paths)


def _content(given: str, roots: Sequence[Path]) -> bytes:
    """What the file holds. Raises RefusedError, FileUnusableError."""
    if "://" in given:
        raise _refused(given, "a URL is not possible")
    if "\x00" in given:
        raise _refused(given, "it is no path")
    drives = {root.drive.lower() for root in roots}
    # A relative path is one inside a folder that was named, never inside that of this process.
    for path in [Path(given)] if Path(given).is_absolute() else [root / given for root in roots]:
        # Only looking at a share of another machine shows this person's name to it.
        if path.drive.lower() not in drives:
            continue
        real = Path(os.path.realpath(path))
        for root in roots:
            if real.is_relative_to(root):
                with contextlib.suppress(OSError):
                    return _read(given, real, root)
    raise _refused(given, f"there is no such file below {', '.join(map(str, roots))}")


def _read(given: str, real: Path, root: Path) -> bytes:
    """The file of a path without links. Raises OSError where it is no file, or has links now."""
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


def _refused(given: str, why: str) -> RefusedError:
    return RefusedError(
        f"File {given[:200]!r} is refused: {why}. Next: name another file, or put its text into "
        "the prompt."
    )
