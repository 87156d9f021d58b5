"""The help of a command as text, without calling it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from ollamamaster.cli.app import load_command, root
from ollamamaster.cli.command import PROGRAM, Group
from ollamamaster.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def command_help(words: Sequence[str], *, width: int | None = None) -> str:
    """What `ollamamaster WORDS --help` prints; as wide as the terminal, or `width`.

    The first word must be a command. Raises UsageError when the rest names none.
    """
    context = typer.Context(root(), info_name=PROGRAM, terminal_width=width)
    if not words:
        return context.get_help()
    command: Any = load_command(words[0])
    context = _below(context, command, words[0])
    for word in words[1:]:
        below = command.commands.get(word) if isinstance(command, Group) else None
        if below is None:
            raise UsageError(
                f"there is no command {' '.join(words)!r}",
                hint=f"ollamamaster help {words[0]}",
            )
        command = below
        context = _below(context, command, word)
    return context.get_help()


def _below(parent: typer.Context, command: Any, name: str) -> typer.Context:
    return typer.Context(command, parent=parent, info_name=name, **command.context_settings)
