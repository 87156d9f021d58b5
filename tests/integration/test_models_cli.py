"""`ollamamaster models` as scripts run it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
import tomli_w
from fleets import just_asked
from program import home_for, run

from ollamamaster.errors import ExitCode
from ollamamaster.simulator.sandbox import SimulatedFleet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from program import Done

ALL = ["llama3.1:8b", "llama3.2:3b", "llava:7b", "nomic-embed-text:latest"]


@pytest.fixture(scope="module")
def fleet() -> Iterator[SimulatedFleet]:
    with SimulatedFleet.start("duo", speed=50.0) as found:
        environment = found.environment()
        assert run("discover", env=environment).code == 0
        warm = ("-m", "llava:7b", "--instance", "a", "--option", "num_predict=1")
        assert run("route", "hi", *warm, env=environment).code == 0
        assert run("models", "--refresh", env=environment).code == 0
        yield found


@pytest.fixture
def env(fleet: SimulatedFleet, tmp_path: Path) -> dict[str, str]:
    found = home_for(fleet, tmp_path / "home")
    just_asked(tmp_path / "home")
    return found


@pytest.fixture
def stopped(fleet: SimulatedFleet) -> Iterator[None]:
    """Nobody is there."""
    for instance in fleet:
        instance.stop()
    yield
    for instance in fleet:
        instance.restart()


def names(done: Done) -> list[str]:
    assert done.code == 0, done.err
    found: list[str] = [m["name"] for m in done.data["models"]]
    assert done.data["count"] == len(found)
    return found


def aged(env: dict[str, str], tmp_path: Path) -> None:
    """Set back when the inventory was checked, as if an hour had gone by."""
    path = tmp_path / "home" / "inventory.toml"
    text, changed = re.subn(r"(?m)^(checked_at = )\d{4}-", r"\g<1>2001-", path.read_text("utf-8"))
    assert changed == 1
    path.write_text(text, "utf-8")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), ALL),
        (("llama",), ["llama3.1:8b", "llama3.2:3b"]),
        (("*:7b",), ["llava:7b"]),
        (("--tier", "fast"), ["llama3.2:3b", "nomic-embed-text:latest"]),
        (("--capability", "vision"), ["llava:7b"]),
        (("--loaded",), ["llava:7b"]),
        (("--instance", "b", "3b"), ["llama3.2:3b"]),
        (("nothing-like-it",), []),
    ],
)
def test_a_filter_keeps_what_matches(
    arguments: tuple[str, ...], expected: list[str], env: dict[str, str]
) -> None:
    assert names(run("models", *arguments, "--json", env=env)) == expected


def test_every_place_is_told_with_its_status_and_memory(
    fleet: SimulatedFleet, env: dict[str, str]
) -> None:
    (model,) = run("models", "llava", "--json", env=env).data["models"]
    places = {place["id"]: place for place in model["instances"]}
    assert set(places) == {i.id for i in fleet}
    assert places[fleet["a"].id]["loaded"] is True
    assert places[fleet["a"].id]["size_vram"] > 0
    assert places[fleet["b"].id] == {
        "id": fleet["b"].id,
        "status": "up",
        "loaded": False,
        "size_vram": None,
    }


def test_a_pipe_gets_a_line_of_five_cells_a_model(
    fleet: SimulatedFleet, env: dict[str, str]
) -> None:
    done = run("models", "3b", env=env)
    assert done.err == ""
    (line,) = done.out.splitlines()
    name, tier, size, context, up = line.split("\t")
    assert (name, tier, size, context) == ("llama3.2:3b", "fast", "2020000000", "131072")
    assert set(up.split(",")) == {i.id for i in fleet}


def test_a_fresh_inventory_is_shown_without_asking_anyone(
    env: dict[str, str], stopped: None
) -> None:
    done = run("models", "3b", "--json", env=env)
    assert names(done) == ["llama3.2:3b"]
    assert {p["status"] for p in done.data["models"][0]["instances"]} == {"up"}


@pytest.mark.parametrize("how", ["aged", "--refresh"])
def test_an_older_inventory_or_refresh_asks_first(
    how: str, env: dict[str, str], tmp_path: Path, stopped: None
) -> None:
    flags = [how] if how.startswith("--") else []
    if not flags:
        aged(env, tmp_path)
    done = run("models", "3b", *flags, "--json", env=env)
    assert names(done) == ["llama3.2:3b"]
    assert {p["status"] for p in done.data["models"][0]["instances"]} == {"down"}


def test_what_is_down_is_listed_without_an_id_in_the_cells(
    env: dict[str, str], stopped: None
) -> None:
    done = run("models", "3b", "--refresh", env=env)
    assert done.code == 0
    assert done.out == "llama3.2:3b\tfast\t2020000000\t131072\t\n"


def test_an_empty_inventory_is_filled_first(
    fleet: SimulatedFleet, env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "home" / "inventory.toml").unlink()
    done = run("models", "--json", env=env)
    assert names(done) == ALL
    assert done.err == "no inventory yet: looking for Ollama\n"


@pytest.mark.parametrize("instances", [{}, {"127.0.0.1:1": {"label": "gone"}}])
def test_none_ever_found_is_exit_3(instances: dict[str, dict[str, str]], tmp_path: Path) -> None:
    config = {"discovery": {"loopback": False}, "instances": instances}
    (tmp_path / "config.toml").write_text(tomli_w.dumps(config), "utf-8")
    for _ in range(2):
        # The second time it has been looked for, and still nobody has ever answered.
        done = run("models", "--json", env={**os.environ, "OLLAMAMASTER_HOME": str(tmp_path)})
        assert done.code == ExitCode.NO_INSTANCE
        assert done.envelope["errors"][0]["code"] == "no_instance"


def test_what_is_wrong_with_the_inventory_is_said_once(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "home" / "inventory.toml").unlink()
    (tmp_path / "home" / "inventory.toml").mkdir()
    done = run("models", "--json", env=env)
    assert names(done) == ALL
    assert done.err.count("cannot be read") == 1


def test_an_inventory_from_the_future_is_not_believed(
    env: dict[str, str], tmp_path: Path, stopped: None
) -> None:
    path = tmp_path / "home" / "inventory.toml"
    path.write_text(re.sub(r"(?m)^(checked_at = )\d{4}-", r"\g<1>2999-", path.read_text("utf-8")))
    done = run("models", "3b", "--json", env=env)
    assert {p["status"] for p in done.data["models"][0]["instances"]} == {"down"}


@pytest.mark.parametrize(
    "wrong",
    [("--tier", "huge"), ("--instance", "nowhere"), ("--instance", ""), ("a", "b"), ("--nope",)],
)
def test_a_wrong_option_is_a_usage_error(wrong: tuple[str, ...], env: dict[str, str]) -> None:
    done = run("models", *wrong, "--json", env=env)
    assert done.code == ExitCode.USAGE
    assert done.envelope["errors"][0]["code"] == "usage"


def test_hostile_names_are_harmless_in_cells_and_verbatim_in_json(
    fleet: SimulatedFleet, env: dict[str, str]
) -> None:
    fleet["a"].fault("control_characters", path="/api/tags", count=None)
    try:
        told = run("models", "--refresh", "--json", env=env)
        piped = run("models", "--refresh", env=env)
    finally:
        fleet["a"].clear_faults()
    assert "\x1b" not in told.out
    assert any("\x1b[31m" in name for name in names(told))
    assert all(line.count("\t") == 4 for line in piped.out.splitlines())
    assert all(c.isprintable() or c in "\t\n" for c in piped.out)
