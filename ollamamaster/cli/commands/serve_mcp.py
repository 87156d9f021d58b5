"""`ollamamaster serve-mcp`."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from typing import Annotated

from typer import Option

from ollamamaster.bootstrap import Application
from ollamamaster.cli.output import OUTPUT
from ollamamaster.errors import ExitCode, UsageError

# Hosts expect a server to be gone within half a second of being told; what Python takes to end
# after its last line of ours is the rest of that.
GONE_WITHIN_S = 0.4


class Transport(StrEnum):
    """How hosts reach the server."""

    STDIO = "stdio"
    HTTP = "http"


def serve_mcp(
    transport: Annotated[
        Transport, Option(help="stdio for a host that starts it, http for several.")
    ] = Transport.STDIO,
    host: Annotated[
        str, Option(metavar="ADDRESS", help="Where http listens; other machines need a token.")
    ] = "127.0.0.1",
    port: Annotated[
        int, Option(metavar="N", min=0, max=65535, help="The port of http; 0 takes any.")
    ] = 11500,
    allowed_host: Annotated[
        list[str] | None,
        Option(metavar="NAME", help="A name by which http may be called; repeatable."),
    ] = None,
    read_only: Annotated[
        bool, Option("--read-only", help="Without the tools that change or end anything.")
    ] = False,
) -> int:
    """Serve the fleet to Claude and other MCP hosts.

    A host starts it by itself and speaks to it on stdin and stdout; `ollamamaster install-mcp`
    tells a host to do so. With --transport http it runs by itself, on this machine only, at
    http://127.0.0.1:11500/mcp. What it listens to beyond this machine needs --allowed-host and a
    secret in OLLAMAMASTER_MCP_TOKEN, which hosts send as a bearer token.

    claude mcp add ollamamaster -- ollamamaster serve-mcp
    ollamamaster serve-mcp --transport http --port 11500
    """
    if OUTPUT.json:
        raise UsageError("serve-mcp has no --json: what it prints is the protocol")
    if transport is Transport.STDIO and allowed_host:
        raise UsageError("--allowed-host is about http; add --transport http")
    from ollamamaster.cli.interrupts import run_async

    application = Application(note=OUTPUT.note_once, serving=True, read_only=read_only)
    # Read before anything is served: a config that is wrong is told to the person who starts it.
    _ = application.settings
    _log_to_stderr()
    if transport is Transport.STDIO:
        if sys.stdin is not None and sys.stdin.isatty():
            # whoever types it by hand would see nothing at all
            OUTPUT.note("waiting for an MCP host on stdin; Ctrl-C ends it")
            OUTPUT.note("to have Claude start it: ollamamaster install-mcp claude-code")
        run_async(_stdio(application), GONE_WITHIN_S)
    else:
        run_async(_http(application, host, port, tuple(allowed_host or ())), GONE_WITHIN_S)
    return ExitCode.OK


async def _stdio(application: Application) -> None:
    from ollamamaster.cli.interrupts import end_within
    from ollamamaster.mcp_server.server import build
    from ollamamaster.mcp_server.stdio import serve_stdio

    await serve_stdio(build(application), lambda: end_within(GONE_WITHIN_S, ExitCode.OK))


async def _http(
    application: Application, host: str, port: int, allowed_hosts: tuple[str, ...]
) -> None:
    from ollamamaster.mcp_server.http import TOKEN_VARIABLE, Listening, serve_http
    from ollamamaster.mcp_server.server import build

    # Blanks are no secret: whoever sends nothing would know them.
    token = os.environ.get(TOKEN_VARIABLE, "").strip() or None
    listening = Listening(host, port, allowed_hosts, token)
    await serve_http(build(application), listening, lambda url: OUTPUT.note(f"MCP server: {url}"))


def _log_to_stderr() -> None:
    """Libraries log where it harms nothing, and only what somebody should know."""
    import logging

    level = logging.INFO if OUTPUT.verbose else logging.WARNING
    logging.basicConfig(
        stream=sys.stderr, level=level, format="%(levelname)s %(name)s: %(message)s"
    )
