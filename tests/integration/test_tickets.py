"""The routes of a user's processes see each other, and one that is gone is in nobody's way."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from disks import fill, small_disk_at
from hypothesis import given
from hypothesis import strategies as st
from program import PATIENCE_S

from ollamamaster.domain.tickets import Choice, Option, Priority, ProcessId, Ticket, TicketState
from ollamamaster.storage import database as database_file
from ollamamaster.storage import processes, runtime_folder
from ollamamaster.storage.history import MIGRATIONS, HistoryDatabase, TicketsInMemory
from ollamamaster.storage.ticket_rows import options_of, options_text
from ollamamaster.storage.tickets import TicketTable, ticket_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

PROCESSES = 16
NOBODY = ProcessId(1, 0.0)
GPU = Option("m:latest", "gpu:11434", fixed=0.5, work_s=2.0, load_s=0.0)
CPU = Option("m:latest", "cpu:11434", fixed=0.4, work_s=20.0, load_s=3.0, bytes=5, context=4096)

# Takes the one slot of gpu:11434 when nobody runs there, tells, and keeps it until told.
HOLDER = """
import sys
from pathlib import Path
from ollamamaster.domain.tickets import Choice, Option, ProcessId, Ticket
from ollamamaster.storage.history import HistoryDatabase
from ollamamaster.storage.tickets import TicketTable

me = sys.argv[2]
place = Option("m:latest", "gpu:11434", 0.5, 2.0, 0.0)
table = TicketTable(HistoryDatabase(Path(sys.argv[1]), note=lambda note: sys.exit(note)))

def choose(ticket, others):
    return Choice(place, begins=not any(other.on for other in others))

for number in range(int(sys.argv[3])):
    print("ready", flush=True)
    sys.stdin.readline()
    table.enter(Ticket(f"{me}-{number}", 0.0, (place,), ProcessId(0, 0.0)))
    print("runs" if table.take(f"{me}-{number}", choose).begins else "waits", flush=True)
    sys.stdin.readline()
    table.leave(f"{me}-{number}")
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "history.db"


@pytest.fixture
def notes() -> list[str]:
    return []


@contextmanager
def opened(file: Path, note: Callable[[str], None] = pytest.fail) -> Iterator[TicketTable]:
    """What one process sees of the file."""
    database = HistoryDatabase(file, note=note)
    try:
        yield TicketTable(database, now=lambda: 1000.0)
    finally:
        database.close()


@pytest.fixture
def table(file: Path) -> Iterator[TicketTable]:
    with opened(file) as found:
        yield found


@pytest.fixture
def other(file: Path, table: TicketTable) -> Iterator[TicketTable]:
    """Another process's view, as far as SQLite can tell."""
    with opened(file) as found:
        yield found


def ticket(name: str, **more: object) -> Ticket:
    return Ticket(name, 900.0, (GPU, CPU), NOBODY, **more)  # type: ignore[arg-type]


def on(option: Option | None, *, begins: bool = True) -> Callable[..., Choice]:
    return lambda _me, _others: Choice(option, begins=begins)


def written(file: Path, statement: str, *values: object) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def ids(tickets: Sequence[Ticket]) -> list[str]:
    return [each.id for each in tickets]


def test_a_ticket_is_seen_as_it_was_entered(table: TicketTable, other: TicketTable) -> None:
    table.enter(ticket("a", price=0.1, priority=Priority.HIGH))
    [seen] = other.others("b")
    assert seen == Ticket(
        "a", 900.0, (GPU, CPU), processes.own(), price=0.1, priority=Priority.HIGH
    )


def test_tickets_stand_in_the_order_in_which_they_entered(
    table: TicketTable, other: TicketTable
) -> None:
    for name, by in (("z", table), ("a", other), ("m", table)):
        by.enter(ticket(name))
    table.leave("z")
    table.enter(ticket("z"))
    assert ids(table.others("none")) == ["a", "m", "z"]


