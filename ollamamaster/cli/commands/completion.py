"""`ollamamaster completion SHELL`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from typer import Argument, Option

from ollamamaster.cli.output import OUTPUT
from ollamamaster.errors import ExitCode, UsageError


class Shell(StrEnum):
    """A shell that has a completion script."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


def completion(
    shell: Annotated[
        Shell | None,
        Argument(metavar="SHELL", help="bash, zsh, fish or powershell.", show_default=False),
    ] = None,
    values: Annotated[str | None, Option("--values", hidden=True)] = None,
) -> int:
    """Print the completion script of a shell.

    It completes commands, options and their values, and the instances and models of the
    inventory. Loaded in the shell's start-up file it is always as new as the program. An
    installation by pipx has these scripts where bash, zsh and fish look for them.

    eval "$(ollamamaster completion bash)"       # in ~/.bashrc
    eval "$(ollamamaster completion zsh)"        # in ~/.zshrc, after compinit
    ollamamaster completion fish | source        # in ~/.config/fish/config.fish
    ollamamaster completion powershell | Out-String | Invoke-Expression   # in $PROFILE
    """
    if OUTPUT.json:
        raise UsageError("completion has no --json: what it prints is a script")
    if values is not None:
        return _print_values(values)
    if shell is None:
        raise UsageError("Missing argument 'SHELL'.", hint=f"one of {', '.join(Shell)}")
    from ollamamaster.cli.completion import script_of

    OUTPUT.line(script_of(shell).rstrip("\n"))
    return ExitCode.OK


def _print_values(source: str) -> int:
    """What the scripts ask for when Tab is pressed, one a line."""
    from ollamamaster.cli.known_values import (
        known_instances,
        known_models,
        known_sessions,
        known_workflows,
    )

    known = {
        "instances": known_instances,
        "models": known_models,
        "sessions": known_sessions,
        "workflows": known_workflows,
    }
    if source not in known:
        raise UsageError(f"--values: {source!r} is none of {', '.join(known)}")
    for name in known[source]():
        OUTPUT.line(name)
    return ExitCode.OK
