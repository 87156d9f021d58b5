"""Writing a conversation out, as lines of JSON or as Markdown."""

from __future__ import annotations

import contextlib
import json
from enum import StrEnum
from typing import TYPE_CHECKING

from ollamamaster.cli.output import OUTPUT
from ollamamaster.contract.session import messages
from ollamamaster.domain.plain_text import cleaned
from ollamamaster.errors import FileUnusableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ollamamaster.domain.conversation import Conversation


class ExportFormat(StrEnum):
    """How a conversation is written."""

    JSONL = "jsonl"
    MARKDOWN = "markdown"


def write_export(conversation: Conversation, form: ExportFormat, path: Path | None) -> int:
    """Write it to the file, or on stdout; returns how many messages.

    Raises FileUnusableError. A file is readable by its owner only.
    """
    lines = list((_jsonl if form is ExportFormat.JSONL else _markdown)(conversation))
    if path is None:
        for line in lines:
            OUTPUT.line(cleaned(line) if OUTPUT.may_act else line)
    else:
        _write(path, "".join(f"{line}\n" for line in lines))
    return sum(1 for _ in messages(conversation))


def _write(path: Path, text: str) -> None:
    import os

    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with contextlib.closing(os.fdopen(number, "w", encoding="utf-8", newline="\n")) as file:
            file.write(text)
    except OSError as error:
        raise FileUnusableError(f"{path} cannot be written: {error.strerror}") from error


def _jsonl(conversation: Conversation) -> Iterator[str]:
    for message in messages(conversation):
        yield json.dumps(message, separators=(",", ":"))


def _markdown(conversation: Conversation) -> Iterator[str]:
    yield f"# {conversation.name}"
    for message in messages(conversation):
        parts = [message["role"], message["model"], message["at"]]
        yield f"\n## {' · '.join(filter(None, parts))}\n"
        yield message["content"].rstrip("\n")
