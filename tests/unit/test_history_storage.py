from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from past import ATTEMPT, DECISION, NOW, record
from strategies import demands, fleets, tasks

from ollamamaster.contract.decision import decision_data
from ollamamaster.domain.answers import Usage
from ollamamaster.domain.candidates import Wish
from ollamamaster.domain.history import HistoryQuery
from ollamamaster.domain.profile_rows import pair_key
from ollamamaster.domain.selection import Demand, decide
from ollamamaster.domain.settings import HistorySettings, Settings
from ollamamaster.errors import Outcome, StateUnusableError, UsageError
from ollamamaster.storage.decision_text import packed, unpacked
from ollamamaster.storage.history import MIGRATIONS, HistoryDatabase
from ollamamaster.storage.remembered import RememberedRequests
from ollamamaster.storage.requests import LazyRows, RequestTables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.domain.task import Task

DAY_S = 86_400.0


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def database(tmp_path: Path, notes: list[str]) -> Iterator[HistoryDatabase]:
    opened = HistoryDatabase(tmp_path / "history.db", note=notes.append)
    yield opened
    opened.close()


def store(database: HistoryDatabase, **settings: Any) -> RequestTables:
    return RequestTables(database, replace(HistorySettings(), **settings))


def ids(past: RememberedRequests, **wanted: Any) -> list[str]:
    return [each.id for each in past.listed(replace(HistoryQuery(), **wanted))]


@given(fleet=fleets(), task=tasks(), demand=demands())
def test_a_decision_is_read_back_as_it_was(fleet: Fleet, task: Task, demand: Demand) -> None:
    wish = Wish(local_only=True, model="qwen3:8b")
    decision = decide(task, fleet, Settings(), wish, demand)
    again = unpacked(packed(decision))
    assert again is not None
    assert decision_data(again) == decision_data(decision)
    assert (again.task, again.demand, again.wish) == (task, demand, wish)
    assert (again.late, again.refused) == (decision.late, decision.refused)


@pytest.mark.parametrize("data", [None, "text", b"", b"\x00" * 40, packed(DECISION)[:-9]])
def test_a_decision_that_is_damaged_is_none(data: object) -> None:
    assert unpacked(data) is None


def test_a_request_is_read_back_with_everything_that_learning_knows(
    database: HistoryDatabase,
) -> None:
    kept = record()
    store(database).record(kept)
    found = RememberedRequests(database).found(kept.id)
    assert replace(found, decision=None) == replace(kept, decision=None, prompt=None, answer=None)
    assert decision_data(found.decision) == decision_data(kept.decision)


def test_a_route_teaches_and_the_next_process_knows(database: HistoryDatabase) -> None:
    store(database).record(record())
    database.close()
    ended = ATTEMPT.started_at + ATTEMPT.seconds
    assert store(database).profiles().last_used(ATTEMPT.instance, ATTEMPT.model) == ended


def test_reading_leaves_no_file_behind(database: HistoryDatabase) -> None:
    past = RememberedRequests(database)
    store(database).profiles()
    assert (ids(past), past.count(), list(past.everything())) == ([], 0, [])
    assert past.clear(None, learnt=True) == (0, True)
    assert not database.path.exists()


def test_a_profile_that_is_damaged_is_as_if_nothing_were_learnt(database: HistoryDatabase) -> None:
    store(database).record(record())
    with database.transaction() as connection:
        connection.execute("UPDATE profiles SET value = '[1, 2'")
    assert store(database).profiles().last_used(ATTEMPT.instance, ATTEMPT.model) is None
    store(database).record(record(id="another"))
    assert store(database).profiles().last_used(ATTEMPT.instance, ATTEMPT.model) is not None


def test_json_of_a_profile_is_read_only_when_it_is_asked_for() -> None:
    key = pair_key("a:1", "m:1")
    rows = LazyRows({key: '{"x": 1}', ("pair", "a:1", "other"): "damaged"})
    assert rows[key] == {"x": 1}
    assert (len(rows), set(rows._read)) == (2, {key})


