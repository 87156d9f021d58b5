"""`history` as a person and a script use it: a process, in a pipe and on a terminal."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from past import ATTEMPT, FLEET, decided, instance, known, record, remember
from program import PATIENCE_S, Done, command, home_for, on_terminal, run

from ollamamaster.domain.snapshot import Fleet
from ollamamaster.errors import Outcome
from ollamamaster.simulator.sandbox import SimulatedFleet
from ollamamaster.storage.history import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

posix = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX's")

NEW, OLD = time.time(), time.time() - 40 * 86_400
LISTS = {
    "list": {"requests": []},
    "stats": {"pairs": [], "estimates": {"count": 0, "p80_coverage": None, "median_error": None}},
}


def three(home: Path, *, store_text: bool = False) -> None:
    """An old request, one that failed over, and the latest."""
    refused = replace(
        ATTEMPT, instance="b:1", outcome=Outcome.CONNECT_ERROR, error="connection refused"
    )
    remember(
        home,
        record(id="1aaaaaaaaaaa", at=OLD),
        record(id="2bbbbbbbbbbb", at=NEW - 60, attempts=(refused, ATTEMPT)),
        record(id="2ccccccccccc", at=NEW, prompt="=1+1", answer="line one\nline two"),
        store_text=store_text,
    )


@pytest.mark.parametrize("word", list(LISTS))
def test_an_empty_history_is_an_empty_list_and_makes_no_file(word: str, home: Path) -> None:
    done = run("history", word, "--json")
    assert (done.code, done.data) == (0, LISTS[word])
    assert not (home / "history.db").exists()


def test_the_last_request_of_an_empty_history_leads_on(home: Path) -> None:
    (error,) = run("history", "show", "last", "--json").envelope["errors"]
    assert (error["code"], error["message"]) == ("usage", "no request is kept yet")
    assert "ollamamaster route" in error["hint"]


def test_an_empty_history_replays_nothing(home: Path) -> None:
    known(home)
    done = run("history", "replay", "--json")
    assert (done.code, done.data) == (0, {"replayed": 0, "changed": [], "total_delta_s": 0})


def test_the_list_in_a_pipe_has_a_request_a_line_between_tabs(home: Path) -> None:
    three(home)
    lines = [line.split("\t") for line in run("history", "list").out.splitlines()]
    assert [line[0] for line in lines] == ["2ccccccccccc", "2bbbbbbbbbbb", "1aaaaaaaaaaa"]
    assert lines[0][2:] == ["command", "qa", "small:1b", "a:1", "ok", "2.75"]
    assert lines[0][1].endswith("Z")


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["--limit", "1"], ["2ccccccccccc"]),
        (["--since", "7d"], ["2ccccccccccc", "2bbbbbbbbbbb"]),
        (["--since", "2020-01-01", "--limit", "2"], ["2ccccccccccc", "2bbbbbbbbbbb"]),
        (["--model", "big:70b"], []),
        (["--instance", "desk", "--limit", "1"], ["2ccccccccccc"]),
        (["--instance", "b:1"], []),
        (["--outcome", "all_failed"], []),
    ],
)
def test_the_list_has_only_what_was_asked_for(
    options: list[str], ids: list[str], home: Path
) -> None:
    known(home)
    (home / "config.toml").write_text('[instances."a:1"]\nlabel = "desk"\n')
    three(home)
    found = run("history", "list", "--json", *options).data["requests"]
    assert [each["id"] for each in found] == ids


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "--outcome", "splendid"],
        ["list", "--since", "yesterday"],
        ["list", "--since", "2026-13-45"],
        ["list", "--limit", "0"],
        ["list", "--limit", "99999999999999999999"],
        ["list", "--instance", ""],
        ["show", "zzz"],
        ["show", " "],
        ["show", "2"],
        ["clear"],
        ["clear", "--before", "soon", "--yes"],
        ["export"],
        ["export", "--format", "xml"],
        ["export", "-o", "no/such/folder/file"],
        ["replay", "--policy", "no-such.toml"],
    ],
)
def test_what_is_called_wrongly_is_exit_2_with_its_envelope(
    arguments: list[str], home: Path
) -> None:
    three(home)
    done = run("history", *arguments, "--json")
    assert (done.code, done.envelope["status"]) == (2, "error")
    assert run("history", "list", "--json").data["requests"]


def test_a_request_is_shown_with_its_decision_and_attempts(home: Path) -> None:
    three(home)
    shown = run("history", "show", "2B", "--json").data
    assert (shown["id"], shown["outcome"], shown["model"]) == ("2bbbbbbbbbbb", "ok", "small:1b")
    assert [each["outcome"] for each in shown["attempts"]] == ["connect_error", "ok"]
    assert shown["attempts"][0]["error"] == "connection refused"
    assert shown["decision"]["chosen"]["model"] == decided().ranked[0].model
    assert (shown["prompt"], shown["answer"]) == (None, None)


def test_stats_count_attempts_and_tell_how_estimates_came_true(home: Path) -> None:
    three(home)
    stats = run("history", "stats", "--json").data
    counted = {(p["instance"], p["model"]): (p["requests"], p["failures"]) for p in stats["pairs"]}
    assert counted == {("a:1", "small:1b"): (3, 0), ("b:1", "small:1b"): (1, 1)}
    error = pytest.approx(0.75 / 2.75, abs=1e-4)
    assert stats["estimates"] == {"count": 3, "p80_coverage": 1.0, "median_error": error}


def test_stats_in_a_pipe_tell_the_estimates_on_stderr(home: Path) -> None:
    three(home)
    done = run("history", "stats")
    assert [line.split("\t")[:4] for line in done.out.splitlines()] == [
        ["a:1", "small:1b", "3", "0"],
        ["b:1", "small:1b", "1", "1"],
    ]
    assert "100 % done within the p80" in done.err


def test_the_same_fleet_and_settings_replay_to_the_same(home: Path) -> None:
    decision = decided()
    chosen = decision.ranked[0]
    used = replace(ATTEMPT, model=chosen.model, instance=chosen.instance, outcome=Outcome.CANCELLED)
    known(home)
    remember(home, record(at=NEW, decision=decision, attempts=(used,)))
    assert run("history", "replay", "--json").data == {
        "replayed": 1,
        "changed": [],
        "total_delta_s": 0,
    }


def test_a_replay_in_a_pipe_tells_the_sum_on_stderr(home: Path) -> None:
    known(home)
    three(home)
    done = run("history", "replay")
    assert len(done.out.splitlines()) == int(done.err.split(" of 3 would go elsewhere")[0])


def test_a_policy_that_denies_what_was_used_sends_it_elsewhere(home: Path, tmp_path: Path) -> None:
    known(home)
    three(home)
    policy = tmp_path / "strict.toml"
    policy.write_text('[policy]\ndeny = ["instance:a:1", "model:big*"]\n')
    done = run("history", "replay", "--policy", str(policy), "--json")
    assert done.data["replayed"] == 3
    for each in done.data["changed"]:
        assert (each["from"]["instance"], each["to"]["instance"]) == ("a:1", "b:1")
        p50s = [each[side]["estimate"]["p50_s"] for side in ("to", "from")]
        assert each["delta_s"] == pytest.approx(p50s[0] - p50s[1], abs=2e-4)
    assert len(done.data["changed"]) == 3


def test_a_policy_that_keeps_prompts_in_the_network_sends_them_back_to_it(
    home: Path, tmp_path: Path
) -> None:
    known(home)
    three(home)
    policy = tmp_path / "private.toml"
    policy.write_text(
        '[instances."a:1"]\nlocality = "remote"\n[instances."b:1"]\nlocality = "lan"\n'
        "[route]\nlocal_only = true\n"
    )
    changed = run("history", "replay", "--policy", str(policy), "--json").data["changed"]
    assert {(each["from"]["instance"], each["to"]["instance"]) for each in changed} == {
        ("a:1", "b:1")
    }
    assert len(changed) == 3


def test_a_request_that_insisted_on_its_model_is_replayed_with_it(home: Path) -> None:
    known(home)
    on_big = replace(ATTEMPT, model="big:70b", instance="b:1")
    remember(home, record(at=NEW, decision=decided(model="big:70b"), attempts=(on_big,)))
    assert run("history", "replay", "--json").data["changed"] == []


def test_what_nobody_could_do_today_has_no_pair_and_no_difference(home: Path) -> None:
    known(home, Fleet((instance("c:1", "small:1b"),), FLEET.checked_at))
    on_big = replace(ATTEMPT, model="big:70b", instance="b:1")
    remember(home, record(at=NEW, decision=decided(model="big:70b"), attempts=(on_big,)))
    [changed] = run("history", "replay", "--json").data["changed"]
    assert (changed["from"]["model"], changed["to"], changed["delta_s"]) == ("big:70b", None, None)


def test_a_replay_without_an_instance_is_exit_3(home: Path) -> None:
    three(home)
    assert run("history", "replay", "--json").code == 3


def test_a_policy_with_a_mistake_is_exit_7_and_names_the_file(home: Path, tmp_path: Path) -> None:
    known(home)
    policy = tmp_path / "wrong.toml"
    policy.write_text("[policy]\ndeny = 3\n")
    done = run("history", "replay", "--policy", str(policy))
    assert done.code == 7
    assert "wrong.toml" in done.err


@pytest.mark.parametrize(
    ("name", "said"), [("absent.toml", "absent.toml does not exist"), ("", "is a directory")]
)
def test_a_policy_that_is_no_file_is_exit_2_and_says_why(
    name: str, said: str, home: Path, tmp_path: Path
) -> None:
    known(home)
    done = run("history", "replay", "--policy", str(tmp_path / name), "--json")
    (error,) = done.envelope["errors"]
    assert (done.code, error["code"]) == (2, "file_unusable")
    assert said in error["message"]


@posix
def test_a_policy_may_come_from_another_command(home: Path) -> None:
    known(home)
    three(home)
    rules = '[policy]\ndeny = ["instance:a:1"]\n'
    done = run("history", "replay", "--policy", "/dev/stdin", "--json", text=rules)
    assert len(done.data["changed"]) == 3


def test_the_path_is_one_line_whether_the_file_is_there_or_not(home: Path) -> None:
    assert run("history", "path").out == f"{home / 'history.db'}\n"
    assert run("history", "path", "--json").data == {"path": str(home / "history.db")}


def test_clearing_what_is_old_leaves_the_rest_and_what_was_learnt(home: Path) -> None:
    three(home)
    done = run("history", "clear", "--before", "30d", "--yes", "--json")
    assert (done.code, done.data) == (0, {"deleted": 1})
    assert len(run("history", "list", "--json").data["requests"]) == 2
    with closing(sqlite3.connect(home / "history.db")) as connection:
        assert connection.execute("SELECT count(*) FROM profiles").fetchone()[0] > 0


def test_what_is_cleared_is_in_no_file_any_more(home: Path) -> None:
    remember(home, record(at=NEW, prompt="xylophone-quartz " * 3000), store_text=True)
    assert run("history", "clear", "--yes").err == "1 request deleted\n"
    assert b"xylophone" not in b"".join(file.read_bytes() for file in home.iterdir())


def test_clearing_names_the_damaged_files_that_stay(home: Path) -> None:
    three(home)
    (home / "history.db.broken-20261122T120000Z").write_bytes(b"")
    assert (
        "history.db.broken-20261122T120000Z was set aside" in run("history", "clear", "--yes").err
    )


def test_an_export_of_json_lines_has_on_each_what_show_has(home: Path) -> None:
    three(home, store_text=True)
    lines = [json.loads(line) for line in run("history", "export").out.splitlines()]
    assert [each["id"] for each in lines] == ["1aaaaaaaaaaa", "2bbbbbbbbbbb", "2ccccccccccc"]
    assert lines[1] == run("history", "show", "2b", "--json").data


def test_an_export_as_csv_has_a_row_an_attempt_and_no_formula(home: Path) -> None:
    three(home, store_text=True)
    rows = list(csv.DictReader(io.StringIO(run("history", "export", "--format", "csv").out)))
    assert [row["id"][0] + row["attempt"] for row in rows] == ["11", "21", "22", "21"]
    assert rows[-1]["prompt"] == "'=1+1"
    assert rows[-1]["answer"] == "line one\nline two"
    assert rows[1]["attempt_outcome"] == "connect_error"


def test_a_request_without_an_attempt_has_one_row_of_csv(home: Path) -> None:
    remember(home, record(at=NEW, attempts=(), outcome="no_candidate"))
    [row] = csv.DictReader(io.StringIO(run("history", "export", "--format", "csv").out))
    assert (row["outcome"], row["attempt"], row["model"]) == ("no_candidate", "", "")


def test_an_export_into_a_file_is_for_this_user_only(home: Path, tmp_path: Path) -> None:
    three(home)
    file = tmp_path / "out.jsonl"
    done = run("history", "export", "-o", str(file), "--json")
    assert done.data == {"path": str(file), "requests": 3}
    assert len(file.read_text().splitlines()) == 3
    assert os.name == "nt" or file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("words", ["list", "show last", "stats", "replay", "export"])
def test_a_history_that_cannot_be_opened_is_exit_7(words: str, home: Path) -> None:
    known(home)
    with closing(sqlite3.connect(home / "history.db")) as newer:
        newer.execute(f"PRAGMA user_version={len(MIGRATIONS) + 1}")
    before = (home / "history.db").read_bytes()
    done = run("history", *words.split())
    assert done.code == 7
    assert done.err.startswith("error: ")
    assert "newer" in done.err
    assert (home / "history.db").read_bytes() == before


@pytest.mark.parametrize("words", ["list", "show last", "stats", "replay"])
def test_a_mistake_in_the_config_is_exit_7_in_a_pipe_as_on_a_terminal(
    words: str, home: Path
) -> None:
    three(home)
    (home / "config.toml").write_text("x = [\n", "utf-8")
    done = run("history", *words.split())
    assert (done.code, done.out) == (7, "")
    assert "not TOML" in done.err


def test_the_path_needs_no_config(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text("x = [\n", "utf-8")
    assert run("history", "path").code == 0


def test_a_damaged_history_is_set_aside_and_an_empty_list(home: Path) -> None:
    home.mkdir()
    (home / "history.db").write_bytes(b"damage" * 1000)
    done = run("history", "list")
    assert (done.code, done.out) == (0, "")
    assert "history.db.broken-" in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="a reader that goes is POSIX's")
def test_a_reader_that_goes_is_no_error(home: Path) -> None:
    three(home)
    end, start = os.pipe()
    os.close(end)
    done = subprocess.run(
        command("history", "export"),
        stdout=start,
        stderr=subprocess.PIPE,
        timeout=PATIENCE_S,
        check=False,
    )
    os.close(start)
    assert (done.returncode, done.stderr) == (0, b"")


@posix
@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("words", ["list", "show 2b", "stats", "replay --policy deny.toml"])
def test_everything_fits_the_terminal(
    words: str, columns: int, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(home)
    three(home)
    (tmp_path / "deny.toml").write_text('[policy]\ndeny = ["instance:a:1"]\n')
    monkeypatch.chdir(tmp_path)
    screen = on_terminal("history", *words.split(), env=os.environ, columns=columns)
    assert screen.code == 0
    text = re.sub(r"\x1b\[[0-9;]*m", "", screen.raw)
    assert "small:1b" in text
    assert max(map(len, text.splitlines())) <= columns


@posix
def test_controls_in_a_stored_text_do_not_act_on_a_terminal(home: Path) -> None:
    remember(home, record(at=NEW, answer="\x1b]0;owned\x07fine"), store_text=True)
    env = {**os.environ, "NO_COLOR": "1"}
    screen = on_terminal("history", "show", "last", env=env)
    assert "fine" in screen.raw
    assert "\x1b]0" not in screen.raw


@posix
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_controls_in_an_export_do_not_act_on_a_terminal(form: str, home: Path) -> None:
    remember(home, record(at=NEW, answer="\x1b]0;owned\x07fine"), store_text=True)
    screen = on_terminal("history", "export", "--format", form, env=os.environ)
    assert "fine" in screen.raw
    assert "\x1b]0" not in screen.raw


@posix
def test_nothing_was_left_unsent_in_the_decision_of_a_past_request(home: Path) -> None:
    three(home)
    screen = on_terminal("history", "show", "last", env={**os.environ, "NO_COLOR": "1"})
    assert "decision as it was" in screen.raw
    assert "nothing was sent" not in screen.raw


@posix
@pytest.mark.parametrize(("said", "left"), [(b"y\n", 0), (b"\n", 3), (b"n\n", 3), (b"", 3)])
def test_clear_asks_on_a_terminal_and_only_a_yes_deletes(
    said: bytes, left: int, home: Path
) -> None:
    three(home)
    screen = on_terminal("history", "clear", env=os.environ, typed=said or b"\x04")
    assert "delete 3 requests? [y/N]" in screen.raw
    assert screen.code == 0
    assert len(run("history", "list", "--json").data["requests"]) == left


@pytest.fixture(scope="module")
def fleet() -> Iterator[SimulatedFleet]:
    with SimulatedFleet.start("duo", speed=100.0) as running:
        assert run("discover", env=running.environment()).code == 0
        yield running


def route(fleet: SimulatedFleet, home: Path, **variables: str) -> Done:
    env = {**home_for(fleet, home), **variables}
    return run("route", "Tell me of the xylophone-quartz", "--json", env=env)


def test_a_route_is_remembered_as_it_told_it(fleet: SimulatedFleet, home: Path) -> None:
    told = route(fleet, home).data
    shown = run("history", "show", "last", "--json").data
    assert (shown["model"], shown["instance"], shown["outcome"], shown["who"]) == (
        told["model"],
        told["instance"],
        "ok",
        "command",
    )
    assert shown["decision"] == told["decision"]
    assert shown["estimate"] == told["estimate"]
    assert shown["seconds"] == told["timing"]["total_s"]
    kept = [{key: each[key] for key in told["attempts"][0]} for each in shown["attempts"]]
    assert kept == told["attempts"]


def test_a_route_leaves_no_word_of_it_in_any_file(fleet: SimulatedFleet, home: Path) -> None:
    answer = route(fleet, home).data["response"]
    held = b"".join(file.read_bytes() for file in home.iterdir() if file.is_file())
    assert len(run("history", "list").out.splitlines()) == 1
    for word in {"xylophone", "quartz", *answer.split()[:20]}:
        # the inventory and the decision have words of their own
        assert len(word) < 8 or word.encode() not in held


def test_a_route_is_remembered_with_its_texts_where_the_person_wants_it(
    fleet: SimulatedFleet, home: Path
) -> None:
    told = route(fleet, home, OLLAMAMASTER_HISTORY_STORE_TEXT="true").data
    shown = run("history", "show", "last", "--json").data
    assert (shown["prompt"], shown["answer"]) == (
        "Tell me of the xylophone-quartz",
        told["response"],
    )


def test_a_route_goes_on_with_a_note_when_the_history_cannot_be_used(
    fleet: SimulatedFleet, home: Path
) -> None:
    home_for(fleet, home)
    with closing(sqlite3.connect(home / "history.db")) as newer:
        newer.execute(f"PRAGMA user_version={len(MIGRATIONS) + 1}")
    done = route(fleet, home)
    assert done.code == 0
    assert done.err.count("newer") == 1


def test_a_route_that_failed_is_remembered_with_the_code_of_its_error(home: Path) -> None:
    with SimulatedFleet.start("duo", speed=100.0) as failing:
        assert run("discover", env=failing.environment()).code == 0
        for each in failing:
            each.fault("truncate_stream", count=None)
        assert route(failing, home).code == 5
    [listed] = run("history", "list", "--outcome", "all_failed", "--json").data["requests"]
    shown = run("history", "show", listed["id"], "--json").data
    assert {each["outcome"] for each in shown["attempts"]} == {"stream_broken"}
