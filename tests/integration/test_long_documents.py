"""Texts that no model can read at once, over simulated instances on real sockets."""

from __future__ import annotations

import json
import re
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest
from fleets import known, narrow_fleet
from pdfs import pdf
from program import PATIENCE_S, Done, home_for, on_terminal, run, running

from ollamamaster.cli.json_keys import DATA, LINES, paths_of
from ollamamaster.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from ollamamaster.simulator.sandbox import SimulatedFleet

MODEL = ("-m", "llama3.2:3b")
# Parts of one context step of the smallest size: with 4096 as the context, some 2,800 tokens each.
SMALL = (*MODEL, "--option", "num_ctx=4096")
QUESTION = "What are the key insights?"
PAGE = "\n".join("The tide comes twice a day and nobody at the harbour wonders." for _ in range(40))


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """About 280,000 tokens, more than any model of the fleet takes."""
    path = tmp_path / "book.pdf"
    path.write_bytes(pdf([PAGE * 6] * 80, packed=True))
    return path


@pytest.fixture
def tome(tmp_path: Path) -> Path:
    """The same as a plain text, which is read at once."""
    path = tmp_path / "tome.txt"
    path.write_text(f"{PAGE * 6}\n\n" * 80, "utf-8")
    return path


@pytest.fixture
def booklet(tmp_path: Path) -> Path:
    """About 12,000 tokens."""
    path = tmp_path / "booklet.pdf"
    path.write_bytes(pdf([PAGE] * 20))
    return path


def keys(value: Any, path: str = "") -> dict[str, set[str]]:
    """The keys of `data` and of its parts."""
    return {"": set(value), "parts[]": set(value["parts"][0])}


def read(done: Done) -> list[dict[str, Any]]:
    """The parts of the text: notes that happen to be long are put together in further ones."""
    return [part for part in done.data["parts"] if part["level"] == 0]


def test_a_text_that_fits_is_read_whole(env: dict[str, str], booklet: Path) -> None:
    done = run("route", "-f", str(booklet), QUESTION, "--json", env=env)
    assert done.code == 0
    assert done.data["parts"] is None
    assert done.data["usage"]["prompt_tokens"] > 10_000


def test_a_text_that_fits_nowhere_is_refused_with_what_to_do(
    env: dict[str, str], book: Path
) -> None:
    done = run("route", "-f", str(book), QUESTION, env=env)
    assert done.code == ExitCode.NO_CANDIDATE
    assert "too long for every model here" in done.err
    assert "--long split" in done.err
    assert done.out == ""


def test_what_is_refused_says_so_in_json(env: dict[str, str], book: Path) -> None:
    done = run("route", "-f", str(book), QUESTION, "--long", "fail", "--json", env=env)
    [error] = done.envelope["errors"]
    assert (done.code, error["code"]) == (ExitCode.NO_CANDIDATE, "no_candidate")
    assert "--long split" in error["hint"]
    assert {r["reason"] for r in done.data["decision"]["rejected"]} >= {"context_too_small"}


def test_a_text_that_fits_nowhere_is_read_in_parts_on_both_machines(
    env: dict[str, str], book: Path
) -> None:
    done = run("route", "-f", str(book), QUESTION, "--long", "split", "--json", env=env)
    assert done.code == 0
    parts = read(done)
    assert len(parts) > 2
    assert len({part["instance"] for part in parts}) == 2
    assert {part["outcome"] for part in parts} == {"ok"}
    assert parts[0]["name"].startswith(f"{book}, pages 1-")
    assert parts[-1]["name"].endswith("-80")
    assert done.data["response"]


def test_the_keys_of_an_answer_in_parts_are_those_of_the_help(
    env: dict[str, str], book: Path
) -> None:
    done = run("route", "-f", str(book), QUESTION, "--long", "split", "--json", env=env)
    assert keys(done.data) == {
        place: names for place, names in paths_of(DATA["route"]).items() if place in ("", "parts[]")
    }


# ---- what is piped in


