"""`compare` as a person and a script use it: a process, in a pipe and on a terminal."""

from __future__ import annotations

import os
import re
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from fleets import known, load
from program import ended, home_for, on_terminal, run, running, wait_until

from ollamamaster.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ollamamaster.simulator.sandbox import SimulatedFleet

posix = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")

A, B, JUDGE = "alpha:1b", "beta:1b", "judge:1b"
EVIL = "evil\\u001b[31m\\u0007[bold]x:1b"
FLEET = f"""
[[instances]]
name = "one"
bandwidth_gb_s = 60
prefill_tokens_s = 1000
models = ["{A}", "{JUDGE}"]

[[instances]]
name = "two"
bandwidth_gb_s = 60
prefill_tokens_s = 1000
models = ["{B}", "{EVIL}"]
""" + "".join(
    f"""
[[models]]
name = "{name}"
size_gb = 0.8
parameters_b = 1.0
"""
    for name in (A, B, JUDGE, EVIL)
)
BOTH = ("compare", "hi", "-m", f"{A},{B}")
ESSAYS = ("compare", "Write a long essay about the sea", *BOTH[2:])
_STYLES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fleet") / "two.toml"
    path.write_text(FLEET, "utf-8")
    return path


@pytest.fixture(scope="module")
def fleet(two: Path) -> Iterator[SimulatedFleet]:
    with known(two, speed=100.0) as found:
        yield found


@pytest.fixture(scope="module")
def lengthy(two: Path) -> Iterator[SimulatedFleet]:
    with known(two, speed=1.0) as found:
        yield found


@pytest.fixture
def essayists(lengthy: SimulatedFleet, tmp_path: Path) -> tuple[SimulatedFleet, dict[str, str]]:
    """Machines that write their ESSAYS for more than a minute, and a home that knows them."""
    for name, model in (("one", A), ("two", B)):
        lengthy[name].restart()
        load(lengthy[name], model)
        lengthy[name].fault("slow", count=None)
    return lengthy, home_for(lengthy, tmp_path / "home")


def last_screen(raw: str) -> list[str]:
    """The lines that are left when the columns that moved have gone."""
    shown = raw.rpartition("\x1b[?25h")[2]
    return _STYLES.sub("", shown).replace("\r", "").splitlines()


def test_in_a_pipe_there_is_a_block_for_each_model(env: dict[str, str]) -> None:
    done = run(*BOTH, env=env)
    assert done.code == ExitCode.OK
    heads = [line.split("\t") for line in done.out.splitlines() if line.startswith("## ")]
    assert [head[0] for head in heads] == [f"## {A}", f"## {B}"]
    assert [head[2] for head in heads] == ["ok", "ok"]
    assert all(float(head[3]) > 0 and float(head[4]) > 0 for head in heads)
    assert done.out.count("[simulated]") == 2


def test_a_judge_that_nobody_has_is_told_once(env: dict[str, str]) -> None:
    done = run(*BOTH, "--judge", "nosuch", env=env)
    assert done.code == ExitCode.OK
    assert done.err.count("nosuch") == 1
    assert "the judge failed: no instance has nosuch" in done.err


def test_the_judges_score_stands_in_the_header(env: dict[str, str]) -> None:
    done = run(*BOTH, "--judge", JUDGE, "--criteria", "brevity", env=env)
    heads = [line.split("\t") for line in done.out.splitlines() if line.startswith("## ")]
    assert [len(head) for head in heads] == [6, 6]


def test_a_vote_in_a_pipe_is_one_answer_and_nothing_else(env: dict[str, str]) -> None:
    done = run(*BOTH, "--vote", env=env)
    assert done.out.count("[simulated]") == 1
    assert "##" not in done.out


def test_the_json_has_a_result_for_each_in_the_order_of_their_names(env: dict[str, str]) -> None:
    done = run("compare", "hi", "-m", f"{B},nobody:1b,{A}", "--json", env=env)
    assert (done.code, done.envelope["status"]) == (0, "partial")
    assert [r["model"] for r in done.data["results"]] == [B, "nobody:1b", A]
    assert [r["outcome"] for r in done.data["results"]] == ["ok", "model_missing", "ok"]
    assert done.envelope["errors"][0]["code"] == "model_unknown"
    assert (done.data["judge"], done.data["vote"]) == (None, None)
    assert done.data["fastest"] in {0, 2}


def test_a_partial_result_is_exit_8_with_strict(env: dict[str, str]) -> None:
    done = run("compare", "hi", "-m", f"{A},nobody:1b", "--strict", "--json", env=env)
    assert done.code == ExitCode.PARTIAL
    assert done.envelope["status"] == "partial"
    assert done.envelope["errors"][0]["code"] == "partial"
    assert done.data["results"][0]["outcome"] == "ok"
    plain = run("compare", "hi", "-m", f"{A},nobody:1b", "--strict", env=env)
    assert plain.code == ExitCode.PARTIAL
    assert "[simulated]" in plain.out


