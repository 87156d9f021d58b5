"""How much may an instance send, and where does one line of it end?"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

MB = 1_000_000

# The last line of `/api/generate` has every token of the context as a number: two million tokens
# (beyond any model that can be run at home) of up to seven digits and a comma.
MAX_LINE_BYTES = 16 * MB
# Four million tokens of text: no model has a longer context, so no honest answer is longer.
MAX_TEXT_CHARS = 16 * MB
# What carries that text: about 130 bytes of JSON around each of four million tokens, rounded up.
# It also ends a stream of empty lines, which has no text to count.
MAX_STREAM_BYTES = 1_000 * MB
# Ten thousand models of about 1 kB each, with room; `/api/show` with a long licence is 100 kB.
MAX_DOCUMENT_BYTES = 16 * MB
# A thousand vectors of 4,096 numbers of 12 characters are 49 MB.
MAX_EMBEDDINGS_BYTES = 64 * MB
# What says no: a line of text, or the page of a proxy that nobody will read to its end.
MAX_ERROR_BYTES = 64_000
# `Ollama is running` and a version are a few dozen bytes.
MAX_GREETING_BYTES = 4_000
# Ollama's own answers nest four deep.
MAX_DEPTH = 64

# Strings are taken whole, so that brackets inside them do not count. Possessive, and the closing
# quote may be missing: no input makes it go back and try again.
_TOKENS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{]|[\]}]', re.DOTALL)


class WireError(Exception):
    """What came is not what Ollama sends: not JSON, wrong types, or too much of it."""


class LineReader:
    """Cuts bytes into lines as they come; holds at most one unfinished line."""

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._max = max_line_bytes
        self._open = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The lines these bytes complete, without the empty ones.

        Raises WireError when a line is longer than the limit, finished or not.
        """
        *complete, rest = data.split(b"\n")
        lines: list[bytes] = []
        for part in complete:
            self._extend(part)
            lines.append(bytes(self._open))
            self._open.clear()
        self._extend(rest)
        return [line for line in map(bytes.strip, lines) if line]

    def rest(self) -> bytes:
        """What came after the last newline."""
        return bytes(self._open).strip()

    def _extend(self, part: bytes) -> None:
        if len(self._open) + len(part) > self._max:
            raise WireError(f"a line is longer than {self._max:,} bytes")
        self._open += part


def parse(data: bytes) -> Any:
    """The JSON value in these bytes. Raises WireError, also for what nests too deep."""
    if _depth_exceeds(data, MAX_DEPTH):
        raise WireError(f"JSON nested deeper than {MAX_DEPTH}")
    try:
        return json.loads(data, parse_constant=_no_constant)
    except ValueError:
        start = data[:40].decode("utf-8", "replace")
        kind = "HTML" if data.lstrip()[:1] == b"<" else "no JSON"
        raise WireError(f"{kind}: {start}") from None


def parse_object(data: bytes) -> dict[str, Any]:
    """The JSON object in these bytes. Raises WireError when it is anything else."""
    value = parse(data)
    if not isinstance(value, dict):
        raise WireError(f"a JSON object was expected, not {_KINDS.get(type(value), 'a number')}")
    return value


_KINDS = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}


def _depth_exceeds(data: bytes, limit: int) -> bool:
    # A document with no more opening brackets than the limit cannot nest deeper; that is nearly
    # every line, and counting is a hundred times faster than looking.
    if data.count(b"[") + data.count(b"{") <= limit:
        return False
    depth = 0
    for step in _steps(data):
        depth += step
        if depth > limit:
            return True
    return False


def _steps(data: bytes) -> Iterator[int]:
    for found in _TOKENS.finditer(data):
        first = data[found.start()]
        if first in b"[{":
            yield 1
        elif first in b"]}":
            yield -1


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
