"""Into which parts is a text cut that no model can read at once?"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollamamaster.domain.routing import Document
from ollamamaster.domain.tokens import estimate_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Between pages of a PDF, as pdftotext and others write it too.
PAGE_BREAK = "\f"

# A cut may come so much earlier or later than parts of equal size would have it. In running text
# a paragraph ends within a quarter of a page, which is the smallest part there is.
_EARLIER, _LATER = 0.75, 1.1

# What a document's name and the line around it take in the prompt.
_OF_A_NAME = 16

# The borders of a text, the best first. Each match ends where the next part may begin; a heading
# belongs to what follows it.
_BORDERS = (
    re.compile(PAGE_BREAK),
    re.compile(r"\n(?=#{1,6} )"),
    re.compile(r"\n[ \t]*\n\s*"),
    re.compile(r"\n"),
    re.compile(r"[.!?][\"')\]]*\s+|[。！？]"),  # noqa: RUF001 (the full stops of Chinese and Japanese)
    re.compile(r"\s+"),
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text: from `start` to `end`. From `begin` on it repeats what came before."""

    begin: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Part:
    """What is read at once: a piece of a document, or several short documents.

    `tokens` is the estimate of all of it.
    """

    documents: tuple[Document, ...]
    tokens: int

    @property
    def name(self) -> str:
        """`report.pdf, pages 3-9`, or `a.md and 4 more`."""
        first, *others = self.documents
        if not others:
            return first.name
        return f"{first.name} and {len(others)} more"


def parts_of(
    documents: Sequence[Document], limit_tokens: int, overlap_tokens: int = 0
) -> tuple[Part, ...]:
    """The documents in parts of at most so many tokens, in their order.

    A document that fits is never cut. Raises ValueError for a limit that holds no text.
    """
    parts: list[Part] = []
    gathered: list[Document] = []
    tokens = 0
    for stretch, takes in _stretches(documents, limit_tokens, overlap_tokens):
        if gathered and tokens + takes > limit_tokens:
            parts.append(Part(tuple(gathered), tokens))
            gathered, tokens = [], 0
        gathered.append(stretch)
        tokens += takes
    if gathered:
        parts.append(Part(tuple(gathered), tokens))
    return tuple(parts)


def _stretches(
    documents: Sequence[Document], limit: int, overlap: int
) -> Iterator[tuple[Document, int]]:
    """Each document whole or in pieces, with the tokens it takes together with its name."""
    for document in documents:
        if not document.text.strip():
            continue
        named = _OF_A_NAME + estimate_tokens(document.name)
        whole = estimate_tokens(document.text)
        if whole + named <= limit:
            yield document, whole + named
            continue
        pieces = cut(document.text, limit - named, overlap)
        for number, (piece, where) in enumerate(
            zip(pieces, _places(document.text, pieces), strict=True), 1
        ):
            text = document.text[piece.begin : piece.end]
            if text.strip():
                name = f"{document.name}, {where or f'part {number} of {len(pieces)}'}"
                yield Document(name, text), estimate_tokens(text) + named


def _places(text: str, pieces: Sequence[Piece]) -> Iterator[str | None]:
    """The pages of each piece, None where the text has none."""
    if PAGE_BREAK not in text:
        yield from [None] * len(pieces)
        return
    page = 1
    for piece in pieces:
        inside = text.count(PAGE_BREAK, piece.start, piece.end)
        last = page + inside - (text[piece.end - 1] == PAGE_BREAK)
        yield f"page {page}" if last <= page else f"pages {page}-{last}"
        page += inside


def cut(text: str, limit_tokens: int, overlap_tokens: int = 0) -> tuple[Piece, ...]:
    """Cut a text at its borders into pieces of about the same size, none over the limit.

    The pieces without what they repeat are the text. Raises ValueError for a limit that leaves
    no room beside the overlap.
    """
    own = limit_tokens - overlap_tokens
    if own < 1 or overlap_tokens < 0:
        raise ValueError(f"{limit_tokens} tokens hold nothing beside {overlap_tokens}")
    pieces: list[Piece] = []
    length, start = len(text), 0
    own_characters = own / max(estimate_tokens(text), 1) * length
    while start < length:
        left = length - start
        aim = left / math.ceil(left / own_characters)
        begin = _begin(text, start, overlap_tokens)
        piece = _next(text, Piece(begin, start, min(length, start + math.ceil(aim))), limit_tokens)
        pieces.append(piece)
        start = piece.end
    return tuple(pieces)


def _next(text: str, aimed: Piece, limit: int) -> Piece:
    """The piece that ends at the best border near where it was aimed at, within the limit."""
    begin, start, end = aimed.begin, aimed.start, aimed.end
    later = min(len(text), start + math.ceil((end - start) * _LATER))
    if later == len(text) and estimate_tokens(text[begin:later]) <= limit:
        return Piece(begin, start, later)
    while True:
        end = _border(text, start, end, later)
        tokens = estimate_tokens(text[begin:end])
        if tokens <= limit:
            return Piece(begin, start, end)
        if end - start == 1:
            # what is repeated takes the room; the text itself goes first
            begin = start
            continue
        # a little less than in proportion, as the estimate may grow where it is denser
        shorter = start + int((end - start) * min(0.95, limit / tokens * 0.98))
        end = later = max(start + 1, shorter)


def _border(text: str, start: int, aim: int, later: int) -> int:
    """The last of the best borders in the room around `aim`; `aim` where there is none."""
    earlier = start + max(1, int((aim - start) * _EARLIER))
    window = text[earlier:later]
    for border in _BORDERS:
        ends = [earlier + match.end() for match in border.finditer(window)]
        if ends:
            return min(ends, key=lambda end: abs(end - aim))
    return max(start + 1, aim)


def _begin(text: str, start: int, overlap: int) -> int:
    """Where a piece begins that repeats at most so many tokens of what came before it."""
    if not overlap or not start:
        return start
    # four characters a token is the most there is (tokens.py)
    begin = max(0, start - 4 * overlap)
    while begin < start and estimate_tokens(text[begin:start]) > overlap:
        begin += max(1, (start - begin) // 8)
    for border in _BORDERS[2:]:
        if found := border.search(text, begin, start):
            return min(start, found.end())
    return begin
