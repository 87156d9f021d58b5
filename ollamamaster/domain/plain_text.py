"""Text from an instance is untrusted: what may reach a terminal or a cell of a table?"""

from __future__ import annotations

import unicodedata

# Cc: C0 and C1 controls (escape sequences begin with one). Cf: bidirectional overrides and
# invisible marks. Cs: lone surrogates, which no stream can encode. Zl, Zp: line separators.
_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Joiners are Cf, but emoji and several scripts are wrong without them.
_JOINERS = frozenset("\u200c\u200d")


def cleaned(text: str) -> str:
    """The text without control characters; newlines and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c for c in text if c in "\n\t" or _harmless(c))


def one_line(text: str, limit: int | None = None) -> str:
    """The cleaned text with every run of white space as one space, cut to `limit` characters."""
    line = " ".join(cleaned(text.replace("\r", " ")).split())
    return line if limit is None or len(line) <= limit else line[: limit - 1] + "…"


def cell(text: str) -> str:
    """The text as a cell of tab-separated output: no control, tab or newline in it."""
    return "".join(c if _harmless(c) else " " if c in "\t\n" else "" for c in text)


def _harmless(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character) not in _HARMFUL
