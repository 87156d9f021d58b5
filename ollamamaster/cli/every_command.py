"""The options that every command has. Loaded by each start, so it loads little itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer.core import TyperOption

from ollamamaster.cli.output import OUTPUT

if TYPE_CHECKING:
    from collections.abc import Callable

    import typer


def every_command_has() -> list[TyperOption]:
    """Fresh copies of the options that each command gets; they fill in OUTPUT."""
    return [
        _flag("json", ["--json"], "Print one JSON document, also on failure."),
        _flag("quiet", ["-q", "--quiet"], "No notes on stderr; results and errors stay."),
        _flag("verbose", ["-v", "--verbose"], "Say more on stderr."),
        _flag("debug", ["--debug"], "Show a traceback when something unforeseen fails."),
        _flag("no_color", ["--no-color"], "No colours; NO_COLOR does the same."),
    ]


def _flag(name: str, spellings: list[str], help_text: str) -> TyperOption:
    return TyperOption(
        param_decls=[name, *spellings],
        is_flag=True,
        default=False,
        expose_value=False,
        callback=_remember(name),
        help=help_text,
        is_eager=True,
    )


def _remember(name: str) -> Callable[..., Any]:
    def set_flag(context: typer.Context, parameter: Any, value: bool) -> bool:
        if value and not context.resilient_parsing:
            setattr(OUTPUT, name, True)
        return value

    return set_flag
