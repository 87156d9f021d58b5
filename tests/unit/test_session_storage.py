"""Sessions in the database: kept whole, deleted really, one turn at a time."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from past import record
from program import PATIENCE_S

from ollamamaster.domain.conversation import Conversation, Summary, Turn
from ollamamaster.domain.settings import HistorySettings
from ollamamaster.errors import UsageError
from ollamamaster.storage.history import HistoryDatabase, HistoryInMemory
from ollamamaster.storage.remembered import RememberedRequests
from ollamamaster.storage.requests import RequestTables
from ollamamaster.storage.sessions import SessionTable
from ollamamaster.storage.turns import TurnTable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY_S = 86_400.0
TURN = Turn("What is a xylophone?", "A marimba's cousin.", "m:1b", "a:1", 10.0, 11.0, (b"PNG\0",))
SECOND = replace(TURN, prompt="and a \ud800 lyre?", images=(), at=12.0)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[HistoryDatabase]:
    opened = HistoryDatabase(tmp_path / "history.db", note=pytest.fail)
    yield opened
    opened.close()


@pytest.fixture
def sessions(database: HistoryDatabase) -> SessionTable:
    return SessionTable(database)


def keep(sessions: SessionTable, name: str, *turns: Turn) -> None:
    for each in turns:
        sessions.append(name, each, system="Be brief.", cached_tokens=42)


def held(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_a_conversation_is_read_as_it_was_kept(sessions: SessionTable) -> None:
    keep(sessions, "a", TURN, SECOND)
    sessions.add_summary("a", Summary("music", 1, "m:1b", 13.0))
    kept = replace(SECOND, prompt="and a ? lyre?")
    assert sessions.load("a") == Conversation(
        "a", (TURN, kept), "Be brief.", (Summary("music", 1, "m:1b", 13.0),), 42
    )


def test_a_whole_conversation_is_kept_under_a_new_name_only(sessions: SessionTable) -> None:
    said = Conversation("b", (TURN,), None, (Summary("music", 1, "m:1b", 13.0),), 7)
    sessions.save(said)
    assert sessions.load("b") == said
    with pytest.raises(UsageError):
        sessions.save(said)


def test_who_only_reads_leaves_no_file_behind(sessions: SessionTable, tmp_path: Path) -> None:
    assert sessions.load("a") is None
    assert sessions.listed() == []
    assert list(tmp_path.iterdir()) == []


def test_the_list_has_the_latest_first(sessions: SessionTable) -> None:
    keep(sessions, "old", TURN)
    keep(sessions, "new", TURN, SECOND)
    listed = [(each.name, each.turns, each.model) for each in sessions.listed()]
    assert listed == [("new", 2, "m:1b"), ("old", 1, "m:1b")]
    assert all(each.tokens > 10 for each in sessions.listed())


def test_a_renamed_session_keeps_what_it_has(sessions: SessionTable) -> None:
    keep(sessions, "a", TURN)
    sessions.rename("a", "b")
    found = sessions.load("b")
    assert sessions.load("a") is None
    assert found is not None
    assert found.turns == (TURN,)


def test_no_session_is_renamed_onto_another(sessions: SessionTable) -> None:
    keep(sessions, "a", TURN)
    keep(sessions, "b", SECOND)
    for old, new in (("a", "b"), ("c", "d")):
        with pytest.raises(UsageError):
            sessions.rename(old, new)


def test_a_deleted_session_is_in_no_byte_of_any_file(
    sessions: SessionTable, database: HistoryDatabase, tmp_path: Path
) -> None:
    long = replace(TURN, prompt="xylophone " * 5000, images=(b"\x89PNGxylophone",))
    keep(sessions, "xylophones", long, TURN)
    keep(sessions, "other", SECOND)
    sessions.add_summary("xylophones", Summary("of xylophone", 1, "m:1b", 13.0))
    assert b"xylophone" in held(tmp_path)
    assert sessions.delete("xylophones")
    assert b"xylophone" not in held(tmp_path)
    database.close()
    assert b"xylophone" not in held(tmp_path)
    assert sessions.load("other") is not None


def test_a_session_that_is_not_there_cannot_be_deleted(sessions: SessionTable) -> None:
    with pytest.raises(UsageError):
        sessions.delete("a")


def test_sessions_that_were_not_used_for_so_long_are_deleted(database: HistoryDatabase) -> None:
    now = 100 * DAY_S
    forgetting = SessionTable(database, 30, now=lambda: now)
    keep(forgetting, "fresh", replace(TURN, at=now - 29 * DAY_S))
    keep(SessionTable(database), "stale", replace(TURN, at=now - 31 * DAY_S))
    assert [each.name for each in SessionTable(database).listed()] == ["fresh", "stale"]
    assert forgetting.load("stale") is None
    assert [each.name for each in SessionTable(database).listed()] == ["fresh"]


def test_the_last_turn_is_dropped_with_its_image_and_its_summary(sessions: SessionTable) -> None:
    keep(sessions, "a", SECOND, TURN)
    sessions.add_summary("a", Summary("all", 2, "m:1b", 13.0))
    sessions.drop_last("a", 99.0)
    found = sessions.load("a")
    assert found is not None
    assert len(found.turns) == 2
    sessions.drop_last("a", TURN.at)
    found = sessions.load("a")
    assert found is not None
    assert (len(found.turns), found.summaries, found.cached_tokens) == (1, (), None)


def test_a_large_session_makes_no_request_be_forgotten(database: HistoryDatabase) -> None:
    keep(SessionTable(database), "a", replace(TURN, images=(b"x" * 3_000_000,)))
    requests = RequestTables(database, HistorySettings(keep_days=1e6, max_mb=1))
    requests.record(record())
    assert RememberedRequests(database).count() == 1


def test_what_is_only_in_memory_leaves_no_file(tmp_path: Path) -> None:
    database = HistoryInMemory(tmp_path / "history.db")
    sessions = SessionTable(database)
    keep(sessions, "a", TURN)
    found = sessions.load("a")
    assert found is not None
    assert found.turns == (TURN,)
    assert list(tmp_path.iterdir()) == []
    database.close()


# ---- whose turn it is


def test_turns_of_one_session_follow_each_other(database: HistoryDatabase, tmp_path: Path) -> None:
    turns = TurnTable(database, tmp_path)
    first, second = turns.enter("a"), turns.enter("a")
    assert (turns.is_next("a", first), turns.is_next("a", second)) == (True, False)
    assert not turns.is_free("a")
    turns.leave(first)
    assert turns.is_next("a", second)
    turns.leave(second)
    assert turns.is_free("a")


def test_other_sessions_do_not_wait(database: HistoryDatabase, tmp_path: Path) -> None:
    turns = TurnTable(database, tmp_path)
    turns.enter("a")
    assert turns.is_next("b", turns.enter("b"))
    elsewhere = TurnTable(database, tmp_path / "another home")
    assert elsewhere.is_next("a", elsewhere.enter("a"))


def test_the_turn_of_a_dead_process_is_void(database: HistoryDatabase, tmp_path: Path) -> None:
    dies = (
        "import sys; from pathlib import Path;"
        "from ollamamaster.storage.history import HistoryDatabase;"
        "from ollamamaster.storage.turns import TurnTable;"
        "path = Path(sys.argv[1]);"
        "TurnTable(HistoryDatabase(path), path.parent).enter('a')"
    )
    subprocess.run([sys.executable, "-c", dies, str(database.path)], check=True, timeout=PATIENCE_S)
    turns = TurnTable(database, tmp_path)
    with database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM turn_line").fetchone() == (1,)
    assert turns.is_free("a")
    assert turns.is_next("a", turns.enter("a"))


def test_a_turn_that_is_over_while_nothing_can_be_written_holds_up_nobody(
    database: HistoryDatabase, tmp_path: Path
) -> None:
    turns = TurnTable(database, tmp_path)
    first = turns.enter("a")
    with database.reading() as connection:
        connection.execute(
            "CREATE TRIGGER no BEFORE DELETE ON turn_line BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    turns.leave(first)
    with database.reading() as connection:
        connection.execute("DROP TRIGGER no")
    assert turns.is_next("a", turns.enter("a"))
