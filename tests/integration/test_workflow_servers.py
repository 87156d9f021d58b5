"""MCP servers of workflows: what they get, how they die, and that they end."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from program import PATIENCE_S, until, wait_until
from workflows import SERVER

from ollamamaster.domain.workflow import ToolServer
from ollamamaster.errors import ServerFailedError
from ollamamaster.mcp_client.servers import McpServers, RunningServer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

pytestmark = pytest.mark.anyio

# Answers with NaN, which is no JSON, as it stands.
ODD_SERVER = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    if "id" not in asked:
        continue
    given = {
        "initialize": lambda: {
            "protocolVersion": asked["params"]["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "odd", "version": "1"},
        },
        "tools/list": lambda: {"tools": [{"name": "weigh", "inputSchema": {"type": "object"}}]},
        "tools/call": lambda: {"content": [], "structuredContent": {"kg": float("nan")}},
    }
    made = given.get(asked["method"])
    told = {"result": made()} if made else {"error": {"code": -32601, "message": "no"}}
    print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], **told}), flush=True)
"""


def server(*more: str, **env: str) -> ToolServer:
    return ToolServer("corpus", sys.executable, (SERVER, *more), env)


@pytest.fixture
async def corpus(tmp_path: Path) -> AsyncGenerator[RunningServer, None]:
    running = await McpServers().start(server(TOKEN="t"), str(tmp_path))
    yield running
    await running.aclose()


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or b") Z " not in state.read_bytes()


async def test_a_server_tells_its_tools_and_answers(corpus: RunningServer) -> None:
    assert "search" in corpus.tools
    assert corpus.tools["search"].required == ("query",)
    answer = await corpus.call("search", {"query": "sihwa", "max_results": 1})
    assert "254 MW" in answer.text
    assert not answer.failed


async def test_it_runs_in_the_folder_of_the_workflow(corpus: RunningServer, tmp_path: Path) -> None:
    data = (await corpus.call("surroundings", {})).data
    assert Path(data["folder"]) == tmp_path


async def test_it_gets_no_variable_but_a_few_and_those_listed(
    corpus: RunningServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("LC_TIME", "C.UTF-8")
    other = await McpServers().start(server(TOKEN="t"), str(tmp_path))
    try:
        variables = (await other.call("surroundings", {})).data["variables"]
    finally:
        await other.aclose()
    allowed = {"PATH", "HOME", "LANG", "TMPDIR", "USER", "TOKEN"}
    # what the interpreter itself adds
    own = {"LC_CTYPE", "__CF_USER_TEXT_ENCODING"}
    mine = {name for name in os.environ if name.startswith("LC_")}
    assert set(variables) <= allowed | own | mine
    assert variables["TOKEN"] == "t"
    assert "LC_TIME" in variables


async def test_a_server_that_dies_fails_the_call_with_its_last_words(
    corpus: RunningServer,
) -> None:
    with pytest.raises(ServerFailedError, match="died") as failed:
        await corpus.call("die", {})
    assert (failed.value.hint or "").splitlines()[-1] == "the disk is on fire"
    with pytest.raises(ServerFailedError):
        await corpus.call("search", {"query": "x"})


async def test_a_tool_that_fails_says_so_and_the_server_lives(
    corpus: RunningServer, tmp_path: Path
) -> None:
    answer = await corpus.call("fail_until", {"path": str(tmp_path / "n"), "times": 1})
    assert answer.failed
    assert "not yet" in answer.text
    assert not (await corpus.call("say", {"text": "still here"})).failed


async def test_numbers_that_json_has_not_are_no_data(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(ODD_SERVER)
    odd = await McpServers().start(ToolServer("odd", sys.executable, ("odd.py",)), str(tmp_path))
    assert (await odd.call("weigh", {})).data is None
    await odd.aclose()


async def test_calls_run_side_by_side(corpus: RunningServer) -> None:
    texts = [str(n) for n in range(20)]
    answers = await asyncio.gather(*(corpus.call("say", {"text": each}) for each in texts))
    assert [each.text for each in answers] == texts


@pytest.mark.parametrize(
    ("command", "args", "says"),
    [
        ("no-such-program", (), "there is no program"),
        ("./no-such-program", (), "there is no program"),
        (sys.executable, ("-c", "import sys; sys.exit('no licence')"), "could not be started"),
    ],
)
async def test_a_server_that_does_not_start_is_told_with_its_last_words(
    command: str, args: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    with pytest.raises(ServerFailedError, match=says) as failed:
        await McpServers().start(ToolServer("s", command, args), str(tmp_path))
    if args:
        assert "no licence" in (failed.value.hint or "")


@pytest.mark.skipif(os.name == "nt", reason="processes are looked for in the POSIX way")
async def test_it_is_gone_when_it_is_closed_and_when_the_start_is_cancelled(
    tmp_path: Path,
) -> None:
    running = await McpServers().start(server(), str(tmp_path))
    pid = (await running.call("surroundings", {})).data["pid"]
    assert is_there(pid)
    await running.aclose()
    await until(lambda: not is_there(pid), "the server is gone")

    told = tmp_path / "pid"
    silent = "import os, pathlib, sys, time; pathlib.Path('pid').write_text(str(os.getpid())); "
    stubborn = ToolServer("s", sys.executable, ("-c", silent + "sys.stdin.read()"))
    task = asyncio.create_task(McpServers().start(stubborn, str(tmp_path)))
    await until(lambda: told.exists() and bool(told.read_text()), "the silent server runs")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    pid = int(told.read_text())
    await until(lambda: not is_there(pid), "the silent server is gone")


@pytest.mark.skipif(os.name == "nt", reason="processes are looked for in the POSIX way")
async def test_one_that_ignores_the_end_of_its_input_is_killed_with_its_children(
    tmp_path: Path,
) -> None:
    wrapper = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, {SERVER!r}])\n"
        "import signal\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "open('pid', 'w').write(str(child.pid))\n"
        "while True: signal.pause()\n"
    )
    running = await McpServers().start(
        ToolServer("s", sys.executable, ("-c", wrapper)), str(tmp_path)
    )
    pid = int((tmp_path / "pid").read_text())
    await running.aclose()
    await until(lambda: not is_there(pid), "the child is gone")


