"""Writing a conversation out, as lines of JSON or as Markdown."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING

from ollamamaster.cli.export_file import writer
from ollamamaster.contract.session import messages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ollamamaster.domain.conversation import Conversation


class ExportFormat(StrEnum):
    """How a conversation is written."""

    JSONL = "jsonl"
    MARKDOWN = "markdown"


def write_export(conversation: Conversation, form: ExportFormat, file: Path | None) -> int:
    """Write it to the file, or on stdout; returns how many messages. Raises FileUnusableError."""
    lines = list((_jsonl if form is ExportFormat.JSONL else _markdown)(conversation))
    with writer(file) as write:
        for line in lines:
            write(f"{line}\n")
    return sum(1 for _ in messages(conversation))


def _jsonl(conversation: Conversation) -> Iterator[str]:
    for message in messages(conversation):
        yield json.dumps(message, separators=(",", ":"))


def _markdown(conversation: Conversation) -> Iterator[str]:
    yield f"# {conversation.name}"
    for message in messages(conversation):
        parts = [message["role"], message["model"], message["at"]]
        yield f"\n## {' · '.join(filter(None, parts))}\n"
        yield message["content"].rstrip("\n")
