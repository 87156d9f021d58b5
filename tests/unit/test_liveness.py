from __future__ import annotations

import contextlib
import sqlite3
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.domain.liveness import (
    FAILURES_TO_SKIP,
    FIRST_SKIP_S,
    HEALTHY,
    LONGEST_SKIP_S,
    Health,
)
from ollamamaster.storage import network_disk
from ollamamaster.storage.history import MIGRATIONS, HistoryDatabase
from ollamamaster.storage.liveness import LivenessTable
from ollamamaster.storage.network_disk import on_network_disk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

moments = st.floats(0, 4e9)


def after(moments: list[float]) -> Health:
    health = HEALTHY
    for moment in moments:
        health = health.failed(moment)
    return health


@given(at=moments)
def test_one_failure_is_forgiven(at: float) -> None:
    assert not after([at]).skipped(at)
    assert not after([at]).needs_probe(at)


@given(times=st.lists(moments, min_size=FAILURES_TO_SKIP, max_size=40))
def test_enough_failures_in_a_row_skip_the_instance_and_then_ask_for_a_probe(
    times: list[float],
) -> None:
    health = after(times)
    assert health.skipped(times[-1])
    assert not health.needs_probe(times[-1])
    assert not health.skipped(health.skipped_until)
    assert health.needs_probe(health.skipped_until)


@given(times=st.lists(moments, min_size=FAILURES_TO_SKIP, max_size=40))
def test_each_further_failure_doubles_the_skip_up_to_the_longest(times: list[float]) -> None:
    doubled = FIRST_SKIP_S * 2 ** (len(times) - FAILURES_TO_SKIP)
    assert after(times).skip_s == min(doubled, LONGEST_SKIP_S)


@given(times=st.lists(moments, max_size=40), at=moments)
def test_one_success_forgets_every_failure(times: list[float], at: float) -> None:
    revived = after(times).succeeded()
    assert revived == HEALTHY
    assert not revived.skipped(at)


@given(times=st.lists(moments, max_size=20), at=moments)
def test_an_instance_is_never_skipped_and_to_be_probed_at_once(
    times: list[float], at: float
) -> None:
    health = after(times)
    assert not (health.skipped(at) and health.needs_probe(at))


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def database(tmp_path: Path, notes: list[str]) -> Iterator[HistoryDatabase]:
    opened = HistoryDatabase(tmp_path / "history.db", note=notes.append)
    yield opened
    opened.close()


def failed(health: Health) -> Health:
    return health.failed(time.time())


def test_what_one_process_saw_the_next_one_knows(database: HistoryDatabase) -> None:
    seen = LivenessTable(database).update("a:1", failed)
    database.close()
    assert LivenessTable(database).load() == {"a:1": seen}


def test_a_healthy_instance_is_not_in_the_table(database: HistoryDatabase) -> None:
    table = LivenessTable(database)
    table.update("a:1", failed)
    assert table.update("a:1", Health.succeeded) == HEALTHY
    assert table.load() == {}


def test_a_fleet_in_good_health_leaves_no_file(database: HistoryDatabase) -> None:
    LivenessTable(database).update("a:1", Health.succeeded)
    assert LivenessTable(database).load() == {}
    assert not database.path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are POSIX's")
def test_the_database_is_for_this_user_only(database: HistoryDatabase) -> None:
    LivenessTable(database).update("a:1", failed)
    modes = {p.stat().st_mode & 0o777 for p in database.path.parent.glob("history.db*")}
    assert modes == {0o600}


def test_a_file_that_is_no_database_is_set_aside_with_a_note(
    database: HistoryDatabase, notes: list[str]
) -> None:
    database.path.write_bytes(b"not a database" * 100)
    table = LivenessTable(database)
    assert table.load() == {}
    assert table.update("a:1", failed) == table.load()["a:1"]
    [aside] = database.path.parent.glob("history.db.broken-*")
    assert aside.read_bytes().startswith(b"not a database")
    assert aside.name in notes[0]


def test_damage_inside_the_file_is_set_aside_for_the_next_process(
    database: HistoryDatabase, notes: list[str]
) -> None:
    LivenessTable(database).update("a:1", failed)
    database.close()
    page = 4096
    content = bytearray(database.path.read_bytes())
    content[page:] = b"\xff" * (len(content) - page)
    database.path.write_bytes(content)
    damaged = LivenessTable(database)
    assert damaged.load() == {}
    assert damaged.update("a:1", failed).failures == 1
    database.close()
    anew = LivenessTable(database)
    assert anew.update("a:1", failed) == anew.load()["a:1"]
    assert any("broken-" in note for note in notes)


