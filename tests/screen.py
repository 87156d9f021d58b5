"""A small terminal: what is on the screen after everything that was written?"""

from __future__ import annotations

import re

from rich.cells import cell_len

_PIECE = re.compile(r"\x1b\[(\d*)([A-Za-z])|\x1b\[[0-9;]*m|(.)", re.DOTALL)


class Screen:
    """Rows of cells, without scrolling. It knows what our own status lines use, and no more."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.rows: list[list[str]] = [[]]
        self.row = self.column = 0

    def write(self, text: str) -> None:
        for number, order, character in _PIECE.findall(text):
            if order:
                self._obey(order, int(number or 0))
            elif character:
                self._put(character)

    def _obey(self, order: str, number: int) -> None:
        if order == "K":
            row = self.rows[self.row]
            del row[0 if number == 2 else min(self.column, self.columns - 1) :]
        elif order == "D":
            self.column = max(0, min(self.column, self.columns - 1) - number)
        else:
            assert order == "m", order

    def _put(self, character: str) -> None:
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self._next_row()
        elif character == "\t":
            self.column = min(self.columns - 1, (self.column // 8 + 1) * 8)
        elif width := cell_len(character):
            # the last cell is only left when another character comes
            if self.column + width > self.columns:
                self._next_row()
            row = self.rows[self.row]
            row.extend(" " * (self.column - len(row)))
            row[self.column : self.column + width] = [character, *[""] * (width - 1)]
            self.column += width

    def _next_row(self) -> None:
        self.row, self.column = self.row + 1, 0
        if self.row == len(self.rows):
            self.rows.append([])

    @property
    def lines(self) -> list[str]:
        """What is seen, without blanks at the ends of lines."""
        return ["".join(row).rstrip() for row in self.rows]
