"""One line on the terminal's stderr that is replaced while something runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ollamamaster.cli.output import OUTPUT
from ollamamaster.domain.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

_ERASE = "\r\x1b[2K"
# Seconds are shown, so twice a second is often enough.
_TICK_S = 0.5


class StatusLine:
    """Shows what is going on, and leaves no trace. Silent where stderr is no terminal."""

    def __init__(self) -> None:
        self._shown = False
        self._text: Callable[[float], str] | None = None
        self._since = 0.0

    def show(self, text: Callable[[float], str]) -> None:
        """Show a text that is told, each time, for how many seconds it has stood there."""
        if OUTPUT.notes_on_terminal:
            self._text, self._since = text, time.monotonic()
            self._draw()

    def clear(self) -> None:
        """Take the line away."""
        self._text = None
        if self._shown:
            OUTPUT.tell(_ERASE)
            self._shown = False

    async def keep_true(self) -> None:
        """Draw it anew until cancelled."""
        import asyncio

        while OUTPUT.notes_on_terminal:
            await asyncio.sleep(_TICK_S)
            self._draw()

    def _draw(self) -> None:
        if self._text is not None:
            text = self._text(time.monotonic() - self._since)
            # One column stays free: a full line would wrap and could not be erased.
            OUTPUT.tell(_ERASE + one_line(text, OUTPUT.error_console.width - 1))
            self._shown = True