@pytest.mark.parametrize("absurd", [10**30, -(10**30)])
def test_a_count_that_no_column_can_hold_is_unknown(
    absurd: int, database: HistoryDatabase, notes: list[str]
) -> None:
    attempt = replace(ATTEMPT, usage=Usage(prompt_tokens=absurd, total_s=float("inf")))
    kept = record(attempts=(attempt,))
    store(database).record(kept)
    found = RememberedRequests(database).found(kept.id).attempts[0]
    assert found.usage == Usage()
    assert notes == []


def test_text_that_no_encoding_can_hold_is_kept_with_question_marks(
    database: HistoryDatabase, notes: list[str]
) -> None:
    kept = record(attempts=(replace(ATTEMPT, model="m\ud800:1"),))
    store(database).record(kept)
    assert RememberedRequests(database).found(kept.id).attempts[0].model == "m?:1"
    assert notes == []


def test_the_pair_of_a_request_is_the_one_that_answered_also_when_another_ended_later(
    database: HistoryDatabase,
) -> None:
    loser = replace(ATTEMPT, instance="slow:1", outcome=Outcome.CANCELLED)
    store(database).record(record(attempts=(ATTEMPT, loser)))
    [listed] = RememberedRequests(database).listed(HistoryQuery())
    assert listed.instance == ATTEMPT.instance


def test_the_list_has_the_newest_first_and_only_what_matches(database: HistoryDatabase) -> None:
    tables, past = store(database), RememberedRequests(database)
    elsewhere = replace(ATTEMPT, model="other:1", instance="b:1")
    tables.record(record(id="one", at=NOW - 30))
    tables.record(record(id="two", at=NOW - 20, attempts=(elsewhere,)))
    tables.record(record(id="three", at=NOW - 10, outcome="time_limit"))
    assert ids(past) == ["three", "two", "one"]
    assert ids(past, limit=1) == ["three"]
    assert ids(past, model="other:1") == ["two"]
    assert ids(past, instance="b:1") == ["two"]
    assert ids(past, outcome="time_limit") == ["three"]
    assert ids(past, since=NOW - 20) == ["three", "two"]


def test_a_request_is_found_by_the_beginning_of_its_id(database: HistoryDatabase) -> None:
    tables, past = store(database), RememberedRequests(database)
    for each in ("abc1", "abc2", "abd"):
        tables.record(record(id=each))
    assert past.found("abd").id == "abd"
    assert past.found("abc2").id == "abc2"
    assert past.found("last").id == "abd"
    with pytest.raises(UsageError, match="several"):
        past.found("ab")
    with pytest.raises(UsageError, match="no request"):
        past.found("b")


def test_an_id_that_begins_another_is_found(database: HistoryDatabase) -> None:
    for each in ("abc", "abcd"):
        store(database).record(record(id=each))
    assert RememberedRequests(database).found("abc").id == "abc"


def test_a_request_whose_words_are_not_ours_is_left_out(database: HistoryDatabase) -> None:
    store(database).record(record(id="one"))
    store(database).record(record(id="two"))
    with database.transaction() as connection:
        connection.execute("UPDATE requests SET task_type = 'cooking' WHERE id = 'one'")
    past = RememberedRequests(database)
    assert [each.id for each in past.everything()] == ["two"]
    with pytest.raises(UsageError, match="cannot be read"):
        past.found("one")


def test_a_long_history_is_read_whole_and_in_order(database: HistoryDatabase) -> None:
    tables, past = store(database), RememberedRequests(database)
    for number in range(450):
        tables.record(record(id=f"{number:04}", at=NOW + number, decision=None))
    everything = [each.id for each in past.everything()]
    assert everything == [f"{number:04}" for number in range(450)]
    assert [each.id for each in past.newest(300)] == everything[:-301:-1]


def bytes_of(database: HistoryDatabase) -> bytes:
    files = database.path.parent.glob(database.path.name + "*")
    return b"".join(file.read_bytes() for file in files)


SECRET = "xylophone-quartz"


