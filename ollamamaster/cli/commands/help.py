"""`ollamamaster help [TOPIC]`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from typer import Argument

from ollamamaster.cli.app import COMMANDS
from ollamamaster.cli.help_topics import TOPICS, topic_text, topics_text
from ollamamaster.cli.output import OUTPUT
from ollamamaster.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console


def help(  # noqa: A001 (the command is called help)
    topic: Annotated[
        list[str] | None,
        Argument(
            metavar="[TOPIC]",
            help="exit-codes, json, environment, files, targets, exposure, or a command.",
            show_default=False,
        ),
    ] = None,
) -> int:
    """Explain exit codes, JSON, files, targets and the environment.

    Without TOPIC: the list of topics. With the name of a command: its help.

    ollamamaster help
    ollamamaster help exit-codes
    ollamamaster help sandbox run
    """
    words = topic or []
    text = _text(words).rstrip("\n")

    def table(_console: Console) -> None:
        # not by the console, which would break long lines
        OUTPUT.line(text)

    return OUTPUT.emit(
        lambda: {"topic": " ".join(words) or None, "text": text},
        table=table,
        rows=lambda: [[line] for line in text.split("\n")],
    )


def _text(words: Sequence[str]) -> str:
    if not words:
        return topics_text()
    if words[0] in COMMANDS:
        from ollamamaster.cli.command_help import command_help

        return command_help(words)
    if words[0] in TOPICS and len(words) == 1:
        return topic_text(words[0])
    raise _unknown(" ".join(words), (*TOPICS, *COMMANDS))


def _unknown(word: str, known: Sequence[str]) -> UsageError:
    from ollamamaster.storage.problems import nearest

    # its likeness is that of keys, which have no hyphens
    meant = nearest(word, [name.replace("-", "_") for name in known])
    shown = meant.replace("_", "-") if meant else None
    hint = f"did you mean {shown}?" if shown else f"there are {', '.join(known)}"
    return UsageError(f"there is no topic {word!r}", hint=hint)
