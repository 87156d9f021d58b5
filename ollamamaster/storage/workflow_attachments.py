"""The files that a step of a workflow names: relative to the workflow, and within bounds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ollamamaster.errors import FileUnusableError
from ollamamaster.storage.attachments import Attachments, attachments_of, content_of, expanded
from ollamamaster.storage.below import read_below

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def attach(paths: Iterable[tuple[str, bool]], folder: str) -> Attachments:
    """Read files, each with whether the person chose it.

    One that a model, a tool or an agent chose must be below the folder of the workflow, links
    resolved; so must every file of its glob. Raises FileUnusableError.
    """
    return attachments_of(_contents(paths, folder))


def _contents(paths: Iterable[tuple[str, bool]], folder: str) -> Iterator[tuple[str, bytes]]:
    base = Path(os.path.realpath(folder))
    for text, chosen in paths:
        if chosen:
            typed = os.path.expanduser(text)  # noqa: PTH111 (pathlib raises RuntimeError for `~nobody`)
            for path in expanded([str(Path(folder) / typed)]):
                yield str(path), content_of(path)
            continue
        for path in expanded([str(base / text)]):
            yield str(path), _below(text, path, base)


def _below(text: str, path: Path, base: Path) -> bytes:
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(base):
        raise FileUnusableError(
            f"{text!r} is not below the folder of the workflow",
            hint="a file elsewhere has to be named by you, in the file or by --input",
        )
    try:
        return read_below(str(real), real, base)
    except OSError as error:
        raise FileUnusableError(f"{real} cannot be read: {error.strerror or 'no file'}") from None