TEXT = f"{PAGE}\n\n" * 20


def test_a_long_text_behind_a_question_is_read_in_parts(env: dict[str, str]) -> None:
    done = run("route", QUESTION, *SMALL, "--long", "split", "--json", env=env, text=TEXT)
    assert done.code == 0
    names = [part["name"] for part in read(done)]
    assert len(names) > 2
    assert all(name.startswith("standard input, part ") for name in names)


def test_a_long_text_behind_a_question_is_refused_with_what_to_do(env: dict[str, str]) -> None:
    done = run("route", QUESTION, *SMALL, env=env, text=TEXT)
    assert done.code == ExitCode.NO_CANDIDATE
    assert "standard input is too long for every model here" in done.err
    assert "--long split" in done.err


def test_a_file_and_what_is_piped_are_read_in_parts_together(
    env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "a.md").write_text(PAGE, "utf-8")
    arguments = ("-f", str(tmp_path / "a.md"), *SMALL, "--long", "split", "--json")
    done = run("route", QUESTION, *arguments, env=env, text=TEXT)
    assert read(done)[0]["name"].startswith(str(tmp_path / "a.md"))
    assert read(done)[-1]["name"].startswith("standard input, part ")


def test_a_piped_text_that_fits_stands_behind_the_question(env: dict[str, str]) -> None:
    env = {**env, "OLLAMAMASTER_HISTORY_STORE_TEXT": "true"}
    done = run("route", QUESTION, "--long", "split", "--json", env=env, text=TEXT)
    assert done.data["parts"] is None
    shown = run("history", "show", "last", "--json", env=env).data
    assert shown["prompt"] == f"{QUESTION}\n\n{TEXT.rstrip()}"


def test_a_session_keeps_the_notes_so_that_the_next_turn_fits(env: dict[str, str]) -> None:
    asked = (*SMALL, "--session", "x", "--json")
    refused = run("route", QUESTION, *asked, env=env, text=TEXT)
    assert refused.code == ExitCode.NO_CANDIDATE
    assert "--long split" in refused.envelope["errors"][0]["hint"]
    done = run("route", QUESTION, *asked, "--long", "split", env=env, text=TEXT)
    assert len(done.data["parts"]) > 2
    following = run("route", "And which comes first?", *asked, env=env)
    assert following.code == 0
    assert following.data["parts"] is None
    first, *_ = run("session", "show", "x", "--json", env=env).data["messages"]
    assert first["content"].startswith("--- notes on standard input, part 1 of ")
    assert QUESTION in first["content"]


def test_in_a_session_older_turns_make_room_before_a_text_is_split(env: dict[str, str]) -> None:
    asked = ("route", *SMALL, "--session", "x", "--json")
    for number in range(2):
        assert run(*asked, f"{number}. {PAGE}", env=env).code == 0
    text = f"{PAGE}\n\n" * 3
    done = run(*asked, QUESTION, "--long", "split", env=env, text=text)
    assert done.code == 0
    assert done.data["parts"] is None
    assert "summarising" in done.err


def test_in_a_session_older_turns_make_room_also_for_the_parts_of_a_text(tmp_path: Path) -> None:
    with known(narrow_fleet(tmp_path, context=4096), speed=20.0) as fleet:
        env = home_for(fleet, tmp_path / "home")
        asked = ("route", "-m", "narrow:8b", "--session", "x")
        for number in range(4):
            brief = ("--option", "num_predict=12")
            assert run(*asked, f"{number}. {PAGE}", *brief, env=env).code == 0
        reading = (*asked, QUESTION, "--long", "split")
        text = f"{PAGE}\n\n" * 8
        foreseen = run(*reading, "--explain", env=env, text=text)
        done = run(*reading, "--json", env=env, text=text)
    assert "older turns would be summarised" in foreseen.err
    assert done.code == 0, done.out
    assert "summarising turns 1 to " in done.err
    assert len(done.data["parts"]) > 2


