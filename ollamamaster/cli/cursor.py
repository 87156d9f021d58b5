"""Where on its line does a terminal's cursor stand after this text?"""

from __future__ import annotations

import unicodedata

_TAB = 8
# Terminals do not agree on the width of these: marks that join or change what is before them, and
# characters that are wide in some fonts only.
_JOINING = frozenset({"Mn", "Me", "Mc", "Sk", "Cf"})
_REGIONAL = range(0x1F1E6, 0x1F200)


class Cursor:
    """Follows text that is written from the start of a line, on a terminal of so many columns.

    Text whose width terminals do not agree on makes the column unknown until the line ends.
    """

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._column: int | None = 0

    @property
    def column(self) -> int | None:
        """The column it stands in, from 0; the number of columns at the end of a full line."""
        return self._column

    @property
    def room(self) -> int:
        """The cells that are left on the line; 0 when nobody can tell."""
        return 0 if self._column is None else self._columns - self._column

    def wrote(self, text: str) -> None:
        """Follow a text without control characters but tabs and newlines."""
        _, newline, tail = text.rpartition("\n")
        if newline:
            self._column = 0
        if tail.isascii() and "\t" not in tail and self._column is not None:
            self._advance_plain(len(tail))
            return
        for character in tail:
            if self._column is None:
                return
            self._advance(character)

    def _advance_plain(self, cells: int) -> None:
        assert self._column is not None  # noqa: S101 (asked before)
        end = self._column + cells
        # a full line stays full until the next character comes
        self._column = (end - 1) % self._columns + 1 if end else 0

    def _advance(self, character: str) -> None:
        assert self._column is not None  # noqa: S101 (asked before)
        if character == "\t":
            stop = (self._column // _TAB + 1) * _TAB
            # at the end of a line each terminal has its own way with tabs
            self._column = stop if stop < self._columns else None
            return
        width = _width(character)
        if width is None:
            self._column = None
        elif self._column + width > self._columns:
            self._column = width
        else:
            self._column += width


def _width(character: str) -> int | None:
    """The cells of one character; None where terminals differ."""
    if character.isascii():
        return 1
    if ord(character) in _REGIONAL or unicodedata.category(character) in _JOINING:
        return None
    from rich.cells import cell_len

    return cell_len(character)
