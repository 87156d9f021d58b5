"""What a person is told of the files that were read for a prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollamamaster.cli.output import OUTPUT
from ollamamaster.domain.tokens import estimate_tokens

if TYPE_CHECKING:
    from ollamamaster.domain.routing import Document
    from ollamamaster.storage.attachments import Attachments

# More than these are told of together.
_EACH = 5


def tell_of_files(attached: Attachments) -> None:
    """Say on a terminal how long they are, and everywhere what was left out."""
    for note in attached.notes:
        OUTPUT.note(note)
    if not (OUTPUT.notes_on_terminal or OUTPUT.verbose):
        return
    documents = attached.documents
    if len(documents) <= _EACH:
        for document in documents:
            OUTPUT.note(f"reading {document.name}: {_length(document)}")
        return
    tokens = sum(estimate_tokens(document.text) for document in documents)
    OUTPUT.note(f"reading {len(documents)} files: about {tokens:,} tokens")


def _length(document: Document) -> str:
    count = estimate_tokens(document.text)
    tokens = f"about {count:,} {'token' if count == 1 else 'tokens'}"
    if document.pages is None:
        return tokens
    return f"{document.pages} {'page' if document.pages == 1 else 'pages'}, {tokens}"