def test_of_a_long_text_without_a_question_it_is_said_that_one_is_needed(
    env: dict[str, str],
) -> None:
    done = run("route", *SMALL, "--long", "split", env=env, text=TEXT)
    assert done.code == ExitCode.NO_CANDIDATE
    assert 'ollamamaster route "QUESTION" --long split' in done.err


# ---- what would be done


def test_explain_has_the_plan_and_sends_nothing(
    env: dict[str, str], fleet: SimulatedFleet, book: Path
) -> None:
    before = [instance.state()["served"] for instance in fleet]
    done = run("route", "-f", str(book), QUESTION, "--explain", "--json", env=env)
    assert done.code == 0
    assert done.data["decision"]["chosen"] is None
    plan = done.data["plan"]
    assert {"": set(done.data), "plan": set(plan), "plan.readers[]": set(plan["readers"][0])} == {
        place: names
        for place, names in paths_of(DATA["route --explain"]).items()
        if place in ("", "plan", "plan.readers[]")
    }
    assert sum(reader["parts"] for reader in plan["readers"]) == plan["parts"] > 2
    assert {reader["instance"] for reader in plan["readers"]} == {i.id for i in fleet}
    assert plan["seconds"] > 0
    assert [instance.state()["served"] for instance in fleet] == before


def test_the_plan_that_is_shown_is_what_is_done(env: dict[str, str], booklet: Path) -> None:
    asked = ("route", "-f", str(booklet), QUESTION, *SMALL)
    plan = run(*asked, "--explain", "--json", env=env).data["plan"]
    done = run(*asked, "--long", "split", "--json", env=env)
    assert len(read(done)) == plan["parts"]


def test_what_fits_has_no_plan(env: dict[str, str], booklet: Path) -> None:
    done = run("route", "-f", str(booklet), QUESTION, "--explain", "--json", env=env)
    assert done.data["plan"] is None


def test_the_plan_stands_in_a_pipe_too(env: dict[str, str], book: Path) -> None:
    done = run("route", "-f", str(book), QUESTION, "--explain", env=env)
    rows = [line.split("\t") for line in done.out.splitlines()]
    assert len([row for row in rows if row[0] == "parts"]) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
def test_the_plan_is_drawn_on_a_terminal(env: dict[str, str], book: Path) -> None:
    shown = on_terminal("route", "-f", str(book), QUESTION, "--explain", env=env)
    assert re.search(r"\d+ parts of at most [\d,]+ tokens on two machines, about ", shown.raw)


def test_the_tokens_of_all_parts_are_counted(env: dict[str, str], book: Path) -> None:
    done = run("route", "-f", str(book), QUESTION, "--long", "split", "--json", env=env)
    assert done.data["usage"]["prompt_tokens"] > 250_000


def test_a_context_that_the_person_set_is_what_parts_are_made_for(
    env: dict[str, str], booklet: Path
) -> None:
    arguments = ("-f", str(booklet), QUESTION, *SMALL, "--long", "split", "--json", "-v")
    done = run("route", *arguments, env=env)
    assert done.code == 0
    assert 4 <= len(read(done)) <= 6
    # and nobody loads the model to be told that all of it is too long
    assert "bad_request" not in done.err


