"""`ollamamaster pull` and `route --pull` as scripts run them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import tomli_w
from fleets import known
from program import run

from ollamamaster.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from program import Done

    from ollamamaster.simulator.sandbox import SimulatedFleet


@pytest.fixture(scope="module")
def fleet() -> Iterator[SimulatedFleet]:
    with known("home", speed=200.0) as found:
        yield found


def error_of(done: Done) -> tuple[str, int]:
    (error,) = done.envelope["errors"]
    return error["code"], done.code


def test_without_an_instance_the_fastest_that_holds_it_gets_it(
    fleet: SimulatedFleet, env: dict[str, str]
) -> None:
    done = run("pull", "qwen3:30b", "--json", env=env)
    assert done.code == 0
    assert set(done.data) == {"model", "instance", "size_bytes", "seconds"}
    assert (done.data["model"], done.data["size_bytes"]) == ("qwen3:30b", 18_560_000_000)
    assert done.data["instance"] == fleet["gaming-pc"].id
    assert done.data["seconds"] > 0
    (model,) = run("models", "qwen3:30b", "--json", env=env).data["models"]
    assert [place["id"] for place in model["instances"]] == [fleet["gaming-pc"].id]


def test_an_instance_is_named_by_its_label(fleet: SimulatedFleet, env: dict[str, str]) -> None:
    done = run("pull", "phi4-mini", "--instance", "workshop", env=env)
    assert done.code == 0
    name, instance, size, _ = done.out.rstrip("\n").split("\t")
    assert (name, instance) == ("phi4-mini:latest", fleet["workshop"].id)
    assert size == "2490000000"
    assert done.err == "downloading phi4-mini:latest onto workshop\n"


def test_the_stages_are_told_with_verbose(env: dict[str, str]) -> None:
    done = run("pull", "phi4-mini", "--instance", "laptop", "-v", env=env)
    assert "verifying sha256 digest" in done.err
    assert "writing manifest" in done.err


def test_a_model_that_nobody_publishes_is_exit_5(
    fleet: SimulatedFleet, env: dict[str, str]
) -> None:
    done = run("pull", "no-such-model", "--instance", "laptop", "--json", env=env)
    assert error_of(done) == ("all_failed", ExitCode.ALL_FAILED)
    assert done.data is None
    assert done.envelope["errors"][0]["instance"] == fleet["laptop"].id


@pytest.mark.parametrize(
    "arguments", [("x", "--instance", "nowhere"), ("x", "--instance", ""), (), ("a", "b"), ("",)]
)
def test_a_wrong_argument_is_exit_2(arguments: tuple[str, ...], env: dict[str, str]) -> None:
    assert run("pull", *arguments, "--json", env=env).code == ExitCode.USAGE


def test_nobody_to_download_to_is_exit_3(tmp_path: Path) -> None:
    config = {"discovery": {"loopback": False}}
    (tmp_path / "config.toml").write_text(tomli_w.dumps(config), "utf-8")
    env = {**os.environ, "OLLAMAMASTER_HOME": str(tmp_path)}
    assert error_of(run("pull", "phi4", "--json", env=env)) == ("no_instance", 3)


def test_a_route_downloads_what_nobody_has_and_answers_with_it(
    fleet: SimulatedFleet, env: dict[str, str]
) -> None:
    asked = ("-m", "llama3.1:70b", "--option", "num_predict=3", "--json")
    without = run("route", "hi", *asked, env=env)
    assert error_of(without) == ("model_unknown", ExitCode.NO_CANDIDATE)
    done = run("route", "hi", *asked, "--pull", env=env)
    assert done.code == 0
    assert done.data["model"] == "llama3.1:70b"
    assert "downloading llama3.1:70b onto gaming-pc" in done.err


def test_a_route_whose_download_fails_is_exit_5(env: dict[str, str]) -> None:
    done = run("route", "hi", "-m", "no-such-model", "--pull", "--json", env=env)
    assert error_of(done) == ("all_failed", ExitCode.ALL_FAILED)
