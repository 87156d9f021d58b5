"""Where a folder or a file of ours should be stands something else: told, and not waited for."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from program import run

POSIX = pytest.mark.skipif(os.name == "nt", reason="pipes with a name and devices are POSIX's")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="folders of XDG")


@pytest.mark.parametrize(
    "command",
    [("history", "list"), ("session", "list"), ("workflow", "runs"), ("models",), ("discover",)],
)
def test_a_home_that_is_a_file_is_an_error(tmp_path: Path, command: tuple[str, ...]) -> None:
    home = tmp_path / "file"
    home.write_bytes(b"")
    done = run(*command, "--json", env={**os.environ, "OLLAMAMASTER_HOME": str(home)})
    (error,) = done.envelope["errors"]
    assert (done.code, error["code"]) == (7, "config_invalid")
    assert "file is no folder" in error["message"]
    assert "OLLAMAMASTER_HOME" in error["hint"]


@LINUX
@pytest.mark.parametrize(
    "command", [("history", "list"), ("session", "list"), ("workflow", "runs")]
)
def test_what_is_remembered_cannot_be_below_a_file(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "file").write_bytes(b"")
    env = {name: value for name, value in os.environ.items() if name != "OLLAMAMASTER_HOME"}
    env |= {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "file")}
    env |= {"XDG_CONFIG_HOME": str(tmp_path)}
    done = run(*command, "--json", env=env)
    (error,) = done.envelope["errors"]
    assert (done.code, error["code"]) == (7, "state_unusable")
    assert "file is no folder" in error["message"]
