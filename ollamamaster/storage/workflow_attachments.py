"""The files that a step of a workflow names: relative to the workflow, and within bounds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ollamamaster.errors import FileUnusableError
from ollamamaster.storage.attachments import Attachments, read_attachments

if TYPE_CHECKING:
    from collections.abc import Iterable


def attach(paths: Iterable[tuple[str, bool]], folder: str) -> Attachments:
    """Read files, each with whether the person chose it.

    One that a model, a tool or an agent chose must be below the folder of the workflow, links
    resolved. Raises FileUnusableError.
    """
    base = Path(folder)
    found = []
    for text, chosen in paths:
        path = base / Path(text).expanduser() if chosen else base / text
        if not chosen:
            real = path.resolve()
            if not real.is_relative_to(base.resolve()):
                raise FileUnusableError(
                    f"{text!r} is not below the folder of the workflow",
                    hint="a file elsewhere has to be named by you, in the file or by --input",
                )
            path = real
        found.append(str(path))
    return read_attachments(found)