# What a server need not do well: it answers, and says what it likes.
RAW = """
import json, sys
def answer(message, result):
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
for message in map(json.loads, sys.stdin):
    match message["method"]:
        case "initialize":
            version = message["params"]["protocolVersion"]
            about = {"name": "raw", "version": "1"}
            answer(message, {"protocolVersion": version, "capabilities": {}, "serverInfo": about})
        case "tools/list":
            answer(message, {"tools": [{"name": "t", "inputSchema": {"type": "object"}}]})
        case "tools/call":
            SAY
            answer(message, {"content": [{"type": "text", "text": "half \\ud83d of it"}]})
        case _ if "id" in message:
            error = {"code": -32601, "message": "no"}
            print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": error}), flush=True)
"""


async def test_half_a_character_in_an_answer_is_a_question_mark(tmp_path: Path) -> None:
    raw = ToolServer("raw", sys.executable, ("-c", RAW.replace("SAY", "pass")))
    running = await McpServers().start(raw, str(tmp_path))
    try:
        assert (await running.call("t", {})).text == "half ? of it"
    finally:
        await running.aclose()


@pytest.mark.skipif(os.name == "nt", reason="limits the size of files in the POSIX way")
async def test_what_a_server_says_on_stderr_fills_no_disk(tmp_path: Path) -> None:
    chatter = "for _ in range(3000): print('x' * 10_000, file=sys.stderr)"
    (tmp_path / "raw.py").write_text(RAW.replace("SAY", chatter), "utf-8")
    limited = ("-c", f"ulimit -f 1; exec {sys.executable} -B raw.py")
    running = await McpServers().start(ToolServer("raw", "sh", limited), str(tmp_path))
    try:
        assert (await running.call("t", {})).text == "half ? of it"
    finally:
        await running.aclose()


# ---- by URL


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, SERVER, str(port), "t0ken"])

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_until(answers, "the server listens")
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


async def test_a_server_is_reached_by_url_with_its_headers(url: str, tmp_path: Path) -> None:
    by_url = ToolServer("far", url=url, headers={"X-Token": "t0ken"})
    running = await McpServers().start(by_url, str(tmp_path))
    try:
        answer: Any = await running.call("search", {"query": "bread"})
        assert "flour" in answer.text
    finally:
        await running.aclose()


async def test_a_url_that_refuses_is_told(url: str, tmp_path: Path) -> None:
    with pytest.raises(ServerFailedError, match="could not be started"):
        await McpServers().start(ToolServer("far", url=url), str(tmp_path))
