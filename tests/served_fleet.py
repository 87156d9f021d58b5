"""An MCP server over a simulated fleet, and a client of either era of the protocol."""

from __future__ import annotations

import sys
import threading
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]
from fleets import MODEL, load
from mcp import Client, StdioServerParameters
from program import run, running

from ollamamaster.bootstrap import Application
from ollamamaster.mcp_server.live import USUAL, Pace
from ollamamaster.mcp_server.server import build
from ollamamaster.simulator.sandbox import SimulatedFleet

if TYPE_CHECKING:
    import subprocess
    from collections.abc import AsyncIterator, Iterator, Mapping

    import mcp_types

    from ollamamaster.simulator.sandbox import SimulatedInstance

# The revisions of the protocol that are spoken: by requests that stand alone, and by a handshake.
ERAS = ("auto", "legacy")
SMALL, LARGE = MODEL, "llama3.1:8b"
STORY = "Write a long story about the sea"


@asynccontextmanager
async def client(
    mode: str, *, read_only: bool = False, pace: Pace = USUAL, **more: Any
) -> AsyncIterator[Client]:
    """A client of a server in this process."""
    application = Application(serving=True, read_only=read_only)
    async with Client(build(application, pace), mode=mode, **more) as connected:
        yield connected


def over_stdio(environment: Mapping[str, str], *arguments: str) -> StdioServerParameters:
    """A server that the client starts as a process."""
    return StdioServerParameters(
        command=sys.executable,
        args=["-m", "ollamamaster", "serve-mcp", *arguments],
        env=dict(environment),
    )


@contextmanager
def over_http(environment: Mapping[str, str], *arguments: str) -> Iterator[str]:
    """A server process that listens; its URL."""
    asked = ("serve-mcp", "--transport", "http", "--port", "0", *arguments)
    with running(*asked, env=environment) as process:
        yield url_of(process)


def url_of(process: subprocess.Popen[bytes]) -> str:
    """What a server says when it listens. What it says later is read and forgotten."""
    assert process.stderr is not None
    for line in process.stderr:
        if b"MCP server: " in line:
            threading.Thread(target=_read_on, args=(process.stderr,), daemon=True).start()
            return line.decode().rpartition("MCP server: ")[2].strip()
    raise AssertionError("the server ended before it listened")


def _read_on(stream: IO[bytes]) -> None:
    """Once its pipe is full, a server that writes of what went wrong would serve nobody."""
    with suppress(ValueError):  # it is closed by whoever ends the server
        for _ in stream:
            pass


async def ask(connected: Client, tool: str, **arguments: Any) -> mcp_types.CallToolResult:
    """Call a tool; its result, also when it is an error."""
    return await connected.call_tool(tool, arguments)


def text(result: mcp_types.CallToolResult) -> str:
    """All the text of a result."""
    return "\n".join(getattr(part, "text", "") for part in result.content)


def check(result: mcp_types.CallToolResult, schema: Any) -> None:
    """It fits what was listed, and has no key of which that says nothing."""
    assert not result.is_error, text(result)
    jsonschema.validate(result.structured_content, _closed(schema))


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _closed(each) for key, each in schema.items()}
    return {**found, "additionalProperties": False} if "properties" in schema else found


@contextmanager
def unhurried() -> Iterator[SimulatedFleet]:
    """A fleet of one instance, ten times slower than a real one: its answers take minutes."""
    with SimulatedFleet.start("duo", speed=1.0) as found:
        load(found["a"])
        found["b"].stop()
        assert run("discover", env=found.environment()).code == 0
        found["a"].fault("slow", count=None)
        yield found


def generates(instance: SimulatedInstance) -> bool:
    """Whether the instance itself says that it writes an answer."""
    return bool(instance.state()["running"])
