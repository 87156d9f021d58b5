"""Which files may be read for a prompt? Only those below the folders that the person named."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ollamamaster.mcp_server.reply import RefusedError
from ollamamaster.storage.attachments import Attachments, attachments_of
from ollamamaster.storage.below import read_below

if TYPE_CHECKING:
    from collections.abc import Sequence


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
                    return read_below(given, real, root)
    raise _refused(given, f"there is no such file below {', '.join(map(str, roots))}")


def _refused(given: str, why: str) -> RefusedError:
    return RefusedError(
        f"File {given[:200]!r} is refused: {why}. Next: name another file, or put its text into "
        "the prompt."
    )
