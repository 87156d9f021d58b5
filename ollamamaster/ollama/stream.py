"""How much may an instance send, and where does one line of it end?"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple, NoReturn

MB = 1_000_000


class Limit(NamedTuple):
    """How large one JSON value may be.

    Python reads JSON in one go, and everything else waits: two million tiny values take seconds
    and ten times the memory of their bytes. Counting commas first takes a thousandth of that.
    """

    size: int
    """In bytes."""
    commas: int
    """Also those inside texts."""


# `Ollama is running` and a version are a few dozen bytes.
GREETING = Limit(4_000, 100)
# Two thousand models of at most 600 bytes, each with some 25 values, with room.
TAGS = Limit(2 * MB, 100_000)
# Two hundred models of the same size.
PS = Limit(200_000, 10_000)
# A long licence, once more in the Modelfile, is 100 kB; thirty thousand tensors of 80 bytes and
# five commas are ten times as many as the largest mixture of experts has.
SHOW = Limit(4 * MB, 200_000)
# The last line of `/api/generate` has every token of the context as a number: two million tokens
# (beyond any model that can be run at home) of up to seven digits and a comma.
LINE = Limit(16 * MB, 2_500_000)
# A thousand vectors of 4,096 numbers of 12 characters are 49 MB.
EMBEDDINGS = Limit(64 * MB, 5_000_000)
# Lists and objects in one value: those thirty thousand tensors have two each.
MAX_BRACKETS = 100_000
# Ollama's own answers nest four deep.
MAX_DEPTH = 64
# Four million tokens of text: no model has a longer context, so no honest answer is longer.
MAX_TEXT_CHARS = 16 * MB
# What carries that text: about 130 bytes of JSON around each of four million tokens, rounded up.
# It also ends a stream of empty lines, which has no text to count.
MAX_STREAM_BYTES = 1_000 * MB
# What says no: a line of text, or the page of a proxy that nobody will read to its end.
MAX_ERROR_BYTES = 64_000

# Strings are taken whole, so that brackets inside them do not count. Possessive, and the closing
# quote may be missing: no input makes it go back and try again.
_TEXTS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_TO_LISTS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class WireError(Exception):
    """What came is not what Ollama sends: not JSON, wrong types, or too much of it."""


class LineReader:
    """Cuts bytes into lines as they come; holds at most one unfinished line."""

    def __init__(self, max_line_bytes: int = LINE.size) -> None:
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


def parse(data: bytes, limit: Limit = LINE) -> Any:
    """The JSON value in these bytes. Raises WireError, also for too much and too deep."""
    if len(data) > limit.size or data.count(b",") > limit.commas:
        raise WireError("too large for what it is")
    brackets = data.count(b"[") + data.count(b"{")
    if brackets > MAX_BRACKETS:
        raise WireError(f"more than {MAX_BRACKETS:,} lists and objects")
    # What has no more brackets than the limit cannot nest deeper; that is nearly every line.
    if brackets > MAX_DEPTH and _is_deep(data):
        raise WireError(f"JSON nested deeper than {MAX_DEPTH}")
    try:
        return json.loads(data, parse_constant=_no_constant)
    except ValueError:
        start = data[:40].decode("utf-8", "replace")
        kind = "HTML" if data.lstrip()[:1] == b"<" else "no JSON"
        raise WireError(f"{kind}: {start}") from None


def parse_object(data: bytes, limit: Limit = LINE) -> dict[str, Any]:
    """The JSON object in these bytes. Raises WireError when it is anything else."""
    value = parse(data, limit)
    if not isinstance(value, dict):
        raise WireError(f"a JSON object was expected, not {_KINDS.get(type(value), 'a number')}")
    return value


_KINDS = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}


def _is_deep(data: bytes) -> bool:
    """Whether it nests deeper than the limit: each turn takes the innermost pairs away."""
    left = _TEXTS.sub(b"", data).translate(_TO_LISTS, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        less = left.replace(b"[]", b"")
        if less == left:
            break
        left = less
    return b"[]" in left or left.count(b"[") > MAX_DEPTH


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