def test_notes_that_are_too_long_are_put_together_in_groups(
    env: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "long.pdf"
    path.write_bytes(pdf([PAGE] * 110))
    arguments = ("-f", str(path), QUESTION, *SMALL, "--long", "split", "--json")
    done = run("route", *arguments, env=env)
    assert done.code == 0
    assert {part["level"] for part in done.data["parts"]} >= {0, 1}


def test_of_notes_that_never_fit_together_the_beginnings_are_used_and_it_is_said(
    env: dict[str, str],
) -> None:
    # the sandbox writes several hundred words where a story is asked for, and the question leaves
    # little room for a part
    question = f"Mind: {'the harbour is old and the sea is near. ' * 180}Write it as a story."
    text = "The tide came in and went out again over the flats. " * 1_000
    done = run("route", question, *SMALL, "--long", "split", "--json", env=env, text=text)
    assert done.code == 0, done.err
    assert "the notes on the parts are longer than they were asked to be" in done.err


def test_a_part_that_breaks_is_read_elsewhere(
    env: dict[str, str], fleet: SimulatedFleet, booklet: Path
) -> None:
    fleet["a"].fault("truncate_stream", count=2)
    arguments = ("-f", str(booklet), QUESTION, *SMALL, "--long", "split", "--json")
    done = run("route", *arguments, env=env)
    assert done.code == 0
    assert {part["outcome"] for part in done.data["parts"]} == {"ok"}
    assert done.envelope["status"] == "ok"


def unreadable(
    env: dict[str, str], fleet: SimulatedFleet, tome: Path, *more: str
) -> tuple[Done, int]:
    """The tome read by one machine, which breaks off its first part twice; and how many."""
    asked = ("route", "-f", str(tome), QUESTION, *MODEL, "--instance", fleet["a"].id)
    parts = run(*asked, "--explain", "--json", env=env).data["plan"]["parts"]
    # one part after the other, and then those again that could not be read
    fleet["a"].fault("truncate_stream", count=1)
    fleet["a"].fault("truncate_stream", after_requests=parts, count=1)
    return run(*asked, "--long", "split", "--no-hedge", *more, env=env), parts


def test_a_part_that_nobody_can_read_is_said_and_not_left_out_in_silence(
    env: dict[str, str], fleet: SimulatedFleet, tome: Path
) -> None:
    done, count = unreadable(env, fleet, tome, "--json")
    assert (done.code, done.envelope["status"]) == (0, "partial")
    parts = read(done)
    assert len(parts) == count
    (unread,) = [part for part in parts if part["error"] is not None]
    assert unread["name"].startswith(f"{tome}, part 1 of ")
    assert unread["outcome"] == "stream_broken"
    (error,) = done.envelope["errors"]
    assert error["message"].startswith(f"the answer is without {unread['name']}: ")
    assert done.data["response"]


def test_what_is_missing_is_an_error_on_stderr_also_where_no_notes_are_wanted(
    env: dict[str, str], fleet: SimulatedFleet, tome: Path
) -> None:
    done, _ = unreadable(env, fleet, tome, "-q")
    assert done.code == 0
    assert done.out.startswith("[simulated]")
    assert f"error: the answer is without {tome}, part 1 of " in done.err


def test_a_part_that_never_comes_is_read_a_second_time_elsewhere(
    env: dict[str, str], fleet: SimulatedFleet, tome: Path
) -> None:
    # only this ends it: the instance goes on telling that it is there
    fleet["b"].fault("hang_generate", count=1)
    arguments = ("-f", str(tome), QUESTION, *MODEL, "--long", "split", "--no-hedge", "--json")
    done = run("route", *arguments, env=env)
    assert done.code == 0
    assert {part["outcome"] for part in done.data["parts"]} == {"ok"}
    assert {part["instance"] for part in done.data["parts"]} == {fleet["a"].id}
    asked = run("history", "list", "--json", env=env).data["requests"]
    # the first try, given up
    assert ("cancelled", fleet["b"].id) in {(each["outcome"], each["instance"]) for each in asked}


def test_lines_of_a_stream_tell_of_each_part(env: dict[str, str], booklet: Path) -> None:
    arguments = ("-f", str(booklet), QUESTION, *SMALL, "--long", "split", "--json", "--stream")
    *events, envelope = run("route", *arguments, env=env).lines
    told = [event for event in events if event["type"] == "part"]
    assert len(told) == len(envelope["data"]["parts"])
    assert all(set(event) == set(LINES["part"].split()) for event in told)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are a POSIX matter")
def test_each_part_is_told_when_it_is_read_and_known_when_the_rest_is_stopped(
    env: dict[str, str], fleet: SimulatedFleet, tome: Path
) -> None:
    for instance in fleet:
        instance.fault("hang_generate", after_requests=1, count=None)
    arguments = ("-f", str(tome), QUESTION, *MODEL, "--long", "split", "--no-hedge")
    with running("route", *arguments, "--json", "--stream", env=env) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert (told["type"], told["outcome"]) == ("part", "ok")
        process.send_signal(signal.SIGINT)
        *_, last = process.stdout.read().splitlines()
        assert process.wait(PATIENCE_S) == ExitCode.INTERRUPTED
    data = json.loads(last)["data"]
    assert told["name"] in [part["name"] for part in data["parts"]]
    assert data["usage"]["prompt_tokens"] > 1000


def test_the_time_limit_is_for_all_parts_together(env: dict[str, str], book: Path) -> None:
    arguments = ("-f", str(book), QUESTION, "--long", "split", "--max-time", "0.5", "--json")
    done = run("route", *arguments, env=env)
    assert done.code == ExitCode.TIME_LIMIT


def test_several_files_and_a_quoted_glob_are_read(env: dict[str, str], tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.md").write_text(f"# {number}\n\n{PAGE}", "utf-8")
    done = run("route", "-f", str(tmp_path / "*.md"), QUESTION, "--json", env=env)
    assert done.data["usage"]["prompt_tokens"] > 1500


def test_a_folder_needs_recursive(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text(PAGE, "utf-8")
    (tmp_path / "docs" / ".hidden").write_text(PAGE, "utf-8")
    refused = run("route", "-f", str(tmp_path / "docs"), QUESTION, env=env)
    assert refused.code == ExitCode.USAGE
    assert "--recursive" in refused.err
    done = run("route", "-f", str(tmp_path / "docs"), "--recursive", QUESTION, env=env)
    assert done.code == 0
    assert ".hidden" in done.err


def test_an_image_goes_to_a_model_that_sees(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\x00" * 20)
    done = run("route", "-f", str(tmp_path / "a.png"), "What is it?", "--json", env=env)
    assert done.data["model"] == "llava:7b"


def test_where_no_model_sees_an_image_is_refused_and_sent_nowhere(
    env: dict[str, str], fleet: SimulatedFleet, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\x00" * 20)
    before = [instance.state()["served"] for instance in fleet]
    done = run("route", "-f", str(tmp_path / "a.png"), "What is it?", *MODEL, env=env)
    assert done.code == ExitCode.NO_CANDIDATE
    assert "llama3.2:3b on a: cannot see images" in done.err
    assert "llava:7b" in done.err
    assert [instance.state()["served"] for instance in fleet] == before


def test_a_pdf_that_is_broken_is_exit_2(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7\n\x00")
    assert run("route", "-f", str(tmp_path / "a.pdf"), QUESTION, env=env).code == ExitCode.USAGE


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
def test_the_length_is_told_on_a_terminal(env: dict[str, str], booklet: Path) -> None:
    shown = on_terminal("route", "-f", str(booklet), QUESTION, env=env).raw
    assert f"reading {booklet}: 20 pages, about " in shown.replace("\r\n", "\n")


def test_a_file_of_a_word_is_one_token(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hi", "utf-8")
    done = run("route", "-f", str(tmp_path / "a.txt"), QUESTION, "--explain", "-v", env=env)
    assert "a.txt: about 1 token\n" in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
@pytest.mark.parametrize(("typed", "code"), [(b"y\n", 0), (b"\n", 0), (b"n\n", 4)])
def test_on_a_terminal_the_person_is_asked(
    env: dict[str, str], book: Path, typed: bytes, code: int
) -> None:
    shown = on_terminal("route", "-f", str(book), QUESTION, env=env, typed=typed, columns=200)
    assert "Read it in parts" in shown.raw
    assert shown.code == code
    assert ("parts read" in shown.raw) == (code == 0)


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
def test_who_said_what_to_do_is_not_asked(env: dict[str, str], book: Path) -> None:
    shown = on_terminal("route", "-f", str(book), QUESTION, "--long", "fail", env=env)
    assert "Read it in parts" not in shown.raw
    assert shown.code == ExitCode.NO_CANDIDATE
