"""`ollamamaster config init|path|show|check`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ollamamaster.bootstrap import Application
from ollamamaster.cli.command import Command, new_typer
from ollamamaster.cli.output import OUTPUT
from ollamamaster.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import Console

app = new_typer()


@app.callback()
def config() -> None:
    """Create, show and check config.toml.

    ollamamaster config init
    ollamamaster config show
    ollamamaster config check --json | jq '.data.problems'
    """


@app.command(cls=Command)
def init() -> int:
    """Write a commented config.toml.

    It has every key with its meaning and its default. One that is there stays as it is.

    ollamamaster config init
    """
    from ollamamaster.storage.starter import create_config

    return OUTPUT.path(create_config(_application().paths))


@app.command(cls=Command)
def path() -> int:
    """Print where config.toml is.

    Whether it is there or not.

    ollamamaster config path
    $EDITOR "$(ollamamaster config path)"
    """
    return OUTPUT.path(_application().paths.config)


@app.command(cls=Command)
def show() -> int:
    """Show each setting and where it comes from.

    That is `default`, the line of config.toml, or the variable of the environment.

    ollamamaster config show
    ollamamaster config show --json | jq '.data.values[] | select(.origin != "default")'
    """
    from ollamamaster.storage.config import load_settings
    from ollamamaster.storage.inspection import values_in_force

    loaded = load_settings(_application().paths, os.environ)
    for note in loaded.notes:
        OUTPUT.note(note)
    values = values_in_force(loaded)

    def data() -> dict[str, Any]:
        entries = [{"key": v.key, "value": v.value, "origin": v.origin} for v in values]
        return {"values": entries}

    def rows() -> list[list[str]]:
        from ollamamaster.storage.starter import as_toml

        return [[v.key, "" if v.value is None else as_toml(v.value), v.origin] for v in values]

    def table(console: Console) -> None:
        from ollamamaster.cli.render.config import render_values

        render_values(console, rows())

    return OUTPUT.emit(data, table=table, rows=rows)


@app.command(cls=Command)
def check() -> int:
    """List every mistake in the configuration.

    In config.toml and in the variables that set its keys; exit code 7 when there is one. Each
    has its line, its key and what to write instead.

    ollamamaster config check
    ollamamaster config check --json | jq -r '.data.problems[].message'
    """
    from ollamamaster.storage.inspection import check_config

    file = _application().paths.config
    found = check_config(_application().paths, os.environ)
    for note in found.notes:
        OUTPUT.note(note)
    problems = found.problems
    if not problems:
        OUTPUT.note(f"{file}: no mistakes" if file.exists() else f"{file} is not there: defaults")

    def data() -> dict[str, Any]:
        return {
            "problems": [
                {"line": p.line, "key": p.key or None, "message": p.message, "hint": p.hint}
                for p in problems
            ]
        }

    def rows() -> list[list[str]]:
        lines = (("" if p.line is None else str(p.line), p) for p in problems)
        return [[line, p.key, p.message, p.hint or ""] for line, p in lines]

    def table(console: Console) -> None:
        from ollamamaster.cli.render.config import render_problems

        render_problems(console, rows(), file.name)

    if problems and OUTPUT.json:
        from ollamamaster.storage.problems import refusal

        return OUTPUT.fail(refusal(problems, file), data=data())
    exit_code = ExitCode.INVALID if problems else ExitCode.OK
    return OUTPUT.emit(data, table=table, rows=rows, exit_code=exit_code)


def _application() -> Application:
    return Application(note=OUTPUT.note)
