"""What does the person type? A line, or several of them, with editing and history."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PROMPT, MORE = ">>> ", "... "
_FENCE = '"""'
# Prompts of earlier turns that the arrow keys bring back.
_REMEMBERED = 100


class Typed:
    """Messages as they are typed on the terminal.

    A line that ends with a backslash goes on in the next one; between three quotes everything is
    one message. Lines can be edited where the system has readline.
    """

    def __init__(self, earlier: Iterable[str] = ()) -> None:
        with contextlib.suppress(ImportError):
            # not on Windows, where the console itself edits lines
            import readline

            for prompt in list(earlier)[-_REMEMBERED:]:
                readline.add_history(prompt.replace("\n", " "))

    def message(self) -> str | None:
        """The next message; None at the end of the input. Raises KeyboardInterrupt."""
        line = _line(PROMPT)
        if line is None:
            return None
        if line.lstrip().startswith(_FENCE):
            return _fenced(line.lstrip().removeprefix(_FENCE))
        lines = []
        while line is not None and line.endswith("\\"):
            lines.append(line[:-1])
            line = _line(MORE)
        return "\n".join([*lines, *([] if line is None else [line])])


def _fenced(first: str) -> str:
    """Everything up to the next three quotes."""
    lines = []
    line: str | None = first
    while line is not None:
        text, fence, _behind = line.partition(_FENCE)
        lines.append(text)
        if fence:
            break
        line = _line(MORE)
    return "\n".join(lines).strip("\n")


def _line(prompt: str) -> str | None:
    try:
        return input(prompt)
    except EOFError:
        return None
