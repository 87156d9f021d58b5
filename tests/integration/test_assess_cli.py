"""`ollamamaster assess` as people and scripts run it."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest
from fleets import known
from program import home_for, on_terminal, run

from ollamamaster.errors import ExitCode
from ollamamaster.simulator.sandbox import SimulatedFleet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from program import Done


@pytest.fixture(scope="module")
def fleet() -> Iterator[SimulatedFleet]:
    with known("home", speed=200.0) as found:
        yield found


def assess(env: dict[str, str], *arguments: str) -> Done:
    return run("assess", *arguments, env=env)


def data(env: dict[str, str], *arguments: str) -> Any:
    return assess(env, *arguments, "--json").data


def work_of(fleet: SimulatedFleet) -> dict[str, tuple[int, int]]:
    """What each instance has served and loaded."""
    states = {instance.name: instance.state() for instance in fleet}
    return {name: (state["served"], state["loads"]) for name, state in states.items()}


def finding(found: Any, key: str) -> Any:
    (one,) = (entry for entry in found["requirements"] if entry["key"] == key)
    return one


def test_yes_is_exit_code_0_and_says_where_it_would_run(env: dict[str, str]) -> None:
    done = assess(env, "What is the capital of France?", "--json")
    assert done.code == ExitCode.OK
    assert done.envelope["status"] == "ok"
    assert done.data["can_handle"] is True
    assert done.data["run"] in {"local", "lan"}
    assert done.data["missing"] == []


def test_no_is_exit_code_1_without_an_error(env: dict[str, str]) -> None:
    done = assess(env, "Summarise this 2000-page archive", "--json")
    assert done.code == 1
    assert done.envelope["status"] == "ok"
    assert done.envelope["errors"] == []
    assert done.data["can_handle"] is False
    assert done.data["run"] is None
    assert done.data["missing"]


def test_nothing_is_sent_to_any_model(fleet: SimulatedFleet, env: dict[str, str]) -> None:
    before = work_of(fleet)
    assess(env, "Analyze this 50-page document")
    assert work_of(fleet) == before


@pytest.mark.parametrize(
    ("question", "keys"),
    [
        ("real-time conversation with 100 ms latency", {"latency", "tokens_per_s"}),
        ("Analyze this 50-page document", {"context"}),
        ("I need an answer within 10 seconds", {"max_time"}),
        ("Summarise these 200 documents within an hour", {"max_time", "count"}),
        ("Describe this photo", {"capability"}),
        ("Translate it into German; it must not leave my network", {"privacy", "language"}),
    ],
)
def test_each_requirement_has_a_verdict_a_figure_and_a_source(
    question: str, keys: set[str], env: dict[str, str]
) -> None:
    found = data(env, question)
    assert {entry["key"] for entry in found["requirements"]} >= keys | {"memory", "quality"}
    for entry in found["requirements"]:
        assert entry["verdict"] in {"met", "not_met", "unknown"}
        assert entry["figure"]
        assert entry["source"]
        assert 0 < entry["chance"] < 1


def test_before_anything_was_measured_figures_are_priors(env: dict[str, str]) -> None:
    assert "prior" in finding(data(env, "hi", "--requirement", "max_time=1h"), "max_time")["source"]


def test_what_was_measured_is_said_to_be(env: dict[str, str]) -> None:
    pinned = ("-m", "llama3.1:8b", "--instance", "gaming-pc")
    for _ in range(3):
        assert run("route", "Tell me about tides", *pinned, env=env).code == 0
    found = data(env, "Tell me about tides", "--requirement", "tokens_per_s=100")
    measured = [
        c
        for c in (found["recommended"], *found["alternatives"])
        if c["model"] == "llama3.1:8b" and c["decode_tokens_per_s"] is not None
    ]
    assert measured


def test_a_pipe_gets_a_line_of_four_cells_a_requirement(env: dict[str, str]) -> None:
    done = assess(env, "I need an answer within 10 minutes")
    lines = [line.split("\t") for line in done.out.splitlines()]
    assert all(len(cells) == 4 for cells in lines)
    assert lines[0][:2] == ["max_time", "met"]


def test_the_file_is_counted_and_stands_in_the_command(env: dict[str, str], tmp_path: Path) -> None:
    report = tmp_path / "report.txt"
    report.write_text("The tide rises and falls twice a day. " * 2000)
    found = data(env, "Summarise it", "-f", str(report))
    assert any("19,0" in line for line in found["understood"])
    assert finding(found, "context")["limit"] > 19_000
    assert f"-f {shlex.quote(str(report))}" in found["command"]


def test_several_files_that_are_tasks_of_their_own_are_of_their_mean_length(
    env: dict[str, str], tmp_path: Path
) -> None:
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text("The tide rises and falls. " * 200)
    found = data(env, "Summarise these 3 documents", "-f", str(tmp_path / "*.txt"))
    assert finding(found, "count")["asks"] == "3 tasks"
    assert "xargs" in found["command"]


def test_the_task_may_come_from_standard_input(env: dict[str, str]) -> None:
    done = run("assess", "-", "--json", env=env, text="Analyze this 50-page document\n")
    assert finding(done.data, "context")["limit"] > 25_000


def test_the_named_command_is_one_that_can_be_run(env: dict[str, str]) -> None:
    command = shlex.split(data(env, "Fix this bug within 600 seconds")["command"])
    assert command[:2] == ["ollamamaster", "route"]
    assert run(*command[1:], "--explain", "--json", env=env).code == 0


def test_the_named_command_chooses_what_was_recommended(env: dict[str, str]) -> None:
    found = data(env, "real-time conversation with 100 ms latency")
    command = shlex.split(found["command"])
    chosen = run(*command[1:], "--explain", "--json", env=env).data["decision"]["chosen"]
    recommended = found["recommended"]
    assert (chosen["model"], chosen["instance"]) == (recommended["model"], recommended["instance"])


def test_a_model_that_is_named_to_be_pulled_makes_it_a_yes(env: dict[str, str]) -> None:
    asked = ("hi", "--requirement", "capability=thinking", "--requirement", "privacy=local")
    before = data(env, *asked)
    assert before["can_handle"] is False
    (missing,) = before["missing"]
    assert missing["code"] == "model_missing"
    assert re.fullmatch(r"ollamamaster pull \S+ --instance laptop", missing["fix"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("hi", "--requirement", "speed=3"), "'speed'"),
        (("hi", "--requirement", "latency"), "KEY=VALUE"),
        (("hi", "--requirement", "latency=soon"), "no duration"),
        (("hi", "-f", "no-such-file"), "does not exist"),
        ((), 'there is no task\n  ollamamaster assess "TASK"'),
    ],
)
def test_what_cannot_be_understood_is_exit_code_2(
    arguments: tuple[str, ...], said: str, env: dict[str, str]
) -> None:
    done = assess(env, *arguments)
    assert done.code == ExitCode.USAGE
    assert said in done.err


def test_without_any_instance_it_is_exit_code_3(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text("[discovery]\nloopback = false\n")
    assert run("assess", "hi", "--json").code == ExitCode.NO_INSTANCE


def test_a_fleet_that_is_down_is_to_be_started(tmp_path: Path) -> None:
    with SimulatedFleet.start("duo", speed=200.0) as duo:
        assert run("discover", env=duo.environment()).code == 0
        for instance in duo:
            instance.stop()
        env = home_for(duo, tmp_path / "down")
        # checked so long ago that every instance is asked again
        inventory = tmp_path / "down" / "inventory.toml"
        text = re.sub(r"(?m)^(checked_at = )\d{4}-", r"\g<1>2001-", inventory.read_text("utf-8"))
        inventory.write_text(text, "utf-8")
        found = data(env, "What is the capital of France?")
    assert found["can_handle"] is False
    assert "ollama serve" in {missing["fix"] for missing in found["missing"]}


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_on_a_terminal_the_answer_comes_first_and_no_line_is_too_long(
    columns: int, env: dict[str, str]
) -> None:
    asked = "Summarise these 200 documents within an hour"
    screen = on_terminal("assess", asked, env=env, columns=columns)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", screen.raw).replace("\r", "")
    lines = plain.splitlines()
    assert lines[0].startswith(("yes", "no"))
    assert max(map(len, lines)) <= columns
    assert "all done within 1 h" in plain


def test_a_slip_in_a_requirement_is_told_before_any_instance_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[discovery]\nloopback = false\n", "utf-8")
    nowhere = {**os.environ, "OLLAMAMASTER_HOME": str(tmp_path)}
    done = run("assess", "Fix a bug", "--requirement", "speed=1", env=nowhere)
    assert done.code == ExitCode.USAGE
    assert "'speed' is not known" in done.err
    assert "no inventory yet" not in done.err
