"""`ollamamaster install-mcp HOST`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from ollamamaster.cli.output import OUTPUT
from ollamamaster.errors import UsageError
from ollamamaster.storage.mcp_hosts import Change, Host, HostFile, Scope

_THEN = {
    Host.CLAUDE_CODE: "start claude anew; /mcp shows it",
    Host.CLAUDE_DESKTOP: "quit Claude Desktop and start it again",
    Host.CURSOR: "enable it in Cursor Settings, MCP",
    Host.VSCODE: "start it with the command `MCP: List Servers`",
}


def install_mcp(
    host: Annotated[
        Host, Argument(metavar="HOST", help="claude-code, claude-desktop, cursor or vscode.")
    ],
    scope: Annotated[Scope, Option(help="user: everywhere; project: in this folder.")] = Scope.USER,
    show: Annotated[
        bool, Option("--print", help="Print what would stand in the file; change nothing.")
    ] = False,
    remove: Annotated[bool, Option("--remove", help="Take it out of the file again.")] = False,
    name: Annotated[
        str, Option(metavar="NAME", help="What the host calls the server.")
    ] = "ollamamaster",
) -> int:
    """Tell Claude or another MCP host to start the MCP server.

    The host's own file gets one entry with the full path of this installation; everything else in
    it stays as it is, comments too, and the file as it was is kept beside it. A second run changes
    nothing. OLLAMAMASTER_HOME goes along when it is set.

    ollamamaster install-mcp claude-code
    ollamamaster install-mcp claude-desktop --print
    ollamamaster install-mcp vscode --scope project
    ollamamaster install-mcp cursor --remove
    """
    if not name.strip():
        raise UsageError("--name: the name is missing")
    file = HostFile.find(host, scope, os.environ, Path.cwd())
    if show:
        if remove:
            raise UsageError("--print and --remove are two different things")
        change = Change(file.path, name, file.entry(os.environ), changed=False)
        return _print(file, change)
    change = file.remove(name) if remove else file.install(name, os.environ)
    _tell(host, change, removed=remove)
    return OUTPUT.noted(_data(host, change))


def _print(file: HostFile, change: Change) -> int:
    def text() -> str:
        return json.dumps({file.key: {change.name: change.entry}}, indent=2, ensure_ascii=False)

    OUTPUT.note(f"this belongs into {change.path}")
    return OUTPUT.emit(
        lambda: _data(file.host, change),
        table=lambda console: console.print(text()),
        rows=lambda: [[line] for line in text().splitlines()],
    )


def _tell(host: Host, change: Change, *, removed: bool) -> None:
    if not change.changed:
        state = "has no server" if removed and not change.entry else "has the server already,"
        OUTPUT.note(f"{change.path} {state} {change.name}; nothing changed")
        return
    done = "no longer has" if removed else "now has"
    OUTPUT.note(f"{change.path} {done} the server {change.name}")
    if change.backup is not None:
        OUTPUT.note(f"as it was before: {change.backup}")
    if not removed:
        OUTPUT.note(_THEN[host])


def _data(host: Host, change: Change) -> dict[str, Any]:
    return {
        "host": str(host),
        "path": str(change.path),
        "name": change.name,
        "entry": change.entry,
        "changed": change.changed,
        "backup": None if change.backup is None else str(change.backup),
    }
