from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from program import on_terminal

if TYPE_CHECKING:
    from pathlib import Path


def config(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ollamamaster", "config", *arguments],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def envelope(*arguments: str) -> dict[str, Any]:
    done = config(*arguments, "--json")
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["exit_code"] == done.returncode
    assert document["command"] == f"config {arguments[0]}"
    return document


def test_path_is_one_line(home: Path) -> None:
    assert config("path").stdout == f"{home / 'config.toml'}\n"
    assert envelope("path")["data"] == {"path": str(home / "config.toml")}


def test_init_writes_a_file_that_check_finds_no_mistake_in(home: Path) -> None:
    assert envelope("init")["data"] == {"path": str(home / "config.toml")}
    assert envelope("check")["data"] == {"problems": []}


def test_init_leaves_an_own_file_alone(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text("# mine")
    done = config("init")
    assert (done.returncode, done.stdout) == (2, "")
    assert (home / "config.toml").read_text() == "# mine"


def test_show_has_key_value_and_origin(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir()
    (home / "config.toml").write_text("[route]\nhedge = false\n")
    monkeypatch.setenv("OLLAMAMASTER_TIERS_FAST_BELOW_GB", "4")
    values = envelope("show")["data"]["values"]
    assert {"key": "route.hedge", "value": False, "origin": "config.toml:2"} in values
    assert {"key": "route.max_time_s", "value": None, "origin": "default"} in values
    origin = "OLLAMAMASTER_TIERS_FAST_BELOW_GB"
    assert {"key": "tiers.fast_below_gb", "value": 4, "origin": origin} in values
    assert "route.hedge\tfalse\tconfig.toml:2" in config("show").stdout.splitlines()


def test_check_lists_every_mistake_and_exits_7(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text("[route]\nhegde = false\nlocal_only = 1\n")
    found = envelope("check")
    assert found["exit_code"] == 7
    assert found["data"]["problems"] == [
        {
            "line": 2,
            "key": "route.hegde",
            "message": "there is no such key",
            "hint": "did you mean route.hedge?",
        },
        {
            "line": 3,
            "key": "route.local_only",
            "message": "1 is not true or false",
            "hint": None,
        },
    ]
    assert [entry["code"] for entry in found["errors"]] == ["config_invalid"]
    plain = config("check")
    assert (plain.returncode, len(plain.stdout.splitlines())) == (7, 2)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_check_says_once_that_there_is_no_mistake(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text("[route]\nhedge = false\n")
    shown = on_terminal("config", "check", env={**os.environ, "OLLAMAMASTER_HOME": str(home)})
    assert shown.code == 0
    assert shown.raw.count("no mistakes") == 1


def test_a_variable_that_means_nothing_is_told_on_stderr(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OLLAMAMASTER_ROUTE_HEGDE", "1")
    assert "OLLAMAMASTER_ROUTE_HEDGE" in config("show").stderr
    assert config("show", "-q").stderr == ""


def test_path_answers_although_the_file_is_wrong(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text("]")
    assert config("path").returncode == 0
    assert config("show").returncode == 7
