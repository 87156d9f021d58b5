"""What a person is told who asked for what cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fleets import known
from program import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ollamamaster.simulator.sandbox import SimulatedFleet


@pytest.fixture(scope="module")
def fleet() -> Iterator[SimulatedFleet]:
    with known("home", speed=200.0) as found:
        yield found


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("rout", "route"), ("list", "models"), ("ps", "models --loaded"), ("run", "route -m MODEL")],
)
def test_an_unknown_command_is_answered_with_the_one_that_is_meant(typed: str, meant: str) -> None:
    done = run(typed, "x")
    assert done.code == 2
    assert f"did you mean: ollamamaster {meant}" in done.err


@pytest.mark.parametrize(("typed", "meant"), [("stat", "stats"), ("lst", "list")])
def test_an_unknown_command_of_a_group_is_answered_with_one_of_the_group(
    typed: str, meant: str
) -> None:
    done = run("history", typed)
    assert done.code == 2
    assert f"did you mean: ollamamaster history {meant}\n" in done.err


def test_a_word_like_no_command_of_its_group_is_answered_with_the_help_alone() -> None:
    assert "did you mean" not in run("history", "frobnicate").err


def test_a_prompt_without_quotes_is_told_to_use_them() -> None:
    assert "quotes" in run("route", "hello", "there").err


def test_an_instance_that_lacks_the_model_is_told_who_has_it(env: dict[str, str]) -> None:
    done = run("route", "hi", "-m", "gemma3:1b", "--instance", "gaming-pc", env=env)
    assert done.code == 4
    assert "does not have gemma3:1b" in done.err
    assert "it is on: laptop" in done.err
    assert "pull gemma3:1b --instance gaming-pc" in done.err


def test_an_instance_that_is_down_is_said_to_be_down(env: dict[str, str], tmp_path: Path) -> None:
    config = tmp_path / "home" / "config.toml"
    config.write_text(
        config.read_text("utf-8") + '\n[instances."127.0.0.1:1"]\nlabel = "attic"\n', "utf-8"
    )
    done = run("route", "hi", "--instance", "attic", env=env)
    assert done.code == 3
    assert done.err.startswith("error: attic (127.0.0.1:1) is down")


def test_a_model_that_cannot_is_answered_with_those_that_can(
    env: dict[str, str], tmp_path: Path
) -> None:
    image = tmp_path / "x.png"
    image.write_bytes(b"\x89PNG\r\n\x1a\n")
    done = run("route", "what is this?", "-f", str(image), "-m", "phi4", env=env)
    assert done.code == 4
    assert "these can: " in done.err
    assert "llava:7b" in done.err
    assert "it does not have it" not in done.err


def test_a_target_where_nothing_answers_is_named(tmp_path: Path) -> None:
    done = run("discover", "127.0.0.1:1")
    assert done.code == 3
    assert done.err.startswith("error: no Ollama found at 127.0.0.1:1\n")


def test_a_capability_may_be_called_as_the_table_calls_it(env: dict[str, str]) -> None:
    images, vision = (run("models", "--capability", w, env=env) for w in ("images", "vision"))
    assert images.out == vision.out != ""


def test_a_capability_that_nobody_has_heard_of_is_refused(env: dict[str, str]) -> None:
    done = run("models", "--capability", "visoin", env=env)
    assert (done.code, done.out) == (2, "")
    assert "vision" in done.err


def test_a_filter_that_nothing_passes_says_so(env: dict[str, str]) -> None:
    done = run("models", "nosuch", env=env)
    assert (done.code, done.out) == (0, "")
    assert done.err == "none of the 11 models of the fleet matches\n"
