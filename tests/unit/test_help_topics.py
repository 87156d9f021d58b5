from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ollamamaster.cli.app import COMMANDS, run
from ollamamaster.cli.command_help import command_help
from ollamamaster.cli.environment import environment
from ollamamaster.cli.exit_codes import MEANINGS, error_codes
from ollamamaster.cli.help_topics import TOPICS, columns, topic_text
from ollamamaster.cli.output import OUTPUT, Output
from ollamamaster.cli.readme_parts import (
    commands_markdown,
    environment_markdown,
    exit_codes_markdown,
    json_keys_markdown,
)
from ollamamaster.cli.shells.tree import command_tree
from ollamamaster.errors import ErrorCode, ExitCode
from ollamamaster.storage.schema import OTHER_VARIABLES, variables

if TYPE_CHECKING:
    from collections.abc import Iterator

topics = pytest.mark.parametrize("topic", list(TOPICS))


@pytest.fixture(autouse=True)
def fresh_output(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One process runs one command; here several do, on 80 columns wherever they are run."""
    monkeypatch.setenv("COLUMNS", "80")
    before = dict(vars(OUTPUT))
    vars(OUTPUT).update(vars(Output()))
    yield
    vars(OUTPUT).clear()
    vars(OUTPUT).update(before)


def helped(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = run(["help", *words])
    return code, capsys.readouterr().out


def enveloped(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    envelope: dict[str, Any] = json.loads(helped(capsys, *words, "--json")[1])
    return envelope


@topics
def test_help_prints_the_text_of_a_topic(topic: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert helped(capsys, topic) == (0, topic_text(topic))


@topics
def test_a_topic_fits_into_eighty_columns(topic: str) -> None:
    assert [line for line in topic_text(topic).splitlines() if len(line) > 80] == []


def test_without_a_topic_every_topic_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = helped(capsys)
    assert code == 0
    assert [topic for topic in TOPICS if f"  {topic} " not in text] == []


def test_the_data_of_help_is_the_topic_and_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    data = enveloped(capsys, "targets")["data"]
    assert data == {"topic": "targets", "text": topic_text("targets").rstrip("\n")}


def test_the_topic_of_the_list_is_null(capsys: pytest.CaptureFixture[str]) -> None:
    assert enveloped(capsys)["data"]["topic"] is None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("exitcodes", "exit-codes"), ("enviroment", "environment"), ("rout", "route")],
)
def test_an_unknown_topic_is_a_usage_error_that_names_the_nearest(
    typed: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    envelope = enveloped(capsys, typed)
    assert envelope["exit_code"] == ExitCode.USAGE
    assert envelope["errors"][0]["hint"] == f"did you mean {meant}?"


def test_a_topic_that_is_like_none_is_told_all(capsys: pytest.CaptureFixture[str]) -> None:
    hint = enveloped(capsys, "zzzzzz")["errors"][0]["hint"]
    assert [name for name in (*TOPICS, *COMMANDS) if name not in hint] == []


@pytest.mark.parametrize("words", [("route",), ("sandbox", "run"), ("config",), ("help",)])
def test_help_of_a_command_is_what_its_own_help_prints(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    run([*words, "--help"])
    own = capsys.readouterr().out
    vars(OUTPUT).update(vars(Output()))
    assert helped(capsys, *words) == (0, own)


def test_a_command_that_a_group_has_not_is_a_usage_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert helped(capsys, "config", "shew")[0] == ExitCode.USAGE


def test_every_exit_code_has_a_meaning() -> None:
    assert list(MEANINGS) == list(ExitCode)


def test_every_error_code_belongs_to_one_exit_code() -> None:
    assert sorted(code for exit_ in ExitCode for code in error_codes(exit_)) == sorted(ErrorCode)


def test_every_variable_of_the_schema_is_in_the_help() -> None:
    named = {name for name, _ in environment()}
    assert {*OTHER_VARIABLES, *(name for name, _, _ in variables()), "OLLAMA_HOST"} <= named


def test_the_exposure_topic_says_how_to_close_an_instance() -> None:
    assert "OLLAMA_HOST=127.0.0.1" in topic_text("exposure")


def test_a_long_word_of_a_column_stands_on_its_own_line() -> None:
    assert columns([("ab", "x"), ("abcdef", "y")], most=4) == "  ab  x\n  abcdef\n      y"


def test_the_readme_has_every_command_exit_code_and_variable() -> None:
    commands = commands_markdown()
    names = [node.name for node in command_tree().nodes() if node.path and not node.children]
    assert [name for name in names if f"### `{name}`\n" not in commands] == []
    assert exit_codes_markdown().count("\n") == len(ExitCode) + 2
    assert environment_markdown().count("\n") == len(list(environment())) + 2
    assert "| `instances[].gpu` | `count`, `source`, `vram_total`, `vram_used` |" in (
        json_keys_markdown()
    )


def test_the_help_in_the_readme_does_not_depend_on_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wide = command_help(["route"], width=80)
    monkeypatch.setenv("COLUMNS", "40")
    assert command_help(["route"], width=80) == wide


@pytest.mark.parametrize(
    ("words", "usage"),
    [
        (["pull"], "Usage: ollamamaster pull [OPTIONS] MODEL"),
        (["workflow", "show"], "Usage: ollamamaster workflow show [OPTIONS] {NAME|PATH}"),
        (["workflow", "run"], "Usage: ollamamaster workflow run [OPTIONS] [NAME|PATH]"),
        (["sandbox", "run"], "Usage: ollamamaster sandbox run [OPTIONS] COMMAND [ARG]..."),
    ],
)
def test_what_must_be_given_stands_bare_and_only_a_choice_in_braces(
    words: list[str], usage: str
) -> None:
    assert command_help(words).splitlines()[0] == usage
