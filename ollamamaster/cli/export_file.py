"""Where an export goes: into a file, or on stdout."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from ollamamaster.cli.output import OUTPUT
from ollamamaster.domain.plain_text import cleaned
from ollamamaster.errors import FileUnusableError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def check_export_file(file: Path | None) -> None:
    """Raises UsageError where both the export and the JSON envelope would be on stdout."""
    if OUTPUT.json and file is None:
        raise UsageError("export --json needs -o FILE", hint="--format jsonl prints JSON lines")


@contextlib.contextmanager
def writer(file: Path | None) -> Iterator[Callable[[str], object]]:
    """What takes the text. Raises FileUnusableError."""
    if file is None:
        # what a model wrote must not act on a terminal
        yield _write_cleaned if OUTPUT.may_act else OUTPUT.write
        return
    try:
        # what people asked may be in it, so a new file is for this user only
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8", newline="") as stream:  # noqa: PTH123 - from a descriptor
            yield stream.write
    except OSError as error:
        raise FileUnusableError(f"{file} cannot be written: {error.strerror or error}") from error


def _write_cleaned(text: str) -> None:
    OUTPUT.write(cleaned(text))
