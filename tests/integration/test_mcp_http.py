"""`ollamamaster serve-mcp --transport http`: who is let in, and what a closed stream ends."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from mcp import Client
from program import PATIENCE_S, run, running, until
from served_fleet import (
    ERAS,
    SMALL,
    STORY,
    ask,
    generates,
    over_http,
    unhurried,
    url_of,
)

from ollamamaster.errors import ExitCode
from ollamamaster.mcp_server.http import Listening

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollamamaster.simulator.sandbox import SimulatedFleet

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
CALL = {
    "jsonrpc": "2.0",
    "id": 2,
    "method": "tools/call",
    "params": {"name": "route_request", "arguments": {"prompt": STORY, "model": SMALL}},
}
TOKEN = "a-long-secret"
ANYWHERE = "0.0.0.0"


@pytest.fixture(scope="module")
def fleet() -> Iterator[SimulatedFleet]:
    with unhurried() as found:
        yield found


@pytest.fixture(scope="module")
def url(fleet: SimulatedFleet) -> Iterator[str]:
    with over_http(fleet.environment()) as found:
        yield found


@pytest.fixture(scope="module")
def guarded(fleet: SimulatedFleet) -> Iterator[str]:
    env = {**fleet.environment(), "OLLAMAMASTER_MCP_TOKEN": TOKEN}
    with over_http(env) as found:
        yield found


def post(
    url: str, message: Any = INITIALIZE, *, method: str = "POST", **headers: str
) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of one request; `headers` with _ for -."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=PATIENCE_S)
    given = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    try:
        connection.request(method, place.path, json.dumps(message), given)
        answer = connection.getresponse()
        body = answer.read().decode()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, body
    finally:
        connection.close()


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_a_client_of_either_era_is_served(era: str, url: str) -> None:
    async with Client(url, mode=era) as connected:
        found = await ask(connected, "list_models")
    assert found.structured_content["total"] == 4


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_a_cancelled_call_ends_the_generation(
    era: str, url: str, fleet: SimulatedFleet
) -> None:
    async with Client(url, mode=era) as connected:
        call = asyncio.ensure_future(ask(connected, "route_request", prompt=STORY, model=SMALL))
        await until(lambda: generates(fleet["a"]), "the generation begins")
        call.cancel()
        await until(lambda: not generates(fleet["a"]), "the generation ends")


@pytest.mark.anyio
async def test_the_end_of_an_older_session_ends_its_call(url: str, fleet: SimulatedFleet) -> None:
    async with Client(url, mode="legacy") as connected:
        call = asyncio.ensure_future(ask(connected, "route_request", prompt=STORY, model=SMALL))
        await until(lambda: generates(fleet["a"]), "the generation begins")
        call.cancel()
    await until(lambda: not generates(fleet["a"]), "the generation ends")


def test_deleting_an_older_session_ends_its_call(url: str, fleet: SimulatedFleet) -> None:
    import threading

    _, headers, _ = post(url)
    session = {"Mcp_Session_Id": headers["mcp-session-id"]}
    post(url, {"jsonrpc": "2.0", "method": "notifications/initialized"}, **session)
    waiting = threading.Thread(target=lambda: post(url, CALL, **session))
    waiting.start()
    asyncio.run(until(lambda: generates(fleet["a"]), "the generation begins"))
    status, _, _ = post(url, method="DELETE", **session)
    assert status == 200
    asyncio.run(until(lambda: not generates(fleet["a"]), "the generation ends"))
    waiting.join(PATIENCE_S)


@pytest.mark.anyio
async def test_a_closed_stream_of_an_older_session_ends_nothing(
    url: str, fleet: SimulatedFleet
) -> None:
    """Its host may connect anew, and find the run by its status."""
    _, headers, _ = post(url)
    place = urlsplit(url)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=PATIENCE_S)
    given = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "Mcp-Session-Id": headers["mcp-session-id"],
    }
    connection.request("POST", place.path, json.dumps(CALL), given)
    await until(lambda: generates(fleet["a"]), "the generation begins")
    connection.close()
    async with Client(url, mode="legacy") as connected:
        status = await ask(connected, "fleet_status")
        (run_id,) = (
            r["run_id"] for r in status.structured_content["runs"] if r["status"] == "running"
        )

        async def come() -> int:
            found = await ask(connected, "get_result", run_id=run_id, wait=0)
            return len(found.structured_content["partial"])

        before = await come()

        async def more() -> bool:
            return await come() > before

        await until(more, "it goes on writing")
        await ask(connected, "cancel_run", run_id=run_id)
    await until(lambda: not generates(fleet["a"]), "the generation ends")


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_a_run_that_went_on_is_there_for_the_next_connection(
    era: str, url: str, fleet: SimulatedFleet
) -> None:
    async with Client(url, mode=era) as connected:
        begun = await ask(connected, "route_request", prompt=STORY, model=SMALL, wait=0)
    run_id = begun.structured_content["run_id"]
    async with Client(url, mode=era) as connected:
        found = await ask(connected, "get_result", run_id=run_id, wait=0)
        ended = await ask(connected, "cancel_run", run_id=run_id)
    assert found.structured_content["status"] == "running"
    assert ended.structured_content["status"] == "cancelled"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:11500", "127.0.0.1.evil.example"])
def test_another_name_than_loopback_is_refused(host: str, url: str) -> None:
    """A page whose name was made to mean 127.0.0.1 sends its own name."""
    assert post(url, Host=host)[0] == 421


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "https://localhost.evil.example", "null"]
)
def test_a_page_of_another_origin_is_refused(origin: str, url: str) -> None:
    assert post(url, Origin=origin)[0] == 403


def test_the_newest_revision_checks_names_as_well(url: str) -> None:
    newest = {"MCP_Protocol_Version": "2026-07-28"}
    assert post(url, Host="evil.example", **newest)[0] == 421
    assert post(url, Origin="http://evil.example", **newest)[0] == 403


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
def test_loopback_by_any_of_its_names_is_let_in(name: str, url: str) -> None:
    port = urlsplit(url).port
    status, _, _ = post(url, Host=f"{name}:{port}", Origin=f"http://{name}:{port}")
    assert status == 200


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": TOKEN},
    ],
)
def test_without_the_token_nobody_is_let_in(given: dict[str, str], guarded: str) -> None:
    status, headers, _ = post(guarded, **given)
    assert status == 401
    assert headers["www-authenticate"].startswith("Bearer")


def test_the_token_is_needed_for_every_path_and_method(guarded: str) -> None:
    assert post(guarded, method="GET")[0] == 401
    assert post(guarded.replace("/mcp", "/other"))[0] == 401


def test_with_the_token_one_is_let_in(guarded: str) -> None:
    assert post(guarded, Authorization=f"Bearer {TOKEN}")[0] == 200


@pytest.mark.parametrize(
    ("arguments", "env", "missing"),
    [
        ((), {}, ("--allowed-host", "OLLAMAMASTER_MCP_TOKEN")),
        (("--allowed-host", "lab"), {}, ("OLLAMAMASTER_MCP_TOKEN",)),
        ((), {"OLLAMAMASTER_MCP_TOKEN": TOKEN}, ("--allowed-host",)),
        (
            ("--allowed-host", "lab"),
            {"OLLAMAMASTER_MCP_TOKEN": " \n"},
            ("OLLAMAMASTER_MCP_TOKEN",),
        ),
    ],
)
def test_other_machines_are_let_in_only_by_name_and_token(
    arguments: tuple[str, ...], env: dict[str, str], missing: tuple[str, ...]
) -> None:
    asked = ("serve-mcp", "--transport", "http", "--host", ANYWHERE, "--port", "0", *arguments)
    done = run(*asked, env={**os.environ, **env})
    assert done.code == ExitCode.USAGE
    first = done.err.splitlines()[0]
    assert {name for name in ("--allowed-host", "OLLAMAMASTER_MCP_TOKEN") if name in first} == set(
        missing
    )


@pytest.mark.parametrize("name", ["", "https://lab.example", "a b", "*", "::1", "lab.example/mcp"])
def test_what_can_be_no_host_is_not_allowed_for_nothing(name: str) -> None:
    done = run("serve-mcp", "--transport", "http", "--port", "0", "--allowed-host", name)
    assert done.code == ExitCode.USAGE
    assert "--allowed-host" in done.err


@pytest.mark.parametrize("host", ["127.0.0.2", "::1", "localhost"])
def test_the_address_it_listens_on_may_be_called(host: str) -> None:
    url_host = f"[{host}]" if ":" in host else host
    assert f"{url_host}:*" in Listening(host).security().allowed_hosts


def test_a_name_is_the_same_in_small_letters() -> None:
    hosts = Listening(allowed_hosts=("Lab.Example",)).security().allowed_hosts
    assert {"Lab.Example:*", "lab.example:*"} <= set(hosts)


def test_a_token_may_be_of_any_bytes(fleet: SimulatedFleet) -> None:
    env = {**fleet.environment(), "OLLAMAMASTER_MCP_TOKEN": "caf\udce9\n"}
    with over_http(env) as url:
        assert post(url, Authorization="Bearer caf\xe9")[0] == 200
        assert post(url, Authorization="Bearer caf")[0] == 401


def test_an_allowed_host_is_let_in_and_its_pages(fleet: SimulatedFleet) -> None:
    env = {**fleet.environment(), "OLLAMAMASTER_MCP_TOKEN": TOKEN}
    with over_http(
        env, "--allowed-host", "lab.example", "--allowed-host", "web.example:8080"
    ) as url:
        token = f"Bearer {TOKEN}"
        assert post(url, Host="lab.example:11500", Authorization=token)[0] == 200
        assert post(url, Origin="https://lab.example", Authorization=token)[0] == 200
        assert post(url, Host="web.example:8080", Authorization=token)[0] == 200
        assert post(url, Host="web.example:8081", Authorization=token)[0] == 421
        assert post(url, Host="other.example", Authorization=token)[0] == 421


def test_a_port_that_is_taken_is_said(url: str) -> None:
    port = str(urlsplit(url).port)
    done = run("serve-mcp", "--transport", "http", "--port", port)
    assert done.code == ExitCode.FAILED
    assert f"127.0.0.1:{port}" in done.err


@pytest.mark.skipif(os.name == "nt", reason="signals are a POSIX matter")
@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_a_signal_ends_it_in_mid_call_with_the_generation(
    era: str, fleet: SimulatedFleet
) -> None:
    asked = ("serve-mcp", "--transport", "http", "--port", "0")
    with running(*asked, env=fleet.environment()) as process:
        url = url_of(process)
        # How a client says that the server has gone is its own matter.
        with suppress(Exception):
            async with Client(url, mode=era) as connected:
                call = asyncio.ensure_future(
                    ask(connected, "route_request", prompt=STORY, model=SMALL)
                )
                await until(lambda: generates(fleet["a"]), "the generation begins")
                process.send_signal(signal.SIGTERM)
                await until(lambda: process.poll() is not None, "the server ends")
                await call
        assert process.returncode == ExitCode.TERMINATED
    await until(lambda: not generates(fleet["a"]), "the generation ends")


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_many_calls_at_once_are_all_answered(era: str, url: str) -> None:
    async with Client(url, mode=era) as connected:
        found = await asyncio.gather(
            *(ask(connected, "list_models", pattern="llama3.2") for _ in range(50))
        )
    assert [result.structured_content["count"] for result in found] == [1] * 50
