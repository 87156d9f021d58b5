"""The options --input k=v and --input-file k=PATH of `workflow run`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ollamamaster.errors import UsageError
from ollamamaster.storage.attachments import content_of
from ollamamaster.storage.documents import document_of

if TYPE_CHECKING:
    from collections.abc import Iterable


def typed_inputs(inputs: Iterable[str], files: Iterable[str]) -> dict[str, str]:
    """The texts by name. Raises UsageError, and FileUnusableError naming the file."""
    found: dict[str, str] = {}
    for text in inputs:
        name, value = _pair(text, "--input")
        _once(found, name)
        found[name] = value
    for text in files:
        name, path = _pair(text, "--input-file")
        _once(found, name)
        found[name] = document_of(content_of(_typed_path(path)), path).text
    return found


def _typed_path(text: str) -> Path:
    return Path(os.path.expanduser(text))  # noqa: PTH111 (pathlib refuses `~nobody` with RuntimeError)


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"{option}: {text!r} is not NAME=VALUE")
    return name.strip(), value


def _once(found: dict[str, str], name: str) -> None:
    if name in found:
        raise UsageError(f"the input {name!r} is given twice")
