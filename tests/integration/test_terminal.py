"""What a person sees on a terminal, and what can never act on it."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from typing import TYPE_CHECKING, Any

import pytest
from program import Screen, home_for, on_terminal, run, running
from screen import Screen as Terminal

from ollamamaster.cli.json_keys import LINES
from ollamamaster.errors import ExitCode
from ollamamaster.simulator.sandbox import SimulatedFleet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")

# A name may hold anything that TOML and Ollama's JSON can carry.
EVIL = "evil\u001b[31m\u001b]0;owned\u0007\t[bold]x[/bold]\nsecond\u009b2J\u202e:1b"
_MODEL = """
[[models]]
name = %s
size_gb = %s
parameters_b = 3.0
"""
FLEET = f"""
[[instances]]
name = "here"
ram_gb = 16
bandwidth_gb_s = 60
prefill_tokens_s = 100
models = ["llama3.2:3b", {json.dumps(EVIL)}]
""" + "".join(_MODEL % known for known in (('"llama3.2:3b"', 2.0), (json.dumps(EVIL), 0.8)))
SHORT = ("-m", "llama3.2:3b", "--option", "num_predict=8")
# What the program itself may write: colours and styles, and erasing its own status and bars.
_OURS = re.compile(r"\x1b\[[0-9;]*m|\r|\x1b\[2?K|\x1b\[\d+[AD]|\x1b\[\?25[lh]")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedFleet]:
    path = tmp_path_factory.mktemp("fleet") / "evil.toml"
    path.write_text(FLEET, "utf-8")
    with SimulatedFleet.start(path, speed=50.0) as found:
        assert run("discover", env=found.environment()).code == 0
        yield found


@pytest.fixture
def env(fleet: SimulatedFleet, tmp_path: Path) -> dict[str, str]:
    fleet["here"].clear_faults()
    return home_for(fleet, tmp_path / "home")


def harmless(text: str) -> bool:
    """Whether nothing but our own sequences and line ends could act on a terminal."""
    rest = _OURS.sub("", text)
    return not any(unicodedata.category(c) in {"Cc", "Cf"} and c != "\n" for c in rest)


def test_the_name_is_as_hostile_as_it_should_be(env: dict[str, str]) -> None:
    names = [m["name"] for m in run("models", "--json", env=env).data["models"]]
    assert EVIL in names


@pytest.mark.parametrize(
    "arguments",
    [
        ("models",),
        ("route", "hi", "--explain"),
        ("route", "hi", "-m", EVIL[:-2] + "2b"),
        ("route", "hi", "-m", EVIL[:-3], "--option", "num_predict=3"),
        ("route", "hi", "-m", EVIL, "--option", "num_predict=3"),
        ("pull", EVIL),
    ],
)
def test_a_hostile_name_cannot_act_on_a_terminal(
    arguments: tuple[str, ...], env: dict[str, str]
) -> None:
    screen = on_terminal(*arguments, env=env)
    assert harmless(screen.raw), screen.raw
    assert "[bold]" in screen.raw.replace("\r\n", "")


@pytest.mark.parametrize("arguments", [("models",), ("discover",), ("route", "hi", "--explain")])
def test_a_hostile_name_stays_in_its_cell(arguments: tuple[str, ...], env: dict[str, str]) -> None:
    done = run(*arguments, env=env)
    assert done.code == 0
    plain = run(*arguments, env=env).out.splitlines()
    assert len({line.count("\t") for line in plain}) == 1
    assert all(c.isprintable() or c in "\t\n" for c in done.out)


def test_a_hostile_answer_cannot_act_on_a_terminal(
    fleet: SimulatedFleet, env: dict[str, str]
) -> None:
    fleet["here"].fault("control_characters")
    screen = on_terminal("route", "hello", *SHORT, env=env, stderr_apart=True)
    assert screen.code == 0
    text = screen.raw.replace("\r\n", "\n")
    assert not any(unicodedata.category(c) == "Cc" and c not in "\n\t" for c in text), text
    assert "[bold red]markup[/]" in text


def test_a_hostile_answer_is_verbatim_in_a_pipe(fleet: SimulatedFleet, env: dict[str, str]) -> None:
    fleet["here"].fault("control_characters")
    done = run("route", "hello", *SHORT, env=env)
    assert "\x1b[31mred\x1b]0;title\x07" in done.out


def test_a_terminal_gets_the_answer_and_a_line_that_says_who_gave_it(env: dict[str, str]) -> None:
    screen = on_terminal("route", "hello", *SHORT, env=env, stderr_apart=True)
    assert screen.code == 0
    assert screen.raw.startswith("[simulated]")
    assert "\x1b" not in screen.raw

    both = on_terminal("route", "hello", *SHORT, env=env)
    last = both.raw.replace("\r\n", "\n").splitlines()[-1]
    assert re.search(r"llama3\.2:3b on here · \d+\.\d s · \d+ tok/s", last)


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedFleet]:
    """A fleet that writes for seconds, and answers one at a time."""
    path = tmp_path_factory.mktemp("fleet") / "slow.toml"
    path.write_text(FLEET, "utf-8")
    with SimulatedFleet.start(path, speed=1.0) as found:
        assert run("discover", env=found.environment()).code == 0
        yield found


@pytest.fixture
def slowly(slow: SimulatedFleet, tmp_path: Path) -> dict[str, str]:
    slow["here"].clear_faults()
    return home_for(slow, tmp_path / "home")


LONG = ("-m", "llama3.2:3b", "--option", "num_predict=80")


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_while_an_answer_is_written_its_progress_stands_behind_it_and_leaves_no_trace(
    columns: int, slowly: dict[str, str]
) -> None:
    seen = on_terminal("route", "hello", *LONG, env=slowly, columns=columns)
    assert re.search(r"\x1b\[2m  \d+ tokens · \d+ tok/s", seen.raw)
    screen = Terminal(columns)
    screen.write(seen.raw)
    said, answer = (
        # lines are broken at other places
        "".join(text.split())
        for text in ("".join(screen.lines), run("route", "hello", *LONG, env=slowly).out)
    )
    assert said.startswith(answer + "llama3.2:3bonhere·")


def test_progress_is_not_dimmed_where_no_style_is_wanted(slowly: dict[str, str]) -> None:
    seen = on_terminal("route", "hello", *LONG, env=slowly, NO_COLOR="1")
    assert re.search(r"\d+ tokens · \d+ tok/s", seen.raw)
    assert "\x1b[2m" not in seen.raw


def test_an_answer_that_is_not_shown_tells_its_progress_on_the_status_line(
    slowly: dict[str, str],
) -> None:
    seen = on_terminal("route", "hello", *LONG, "--no-stream", env=slowly)
    assert re.search(r"\r\x1b\[2Kllama3\.2:3b on here · \d+ tokens · \d+ tok/s", seen.raw)


@pytest.fixture
def held(slow: SimulatedFleet, slowly: dict[str, str]) -> Iterator[None]:
    """The only place is held by a route that should take long, and is never answered."""
    slow["here"].fault("hang_generate", count=None)
    long = ("-m", "llama3.2:3b", "--option", "num_predict=100000")
    with running("route", "one", *long, "--json", "--stream", env=slowly) as first:
        assert first.stdout is not None
        # the line of its attempt says that it has its place
        assert json.loads(first.stdout.readline())["type"] == "attempt"
        yield
    slow["here"].clear_faults()


def test_who_waits_is_told_so_on_a_terminal(held: None, slowly: dict[str, str]) -> None:
    said = "1st in line on here, starts in about "
    seen = on_terminal("route", "two", *SHORT, env=slowly, stopped_when=lambda text: said in text)
    assert said in seen.raw
    assert seen.code == ExitCode.INTERRUPTED


def test_who_waits_is_told_so_in_json(
    held: None, slow: SimulatedFleet, slowly: dict[str, str]
) -> None:
    with running("route", "two", *SHORT, "--json", "--stream", env=slowly) as second:
        assert second.stdout is not None
        waiting = json.loads(second.stdout.readline())
    assert set(waiting) == set(LINES["waiting"].split())
    assert (waiting["type"], waiting["position"]) == ("waiting", 1)
    assert waiting["instance"] == slow["here"].id


def test_quiet_leaves_the_answer_alone(env: dict[str, str]) -> None:
    screen = on_terminal("route", "hello", *SHORT, "-q", env=env)
    assert "\x1b" not in screen.raw
    assert "tok/s" not in screen.raw


def coloured(screen: Screen) -> bool:
    return re.search(r"\x1b\[[0-9;]*3\d", screen.raw) is not None


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (("models", "--no-color"), {}),
        (("models",), {"NO_COLOR": "1"}),
        (("discover", "--no-color"), {}),
        (("route", "hi", "--explain"), {"NO_COLOR": "1"}),
    ],
)
def test_no_colour_is_written_where_none_is_wanted(
    arguments: tuple[str, ...], variables: dict[str, Any], env: dict[str, str]
) -> None:
    screen = on_terminal(*arguments, env=env, **variables)
    assert screen.code == 0
    assert not coloured(screen)


def test_a_dumb_terminal_is_no_terminal(env: dict[str, str]) -> None:
    screen = on_terminal("models", "3b", env=env, TERM="dumb")
    assert screen.raw.replace("\r\n", "\n") == run("models", "3b", env=env).out
    screen = on_terminal("route", "hello", *SHORT, env=env, TERM="dumb")
    assert "\x1b" not in screen.raw


@pytest.mark.parametrize("columns", [30, 80, 200])
def test_a_table_fits_its_terminal(columns: int, env: dict[str, str]) -> None:
    screen = on_terminal("models", env=env, columns=columns)
    lines = _OURS.sub("", screen.raw).replace("\r\n", "\n").splitlines()
    assert max(map(len, lines)) <= columns


def test_without_a_prompt_a_terminal_gets_a_usage_error(env: dict[str, str]) -> None:
    screen = on_terminal("route", env=env)
    assert screen.code == ExitCode.USAGE
    assert "there is no prompt" in screen.raw


def test_a_download_draws_a_bar_and_leaves_no_trace_of_it(env: dict[str, str]) -> None:
    screen = on_terminal("pull", "llama3.2:3b", env=env)
    assert screen.code == 0
    assert _OURS.sub("", screen.raw).splitlines()[-1].startswith("llama3.2:3b on ")


def test_a_hostile_answer_cannot_act_on_a_dumb_terminal_either(
    fleet: SimulatedFleet, env: dict[str, str]
) -> None:
    fleet["here"].fault("control_characters")
    screen = on_terminal("route", "hello", *SHORT, env={**env, "TERM": "dumb"}, stderr_apart=True)
    assert screen.code == 0
    assert "\x1b" not in screen.raw


def test_marks_stay_apart_on_a_terminal_that_does_not_know_them(env: dict[str, str]) -> None:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    inherited = {name: value for name, value in env.items() if name != "PYTHONIOENCODING"}
    shown = on_terminal("route", "hello", "--explain", "--no-color", env={**inherited, **plain})
    assert shown.code == 0
    assert shown.raw.isascii()
    assert re.search(r"^>  ", shown.raw, re.MULTILINE)
    assert " - easy (" in shown.raw


def test_whoever_starts_the_mcp_server_by_hand_is_told_what_it_waits_for(
    env: dict[str, str],
) -> None:
    shown = on_terminal("serve-mcp", env=env, stopped_when=lambda text: "install-mcp" in text)
    assert shown.code == ExitCode.INTERRUPTED
    assert "waiting for an MCP host on stdin; Ctrl-C ends it" in shown.raw