def test_a_ticket_is_not_among_the_others(table: TicketTable) -> None:
    table.enter(ticket("a"))
    table.enter(ticket("b"))
    assert ids(table.others("a")) == ["b"]


def test_a_choice_that_begins_runs_and_the_others_see_where(
    table: TicketTable, other: TicketTable
) -> None:
    table.enter(ticket("a"))
    table.take("a", on(CPU))
    [seen] = other.others("b")
    assert (seen.on, seen.started_at, seen.state) == (CPU, 1000.0, TicketState.RUNNING)


def test_a_choice_that_waits_leaves_it_waiting(table: TicketTable, other: TicketTable) -> None:
    table.enter(ticket("a"))
    table.take("a", on(GPU, begins=False))
    assert other.others("b")[0].state is TicketState.WAITING


def test_a_ticket_that_moves_back_waits_again(table: TicketTable, other: TicketTable) -> None:
    table.enter(ticket("a"))
    table.take("a", on(GPU))
    table.move("a", CPU)
    assert other.others("b")[0].on == CPU
    table.move("a", None)
    assert (other.others("b")[0].on, other.others("b")[0].started_at) == (None, None)


def test_what_it_was_passed_by_is_added_up(table: TicketTable, other: TicketTable) -> None:
    table.enter(ticket("slow"))
    for name in ("a", "b"):
        other.enter(ticket(name))
        other.take(name, lambda _me, _others: Choice(GPU, begins=True, passed={"slow": 1.5}))
    assert other.others("a")[0].overtaken_s == 3.0
    assert table.take("slow", on(None, begins=False)) == Choice(None, begins=False)


def test_a_choice_sees_itself_and_the_others(table: TicketTable, other: TicketTable) -> None:
    other.enter(ticket("b"))
    table.enter(ticket("a"))
    seen: list[tuple[str, list[str]]] = []

    def choose(me: Ticket, others: Sequence[Ticket]) -> Choice:
        seen.append((me.id, ids(others)))
        return Choice(None, begins=False)

    table.take("a", choose)
    assert seen == [("a", ["b"])]


def test_a_choice_that_fails_changes_nothing(table: TicketTable, other: TicketTable) -> None:
    def fails(_me: Ticket, _others: Sequence[Ticket]) -> Choice:
        raise RuntimeError

    table.enter(ticket("a"))
    with pytest.raises(RuntimeError):
        table.take("a", fails)
    assert other.others("b")[0].on is None


def test_a_ticket_that_left_is_gone(table: TicketTable, other: TicketTable) -> None:
    table.enter(ticket("a"))
    table.leave("a")
    table.leave("a")
    assert other.others("b") == []


def test_each_counts_the_most_that_ran_beside_it(table: TicketTable, other: TicketTable) -> None:
    for name, by in (("a", table), ("b", other), ("c", table)):
        by.enter(ticket(name))
        by.take(name, on(GPU))
    other.leave("b")
    other.enter(ticket("far"))
    other.take("far", on(CPU))
    assert [table.most_others("a"), table.most_others("c"), other.most_others("far")] == [2, 2, 0]


def test_who_moves_counts_anew(table: TicketTable) -> None:
    for name in ("a", "b"):
        table.enter(ticket(name))
        table.take(name, on(GPU))
    table.move("b", CPU)
    assert (table.most_others("a"), table.most_others("b")) == (1, 0)


def test_a_change_of_any_process_changes_the_number(table: TicketTable, other: TicketTable) -> None:
    seen = [table.changes()]
    other.enter(ticket("a"))
    seen.append(table.changes())
    table.enter(ticket("b"))
    seen.append(table.changes())
    other.leave("a")
    seen.append(table.changes())
    assert len(set(seen)) == 4


def test_while_nothing_changes_the_number_stays(table: TicketTable, other: TicketTable) -> None:
    other.enter(ticket("a"))
    before = table.changes()
    table.others("b")
    other.others("a")
    other.take("a", on(None, begins=False))
    table.changes()
    other.changes()
    assert table.changes() == before