@pytest.mark.parametrize(
    "change", ["DROP TABLE liveness", "ALTER TABLE liveness RENAME COLUMN skip_s TO skips"]
)
def test_a_database_without_what_its_version_has_is_set_aside(
    change: str, database: HistoryDatabase, notes: list[str]
) -> None:
    LivenessTable(database).update("a:1", failed)
    database.close()
    with contextlib.closing(sqlite3.connect(database.path)) as connection:
        connection.execute(change)
    table = LivenessTable(database)
    assert table.update("a:1", failed) == table.load()["a:1"]
    [aside] = database.path.parent.glob("history.db.broken-*")
    assert [aside.name in note for note in notes] == [True]


def test_an_unusable_place_is_one_note_and_this_process_remembers_by_itself(
    tmp_path: Path, notes: list[str]
) -> None:
    (tmp_path / "file").write_bytes(b"")
    table = LivenessTable(HistoryDatabase(tmp_path / "file" / "history.db", note=notes.append))
    table.update("a:1", failed)
    assert table.update("a:1", failed).failures == FAILURES_TO_SKIP
    assert table.load()["a:1"].failures == FAILURES_TO_SKIP
    assert len(notes) == 1


def test_a_database_of_a_newer_version_is_left_alone(
    database: HistoryDatabase, notes: list[str]
) -> None:
    connection = sqlite3.connect(database.path)
    connection.execute(f"PRAGMA user_version={len(MIGRATIONS) + 1}")
    connection.close()
    before = database.path.read_bytes()
    assert LivenessTable(database).update("a:1", failed).failures == 1
    assert database.path.read_bytes() == before
    assert "newer" in notes[0]


def test_a_locked_database_is_a_note(
    database: HistoryDatabase, notes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ollamamaster.storage.database.BUSY_TIMEOUT_S", 0.05)
    LivenessTable(database).update("a:1", failed)
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    database.close()
    assert LivenessTable(database).update("a:1", failed).failures == 1
    other.rollback()
    other.close()
    assert "locked" in notes[0]


@pytest.mark.parametrize(
    "row", [("many", 1.0, 1.0), (2, "x", 1.0), (2, 5.0, float("inf")), (2, b"", 1.0)]
)
def test_a_row_that_makes_no_sense_is_a_healthy_instance(
    row: tuple[object, ...], database: HistoryDatabase
) -> None:
    with database.transaction() as connection:
        connection.execute("INSERT INTO liveness VALUES ('a:1', ?, ?, ?)", row)
    assert LivenessTable(database).load() == {"a:1": HEALTHY}


def test_a_clock_that_was_set_back_skips_for_no_longer_than_the_longest(
    database: HistoryDatabase,
) -> None:
    table = LivenessTable(database)
    table.update("a:1", lambda _: Health(9, LONGEST_SKIP_S, time.time() + 1e9))
    health = table.load()["a:1"]
    assert not health.skipped(time.time() + LONGEST_SKIP_S + 1)


def test_a_change_that_fails_changes_nothing(database: HistoryDatabase) -> None:
    table = LivenessTable(database)
    table.update("a:1", failed)

    def interrupted(health: Health) -> Health:
        if health is not HEALTHY:
            raise KeyboardInterrupt
        return failed(health)

    with pytest.raises(KeyboardInterrupt):
        table.update("a:1", interrupted)
    assert table.update("a:1", failed).failures == 2


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/home/me", "nfs4"),
        ("/home/me/local disk/state", "ext4"),
        ("/homestead", "ext4"),
        ("/", "ext4"),
    ],
)
def test_a_folder_is_on_the_file_system_with_the_longest_mount_point(
    folder: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "rootfs / rootfs rw 0 0\n"
        "/dev/sda1 / ext4 rw 0 0\n"
        "nas:/home /home nfs4 rw 0 0\n"
        "/dev/sdb1 /home/me/local\\040disk ext4 rw 0 0\n"
    )
    monkeypatch.setattr(network_disk, "_MOUNTS", mounts)
    assert network_disk._mounted_as(folder) == kind


def test_without_a_table_of_mounts_the_partitions_are_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_disk, "_MOUNTS", tmp_path / "none")
    assert on_network_disk(tmp_path / "history.db") in (True, False)


@pytest.mark.parametrize(("shared", "mode"), [(True, "delete"), (False, "wal")])
def test_the_journal_fits_the_disk(
    shared: bool, mode: str, database: HistoryDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ollamamaster.storage.database.on_network_disk", lambda _: shared)
    with database.reading() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == (mode,)


def test_a_database_may_be_closed_by_whichever_thread_lets_go_of_it(tmp_path: Path) -> None:
    opened = HistoryDatabase(tmp_path / "history.db", note=pytest.fail)
    LivenessTable(opened).update("a", lambda health: health.failed(0.0))
    with ThreadPoolExecutor(1) as pool:
        pool.submit(opened.close).result()
    assert LivenessTable(opened).load()
    opened.close()
