"""Where a folder or a file of ours should be stands something else: told, and not waited for."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from program import run

from ollamamaster.cli.known_values import known_instances
from ollamamaster.errors import StateUnusableError
from ollamamaster.storage.inventory import InventoryFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def folder(path: Path) -> None:
    path.mkdir()


OTHERS = [
    pytest.param(pipe, marks=POSIX),
    pytest.param(device, marks=POSIX),
    pytest.param(folder),
]


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("command", [("config", "check"), ("config", "show"), ("models",)])
def test_a_config_that_is_no_file_is_refused(
    tmp_path: Path, other: Callable[[Path], None], command: tuple[str, ...]
) -> None:
    other(tmp_path / "config.toml")
    done = run(*command, "--json", env={**os.environ, "OLLAMAMASTER_HOME": str(tmp_path)})
    (error,) = done.envelope["errors"]
    assert (done.code, error["code"]) == (7, "config_invalid")
    assert "cannot be read" in done.out


@pytest.mark.parametrize("other", OTHERS[1:])
def test_a_policy_that_is_no_file_is_refused(tmp_path: Path, other: Callable[[Path], None]) -> None:
    other(tmp_path / "other.toml")
    file = str(tmp_path / "other.toml")
    env = {**os.environ, "OLLAMAMASTER_HOME": str(tmp_path)}
    done = run("history", "replay", "--policy", file, "--json", env=env)
    assert (done.code, done.envelope["errors"][0]["code"]) == (2, "file_unusable")


@pytest.mark.parametrize("other", OTHERS)
def test_an_inventory_that_is_no_file_is_told_and_left_alone(
    tmp_path: Path, other: Callable[[Path], None]
) -> None:
    path = tmp_path / "inventory.toml"
    other(path)
    notes: list[str] = []
    inventory = InventoryFile(path, note=notes.append)
    assert len(inventory.load()) == 0
    assert "cannot be read" in notes[0]
    with pytest.raises(StateUnusableError, match="cannot be written"):
        inventory.update(lambda fleet: fleet)
    assert not path.is_file()


@pytest.mark.parametrize("other", OTHERS)
def test_the_tab_key_says_nothing_of_it(
    tmp_path: Path, other: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    other(tmp_path / "inventory.toml")
    monkeypatch.setenv("OLLAMAMASTER_HOME", str(tmp_path))
    assert known_instances() == []
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("OLLAMAMASTER_HOME", str(tmp_path / "file"))
    assert known_instances() == []
