"""`ollamamaster serve-mcp` as hosts start it: a process, spoken to by lines of JSON."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from mcp import Client
from mcp_types import INVALID_REQUEST, PARSE_ERROR
from program import PATIENCE_S, Done, run, running, wait_until
from served_fleet import ERAS, SMALL, STORY, ask, generates, over_stdio, unhurried

from ollamamaster.cli.commands.serve_mcp import GONE_WITHIN_S
from ollamamaster.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ollamamaster.simulator.sandbox import SimulatedFleet

POSIX = pytest.mark.skipif(os.name == "nt", reason="signals are a POSIX matter")

INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}
ROUTE = {"name": "route_request", "arguments": {"prompt": STORY, "model": SMALL}}


@pytest.fixture(scope="module")
def fleet() -> Iterator[SimulatedFleet]:
    with unhurried() as found:
        yield found


class Host:
    """A host that has shaken hands, line by line."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process, self._to, self._from = process, process.stdin, process.stdout
        self._ids = 0
        self.initialized = self.ask("initialize", INITIALIZE)
        self.tell("notifications/initialized")

    def send(self, method: str, params: dict[str, Any] | None = None) -> int:
        """Ask, and do not wait."""
        self._ids += 1
        self._write({"id": self._ids, "method": method, "params": params or {}})
        return self._ids

    def tell(self, method: str, params: dict[str, Any] | None = None) -> None:
        self._write({"method": method, "params": params or {}})

    def ask(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask, and read until the answer."""
        asked = self.send(method, params)
        while (message := self.read()).get("id") != asked:
            pass
        return message

    def read(self) -> dict[str, Any]:
        found = json.loads(self._from.readline())
        assert isinstance(found, dict)
        return found

    def write(self, line: bytes) -> None:
        """Send whatever it is."""
        self._to.write(line + b"\n")
        self._to.flush()

    def _write(self, message: dict[str, Any]) -> None:
        self.write(json.dumps({"jsonrpc": "2.0", **message}).encode())


@contextmanager
def host(fleet: SimulatedFleet) -> Iterator[Host]:
    env = fleet.environment()
    with running("serve-mcp", env=env, stdin=subprocess.PIPE) as process:
        yield Host(process)


@contextmanager
def in_mid_call(fleet: SimulatedFleet) -> Iterator[Host]:
    with host(fleet) as found:
        found.send("tools/call", ROUTE)
        wait_until(lambda: generates(fleet["a"]), "the generation begins")
        yield found
        wait_until(lambda: not generates(fleet["a"]), "the generation ends")


@pytest.fixture(scope="module")
def served(fleet: SimulatedFleet) -> Iterator[Host]:
    with host(fleet) as found:
        yield found


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_a_client_of_either_era_is_served(era: str, fleet: SimulatedFleet) -> None:
    async with Client(over_stdio(fleet.environment()), mode=era) as connected:
        found = await ask(connected, "list_models")
    assert found.structured_content["total"] == 4


def test_the_end_of_input_ends_an_idle_server(fleet: SimulatedFleet) -> None:
    with host(fleet) as found:
        out, err = found.process.communicate(timeout=PATIENCE_S)
    assert (found.process.returncode, out, err) == (ExitCode.OK, b"", b"")


def test_the_end_of_input_ends_a_call(fleet: SimulatedFleet) -> None:
    with in_mid_call(fleet) as found:
        found.process.communicate(timeout=PATIENCE_S)
    assert found.process.returncode == ExitCode.OK


@POSIX
@pytest.mark.parametrize(
    ("number", "code"), [("SIGINT", ExitCode.INTERRUPTED), ("SIGTERM", ExitCode.TERMINATED)]
)
def test_a_signal_ends_an_idle_server_that_waits_for_input(
    number: str, code: ExitCode, fleet: SimulatedFleet
) -> None:
    with host(fleet) as found:
        found.process.send_signal(getattr(signal, number))
        assert found.process.wait(PATIENCE_S) == code


@POSIX
def test_a_signal_while_messages_come_in_is_no_failure(fleet: SimulatedFleet) -> None:
    with host(fleet) as found:
        for _ in range(200):
            found.tell("notifications/initialized")
        found.process.send_signal(signal.SIGINT)
        _, err = found.process.communicate(timeout=PATIENCE_S)
    assert found.process.returncode == ExitCode.INTERRUPTED, err


@POSIX
@pytest.mark.parametrize(
    ("number", "code"), [("SIGINT", ExitCode.INTERRUPTED), ("SIGTERM", ExitCode.TERMINATED)]
)
def test_a_signal_ends_a_call(number: str, code: ExitCode, fleet: SimulatedFleet) -> None:
    with in_mid_call(fleet) as found:
        found.process.send_signal(getattr(signal, number))
        assert found.process.wait(PATIENCE_S) == code


@POSIX
@pytest.mark.parametrize(
    ("number", "code"),
    [(None, ExitCode.OK), ("SIGINT", ExitCode.INTERRUPTED), ("SIGTERM", ExitCode.TERMINATED)],
)
def test_what_hangs_while_it_ends_holds_up_nobody(
    number: str | None, code: ExitCode, fleet: SimulatedFleet, tmp_path: Path
) -> None:
    """Nothing is waited for without a bound: here it is the lifespan that never closes."""
    env = with_module(
        fleet,
        tmp_path,
        "import asyncio, ollamamaster.mcp_server.served as s\n"
        "async def close(self): await asyncio.Event().wait()\n"
        "s.Served.close = close\n",
    )
    with running("serve-mcp", env=env, stdin=subprocess.PIPE) as process:
        Host(process)
        if number is None:
            process.communicate(timeout=PATIENCE_S)
        else:
            process.send_signal(getattr(signal, number))
        assert process.wait(PATIENCE_S) == code


def test_it_may_take_less_than_half_a_second_to_end() -> None:
    assert GONE_WITHIN_S < 0.5


def test_a_cancelled_request_ends_the_generation_and_the_server_goes_on(
    fleet: SimulatedFleet,
) -> None:
    with host(fleet) as found:
        asked = found.send("tools/call", ROUTE)
        wait_until(lambda: generates(fleet["a"]), "the generation begins")
        found.tell("notifications/cancelled", {"requestId": asked})
        wait_until(lambda: not generates(fleet["a"]), "the generation ends")
        assert found.ask("ping")["result"] == {}


@POSIX
def test_nothing_is_left_when_the_host_is_killed(fleet: SimulatedFleet, tmp_path: Path) -> None:
    """The host is a process of its own, that starts the server and is killed in mid-call."""
    pid = tmp_path / "pid"
    program = (
        "import subprocess, sys\n"
        "server = subprocess.Popen([sys.executable, '-m', 'ollamamaster', 'serve-mcp'],\n"
        "    stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        f"open({str(pid)!r}, 'w').write(str(server.pid))\n"
        "for line in sys.stdin.buffer:\n"
        "    server.stdin.write(line); server.stdin.flush()\n"
        "    server.stdout.readline() if b'initialize\"' in line else None\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, env=fleet.environment()
    ) as killed:
        assert killed.stdin is not None
        for message in (
            {"id": 1, "method": "initialize", "params": INITIALIZE},
            {"method": "notifications/initialized"},
            {"id": 2, "method": "tools/call", "params": ROUTE},
        ):
            killed.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
            killed.stdin.flush()
        wait_until(lambda: generates(fleet["a"]), "the generation begins")
        killed.kill()
    wait_until(lambda: not generates(fleet["a"]), "the generation ends")
    wait_until(lambda: not is_alive(int(pid.read_text())), "the server ends")


def is_alive(pid: int) -> bool:
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def piped(env: dict[str, str], *more: dict[str, Any]) -> Done:
    """A script that writes all it asks at once, and then nothing more."""
    lines: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize", "params": INITIALIZE},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/list"},
        *more,
    ]
    text = "".join(json.dumps({"jsonrpc": "2.0", **each}) + "\n" for each in lines)
    return run("serve-mcp", env=env, text=text)


def answered(done: Done) -> list[int]:
    """What got a result. Whoever ends meanwhile may say that it does."""
    return [line["id"] for line in done.lines if "result" in line]


def listing(body: str, more: str = "") -> str:
    """A module in which the list of tools is made like this."""
    return (
        "import asyncio, ollamamaster.mcp_server.server as s\n"
        "real = s._Handlers.list_tools\n"
        f"async def list_tools(*given):\n    {body}\n"
        f"s._Handlers.list_tools = list_tools\n{more}"
    )


# Tells when the input has ended and an answer is what is waited for.
WAITED_FOR = """
import ollamamaster.mcp_server.stdio as t
waited_for, wait = asyncio.Event(), t._Unanswered.none_left
async def none_left(unanswered, within_s):
    if unanswered._asked:
        waited_for.set()
    await wait(unanswered, within_s)
t._Unanswered.none_left = none_left
"""


# Waits for nothing more, once the first request is answered.
IMPATIENT = """
import ollamamaster.mcp_server.stdio as t
answered, settled, wait = asyncio.Event(), t._Wire._settled, t._Unanswered.none_left
def _settled(*given):
    settled(*given)
    answered.set()
async def none_left(unanswered, within_s):
    await answered.wait()
    await wait(unanswered, 0)
t._Wire._settled, t._Unanswered.none_left = _settled, none_left
"""


def test_what_a_script_pipes_in_is_answered(fleet: SimulatedFleet) -> None:
    done = piped(fleet.environment())
    assert done.code == ExitCode.OK
    assert answered(done) == [1, 2]


def test_what_a_script_pipes_in_is_answered_by_a_machine_that_does_much_else(
    fleet: SimulatedFleet, tmp_path: Path
) -> None:
    """The end of input has long come, and nothing but the answer is waited for."""
    slow = "await waited_for.wait(); return await real(*given)"
    done = piped(with_module(fleet, tmp_path, listing(slow, WAITED_FOR)))
    assert done.code == ExitCode.OK
    assert answered(done) == [1, 2]


def test_what_is_never_answered_does_not_keep_the_server_for_ever(
    fleet: SimulatedFleet, tmp_path: Path
) -> None:
    never = listing("await asyncio.Event().wait()", IMPATIENT)
    done = piped(with_module(fleet, tmp_path, never))
    assert done.code == ExitCode.OK
    assert answered(done) == [1]


def test_what_was_cancelled_is_not_waited_for(fleet: SimulatedFleet, tmp_path: Path) -> None:
    for_ever = f"import ollamamaster.mcp_server.stdio as t\nt._PATIENCE_S = {10 * PATIENCE_S}\n"
    cancelled = {"method": "notifications/cancelled", "params": {"requestId": 2}}
    never = listing("await asyncio.Event().wait()", for_ever)
    done = piped(with_module(fleet, tmp_path, never), cancelled)
    assert done.code == ExitCode.OK
    assert answered(done) == [1]


def test_a_line_that_is_no_json_does_not_end_the_server(fleet: SimulatedFleet) -> None:
    with host(fleet) as found:
        assert found.process.stdin is not None
        found.process.stdin.write(b"hello\n\n\xff\xfe{\n")
        assert found.ask("ping")["result"] == {}


@pytest.mark.parametrize(
    ("line", "asked", "code"),
    [
        (b"hello", None, PARSE_ERROR),
        (b"[" * 100_000, None, PARSE_ERROR),
        (b"[]", None, INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":7,"method":5}', 7, INVALID_REQUEST),
        (b'{"jsonrpc":"1.0","id":"seven","method":"ping"}', "seven", INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":[1]}', 7, INVALID_REQUEST),
    ],
)
def test_a_host_does_not_wait_for_ever_when_it_sent_no_message(
    line: bytes, asked: int | str | None, code: int, served: Host
) -> None:
    served.write(line)
    answer = served.read()
    assert (answer["id"], answer["error"]["code"]) == (asked, code)


def test_a_notification_that_is_none_is_not_answered(served: Host) -> None:
    served.write(b'{"jsonrpc":"2.0","method":5}')
    asked = served.send("ping")
    assert served.read()["id"] == asked


def test_half_a_character_is_taken_for_a_question_mark(served: Host) -> None:
    """JavaScript that cuts a text within a character sends such a half."""
    answer = served.ask(
        "tools/call", {"name": "list_models", "arguments": {"pattern": SMALL, "\ud83d": 1}}
    )
    assert "unknown argument '?'" in answer["result"]["content"][0]["text"]


def with_module(fleet: SimulatedFleet, folder: Path, text: str) -> dict[str, str]:
    """An environment in which Python loads a module of this text by itself."""
    (folder / "sitecustomize.py").write_text(text)
    paths = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**fleet.environment(), "PYTHONPATH": paths}


def test_what_a_library_prints_is_not_on_stdout(fleet: SimulatedFleet, tmp_path: Path) -> None:
    """It prints, and so does a child of it, while serving."""
    env = with_module(
        fleet,
        tmp_path,
        "import ollamamaster.domain.catalogue as c, subprocess, sys\n"
        "real = c.catalogue\n"
        "def catalogue(*a, **k):\n"
        "    print('noise')\n"
        "    subprocess.run([sys.executable, '-S', '-c', 'print(\"child\")'])\n"
        "    return real(*a, **k)\n"
        "c.catalogue = catalogue\n",
    )
    with running("serve-mcp", env=env, stdin=subprocess.PIPE) as process:
        found = Host(process)
        answer = found.ask("tools/call", {"name": "list_models", "arguments": {}})
        assert answer["result"]["structuredContent"]["total"] == 4
        out, err = process.communicate(timeout=PATIENCE_S)
    assert out == b""
    assert b"noise" in err
    assert b"child" in err


def test_the_handshake_names_the_server_and_tells_how_to_use_it(fleet: SimulatedFleet) -> None:
    with host(fleet) as found:
        result = found.initialized["result"]
    assert result["serverInfo"]["name"] == "ollamamaster"
    assert "route_request" in result["instructions"]
    assert result["capabilities"]["resources"]["subscribe"] is True


def test_the_handshake_and_the_tools_wait_for_no_look_at_the_fleet(
    fleet: SimulatedFleet, tmp_path: Path
) -> None:
    env = with_module(
        fleet,
        tmp_path,
        "import asyncio\n"
        "from ollamamaster.services.discover import DiscoverService\n"
        "async def never(*given, **more): await asyncio.Event().wait()\n"
        "DiscoverService.discover = DiscoverService.refresh = never\n",
    )
    with running("serve-mcp", env=env, stdin=subprocess.PIPE) as process:
        found = Host(process)
        tools = found.ask("tools/list")["result"]["tools"]
        assert found.ask("ping")["result"] == {}
    assert "route_request" in {tool["name"] for tool in tools}


def test_a_config_that_is_wrong_is_told_before_anything_is_served(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[mcp]\ndetach_after_s = 'soon'\n")
    done = run("serve-mcp", env={**os.environ, "OLLAMAMASTER_HOME": str(tmp_path)})
    assert (done.code, done.out) == (ExitCode.INVALID, "")
    assert "detach_after_s" in done.err


def test_serve_mcp_has_no_json() -> None:
    done = run("serve-mcp", "--json")
    assert done.code == ExitCode.USAGE
    assert done.envelope["errors"][0]["code"] == "usage"