def test_a_ticket_whose_row_is_lost_is_written_again(
    file: Path, table: TicketTable, other: TicketTable
) -> None:
    table.enter(ticket("a"))
    written(file, "DELETE FROM tickets")
    table.take("a", on(GPU))
    assert other.others("b")[0].on == GPU


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("options", "no json"), ("options", "[[]]"), ("options", '{"a":1}'),
        ("options", "[[1,2,3,4,5]]"),
        ("options", '[["m","i",null,1,1]]'), ("options", '[["m","i",NaN,1,1]]'),
        ("entered_at", "never"), ("price", "much"), ("priority", 9), ("overtaken_s", float("inf")),
        ("runs_on", "{}"), ("started_at", "soon"),
    ],
)  # fmt: skip
def test_a_row_that_is_no_ticket_is_left_out(
    column: str, value: object, file: Path, table: TicketTable, other: TicketTable
) -> None:
    table.enter(ticket("bad"))
    table.enter(ticket("good"))
    written(file, f"UPDATE tickets SET {column} = ? WHERE id = 'bad'", value)  # noqa: S608
    assert ids(other.others("b")) == ["good"]


def test_the_most_that_ran_beside_it_may_be_damaged(file: Path, table: TicketTable) -> None:
    table.enter(ticket("a"))
    written(file, "UPDATE tickets SET most_others = 'many'")
    assert table.most_others("a") == 0


def test_options_of_a_version_that_says_more_are_read() -> None:
    [row] = json.loads(options_text((CPU,)))
    assert options_of(json.dumps([[*row, "new"]])) == (CPU,)


_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
_SECONDS = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.lists(
        st.builds(
            Option, model=_TEXT, instance=_TEXT, fixed=_SECONDS, work_s=_SECONDS, load_s=_SECONDS,
            above_s=_SECONDS, bytes=st.none() | st.integers(), context=st.integers(),
        )
    )
)  # fmt: skip
def test_options_are_read_as_they_were_written(options: list[Option]) -> None:
    assert options_of(options_text(tuple(options))) == tuple(options)


# Processes that are gone


@pytest.mark.parametrize("started", [0.0, 12345.0])
def test_the_number_of_a_process_that_was_used_again_is_another_process(
    started: float, file: Path, table: TicketTable, other: TicketTable
) -> None:
    table.enter(ticket("a"))
    written(file, "UPDATE tickets SET started = ?", started)
    assert other.others("b") == []
    assert written(file, "SELECT * FROM tickets") == []


@pytest.mark.parametrize(("pid", "started"), [(0, 0.0), (-1, 1.0), (2**40, 1.0), ("x", 1.0)])
def test_a_process_that_cannot_be_is_dead(
    pid: object, started: float, file: Path, table: TicketTable, other: TicketTable
) -> None:
    table.enter(ticket("a"))
    written(file, "UPDATE tickets SET pid = ?, started = ?", pid, started)
    assert other.others("b") == []


@pytest.mark.skipif(not processes.place(), reason="Linux gives each boot a name")
def test_a_ticket_of_an_earlier_boot_is_void(
    file: Path, table: TicketTable, other: TicketTable
) -> None:
    table.enter(ticket("a"))
    written(file, "UPDATE tickets SET place = 'before/' || place")
    assert other.others("b") == []
    assert written(file, "SELECT * FROM tickets") == []


@pytest.mark.skipif(not processes.place(), reason="Linux has namespaces of process numbers")
def test_a_ticket_of_another_container_is_left_to_it(
    file: Path, table: TicketTable, other: TicketTable
) -> None:
    table.enter(ticket("a"))
    written(file, "UPDATE tickets SET place = place || '0'")
    assert other.others("b") == []
    assert len(written(file, "SELECT * FROM tickets")) == 1


