"""`ollamamaster route` that is stopped: by its deadline, by Ctrl-C, by SIGTERM.

The fleet runs at the speed of real machines, so that there is something to stop.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from fleets import known, load
from program import PATIENCE_S, ended, home_for, run, running, wait_until

from ollamamaster.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ollamamaster.simulator.sandbox import SimulatedFleet, SimulatedInstance

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals are a POSIX matter")

SMALL, LARGE = "llama3.2:3b", "llama3.1:8b"
STORY = ("route", "Write a long story about the sea")


@pytest.fixture(scope="module")
def fleet() -> Iterator[SimulatedFleet]:
    with known("duo", speed=1.0) as found:
        # Loaded once, so that generations begin at once; `slow` makes them last.
        load(found["a"], SMALL)
        yield found


@pytest.fixture
def a(fleet: SimulatedFleet) -> Iterator[SimulatedInstance]:
    fleet["a"].fault("slow", count=None)
    yield fleet["a"]
    fleet["a"].clear_faults()
    # else the next test takes it for its own
    wait_until(lambda: not generates(fleet["a"]), "the generation ends")


@pytest.fixture
def env(fleet: SimulatedFleet, tmp_path: Path) -> dict[str, str]:
    return home_for(fleet, tmp_path / "home")


def generates(instance: SimulatedInstance) -> bool:
    return bool(instance.state()["running"])


def test_the_deadline_keeps_the_partial_answer_in_the_json(
    a: SimulatedInstance, env: dict[str, str]
) -> None:
    done = run(*STORY, "-m", SMALL, "--instance", "a", "--max-time", "2", "--json", env=env)
    assert done.code == ExitCode.TIME_LIMIT
    assert done.envelope["status"] == "partial"
    assert done.envelope["errors"][0]["code"] == "time_limit"
    assert done.data["response"].startswith("[simulated]")
    assert [x["outcome"] for x in done.data["attempts"]] == ["cancelled"]
    wait_until(lambda: not generates(a), "the generation ends")


def test_the_deadline_leaves_a_pipe_empty_and_says_how_much_came(
    a: SimulatedInstance, env: dict[str, str]
) -> None:
    done = run(*STORY, "-m", SMALL, "--instance", "a", "--max-time", "2", env=env)
    assert (done.code, done.out) == (ExitCode.TIME_LIMIT, "")
    assert "characters of an answer had come" in done.err


def test_the_deadline_leaves_what_a_stream_has_shown(
    a: SimulatedInstance, env: dict[str, str]
) -> None:
    asked = (*STORY, "-m", SMALL, "--instance", "a", "--max-time", "2", "--stream")
    done = run(*asked, env=env)
    assert done.code == ExitCode.TIME_LIMIT
    assert done.out.startswith("[simulated]")
    assert done.out.endswith("\n")


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGTERM, ExitCode.TERMINATED)],
)
def test_a_signal_ends_the_generation_over_there(
    number: signal.Signals, code: int, a: SimulatedInstance, env: dict[str, str]
) -> None:
    cancelled = a.state()["cancelled"]
    with running(*STORY, "-m", SMALL, "--instance", "a", env=env) as process:
        wait_until(lambda: generates(a), "the generation begins")
        process.send_signal(number)
        done = ended(process)
    assert (done.code, done.out) == (code, "")
    assert "Traceback" not in done.err
    wait_until(lambda: not generates(a), "the generation ends")
    assert a.state()["cancelled"] == cancelled + 1


def test_ctrl_c_while_the_model_loads_ends_the_load(
    fleet: SimulatedFleet, env: dict[str, str]
) -> None:
    b = fleet["b"]
    with running(*STORY, "-m", LARGE, "--instance", "b", env=env) as process:
        wait_until(lambda: bool(b.state()["loading"]), "the load begins")
        process.send_signal(signal.SIGINT)
        done = ended(process)
    assert done.code == ExitCode.INTERRUPTED
    wait_until(lambda: not b.state()["loading"], "the load ends")
    assert b.state()["resident"] == []


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [
        (signal.SIGINT, ExitCode.INTERRUPTED, "interrupted"),
        (signal.SIGTERM, ExitCode.TERMINATED, "terminated"),
    ],
)
def test_the_json_of_an_interrupted_route_has_what_came(
    number: signal.Signals, code: int, word: str, a: SimulatedInstance, env: dict[str, str]
) -> None:
    asked = (*STORY, "-m", SMALL, "--instance", "a", "--json", "--stream")
    with running(*asked, env=env) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["type"] == "token":
                break
        process.send_signal(number)
        done = ended(process)
    envelope: dict[str, Any] = done.lines[-1]
    assert (done.code, envelope["exit_code"]) == (code, code)
    assert envelope["status"] == "partial"
    assert envelope["errors"][0]["code"] == word
    assert envelope["data"]["response"].startswith("[simulated]")
    assert envelope["data"]["attempts"][-1]["outcome"] == "cancelled"


def test_ctrl_c_while_standard_input_is_read_is_130(env: dict[str, str]) -> None:
    import subprocess

    with running("route", env=env, stdin=subprocess.PIPE) as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.send_signal(signal.SIGINT)
        done = ended(process)
    assert (done.code, done.out, done.err) == (ExitCode.INTERRUPTED, "", "")


def test_a_reader_that_goes_away_ends_the_generation(
    a: SimulatedInstance, env: dict[str, str]
) -> None:
    with running(*STORY, "-m", SMALL, "--instance", "a", "--stream", env=env) as process:
        assert process.stdout is not None
        process.stdout.read(5)
        process.stdout.close()
        assert process.stderr is not None
        process.wait(PATIENCE_S)
        assert process.stderr.read() == b""
    wait_until(lambda: not generates(a), "the generation ends")


# What Python makes of an interrupt in the middle of an import.
IMPORTING = """
import os, signal
from ollamamaster.cli import app

# what runs in the background of a script is born deaf to it
signal.signal(signal.SIGINT, signal.default_int_handler)

def interrupted():
    try:
        os.kill(os.getpid(), signal.{number})
    except KeyboardInterrupt as interrupt:
        raise RuntimeError("Error calling __set_name__") from interrupt
    raise AssertionError

def swallowed():
    try:
        os.kill(os.getpid(), signal.{number})
    except KeyboardInterrupt:
        pass
    raise TypeError("expected a message argument")

class Ignoring:
    def __del__(self):
        os.kill(os.getpid(), signal.{number})

real = app.root

def ignored():
    made = Ignoring()
    del made
    return real()

app.root = {how}
raise SystemExit(app.run(["models"]))
"""


@pytest.mark.parametrize("how", ["interrupted", "swallowed", "ignored"])
@pytest.mark.parametrize(
    ("number", "code"), [("SIGINT", ExitCode.INTERRUPTED), ("SIGTERM", ExitCode.TERMINATED)]
)
def test_a_signal_in_the_middle_of_an_import_is_no_failure(
    how: str, number: str, code: ExitCode
) -> None:
    program = IMPORTING.format(how=how, number=number)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (code, b"", b"")
