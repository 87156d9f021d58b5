"""A question to the person, which a program that nobody watches never asks."""

from __future__ import annotations

import sys

from ollamamaster.cli.output import OUTPUT
from ollamamaster.domain.plain_text import cell

_NO = frozenset({"n", "no"})


def may_ask() -> bool:
    """Whether somebody is there to answer."""
    return (
        not OUTPUT.json
        and OUTPUT.notes_on_terminal
        and sys.stdin is not None
        and not sys.stdin.closed
        and sys.stdin.isatty()
    )


def asked(question: str) -> bool:
    """Whether the person agrees: Enter does, and the end of the input does not."""
    OUTPUT.tell(f"{cell(question)} [Y/n] ")
    answer = sys.stdin.readline()
    return bool(answer) and answer.strip().lower() not in _NO