def start(file: Path, me: str, rounds: int = 1) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(file), me, str(rounds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def told(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def go_on(*children: subprocess.Popen[str]) -> None:
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
def test_a_killed_process_frees_its_slot_at_once(file: Path, table: TicketTable) -> None:
    holder = start(file, "holder")
    try:
        assert told(holder) == "ready"
        go_on(holder)
        assert told(holder) == "runs"
        assert table.others("b")[0].on == GPU
        holder.send_signal(signal.SIGKILL)
        # waits for its death without reaping it: a parent may take its time
        os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)
        assert table.others("b") == []
    finally:
        holder.kill()
        holder.communicate()


def test_of_many_processes_at_once_one_takes_the_slot(file: Path) -> None:
    rounds = 5
    children = [start(file, str(number), rounds) for number in range(PROCESSES)]
    try:
        for _ in range(rounds):
            assert [told(child) for child in children] == ["ready"] * PROCESSES
            go_on(*children)
            assert sorted(told(child) for child in children) == ["runs", *["waits"] * 15]
            go_on(*children)
    finally:
        for child in children:
            child.communicate(timeout=PATIENCE_S)
    assert [child.returncode for child in children] == [0] * PROCESSES
    assert written(file, "SELECT * FROM tickets") == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is POSIX's")
def test_a_forked_process_has_tickets_of_its_own(file: Path) -> None:
    program = """
import os, sys
from pathlib import Path
from ollamamaster.domain.tickets import Option, ProcessId, Ticket
from ollamamaster.storage.history import HistoryDatabase
from ollamamaster.storage.tickets import TicketTable

table = TicketTable(HistoryDatabase(Path(sys.argv[1]), note=lambda note: sys.exit(note)))
table.enter(Ticket("parent", 0.0, (), ProcessId(0, 0.0)))
child = os.fork()
if child == 0:
    table.enter(Ticket("child", 0.0, (), ProcessId(0, 0.0)))
    [parent] = table.others("child")
    os._exit(0 if parent.process.pid == os.getppid() else 1)
assert os.waitpid(child, 0)[1] == 0
print([ticket.id for ticket in table.others("parent")])
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(file)],
        check=False, capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_calendar_tells_this_process_from_a_dead_one() -> None:
    assert processes._calendar(os.getpid()) == processes._calendar(os.getpid()) is not None
    child = subprocess.Popen([sys.executable, "-c", ""])
    if sys.platform != "win32":
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert processes._calendar(child.pid) is None
    child.wait()
    assert processes._calendar(child.pid) is None


def test_without_names_of_boots_the_calendar_tells(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(processes, "_PROC", tmp_path)
    processes.place.cache_clear()
    try:
        assert processes.place() == ""
        assert processes.alive(processes.own())
    finally:
        processes.place.cache_clear()


# Files that cannot be used


def test_an_unusable_place_is_one_note_and_the_process_goes_on(
    tmp_path: Path, notes: list[str]
) -> None:
    (tmp_path / "file").write_bytes(b"")
    with opened(tmp_path / "file" / "history.db", notes.append) as alone:
        alone.enter(ticket("a"))
        alone.enter(ticket("b"))
        alone.take("a", on(GPU))
        assert [each.on for each in alone.others("b")] == [GPU]
        alone.leave("a")
        assert alone.others("b") == []
    assert len(notes) == 1


def test_a_number_changes_in_memory_too(tmp_path: Path) -> None:
    alone = TicketTable(TicketsInMemory(tmp_path / "any"))
    before = alone.changes()
    alone.enter(ticket("a"))
    assert alone.changes() != before
    assert alone.changes() == alone.changes()


def test_a_disk_that_fills_up_keeps_what_runs(tmp_path: Path, notes: list[str]) -> None:
    with small_disk_at(tmp_path / "disk") as disk, opened(disk / "h.db", notes.append) as table:
        table.enter(ticket("a"))
        table.take("a", on(GPU))
        fill(disk)
        for number in range(500):
            table.enter(ticket(f"{'long' * 20}{number}"))
        assert table.others("none")[0].on == GPU
        assert len(table.others("none")) == 501
    assert len(notes) == 1


def test_a_file_of_a_newer_version_is_left_alone(
    file: Path, table: TicketTable, notes: list[str]
) -> None:
    table.enter(ticket("a"))
    written(file, f"PRAGMA user_version={len(MIGRATIONS) + 1}")
    with opened(file, notes.append) as older:
        older.enter(ticket("b"))
        assert older.others("b") == []
    assert "newer" in notes[0]
    assert written(file, "SELECT id FROM tickets") == [("a",)]


def test_a_file_that_is_never_free_is_a_note(
    file: Path, table: TicketTable, notes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_file, "BUSY_TIMEOUT_S", 0.05)
    table.enter(ticket("a"))
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with opened(file, notes.append) as late:
        late.enter(ticket("b"))
        assert late.others("none")[0].id == "b"
    holder.close()
    assert len(notes) == 1


# Homes on a network disk


@pytest.fixture
def shared_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home on a network disk, and a machine with a place of its own."""
    home, machine = tmp_path / "shared", tmp_path / "machine"
    for module in ("database", "tickets", "runtime_folder"):
        monkeypatch.setattr(
            f"ollamamaster.storage.{module}.on_network_disk",
            lambda path: path.is_relative_to(home),
        )
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(machine))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    machine.mkdir(mode=0o700)
    (tmp_path / "temp").mkdir()
    return home


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="XDG_RUNTIME_DIR is Linux's")


