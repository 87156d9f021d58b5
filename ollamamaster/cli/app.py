"""The root of the command tree: which commands are there, and how does a run end?"""

from __future__ import annotations

import codecs
import io
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.exceptions import TyperException

from ollamamaster.cli.command import PROGRAM, Command, Group, command_of, new_typer
from ollamamaster.cli.interrupts import lost, stop_by_exception, stopped_by
from ollamamaster.cli.output import OUTPUT, OutputLostError
from ollamamaster.errors import ExitCode, OllamaMasterError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

# One line each, so that `--help` imports no command. A module of `cli.commands` holds either a
# function of the command's name, or, for a group, a Typer called `app`.
COMMANDS = {
    "discover": "Find Ollama instances on this machine and on networks you name.",
    "models": "List the models of the fleet and where each one is.",
    "route": "Answer a prompt on the model and instance that will do it best.",
    "chat": "Talk with the fleet on a terminal.",
    "session": "Look at conversations that are kept, rename and delete them.",
    "assess": "Tell whether the fleet can do a task, and how long it takes.",
    "compare": "Let several models answer one prompt side by side.",
    "pull": "Download a model onto an instance.",
    "workflow": "Run steps that hand their results on: models, several at once, and tools.",
    "serve-mcp": "Serve the fleet to Claude and other MCP hosts.",
    "install-mcp": "Tell Claude or another MCP host to start the server.",
    "history": "Look at past requests: how fast, how well foreseen, and decided again.",
    "config": "Create, show and check config.toml.",
    "sandbox": "Try everything on a simulated fleet, without Ollama or a GPU.",
    "completion": "Print the completion script of a shell.",
    "help": "Explain exit codes, JSON, files, targets and the environment.",
}
GROUPS = {"config", "history", "sandbox", "session", "workflow"}
# What the parser calls the kinds of numbers, and what a person does.
_PLAIN = {
    "is not a valid float.": "is not a number.",
    "is not a valid float range.": "is not a number.",
    "is not a valid int.": "is not a whole number.",
    "is not a valid int range.": "is not a whole number.",
}
# The name of the error handler that writes the nearest mark, and the marks: one column each.
_NEAREST = "ollamamaster.nearest"
_MARKS = dict(zip("●▸►→←·…✓✗", "*>>><-.+x", strict=True))
_OF_OLLAMA = {
    "list": "models",
    "ls": "models",
    "ps": "models --loaded",
    "run": 'route -m MODEL "PROMPT"',
    "show": "models PATTERN --json",
}


class LazyGroup(Group):
    """The root group; a command is imported when it is used."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Every command, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        """The command, imported now; None when there is none of that name."""
        return load_command(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def load_command(name: str) -> Command | Group:
    """Import a command."""
    module_name = name.replace("-", "_")
    module = import_module(f"ollamamaster.cli.commands.{module_name}")
    if name not in GROUPS:
        return command_of(name, getattr(module, module_name))
    group = typer.main.get_command(module.app)
    assert isinstance(group, Group)  # noqa: S101 (a Typer with several commands is a group)
    group.name = name
    return group


def root() -> LazyGroup:
    """The whole command tree."""
    app = new_typer()
    app.callback(cls=LazyGroup, invoke_without_command=True)(_root)
    group = typer.main.get_command(app)
    assert isinstance(group, LazyGroup)  # noqa: S101 (a Typer with a callback is a group)
    return group


def _root(
    ctx: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version."),
) -> None:
    """One command line over every Ollama you own.

    ollamamaster discover
    ollamamaster route "What is the capital of France?"
    ollamamaster sandbox run -- ollamamaster route hello
    """
    if version:
        from ollamamaster import __version__

        OUTPUT.line(f"{PROGRAM} {__version__}")
    elif ctx.invoked_subcommand is None:
        OUTPUT.line(ctx.get_help())


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit code and never raises."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    ours = given[: given.index("--")] if "--" in given else given
    OUTPUT.json = "--json" in ours
    OUTPUT.debug = "--debug" in ours
    OUTPUT.command = command_path(ours)
    _make_streams_safe()
    stop_by_exception()
    try:
        code = _run(given)
        OUTPUT.write("", flush=True)
    except BrokenPipeError:
        # The reader has gone: nothing is left to say, also not at interpreter shutdown.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except OutputLostError as error:
        OUTPUT.tell(f"error: the result could not be written: {error.strerror}\n")
        return ExitCode.FAILED
    return code


def _run(given: list[str]) -> int:
    try:
        tree = root()
        with tree.make_context(PROGRAM, given) as context:
            result = tree.invoke(context)
        return result if isinstance(result, int) else ExitCode.OK
    except typer.Exit as end:
        return end.exit_code
    except OllamaMasterError as error:
        return OUTPUT.fail(error)
    except TyperException as error:
        return OUTPUT.fail(_usage_error(error))
    except KeyboardInterrupt as interrupt:
        return _stopped(interrupt)
    except (BrokenPipeError, OutputLostError):
        raise
    except Exception as error:  # noqa: BLE001 (whatever happens, a script gets its envelope)
        if interrupted := lost():
            return _stopped(interrupted)
        if OUTPUT.debug:
            import traceback

            traceback.print_exc()
        unforeseen = OllamaMasterError(
            f"{type(error).__name__}: {error}", hint="--debug shows where; please report it"
        )
        return OUTPUT.fail(unforeseen)


def _stopped(interrupt: KeyboardInterrupt) -> int:
    stop = stopped_by(interrupt)
    return OUTPUT.fail(stop) if OUTPUT.json else stop.exit_code


def command_path(words: Sequence[str]) -> str:
    """The command as typed: "route", "config show", an unknown word, or "" for none."""
    names = [word for word in words if not word.startswith("-")][:2]
    return " ".join(names if names and names[0] in GROUPS else names[:1])


def _usage_error(error: TyperException) -> UsageError:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else PROGRAM
    message, hints = error.format_message(), [f"{path} --help"]
    for theirs, plain in _PLAIN.items():
        message = message.replace(theirs, plain)
    if message.startswith("No such command"):
        names = context.command.list_commands(context) if context is not None else []
        hints.insert(0, _meant_command(OUTPUT.command, names))
    elif message.startswith("Got unexpected extra argument") and OUTPUT.command == "route":
        hints.insert(0, 'a prompt of several words needs quotes: ollamamaster route "…"')
    return UsageError(message, hint="\n".join(filter(None, hints)))


def _meant_command(typed: str, names: Sequence[str]) -> str:
    """What whoever typed this may have meant; people who know Ollama type its commands.

    `names` are those that there are in the place of the last word.
    """
    group, _, word = typed.rpartition(" ")
    near = _OF_OLLAMA.get(typed)
    if near is None:
        from difflib import get_close_matches

        near = next(iter(get_close_matches(word, names, 1)), None)
    return f"did you mean: {' '.join(filter(None, (PROGRAM, group, near)))}" if near else ""


def _nearest(error: UnicodeError) -> tuple[str, int]:
    """What a terminal that does not know a mark is shown instead, so that marks stay apart."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_MARKS.get(c, "?") for c in missing), error.end


def _make_streams_safe() -> None:
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            # Closed by the caller (`>&-`): what is written then goes nowhere.
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 (open to the end)
            setattr(sys, name, nowhere)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            if stream.isatty():
                codecs.register_error(_NEAREST, _nearest)
                stream.reconfigure(errors=_NEAREST)
            else:
                stream.reconfigure(encoding="utf-8", errors="replace")
