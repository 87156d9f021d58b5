"""What every command of ours is: plain help with its examples, the shared options, `-h`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from ollamamaster.cli.every_command import every_command_has

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAM = "ollamamaster"


class Command(TyperCommand):
    """A command with the shared options.

    Its docstring's paragraphs of lines that begin with the program's name are examples.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(every_command_has())

    def collect_usage_pieces(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """What must be given stands bare; braces are only around a choice of two."""
        pieces = super().collect_usage_pieces(ctx)
        return [p if "|" in p else p.removeprefix("{").removesuffix("}") for p in pieces]

    def format_help_text(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """The description as paragraphs, then the examples as they stand."""
        write_help_text(self.help or "", formatter)


class Group(TyperGroup):
    """A group of commands, with its help in the same manner."""

    def format_help_text(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """The description as paragraphs, then the examples as they stand."""
        write_help_text(self.help or "", formatter)


def write_help_text(text: str, formatter: Any) -> None:
    """Write a docstring: prose is wrapped, lines of examples are kept."""
    prose, examples = parts_of_help(text)
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text("\n\n".join(prose))
    if examples:
        with formatter.section("Examples"):
            for line in examples:
                formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


def parts_of_help(text: str) -> tuple[list[str], list[str]]:
    """The paragraphs of a docstring, each on one line, and the lines of its examples."""
    paragraphs = [p.splitlines() for p in text.split("\n\n") if p.strip()]
    prose = [" ".join(p) for p in paragraphs if not _is_example(p)]
    return prose, [line for p in paragraphs if _is_example(p) for line in p]


def _is_example(lines: list[str]) -> bool:
    return all(PROGRAM in line for line in lines)


def new_typer() -> typer.Typer:
    """A Typer in our manner: plain help, no completion of its own, `-h` for help."""
    return typer.Typer(
        cls=Group,
        add_completion=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )


def command_of(name: str, function: Callable[..., Any]) -> Command:
    """The command that a function makes."""
    app = new_typer()
    app.command(name, cls=Command)(function)
    made = typer.main.get_command(app)
    assert isinstance(made, Command)  # noqa: S101 (one function makes one command)
    return made
