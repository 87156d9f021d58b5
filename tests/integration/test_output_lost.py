"""What happens to a result that cannot be written, and to an error nobody foresaw."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from program import command, run

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("arguments", [("config", "show"), ("config", "show", "--json")])
def test_a_full_disk_behind_the_output_is_an_error_that_says_so(arguments: tuple[str, ...]) -> None:
    with FULL.open("w") as full:
        done = subprocess.run(
            command(*arguments), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr == "error: the result could not be written: No space left on device\n"


@pytest.mark.parametrize("debug", [False, True])
def test_an_unforeseen_error_has_an_envelope_and_a_traceback_only_with_debug(
    *, debug: bool
) -> None:
    # Config files are read by the command; what cannot happen is made to happen there.
    program = (
        "import sys\n"
        "from ollamamaster.storage.paths import Paths\n"
        "def broken(environ): raise ZeroDivisionError('no such thing')\n"
        "Paths.from_environment = broken\n"
        "from ollamamaster.cli.app import run\n"
        "sys.exit(run(sys.argv[1:]))\n"
    )
    arguments = ["config", "show", "--json", *(["--debug"] if debug else [])]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert json.loads(done.stdout)["errors"][0]["code"] == "failed"
    assert ("Traceback" in done.stderr) is debug


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
def test_an_exit_code_survives_that_nobody_can_be_told() -> None:
    with FULL.open("w") as full:
        done = subprocess.run(
            command("config", "bogus"), stdout=subprocess.PIPE, stderr=full, check=False
        )
    assert done.returncode == 2


def test_an_exit_code_survives_that_the_reader_of_the_errors_has_gone() -> None:
    process = subprocess.Popen(
        command("config", "bogus"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    process.stderr.close()
    assert process.wait() == 2


def test_an_endless_schema_is_refused() -> None:
    zero = Path("/dev/zero")
    if not zero.exists():
        pytest.skip("there is no /dev/zero")
    done = run("route", "hi", "--format", str(zero))
    assert done.code == 2
    assert "larger than 4 MB" in done.err
