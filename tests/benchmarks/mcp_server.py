"""How fast is the MCP server, and what does it take? Measured as hosts meet it.

    python tests/benchmarks/mcp_server.py [RUNS]

Speeds are ratios or differences within one run: the server against a bare `MCPServer` with one
tool of the same SDK, a routed request against the same service called directly.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import mcp_types
import psutil
from mcp import Client
from measure import line

sys.path.insert(0, str(Path(__file__).parents[1]))

from program import PATIENCE_S, command, until, wait_until
from served_fleet import ERAS, ask, over_http, over_stdio, url_of

from ollamamaster.bootstrap import Application
from ollamamaster.domain.routing import RouteRequest
from ollamamaster.mcp_server.server import build
from ollamamaster.simulator.sandbox import SimulatedFleet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mcp import StdioServerParameters

BARE = """
from mcp.server import MCPServer
server = MCPServer("bare")
@server.tool()
def add(a: int, b: int) -> int:
    return a + b
server.run()
"""
INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "benchmark", "version": "1"},
}
ASKED: list[dict[str, Any]] = [
    {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE},
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
    {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
]
LONG: dict[str, Any] = {
    "name": "route_request",
    "arguments": {"prompt": "Write a long story", "model": "llama3.2:3b"},
}
SERVE = command("serve-mcp")
CALLS = 200
# A client of the SDK has a hundred connections, and gives up on one more after half a minute.
CLIENTS = 4
# The server's memory does not come and go within a look, and looking takes nothing from it.
LOOK_EVERY_S = 0.02


@contextmanager
def host(
    server: Sequence[str],
    environment: Mapping[str, str],
    messages: Sequence[dict[str, Any]] = ASKED,
) -> Iterator[subprocess.Popen[bytes]]:
    """A server that was sent these messages, and has answered all but calls of tools."""
    with subprocess.Popen(
        server,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dict(environment),
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for message in messages:
            process.stdin.write(json.dumps(message).encode() + b"\n")
            process.stdin.flush()
            if "id" in message and message["method"] != "tools/call":
                assert json.loads(process.stdout.readline())["id"] == message["id"]
        yield process
        process.stdin.close()


def handshake(server: Sequence[str], environment: Mapping[str, str]) -> float:
    """Seconds from the start of a process to its end, with the list of its tools in between."""
    began = time.perf_counter()
    with host(server, environment) as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 0
    return time.perf_counter() - began


def handshakes(environment: Mapping[str, str], runs: int) -> None:
    """The whole process against a bare one, in turn, after one round that does not count."""
    bare = [sys.executable, "-c", BARE]
    pairs = [
        (handshake(SERVE, environment), handshake(bare, environment)) for _ in range(runs + 1)
    ][1:]
    ratio = median(a / b for a, b in pairs)
    seconds = f"{median(a for a, _ in pairs):.2f} s / {median(b for _, b in pairs):.2f} s"
    good = ratio <= 1.3
    line(
        "handshake and tools/list, against a bare MCPServer",
        f"{ratio:.2f}x ({seconds})",
        "1.3x",
        good=good,
    )


async def overhead(runs: int) -> None:
    """A routed request over MCP, and the same by the service, in turn in one process."""
    application = Application(serving=True)
    server = build(application)
    over_mcp: list[float] = []
    direct: list[float] = []

    class Quiet:
        def __getattr__(self, _name: str) -> Any:
            return lambda *_: None

    for mode in ("auto", "legacy"):
        async with Client(
            server if mode == "auto" else build(Application(serving=True)), mode=mode
        ) as client:
            routes = application.route_service()
            fleet = application.fleet

            async def find() -> Any:
                return fleet()  # noqa: B023 (called within the round)

            given = {"prompt": "Hi", "model": "llama3.2:3b"}
            params = mcp_types.CallToolRequestParams(name="route_request", arguments=given)
            call = mcp_types.CallToolRequest(params=params)
            for counted in range(-3, runs):
                began = time.perf_counter()
                # Not by `call_tool`: checking a result against its schema is the client's time.
                result = await client.session.send_request(call, mcp_types.CallToolResult)
                took = time.perf_counter() - began
                assert not result.is_error
                began = time.perf_counter()
                await routes.begin(RouteRequest("Hi", model="llama3.2:3b")).complete(
                    find, Quiet(), Quiet()
                )
                alone = time.perf_counter() - began
                if counted >= 0:
                    over_mcp.append(took)
                    direct.append(alone)
            extra_ms = 1000 * median(a - b for a, b in zip(over_mcp, direct, strict=True))
            name = f"overhead of route_request, {client.protocol_version}"
            line(name, f"{extra_ms:.1f} ms", "10 ms", good=extra_ms <= 10)
            over_mcp.clear()
            direct.clear()


async def many(url: str, server: psutil.Process, mode: str) -> None:
    """So many routed requests at once; memory is looked at while they run."""
    peak = 0
    done = asyncio.Event()

    async def watch() -> None:
        nonlocal peak
        while not done.is_set():
            peak = max(peak, server.memory_info().rss)
            with suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), LOOK_EVERY_S)

    watching = asyncio.create_task(watch())
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(Client(url, mode=mode)) for _ in range(CLIENTS)]
        began = time.perf_counter()
        results = await asyncio.gather(
            *(
                ask(clients[n % CLIENTS], "route_request", prompt=f"Hi {n}", wait=300)
                for n in range(CALLS)
            )
        )
        took = time.perf_counter() - began
        version = clients[0].protocol_version
    done.set()
    await watching
    good = [r for r in results if not r.is_error and r.structured_content["status"] == "done"]
    ids = {r.structured_content["run_id"] for r in good}
    mb = peak / 1e6
    name = f"{CALLS} calls at once over HTTP, {version}"
    line(name, f"{len(good)} answered in {took:.1f} s", "all", good=len(ids) == CALLS)
    line("  memory of the server meanwhile", f"{mb:.0f} MB", "150 MB", good=mb <= 150)


def idle(environment: Mapping[str, str]) -> None:
    """Resident memory of a stdio server that has shaken hands and looked at its fleet."""
    inventory = Path(environment["OLLAMAMASTER_HOME"]) / "inventory.toml"
    found = inventory.read_bytes()
    with host(SERVE, environment) as process:
        # The first look at the fleet, and what it imports, is part of being idle.
        wait_until(lambda: inventory.read_bytes() != found, "the fleet was looked at")
        mb = psutil.Process(process.pid).memory_info().rss / 1e6
    line("memory idle, after the first look at the fleet", f"{mb:.0f} MB", "90 MB", good=mb <= 90)


def ends(fleet: SimulatedFleet, runs: int) -> None:
    """Seconds from the end of input or a signal to the end of the process, and of the generation.

    The worst counts.
    """
    ask_all = [*ASKED, {"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": LONG}]
    for number in (None, signal.SIGINT, signal.SIGTERM):
        for messages, state in ((ASKED, "idle"), (ask_all, "in mid-call")):
            pairs = [_end(fleet, number, messages) for _ in range(runs)]
            name = "end of input" if number is None else number.name
            _worst(f"{name} to the end of the process, {state}", [a for a, _ in pairs], 0.5)
            if messages is ask_all:
                _worst(f"{name} to the end of the generation", [b for _, b in pairs], 1.0)


def _worst(name: str, took: Sequence[float], limit_s: float) -> None:
    worst = max(took)
    figures = f"{worst:.2f} s at most ({median(took):.2f} s) of {len(took)}"
    line(name, figures, f"{limit_s:g} s", good=worst <= limit_s)


async def cancels(
    fleet: SimulatedFleet, name: str, to: str | StdioServerParameters, mode: str, runs: int
) -> None:
    """Seconds from a cancelled call, and from `cancel_run`, to no generation on any instance."""
    cancelled: list[float] = []
    ended: list[float] = []
    async with Client(to, mode=mode) as client:
        for _ in range(runs):
            call = asyncio.create_task(ask(client, LONG["name"], **LONG["arguments"]))
            await _until_running(fleet, wanted=True)
            began = time.perf_counter()
            call.cancel()
            await _until_running(fleet, wanted=False)
            cancelled.append(time.perf_counter() - began)
            run = await ask(client, LONG["name"], **LONG["arguments"], wait=0)
            await _until_running(fleet, wanted=True)
            began = time.perf_counter()
            await ask(client, "cancel_run", run_id=run.structured_content["run_id"])
            await _until_running(fleet, wanted=False)
            ended.append(time.perf_counter() - began)
        version = client.protocol_version
    _worst(f"a cancelled call to the end of the generation, {name}, {version}", cancelled, 1.0)
    _worst(f"cancel_run to the end of the generation, {name}, {version}", ended, 1.0)


async def _until_running(fleet: SimulatedFleet, *, wanted: bool) -> None:
    what = "a generation begins" if wanted else "it ends"
    await until(lambda: any(i.state()["running"] for i in fleet) is wanted, what)


def _end(
    fleet: SimulatedFleet, number: signal.Signals | None, messages: Sequence[dict[str, Any]]
) -> tuple[float, float]:
    with host(SERVE, fleet.environment(), messages) as process:
        assert process.stdin is not None
        if messages is not ASKED:
            wait_until(lambda: any(i.state()["running"] for i in fleet), "a generation began")
        began = time.perf_counter()
        if number is None:
            process.stdin.close()
        else:
            process.send_signal(number)
        process.wait(PATIENCE_S)
        took = time.perf_counter() - began
        wait_until(lambda: not any(i.state()["running"] for i in fleet), "no generation is left")
        return took, time.perf_counter() - began


def main(runs: int) -> None:
    """Print the table."""
    with SimulatedFleet.start("lab", speed=1000.0) as fleet, tempfile.TemporaryFile() as told:
        environment = fleet.environment()
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        subprocess.run(
            [sys.executable, "-m", "ollamamaster", "discover", "--quiet"],
            env=environment,
            stdout=told,
            check=True,
        )
        handshakes(environment, runs)
        idle(environment)
        os.environ["OLLAMAMASTER_HOME"] = str(fleet.home)
        asyncio.run(overhead(10 * runs))
        serves = command("serve-mcp", "--transport", "http", "--port", "0")
        with subprocess.Popen(serves, env=environment, stderr=subprocess.PIPE) as process:
            url = url_of(process)
            for mode in ("auto", "legacy"):
                asyncio.run(many(url, psutil.Process(process.pid), mode))
            process.terminate()
    with SimulatedFleet.start("duo", speed=1.0) as fleet:
        subprocess.run(
            [sys.executable, "-m", "ollamamaster", "discover", "--quiet"],
            env=fleet.environment(),
            stdout=subprocess.DEVNULL,
            check=True,
        )
        for instance in fleet:
            instance.fault("slow", count=None)
        ends(fleet, runs)
        environment = fleet.environment()
        with over_http(environment) as url:
            for mode in ERAS:
                asyncio.run(cancels(fleet, "stdio", over_stdio(environment), mode, runs))
                asyncio.run(cancels(fleet, "HTTP", url, mode, runs))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
