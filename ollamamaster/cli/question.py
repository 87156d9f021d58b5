"""A question to the person, which a program that nobody watches never asks."""

from __future__ import annotations

import sys

from ollamamaster.cli.output import OUTPUT
from ollamamaster.domain.plain_text import cell

_NO = frozenset({"n", "no"})
_YES = frozenset({"y", "yes"})


def somebody_is_there() -> bool:
    """Whether a person sees stderr, and can answer what is asked there."""
    return (
        not OUTPUT.json
        and sys.stdin is not None
        and not sys.stdin.closed
        and sys.stdin.isatty()
        and sys.stderr.isatty()
    )


def may_ask() -> bool:
    """Whether a question is welcome that could be left out: not with --quiet."""
    return OUTPUT.notes_on_terminal and somebody_is_there()


def asked(question: str) -> bool:
    """Whether the person agrees: Enter does, and the end of the input does not."""
    OUTPUT.tell(f"{cell(question)} [Y/n] ")
    answer = sys.stdin.readline()
    return bool(answer) and answer.strip().lower() not in _NO


def agreed(question: str) -> bool:
    """Whether the person says yes: Enter does not. The question may have several lines."""
    OUTPUT.tell(f"{question} [y/N] ")
    return sys.stdin.readline().strip().lower() in _YES
