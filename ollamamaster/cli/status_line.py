"""One line on the terminal's stderr that is replaced while something runs."""

from __future__ import annotations

from ollamamaster.cli.output import OUTPUT
from ollamamaster.domain.plain_text import one_line

_ERASE = "\r\x1b[2K"


class StatusLine:
    """Shows what is going on, and leaves no trace. Silent where stderr is no terminal."""

    def __init__(self) -> None:
        self._shown = False

    def show(self, text: str) -> None:
        """Replace the line."""
        if OUTPUT.notes_on_terminal:
            # One column stays free: a full line would wrap and could not be erased.
            OUTPUT.tell(_ERASE + one_line(text, OUTPUT.error_console.width - 1))
            self._shown = True

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            OUTPUT.tell(_ERASE)
            self._shown = False
