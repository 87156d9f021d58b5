"""The prompt: the argument, standard input, or both."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, NamedTuple

from ollamamaster.errors import FileUnusableError, PromptMissingError

if TYPE_CHECKING:
    from collections.abc import Callable

# A person wonders after about this long why nothing happens.
_SILENCE_S = 2.0
# How often Ctrl-C is looked at where a waiting thread cannot be interrupted (Windows).
_TICK_S = 0.2

_HINT = 'ollamamaster {0} "{1}", or: ollamamaster {0} < FILE'


class Prompt(NamedTuple):
    """What was typed, and what came on standard input; one of them may be empty."""

    typed: str
    piped: str

    @property
    def text(self) -> str:
        """Both, standard input after a blank line behind the argument."""
        return "\n\n".join(filter(None, self))


def read_prompt(
    argument: str | None, note: Callable[[str], None], command: str = "route", what: str = "prompt"
) -> Prompt:
    """The prompt: the argument, standard input, or both.

    `command` reads it, and calls it `what`.

    Raises PromptMissingError, FileUnusableError when standard input is no text or too large.
    """
    typed = "" if argument is None or argument == "-" else argument
    if any("\ud800" <= c <= "\udfff" for c in typed):
        raise FileUnusableError(f"the {what} is not UTF-8 text")
    piped = _standard_input(note) if argument == "-" or _is_piped() else ""
    prompt = Prompt(*(part if part.strip() else "" for part in (typed, piped.strip("\r\n"))))
    if not prompt.text:
        hint = _HINT.format(command, what.upper())
        raise PromptMissingError(f"there is no {what}", hint=hint)
    return prompt


def _is_piped() -> bool:
    return sys.stdin is not None and not sys.stdin.closed and not sys.stdin.isatty()


def _standard_input(note: Callable[[str], None]) -> str:
    if sys.stdin is None or sys.stdin.closed:
        return ""
    from ollamamaster.storage.documents import MAX_BYTES, text_of

    chunks: list[bytes] = []
    descriptor = sys.stdin.fileno()
    reader = threading.Thread(target=_read, args=(descriptor, chunks, MAX_BYTES), daemon=True)
    reader.start()
    reader.join(_SILENCE_S)
    if reader.is_alive() and not chunks:
        note("reading the prompt from standard input (< /dev/null if there is none)")
    while reader.is_alive():
        reader.join(_TICK_S)
    content = b"".join(chunks)
    if not content:
        # `< /dev/null`, in every shell loop
        return ""
    if len(content) > MAX_BYTES:
        limit = f"{MAX_BYTES // 1_000_000} MB"
        raise FileUnusableError(f"the prompt on standard input is larger than {limit}")
    return text_of(content, "the prompt on standard input")


def _read(descriptor: int, chunks: list[bytes], most: int) -> None:
    # The descriptor itself, because a thread that holds the lock of sys.stdin would abort the
    # interpreter when the person gives up.
    size = 0
    while size <= most:
        try:
            chunk = os.read(descriptor, 1 << 16)
        except OSError:
            return
        if not chunk:
            return
        chunks.append(chunk)
        size += len(chunk)