@linux_only
def test_on_a_network_disk_the_tickets_live_on_the_machine(
    shared_home: Path, tmp_path: Path, notes: list[str]
) -> None:
    found = ticket_database(HistoryDatabase(shared_home / "history.db", note=notes.append))
    TicketTable(found).enter(ticket("a"))
    assert found.path == tmp_path / "machine" / "ollamamaster" / "tickets.db"
    assert found.path.parent.stat().st_mode & 0o777 == 0o700
    assert not (shared_home / "history.db").exists()
    found.close()


@linux_only
def test_that_they_live_there_is_said_once(shared_home: Path, notes: list[str]) -> None:
    for name in ("a", "b"):
        found = ticket_database(HistoryDatabase(shared_home / "history.db", note=notes.append))
        TicketTable(found).enter(ticket(name))
        found.close()
    assert len(notes) == 1
    assert "network disk" in notes[0]


@linux_only
def test_a_runtime_folder_of_somebody_else_is_not_used(shared_home: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "machine" / "ollamamaster").symlink_to(tmp_path / "theirs")
    folder = runtime_folder.runtime_folder()
    assert folder == tmp_path / "temp" / f"ollamamaster-{os.getuid()}"


@linux_only
def test_a_runtime_folder_in_a_folder_of_somebody_else_is_not_used(
    shared_home: Path, tmp_path: Path
) -> None:
    if os.getuid() != 0:
        pytest.skip("giving a folder away needs root")
    (tmp_path / "machine" / "ollamamaster").mkdir(mode=0o700)
    os.chown(tmp_path / "machine", 12345, -1)
    assert runtime_folder.runtime_folder().is_relative_to(tmp_path / "temp")


@linux_only
def test_an_open_runtime_folder_is_closed(shared_home: Path, tmp_path: Path) -> None:
    (tmp_path / "machine" / "ollamamaster").mkdir(mode=0o755)
    assert runtime_folder.runtime_folder().stat().st_mode & 0o777 == 0o700


@linux_only
def test_a_runtime_folder_on_a_network_disk_is_not_used(
    shared_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(shared_home))
    assert runtime_folder.runtime_folder().is_relative_to(tmp_path / "temp")


@linux_only
def test_without_any_folder_of_the_machine_the_process_goes_on(
    shared_home: Path, tmp_path: Path, notes: list[str]
) -> None:
    (tmp_path / "machine").rmdir()
    (tmp_path / "machine").write_bytes(b"")
    (tmp_path / "temp").rmdir()
    (tmp_path / "temp").write_bytes(b"")
    alone = TicketTable(
        ticket_database(HistoryDatabase(shared_home / "history.db", note=notes.append))
    )
    alone.enter(ticket("a"))
    assert ids(alone.others("b")) == ["a"]
    assert len(notes) == 1