def with_secret(**more: object) -> dict[str, object]:
    refused = replace(ATTEMPT, outcome=Outcome.HTTP_ERROR, error=f"cannot parse {SECRET}")
    return {"prompt": f"a {SECRET}", "answer": SECRET, "attempts": (refused, ATTEMPT), **more}


def test_no_word_of_prompt_answer_or_what_an_instance_said_is_kept_by_default(
    database: HistoryDatabase,
) -> None:
    store(database).record(record(**with_secret()))
    assert SECRET.encode() not in bytes_of(database)
    found = RememberedRequests(database).found("last")
    assert (found.prompt, found.answer, found.attempts[0].error) == (None, None, None)


def test_what_we_ourselves_say_of_an_attempt_is_kept(database: HistoryDatabase) -> None:
    refused = replace(ATTEMPT, outcome=Outcome.CONNECT_ERROR, error="connection refused")
    store(database).record(record(attempts=(refused,)))
    assert RememberedRequests(database).found("last").attempts[0].error == "connection refused"


def test_texts_are_kept_where_the_person_wants_it(database: HistoryDatabase) -> None:
    store(database, store_text=True).record(record(**with_secret()))
    found = RememberedRequests(database).found("last")
    assert (found.prompt, found.answer) == (f"a {SECRET}", SECRET)
    assert found.attempts[0].error == f"cannot parse {SECRET}"


def test_what_is_cleared_is_gone_from_the_bytes_of_every_file(database: HistoryDatabase) -> None:
    tables, past = store(database, store_text=True), RememberedRequests(database)
    for number in range(30):
        tables.record(record(id=f"{number:03}", at=NOW + number, **with_secret()))
    assert SECRET.encode() in bytes_of(database)
    assert past.clear(None, learnt=False) == (30, True)
    assert SECRET.encode() not in bytes_of(database)
    assert tables.profiles().last_used(ATTEMPT.instance, ATTEMPT.model) is not None
    assert database.path.stat().st_mode & 0o077 == 0


def test_clearing_may_forget_what_was_learnt_too(database: HistoryDatabase) -> None:
    store(database).record(record())
    RememberedRequests(database).clear(None, learnt=True)
    assert store(database).profiles().last_used(ATTEMPT.instance, ATTEMPT.model) is None


def test_clearing_what_is_old_leaves_what_is_new(database: HistoryDatabase) -> None:
    tables, past = store(database), RememberedRequests(database)
    tables.record(record(id="old", at=NOW - 10))
    tables.record(record(id="new", at=NOW))
    assert past.count(NOW) == 1
    assert past.clear(NOW, learnt=False) == (1, True)
    assert ids(past) == ["new"]
    with database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM attempts").fetchone() == (1,)


