"""Which files may be read for a prompt? Only those below the folders that the person named."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from ollamamaster.domain.routing import Document
from ollamamaster.mcp_server.reply import RefusedError
from ollamamaster.storage.attachments import Attachments, read_attachments

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
    documents: list[Document] = []
    images: list[bytes] = []
    for given in paths:
        found = read_attachments([str(_allowed(given, real_roots))])
        documents += [Document(given, d.text) for d in found.documents]
        images += found.images
    return Attachments(tuple(documents), tuple(images))


def _allowed(given: str, roots: Sequence[Path]) -> Path:
    if "://" in given:
        raise _refused(given, "a URL is not possible")
    if "\x00" in given:
        raise _refused(given, "it is no path")
    # A relative path is one inside a folder that was named, never inside that of this process.
    for path in [Path(given)] if Path(given).is_absolute() else [root / given for root in roots]:
        real = Path(os.path.realpath(path))
        if not any(real.is_relative_to(root) for root in roots):
            continue
        try:
            # A pipe or a device would keep us waiting for ever.
            if stat.S_ISREG(real.stat().st_mode):
                return real
        except OSError:
            continue
    raise _refused(given, f"there is no such file below {', '.join(map(str, roots))}")


def _refused(given: str, why: str) -> RefusedError:
    return RefusedError(
        f"File {given[:200]!r} is refused: {why}. Next: name another file, or put its text into "
        "the prompt."
    )
