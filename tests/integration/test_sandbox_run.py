"""`sandbox run` and `sandbox up`, as processes."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from program import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator

POSIX = pytest.mark.skipif(os.name == "nt", reason="signals are a POSIX matter")

# Says where it lives and that it listens, then waits for what comes.
WAITING = """
import os, signal, sys
def end(number, frame):
    print("got", signal.Signals(number).name, flush=True)
    sys.exit(5)
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, end)
print(os.environ["OLLAMAMASTER_HOME"], flush=True)
while True:
    signal.pause()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the sandbox puts its folder, so that what is left behind is seen."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(name, str(folder))
    return folder


@pytest.fixture(autouse=True)
def nothing_is_left_behind(temporary: Path) -> Iterator[None]:
    yield
    assert list(temporary.iterdir()) == []


@pytest.fixture(autouse=True)
def interrupts_are_not_ignored() -> Iterator[None]:
    """A shell starts background jobs with SIGINT ignored, which children would inherit."""
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if ignored:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    if ignored:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def sandbox(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "ollamamaster", "sandbox", *arguments]


def run(*command: str, text: str = "", options: tuple[str, ...] = ()) -> tuple[int, str, str]:
    done = subprocess.run(
        sandbox("run", "--fleet", "duo", *options, "--", *command),
        input=text,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


@pytest.fixture
def waiting() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A sandbox whose command waits for a signal, and its home."""
    process = subprocess.Popen(
        sandbox("run", "--fleet", "duo", "--", *python(WAITING)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())
        if process.poll() is None:
            process.kill()


@pytest.mark.parametrize("code", [0, 1, 42])
def test_the_exit_code_is_the_commands(code: int) -> None:
    assert run(*python(f"raise SystemExit({code})")) == (code, "", "")


def test_a_command_that_is_not_there_is_127() -> None:
    code, out, err = run("no-such-command")
    assert (code, out, err) == (127, "", "error: no-such-command: command not found\n")


@POSIX
def test_a_command_that_cannot_be_executed_is_126(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("echo no\n")
    assert run(str(plain))[0] == 126


@POSIX
def test_a_script_for_an_interpreter_that_is_not_there_is_127(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    assert run(str(script))[0] == 127


@POSIX
def test_a_command_that_is_killed_is_128_and_the_signal() -> None:
    assert run(*python("import os; os.kill(os.getpid(), 9)"))[0] == 137


def test_standard_input_is_the_commands() -> None:
    echo = python("import sys; sys.stdout.write(sys.stdin.read())")
    assert run(*echo, text="one\ntwo\n") == (0, "one\ntwo\n", "")


def test_the_command_sees_the_fleet_and_no_ollama_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    monkeypatch.setenv("OLLAMAMASTER_DISCOVERY_NETWORKS", "127.0.0.1:9")
    code = """
import json, os, pathlib, tomllib, urllib.request
home = pathlib.Path(os.environ["OLLAMAMASTER_HOME"])
config = tomllib.loads((home / "config.toml").read_text("utf-8"))
ids = list(config["instances"])
seen = [json.load(urllib.request.urlopen(f"http://{i}/api/version"))["version"] for i in ids]
print(json.dumps([config["discovery"], seen, sorted(n for n in os.environ if "OLLAMA" in n)]))
"""
    assert json.loads(run(*python(code))[1]) == [
        {"loopback": False},
        ["0.24.0-sandbox", "0.24.0-sandbox"],
        ["OLLAMAMASTER_HOME"],
    ]


def test_the_scripts_of_this_installation_come_first_on_the_path() -> None:
    code = "import os; print(os.environ['PATH'].split(os.pathsep)[0])"
    first = Path(run(*python(code))[1].strip())
    assert any(script.stem == "ollamamaster" for script in first.iterdir())


def test_models_of_the_fleet_are_listed_inside() -> None:
    code, out, _ = run("ollamamaster", "models", "--json", options=("--speed", "100"))
    names = {model["name"] for model in json.loads(out)["data"]["models"]}
    assert (code, "llama3.1:8b" in names) == (0, True)


@POSIX
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_reaches_the_command_which_says_how_it_ends(
    name: str, waiting: tuple[subprocess.Popen[str], Path]
) -> None:
    process, home = waiting
    process.send_signal(getattr(signal, name))
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out, err) == (5, f"got {name}\n", "")
    assert not home.exists()


COUNTING = """
import os, select, signal
signal.signal(signal.SIGINT, lambda number, frame: None)
told, tells = os.pipe()
os.set_blocking(tells, False)
signal.set_wakeup_fd(tells)
print("ready", flush=True)
interrupts = len(os.read(told, 1))
# time for a second one, which would be a mistake
interrupts += len(select.select([told], [], [], 0.5)[0])
print("interrupts:", interrupts, flush=True)
"""


@POSIX
@pytest.mark.skipif(shutil.which("setsid") is None, reason="needs setsid of util-linux")
def test_ctrl_c_on_a_terminal_reaches_the_command_once() -> None:
    ours, theirs = os.openpty()
    command = ["setsid", "--ctty", "--wait", *sandbox("run", "--fleet", "duo", "--")]
    with subprocess.Popen(
        [*command, *python(COUNTING)], stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = b""
        while b"ready" not in shown:
            shown += os.read(ours, 1000)
        os.write(ours, b"\x03")
        while not re.search(rb"interrupts: \d+\r?\n", shown):
            shown += os.read(ours, 1000)
        process.wait(PATIENCE_S)
    os.close(ours)
    assert b"interrupts: 1" in shown
    assert process.returncode == 0


def test_the_home_is_there_while_the_command_runs(
    waiting: tuple[subprocess.Popen[str], Path],
) -> None:
    process, home = waiting
    assert (home / "config.toml").is_file()
    process.terminate()
    process.communicate(timeout=PATIENCE_S)


def test_json_is_refused() -> None:
    code, out, _ = run("true", options=("--json",))
    assert (code, json.loads(out)["errors"][0]["code"]) == (2, "usage")


def test_json_after_the_dashes_is_the_commands() -> None:
    assert run(*python("import sys; print(sys.argv[1:])"), "--json")[1] == "['--json']\n"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--fleet", "castle"), "'castle' is no fleet"),
        (("--speed", "0"), "--speed must be from 0.001 to 1000000, not 0"),
    ],
)
def test_a_wrong_option_is_a_usage_error(options: tuple[str, ...], problem: str) -> None:
    code, out, err = run("true", options=options)
    assert (code, out) == (2, "")
    assert problem in err


@POSIX
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_up_stays_until_a_signal_and_cleans_up(name: str) -> None:
    with subprocess.Popen(
        sandbox("up", "--fleet", "duo"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(2)]
        assert lines[0].startswith("export OLLAMAMASTER_HOME=")
        assert lines[1] == "unset OLLAMA_HOST\n"
        process.send_signal(getattr(signal, name))
        process.communicate(timeout=PATIENCE_S)
    assert process.returncode == {"SIGINT": 130, "SIGTERM": 143}[name]


@POSIX
def test_up_with_json_prints_the_fleet_as_one_document() -> None:
    with subprocess.Popen(
        sandbox("up", "--fleet", "duo", "--json"), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        document = json.loads(process.stdout.readline())
        process.terminate()
        rest, _ = process.communicate(timeout=PATIENCE_S)
    assert rest == ""
    assert (document["command"], document["status"]) == ("sandbox up", "ok")
    assert [instance["name"] for instance in document["data"]["instances"]] == ["a", "b"]
