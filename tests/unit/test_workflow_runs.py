"""What is kept of runs, for how long, and what a dead process leaves."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ollamamaster.domain.workflow_run import RunRecord, RunStatus, StepResult, StepStatus
from ollamamaster.errors import StateUnusableError, UsageError
from ollamamaster.storage.database import Database
from ollamamaster.storage.history import MIGRATIONS, HistoryDatabase
from ollamamaster.storage.workflow_runs import KEEP_DAYS, AllowedServers, RunTables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY_S = 86_400
RUN = RunRecord("r1", "w", "/w.toml", "digest", {"x": [1]}, RunStatus.RUNNING, 1000.0)
DONE = StepResult("a", StepStatus.OK, "text", {"k": [1, None]}, "m", "i", 1.5)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[HistoryDatabase]:
    made = HistoryDatabase(tmp_path / "history.db")
    yield made
    made.close()


def test_a_run_comes_back_as_it_was_told(database: HistoryDatabase) -> None:
    runs = RunTables(database, lambda: 1000.0)
    runs.begin(RUN)
    runs.step("r1", DONE)
    assert runs.find("r1") == (RUN, (DONE,))
    runs.end("r1", RunStatus.OK, 2.5, "output")
    ended = replace(RUN, status=RunStatus.OK, seconds=2.5, output="output")
    assert runs.find("r1") == (ended, (DONE,))
    assert runs.newest(9) == (ended,)
    assert runs.find("r2") is None


def test_who_began_a_run_is_remembered_and_what_was_before_is_the_persons(
    tmp_path: Path, database: HistoryDatabase
) -> None:
    before = MIGRATIONS.index(next(each for each in MIGRATIONS if "ADD COLUMN person" in each))
    with contextlib.closing(sqlite3.connect(tmp_path / "history.db")) as old:
        for migration in MIGRATIONS[:before]:
            old.execute(migration)
        old.execute(f"PRAGMA user_version={before}")
        old.execute(
            "INSERT INTO workflow_runs VALUES"
            " ('r0', 'w', '/w.toml', 'digest', '{}', 'failed', 1000.0, 1.0, NULL, '', 1, 1.0)"
        )
        old.commit()
    runs = RunTables(database, lambda: 1000.0)
    runs.begin(replace(RUN, person=False))
    assert [(run.id, run.person) for run in runs.newest(9)] == [("r1", False), ("r0", True)]


def test_text_that_no_encoding_has_is_kept_all_the_same(database: HistoryDatabase) -> None:
    runs = RunTables(database, lambda: 1000.0)
    runs.begin(RUN)
    runs.step("r1", replace(DONE, text="a\ud800b", data={"k": "\ud800"}))
    found = runs.find("r1")
    assert found is not None
    assert found[1][0].text == "a?b"


def test_a_run_is_kept_for_thirty_days(database: HistoryDatabase) -> None:
    now = [1000.0]
    runs = RunTables(database, lambda: now[0])
    runs.begin(RUN)
    runs.step("r1", DONE)
    now[0] += KEEP_DAYS * DAY_S - 1
    runs.begin(replace(RUN, id="r2", started_at=now[0]))
    assert runs.find("r1") is not None
    now[0] += 2
    runs.begin(replace(RUN, id="r3", started_at=now[0]))
    assert runs.find("r1") is None
    with database.reading() as connection:
        left = connection.execute("SELECT count(*) FROM workflow_steps").fetchone()[0]
    assert left == 0


def test_a_run_of_a_dead_process_is_stopped_and_may_go_on(database: HistoryDatabase) -> None:
    runs = RunTables(database, lambda: 1000.0)
    runs.begin(RUN)
    runs.step("r1", DONE)
    runs.step("r1", replace(DONE, id="b", status=StepStatus.FAILED))
    with pytest.raises(UsageError, match="running now"):
        runs.again("r1", frozenset({"a"}))
    with pytest.raises(UsageError, match="running now"):
        runs.forget("r1")
    with database.transaction() as connection:
        connection.execute("UPDATE workflow_runs SET process_started = process_started - 1")
    (listed,) = runs.newest(1)
    assert listed.status is RunStatus.STOPPED
    runs.again("r1", frozenset({DONE.id}))
    found = runs.find("r1")
    assert found is not None
    assert found[0].status is RunStatus.RUNNING
    assert found[1] == (DONE,)


def test_a_step_of_an_unknown_status_is_run_again(database: HistoryDatabase) -> None:
    runs = RunTables(database, lambda: 1000.0)
    runs.begin(RUN)
    runs.step("r1", DONE)
    runs.end("r1", RunStatus.STOPPED, 1.0, None)
    with database.transaction() as connection:
        connection.execute("UPDATE workflow_steps SET status = 'of a later version'")
    found = runs.find("r1")
    assert found is not None
    assert [step.finished for step in found[1]] == [False]
    runs.again("r1", frozenset())
    assert runs.find("r1") == (replace(found[0], status=RunStatus.RUNNING, seconds=None), ())


def test_a_run_that_went_on_elsewhere_meanwhile_is_not_run_a_second_time(
    database: HistoryDatabase,
) -> None:
    runs = RunTables(database, lambda: 1000.0)
    runs.begin(RUN)
    runs.end("r1", RunStatus.STOPPED, 1.0, None)
    # this process found nothing finished; before it began, another one came to the end
    runs.step("r1", DONE)
    runs.end("r1", RunStatus.OK, 2.0, "done")
    with pytest.raises(UsageError, match="elsewhere"):
        runs.again("r1", frozenset())
    found = runs.find("r1")
    assert found is not None
    assert (found[0].status, found[0].output, found[1]) == (RunStatus.OK, "done", (DONE,))


def test_a_file_that_was_given_up_is_used_again_when_the_trouble_is_over(
    database: HistoryDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = RunTables(database)
    database.give_up(StateUnusableError("the disk is full"))
    with pytest.raises(StateUnusableError, match="the disk is full"), database.transaction():
        pass
    runs.begin(RUN)
    monkeypatch.setattr("ollamamaster.storage.database.GIVEN_UP_S", 0.0)
    # of a run that is not there, nothing is kept that nobody could find and delete
    runs.step(RUN.id, DONE)
    with database.reading() as connection:
        kept = "SELECT (SELECT count(*) FROM workflow_runs), (SELECT count(*) FROM workflow_steps)"
        assert connection.execute(kept).fetchone() == (0, 0)
    runs.begin(RUN)
    runs.step(RUN.id, DONE)
    assert runs.find(RUN.id) is not None


def test_what_is_forgotten_is_gone(database: HistoryDatabase) -> None:
    runs = RunTables(database, lambda: 1000.0)
    runs.begin(RUN)
    runs.step("r1", DONE)
    runs.end("r1", RunStatus.OK, 1.0, None)
    assert runs.forget("r1")
    assert not runs.forget("r1")
    assert runs.find("r1") is None


def test_how_long_a_step_takes_is_the_median_of_late(database: HistoryDatabase) -> None:
    runs = RunTables(database, lambda: 1000.0)
    for number, seconds in enumerate((1.0, 9.0, 2.0)):
        runs.begin(replace(RUN, id=f"r{number}"))
        runs.step(f"r{number}", replace(DONE, seconds=seconds))
    assert runs.seconds("w") == {"a": 2.0}
    assert runs.seconds("other") == {}


def test_nothing_is_read_and_no_file_made_where_there_is_none(database: HistoryDatabase) -> None:
    runs = RunTables(database)
    assert (runs.newest(1), runs.find("r"), runs.seconds("w")) == ((), None, {})
    assert AllowedServers(database).allowed(["f"]) == frozenset()
    assert not database.path.exists()


def test_only_what_was_allowed_is_allowed(database: HistoryDatabase) -> None:
    allowed = AllowedServers(database)
    allowed.allow(["one"], "w")
    allowed.allow(["one"], "w")
    assert allowed.allowed(["one", "two"]) == {"one"}


def test_a_file_of_an_older_version_learns_the_new_tables(tmp_path: Path) -> None:
    class Older(Database):
        migrations = HistoryDatabase.migrations[:7]

    older = Older(tmp_path / "history.db")
    with older.transaction() as connection:
        connection.execute("INSERT INTO profiles VALUES ('k', 'a', 'b', '{}')")
    older.close()
    newer = HistoryDatabase(tmp_path / "history.db")
    RunTables(newer).begin(RUN)
    newer.close()
    with sqlite3.connect(tmp_path / "history.db") as connection:
        assert connection.execute("SELECT count(*) FROM profiles").fetchone()[0] == 1
        assert connection.execute("SELECT count(*) FROM workflow_runs").fetchone()[0] == 1
    connection.close()