def test_a_whole_result_is_exit_0_with_strict(env: dict[str, str]) -> None:
    assert run(*BOTH, "--strict", env=env).code == ExitCode.OK


def test_names_that_nobody_has_are_exit_4(env: dict[str, str]) -> None:
    done = run("compare", "hi", "-m", "nobody:1b,noone:1b", "--json", env=env)
    assert (done.code, done.envelope["status"]) == (ExitCode.NO_CANDIDATE, "error")
    assert [r["outcome"] for r in done.data["results"]] == ["model_missing"] * 2


def test_all_that_fail_are_exit_5(fleet: SimulatedFleet, env: dict[str, str]) -> None:
    for instance in fleet:
        instance.fault("error_500", count=None)
    done = run(*BOTH, "--json", env=env)
    assert done.code == ExitCode.ALL_FAILED
    assert [r["outcome"] for r in done.data["results"]] == ["http_error"] * 2


def test_one_dead_machine_leaves_the_others_answer(
    fleet: SimulatedFleet, env: dict[str, str]
) -> None:
    fleet["two"].stop()
    done = run(*BOTH, "--json", env=env)
    assert (done.code, done.envelope["status"]) == (0, "partial")
    assert done.data["results"][0]["outcome"] == "ok"
    assert done.data["results"][1]["outcome"] != "ok"


@pytest.mark.parametrize(
    "wrong",
    [
        ("-m", "a,,b"),
        ("-m", "a", "--per-tier"),
        ("--per-tier", "--instances"),
        ("-m", "a,b", "--instances"),
        ("--criteria", "brevity"),
        ("--judge", " "),
        ("--max-time", "0"),
        ("--max-time", "nan"),
    ],
)
def test_options_that_contradict_are_a_usage_error(
    wrong: tuple[str, ...], env: dict[str, str]
) -> None:
    done = run("compare", "hi", *wrong, "--json", env=env)
    assert done.code == ExitCode.USAGE


def test_without_a_prompt_it_says_what_to_type(env: dict[str, str]) -> None:
    done = run("compare", "-m", A, env=env)
    assert done.code == ExitCode.USAGE
    assert 'ollamamaster compare "PROMPT"' in done.err


@posix
@pytest.mark.parametrize("columns", [120, 80, 60])
def test_columns_on_a_terminal_fit_it(columns: int, env: dict[str, str]) -> None:
    shown = on_terminal(*BOTH, env=env, columns=columns)
    assert shown.code == 0
    lines = last_screen(shown.raw)
    assert all(len(line) <= columns for line in lines)
    text = "\n".join(lines)
    beside = f"{A} · one" in lines[0] and f"{B} · two" in lines[0]
    assert beside == (columns >= 72)
    assert "tok/s" in text
    assert "fastest:" in text


@posix
def test_a_model_that_failed_is_shown_as_such(fleet: SimulatedFleet, env: dict[str, str]) -> None:
    fleet["two"].fault("error_500", count=None)
    shown = on_terminal(*BOTH, env=env)
    assert shown.code == 0
    assert "failed: http_error" in shown.raw


@posix
def test_a_name_cannot_act_on_the_terminal(env: dict[str, str]) -> None:
    shown = on_terminal("compare", "hi", "-m", f"{A},evil\x1b[31m\x07[bold]x:1b", env=env)
    assert shown.code == 0
    assert "\x1b[31m\x07" not in shown.raw
    assert "\x07" not in shown.raw
    assert "[bold]x" in shown.raw


@posix
@pytest.mark.parametrize("json", [False, True])
def test_a_signal_ends_all_of_them(
    json: bool, essayists: tuple[SimulatedFleet, dict[str, str]]
) -> None:
    fleet, env = essayists
    with running(*ESSAYS, *(["--json"] if json else []), env=env) as process:
        wait_until(lambda: all(i.state()["running"] for i in fleet), "both generate")
        os.kill(process.pid, signal.SIGINT)
        done = ended(process)
    assert done.code == ExitCode.INTERRUPTED
    wait_until(lambda: not any(i.state()["running"] for i in fleet), "both are cancelled")
    if json:
        assert [r["outcome"] for r in done.data["results"]] == ["cancelled"] * 2
    else:
        assert done.out == ""


@posix
@pytest.mark.parametrize("columns", [120, 60])
def test_ctrl_c_while_columns_are_drawn_leaves_what_had_come(
    columns: int, essayists: tuple[SimulatedFleet, dict[str, str]]
) -> None:
    fleet, env = essayists

    def both_write(raw: str) -> bool:
        return raw.rpartition(A)[2].count("[simulated]") == 2

    shown = on_terminal(*ESSAYS, env=env, columns=columns, stopped_when=both_write)
    assert shown.code == ExitCode.INTERRUPTED
    wait_until(lambda: not any(i.state()["running"] for i in fleet), "both are cancelled")
    assert "\x1b[?25h" in shown.raw, "the cursor is seen again"
    text = "\n".join(last_screen(shown.raw))
    assert (text.count("[simulated]"), text.count("─ stopped ─")) == (2, 2)
    assert "Traceback" not in text