def test_clearing_beside_a_reader_says_that_the_log_may_still_hold_it(
    database: HistoryDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ollamamaster.storage.database.BUSY_TIMEOUT_S", 0.05)
    store(database).record(record())
    with contextlib.closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM requests").fetchone()
        assert RememberedRequests(database).clear(None, learnt=False) == (1, False)
        other.rollback()


def test_requests_older_than_their_days_are_deleted_and_what_they_taught_stays(
    database: HistoryDatabase,
) -> None:
    tables = store(database, keep_days=2, store_text=True)
    tables.record(record(id="old", at=NOW - 3 * DAY_S, prompt=SECRET))
    tables.record(record(id="new", at=NOW, attempts=()))
    assert ids(RememberedRequests(database)) == ["new"]
    assert tables.profiles().last_used(ATTEMPT.instance, ATTEMPT.model) is not None
    with database.reading() as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert SECRET.encode() not in bytes_of(database)


def test_keeping_for_no_days_only_learns(database: HistoryDatabase) -> None:
    tables = store(database, keep_days=0)
    tables.record(record())
    assert ids(RememberedRequests(database)) == []
    assert tables.profiles().last_used(ATTEMPT.instance, ATTEMPT.model) is not None


def test_the_oldest_requests_go_when_the_file_is_full(database: HistoryDatabase) -> None:
    tables = store(database, max_mb=1, store_text=True)
    text = "words " * 4000
    for number in range(100):
        tables.record(record(id=f"{number:04}", at=NOW + number, prompt=text))
    kept = ids(RememberedRequests(database))
    assert kept[0] == "0099"
    assert kept == [f"{99 - number:04}" for number in range(len(kept))]
    assert 20 < len(kept) < 60
    database.close()
    assert database.path.stat().st_size <= 1_000_000


def test_a_file_that_is_larger_than_it_may_be_now_becomes_smaller(
    database: HistoryDatabase,
) -> None:
    for number in range(100):
        store(database, store_text=True).record(record(id=f"{number:04}", prompt="word " * 8000))
    store(database, max_mb=1).record(record(id="last one"))
    database.close()
    assert database.path.stat().st_size <= 1_000_000


def test_one_text_larger_than_the_whole_limit_is_not_kept(database: HistoryDatabase) -> None:
    tables = store(database, max_mb=1, store_text=True)
    tables.record(record(prompt="word " * 400_000))
    assert ids(RememberedRequests(database)) == []


def test_a_file_of_the_first_version_keeps_what_it_has_and_gets_the_rest(
    database: HistoryDatabase, notes: list[str]
) -> None:
    with contextlib.closing(sqlite3.connect(database.path)) as first:
        first.execute(MIGRATIONS[0])
        first.execute("INSERT INTO liveness VALUES ('a:1', 2, 5.0, 9e9)")
        first.execute("PRAGMA user_version=1")
        first.commit()
    store(database).record(record())
    with database.reading() as connection:
        assert connection.execute("SELECT instance FROM liveness").fetchall() == [("a:1",)]
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert len(ids(RememberedRequests(database))) == 1
    assert notes == []


def test_an_unusable_place_is_one_note_for_recording_and_an_error_for_reading(
    tmp_path: Path, notes: list[str]
) -> None:
    (tmp_path / "file").write_bytes(b"")
    database = HistoryDatabase(tmp_path / "file" / "history.db", note=notes.append)
    tables = store(database)
    tables.record(record())
    tables.record(record())
    assert tables.profiles().last_used(ATTEMPT.instance, ATTEMPT.model) is None
    assert len(notes) == 1


def test_a_database_of_a_newer_version_is_left_alone_and_an_error_for_reading(
    database: HistoryDatabase, notes: list[str]
) -> None:
    with contextlib.closing(sqlite3.connect(database.path)) as newer:
        newer.execute(f"PRAGMA user_version={len(MIGRATIONS) + 1}")
    before = database.path.read_bytes()
    with pytest.raises(StateUnusableError, match="newer"):
        RememberedRequests(database).listed(HistoryQuery())
    store(database).record(record())
    assert database.path.read_bytes() == before
    assert ["newer" in note for note in notes] == [True]


def test_a_damaged_file_is_set_aside_and_recording_goes_on(
    database: HistoryDatabase, notes: list[str]
) -> None:
    database.path.write_bytes(b"not a database" * 1000)
    store(database).record(record(id="anew"))
    assert ids(RememberedRequests(database)) == ["anew"]
    assert len(list(database.path.parent.glob("history.db.broken-*"))) == 1
    assert len(notes) == 1


def test_a_request_of_an_id_that_is_there_is_no_second_one(
    database: HistoryDatabase, notes: list[str]
) -> None:
    store(database).record(record(id="one"))
    store(database).record(record(id="one"))
    assert ids(RememberedRequests(database)) == ["one"]


@pytest.mark.parametrize("shared", [True, False])
def test_it_works_with_and_without_a_write_ahead_log(
    shared: bool, database: HistoryDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ollamamaster.storage.database.on_network_disk", lambda _: shared)
    tables, past = store(database, store_text=True), RememberedRequests(database)
    tables.record(record(**with_secret(id="one")))
    assert ids(past) == ["one"]
    assert past.clear(None, learnt=True) == (1, True)
    assert SECRET.encode() not in bytes_of(database)
