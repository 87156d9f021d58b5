"""One line on the terminal's stderr that is replaced while something runs."""

from __future__ import annotations

import os
import sys
import time
from functools import cached_property
from typing import TYPE_CHECKING

from ollamamaster.cli.cursor import Cursor
from ollamamaster.cli.output import OUTPUT
from ollamamaster.domain.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

_ERASE = "\r\x1b[2K"
_ERASE_BEHIND = "\x1b[K"
_GAP = "  "
# Seconds are shown, so twice a second is often enough.
_TICK_S = 0.5
# Figures that change four times a second can still be read.
_RENEW_S = 0.25


class StatusLine:
    """Shows what is going on, and leaves no trace. Silent where stderr is no terminal.

    Behind text on the same terminal it stands dim, where there is room for it, and the cursor
    stays at the end of the text.
    """

    def __init__(self) -> None:
        self._shown = ""
        self._behind = False
        self._text: Callable[[float], str] | None = None
        self._since = 0.0
        self._said, self._renewed = "", float("-inf")

    def show(self, text: Callable[[float], str]) -> None:
        """Show a text that is told, each time, for how many seconds it has stood there."""
        if OUTPUT.notes_on_terminal:
            self._text, self._since = text, time.monotonic()
            self._renewed = float("-inf")
            self._draw()

    def clear(self) -> None:
        """Take the line away."""
        self._text = None
        self._erase()

    def write(self, text: str) -> None:
        """Write some of the result on stdout; the line goes out of its way and follows it."""
        self._erase()
        OUTPUT.write(text, flush=True)
        if self.on_one_terminal:
            self._cursor.wrote(text)
        if self._text is not None:
            self._draw()

    async def keep_true(self) -> None:
        """Draw it anew until cancelled."""
        import asyncio

        while OUTPUT.notes_on_terminal:
            await asyncio.sleep(_TICK_S)
            self._draw()

    def _draw(self) -> None:
        if self._text is None:
            return
        now = time.monotonic()
        if now - self._renewed >= _RENEW_S:
            self._said, self._renewed = self._text(now - self._since), now
        if self._cursor.column == 0:
            # One column stays free: a full line would wrap and could not be erased.
            self._put(_cut(one_line(self._said), OUTPUT.error_console.width - 1))
        else:
            self._put_behind(_GAP + one_line(self._said))

    def _put(self, line: str) -> None:
        if line != self._shown:
            OUTPUT.tell(_ERASE + line)
            self._shown, self._behind = line, False

    def _put_behind(self, line: str) -> None:
        from rich.cells import cell_len

        cells = cell_len(line)
        # One column stays free here too: in a full line the cursor could not go back.
        if line == self._shown:
            return
        if cells >= self._cursor.room or not line.strip():
            self._erase()
            return
        # what moves the cursor back is written at once, so whatever comes next is at its place
        OUTPUT.tell(f"{_ERASE_BEHIND}{self._dim(line)}\x1b[{cells}D")
        self._shown, self._behind = line, True

    def _erase(self) -> None:
        if self._shown:
            OUTPUT.tell(_ERASE_BEHIND if self._behind else _ERASE)
            self._shown = ""

    def _dim(self, line: str) -> str:
        plain = OUTPUT.no_color or bool(os.environ.get("NO_COLOR"))
        return line if plain else f"\x1b[2m{line}\x1b[22m"

    @cached_property
    def _cursor(self) -> Cursor:
        return Cursor(OUTPUT.error_console.width)

    @cached_property
    def on_one_terminal(self) -> bool:
        """Whether what is written on stdout moves the cursor that this line stands at."""
        if not (OUTPUT.on_terminal and OUTPUT.notes_on_terminal):
            return False
        try:
            return os.ttyname(sys.stdout.fileno()) == os.ttyname(sys.stderr.fileno())
        except (AttributeError, OSError, ValueError):
            # Windows has one console
            return sys.platform == "win32"


def _cut(line: str, cells: int) -> str:
    """The line, or as much of it as so many cells hold."""
    from rich.cells import cell_len, set_cell_size

    return line if cell_len(line) <= cells else set_cell_size(line, cells - 1) + "…"
