"""Many processes record at once, are killed, have no room: what was kept is whole."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from disks import as_root, fill, small_disk_at
from past import ATTEMPT, record
from program import PATIENCE_S

from ollamamaster.domain.history import HistoryQuery
from ollamamaster.domain.settings import HistorySettings
from ollamamaster.errors import StateUnusableError
from ollamamaster.storage.history import HistoryDatabase
from ollamamaster.storage.remembered import RememberedRequests
from ollamamaster.storage.requests import RequestTables

if TYPE_CHECKING:
    from collections.abc import Iterator

PROCESSES = 8
EACH = 15
KILLS = 25

_CHILD = """
import sys
from pathlib import Path
from past import NOW, record
from ollamamaster.domain.settings import HistorySettings
from ollamamaster.storage.history import HistoryDatabase
from ollamamaster.storage.requests import RequestTables

database = HistoryDatabase(Path(sys.argv[1]), note=lambda note: sys.exit(note))
tables = RequestTables(database, HistorySettings())
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    tables.record(record(id=f"{sys.argv[2]}-{number:06}", at=NOW + number))
    print(number, flush=True)
"""


def child(file: Path, name: str, count: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(file), name, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def let_go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def kept(file: Path) -> list[str]:
    database = HistoryDatabase(file, note=pytest.fail)
    try:
        return sorted(each.id for each in RememberedRequests(database).listed(HistoryQuery()))
    finally:
        database.close()


def test_processes_that_record_at_once_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    children = [child(file, str(me), EACH) for me in range(PROCESSES)]
    for each in children:
        let_go(each)
    for each in children:
        each.communicate(timeout=PATIENCE_S)
    assert [each.returncode for each in children] == [0] * PROCESSES
    assert kept(file) == [f"{me}-{number:06}" for me in range(PROCESSES) for number in range(EACH)]


def test_clearing_while_others_record_is_no_trouble_for_anyone(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    others = [child(file, str(me), EACH) for me in range(3)]
    database = HistoryDatabase(file, note=pytest.fail)
    for each in others:
        let_go(each)
    while any(each.poll() is None for each in others):
        RememberedRequests(database).clear(None, learnt=True)
    for each in others:
        each.communicate(timeout=PATIENCE_S)
    database.close()
    assert [each.returncode for each in others] == [0, 0, 0]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
def test_a_process_killed_at_any_moment_leaves_every_request_that_it_had_recorded(
    tmp_path: Path,
) -> None:
    file = tmp_path / "history.db"
    chance = random.Random(5)  # noqa: S311 - moments of a test, no secret
    sure: set[str] = set()
    for kill in range(KILLS):
        process = child(file, f"{kill:02}", 1_000_000)
        assert process.stdout is not None
        try:
            let_go(process)
            for _ in range(chance.randrange(4)):
                sure.add(f"{kill:02}-{int(process.stdout.readline()):06}")
            # somewhere inside the next one, which takes a few milliseconds
            for _ in range(chance.randrange(150_000)):
                pass
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=PATIENCE_S)
        assert sure <= set(kept(file))
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        whole = "SELECT count(*) FROM requests LEFT JOIN attempts ON request = number"
        broken = connection.execute(f"{whole} WHERE request IS NULL").fetchone()
    assert broken == (0,)
    assert not list(tmp_path.glob("*.broken-*"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk_at(tmp_path / "disk") as folder:
        yield folder


def test_on_a_full_disk_a_route_is_not_recorded_and_what_was_is_read(small_disk: Path) -> None:
    notes: list[str] = []
    database = HistoryDatabase(small_disk / "history.db", note=notes.append)
    tables = RequestTables(database, HistorySettings(store_text=True))
    tables.record(record(id="before"))
    fill(small_disk)
    # larger than any room that is left inside the file
    tables.record(record(id="after", prompt="word " * 100_000))
    assert len(notes) == 1
    database.close()
    (small_disk / "filler").unlink()
    assert kept(small_disk / "history.db") == ["before"]


def test_a_read_only_disk_is_a_note_for_recording_and_an_error_for_reading(
    small_disk: Path,
) -> None:
    with closing(HistoryDatabase(small_disk / "history.db", note=pytest.fail)) as database:
        RequestTables(database, HistorySettings()).record(record())
    if not as_root("mount", "-o", "remount,ro", str(small_disk)):
        pytest.skip("remounting needs root")
    notes: list[str] = []
    database = HistoryDatabase(small_disk / "history.db", note=notes.append)
    with pytest.raises(StateUnusableError):
        RememberedRequests(database).listed(HistoryQuery())
    tables = RequestTables(database, HistorySettings())
    tables.record(record())
    assert tables.profiles().last_used(ATTEMPT.instance, ATTEMPT.model) is None
    assert len(notes) == 1
