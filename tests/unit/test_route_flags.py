"""The options of `route` as they are typed."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ollamamaster.cli.route_flags import RouteFlags
from ollamamaster.domain.settings import Performance, RouteSettings, Settings
from ollamamaster.domain.tickets import Priority
from ollamamaster.errors import FileUnusableError, PromptMissingError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from ollamamaster.domain.routing import RouteRequest

PLAIN = RouteFlags(
    prompt="hello",
    files=(),
    system=None,
    model=None,
    performance=None,
    max_time=None,
    instance=None,
    local_only=False,
    format=None,
    options=(),
    think=None,
    keep_alive=None,
    pull=False,
    stream=None,
    explain=False,
)


@pytest.fixture(autouse=True)
def nothing_is_piped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)


def test_a_priority_and_no_hedging_are_asked_for() -> None:
    asked = request(priority=Priority.HIGH, hedge=False)
    assert (asked.priority, asked.hedge) == (Priority.HIGH, False)


def request(settings: Settings | None = None, **flags: Any) -> RouteRequest:
    return replace(PLAIN, **flags).request(settings or Settings())


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("seed=1", "seed", 1),
        ("temperature=0.5", "temperature", 0.5),
        ('stop=["a","b"]', "stop", ["a", "b"]),
        ("use_mmap=true", "use_mmap", True),
        ("num_ctx=many", "num_ctx", "many"),
        ("a=b=c", "a", "b=c"),
        ("empty=", "empty", ""),
        ("deep=" + "[" * 100_000, "deep", "[" * 100_000),
    ],
)
def test_an_option_is_json_where_it_can_be_and_text_else(text: str, key: str, value: Any) -> None:
    assert request(options=(text,)).options == {key: value}


@pytest.mark.parametrize("text", ["novalue", "=1", " =1", ""])
def test_an_option_without_a_key_or_value_is_named(text: str) -> None:
    with pytest.raises(UsageError, match="--option"):
        request(options=(text,))


@pytest.mark.parametrize(
    ("text", "value"),
    [("10m", "10m"), ("1h30m", "1h30m"), ("1.5h", "1.5h"), ("0", 0), ("-1", -1), ("90", 90)],
)
def test_keep_alive_is_a_duration_or_seconds(text: str, value: str | int) -> None:
    assert request(keep_alive=text).keep_alive == value


@pytest.mark.parametrize(
    "text", ["soon", "10 minutes", "", "1.5", "m10", "--1", "99999999999h", "9" * 5000]
)
def test_a_keep_alive_that_is_neither_is_named(text: str) -> None:
    with pytest.raises(UsageError, match="--keep-alive"):
        request(keep_alive=text)


@pytest.mark.parametrize("seconds", [0.0, -3.0, float("nan"), float("inf")])
def test_a_deadline_is_a_number_of_seconds_above_0(seconds: float) -> None:
    with pytest.raises(UsageError, match="--max-time"):
        request(max_time=seconds)


@pytest.mark.parametrize("name", ["", " "])
def test_a_model_without_a_name_is_no_wish_for_any_model(name: str) -> None:
    with pytest.raises(UsageError, match="--model"):
        request(model=name)


def test_pull_needs_a_model() -> None:
    with pytest.raises(UsageError, match="--pull needs --model"):
        request(pull=True)


def test_what_is_typed_goes_before_the_config() -> None:
    settings = Settings(route=RouteSettings(performance=Performance.FAST, max_time_s=9))
    typed = request(settings, performance=Performance.POWERFUL, max_time=3.0)
    assert (typed.performance, typed.max_time_s) == (Performance.POWERFUL, 3.0)
    assert (request(settings).performance, request(settings).max_time_s) == (Performance.FAST, 9)


def test_a_config_that_stays_local_cannot_be_left_by_a_flag() -> None:
    assert request(Settings(route=RouteSettings(local_only=True))).local_only


def test_a_schema_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text('{"type": "object"}', "utf-8")
    assert request(format=str(tmp_path / "s.json")).format == {"type": "object"}
    assert request(format="json").format == "json"


@pytest.mark.parametrize("content", ["", "{", "[1]", "[" * 100_000, "1"])
def test_a_file_that_is_no_schema_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(content, "utf-8")
    with pytest.raises(FileUnusableError, match="--format"):
        request(format=str(tmp_path / "s.json"))


def test_an_inline_schema_is_told_that_a_file_is_wanted() -> None:
    with pytest.raises(FileUnusableError, match="--format"):
        request(format=json.dumps({"x": "y" * 5000}))


@pytest.mark.parametrize("prompt", [None, "", " \n", "-"])
def test_without_words_there_is_no_prompt(prompt: str | None) -> None:
    with pytest.raises(PromptMissingError):
        request(prompt=prompt)


def test_a_prompt_with_half_a_character_is_no_text() -> None:
    with pytest.raises(FileUnusableError):
        request(prompt="\udcff")


def test_a_closed_standard_input_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr("sys.stdin", closed)
    assert request().prompt == "hello"
