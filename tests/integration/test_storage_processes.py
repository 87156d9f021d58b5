"""Many processes, killed processes, full and read-only disks: nothing that was kept is lost."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest
from disks import as_root, fill, small_disk_at
from program import PATIENCE_S

from ollamamaster.errors import StateUnusableError
from ollamamaster.storage.history import HistoryDatabase
from ollamamaster.storage.inventory import InventoryFile
from ollamamaster.storage.inventory_text import from_text
from ollamamaster.storage.liveness import LivenessTable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ollamamaster.domain.snapshot import Fleet

PROCESSES = 20
KILLS = 50

PRELUDE = """
import sys, time
from dataclasses import replace
from pathlib import Path
from ollamamaster.domain.instances import Instance, InstanceAddress
from ollamamaster.domain.models import Model, ModelName
from ollamamaster.domain.liveness import Health
from ollamamaster.storage import lock
from ollamamaster.storage.history import HistoryDatabase
from ollamamaster.storage.inventory import InventoryFile
from ollamamaster.storage.liveness import LivenessTable

# A machine that is busy with other tests is no holder that hangs.
lock.LOCK_TIMEOUT_S = 120.0
folder, me = Path(sys.argv[1]), int(sys.argv[2])
inventory = InventoryFile(folder / "inventory.toml", note=lambda note: sys.exit(note))
liveness = LivenessTable(HistoryDatabase(folder / "history.db", note=lambda note: sys.exit(note)))
models = tuple(Model(ModelName(f"m{n}"), digest=f"d{n}") for n in range(20))

def found(fleet, port):
    return replace(
        fleet,
        instances=(*fleet, Instance(InstanceAddress(f"h{me}", port), models=models)),
    )

def ready():
    print("ready", flush=True)
    sys.stdin.readline()
"""

TOGETHER = """
ready()
for port in (1, 2):
    inventory.update(lambda fleet: found(fleet, port))
    liveness.update("shared:1", lambda h: Health(h.failures + 1, 5.0, time.time()))
"""

FOR_EVER = """
ready()
port = 1
while True:
    inventory.update(lambda fleet: found(fleet.__class__(fleet.instances[-3:]), port))
    liveness.update("shared:1", lambda h: Health(h.failures + 1, 5.0, time.time()))
    port = port % 60000 + 1
    print(port, flush=True)
"""


def start(program: str, folder: Path, me: int = 0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + program, str(folder), str(me)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def let_go(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.write("\n")
    child.stdin.flush()


def line_of(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline()


def test_twenty_processes_at_once_lose_no_instance_and_no_failure(tmp_path: Path) -> None:
    children = [start(TOGETHER, tmp_path, me) for me in range(PROCESSES)]
    for child in children:
        assert line_of(child) == "ready\n"
    for child in children:
        let_go(child)
    for child in children:
        child.communicate(timeout=PATIENCE_S)
    assert [child.returncode for child in children] == [0] * PROCESSES
    fleet = from_text((tmp_path / "inventory.toml").read_bytes())
    assert {i.id for i in fleet} == {f"h{me}:{port}" for me in range(PROCESSES) for port in (1, 2)}
    assert counted(tmp_path) == 2 * PROCESSES
    left = {p.name for p in tmp_path.iterdir()}
    assert left <= {"inventory.toml", "inventory.toml.lock", "history.db", "history.db-wal",
                    "history.db-shm"}  # fmt: skip


def counted(folder: Path) -> int:
    database = HistoryDatabase(folder / "history.db", note=pytest.fail)
    try:
        return LivenessTable(database).load()["shared:1"].failures
    finally:
        database.close()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
def test_a_process_killed_at_any_moment_leaves_everything_readable(tmp_path: Path) -> None:
    chance = random.Random(3)  # noqa: S311 - moments of a test, no secret
    failures = 0
    for _ in range(KILLS):
        child = start(FOR_EVER, tmp_path)
        try:
            assert line_of(child) == "ready\n"
            let_go(child)
            for _ in range(chance.randrange(4)):
                line_of(child)
            # somewhere inside the next change: a change takes a few milliseconds
            spin(chance.randrange(150_000))
        finally:
            child.send_signal(signal.SIGKILL)
            child.communicate(timeout=PATIENCE_S)
        if (tmp_path / "inventory.toml").exists():
            from_text((tmp_path / "inventory.toml").read_bytes())
        if (tmp_path / "history.db").exists():
            database = HistoryDatabase(tmp_path / "history.db", note=pytest.fail)
            now = LivenessTable(database).load()
            database.close()
            seen = now["shared:1"].failures if now else 0
            assert seen >= failures
            failures = seen
    assert failures > 0
    assert not list(tmp_path.glob("*.broken-*"))
    InventoryFile(tmp_path / "inventory.toml", note=pytest.fail).update(lambda fleet: fleet)
    assert not (tmp_path / "inventory.toml.new").exists()


def spin(turns: int) -> None:
    """Pass a little time, another each time, without a promise of how much."""
    for _ in range(turns):
        pass


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk_at(tmp_path / "disk") as folder:
        yield folder


def with_one(fleet: Fleet) -> Fleet:
    from dataclasses import replace

    from ollamamaster.domain.instances import Instance, InstanceAddress

    port = len(fleet) + 1
    return replace(fleet, instances=(*fleet, Instance(InstanceAddress("h", port))))


def test_a_full_disk_leaves_the_old_inventory_and_no_half_file(small_disk: Path) -> None:
    file = small_disk / "inventory.toml"
    store = InventoryFile(file, note=pytest.fail)
    before = store.update(with_one)
    fill(small_disk)
    with pytest.raises(StateUnusableError, match="cannot be written"):
        store.update(with_one)
    assert store.load() == before
    assert not (small_disk / "inventory.toml.new").exists()
    (small_disk / "filler").unlink()
    assert len(store.update(with_one)) == 2


def test_a_full_disk_leaves_the_old_history(small_disk: Path) -> None:
    from ollamamaster.domain.liveness import Health

    database = HistoryDatabase(small_disk / "history.db")
    LivenessTable(database).update("shared:1", lambda _: Health(7, 5.0, 0.0))
    database.close()
    fill(small_disk)
    notes: list[str] = []
    crowded = HistoryDatabase(small_disk / "history.db", note=notes.append)
    table = LivenessTable(crowded)
    for number in range(500):
        table.update(f"{'long' * 20}{number}:1", lambda _: Health(9, 5.0, 0.0))
    crowded.close()
    assert len(notes) == 1
    (small_disk / "filler").unlink()
    assert counted(small_disk) == 7


@pytest.fixture
def read_only(small_disk: Path) -> Path:
    """A disk with an inventory and a history on it, that cannot be written any more."""
    InventoryFile(small_disk / "inventory.toml").update(with_one)
    connection = sqlite3.connect(small_disk / "history.db")
    connection.close()
    if not as_root("mount", "-o", "remount,ro", str(small_disk)):
        pytest.skip("remounting needs root")
    return small_disk


def test_a_read_only_inventory_is_read_and_an_update_of_it_is_told(read_only: Path) -> None:
    store = InventoryFile(read_only / "inventory.toml", note=pytest.fail)
    assert len(store.load()) == 1
    with pytest.raises(StateUnusableError, match="Read-only"):
        store.update(with_one)


def test_a_damaged_inventory_on_a_read_only_disk_is_a_note(small_disk: Path) -> None:
    (small_disk / "inventory.toml").write_bytes(b"damage")
    if not as_root("mount", "-o", "remount,ro", str(small_disk)):
        pytest.skip("remounting needs root")
    notes: list[str] = []
    assert len(InventoryFile(small_disk / "inventory.toml", note=notes.append).load()) == 0
    assert "damaged" in notes[0]


def test_a_read_only_history_is_a_note_and_the_process_goes_on(read_only: Path) -> None:
    notes: list[str] = []
    table = LivenessTable(HistoryDatabase(read_only / "history.db", note=notes.append))
    assert table.update("a:1", lambda health: health.failed(0.0)).failures == 1
    assert len(notes) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are POSIX's")
def test_a_write_that_ends_half_way_leaves_the_old_inventory(tmp_path: Path) -> None:
    program = PRELUDE + textwrap.dedent(
        """
        import resource, signal
        from ollamamaster.errors import StateUnusableError
        inventory.update(lambda fleet: found(fleet, 1))
        before = (folder / "inventory.toml").read_bytes()
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, resource.RLIM_INFINITY))
        try:
            inventory.update(lambda fleet: found(fleet, 2))
        except StateUnusableError:
            assert (folder / "inventory.toml").read_bytes() == before
            assert not (folder / "inventory.toml.new").exists()
            print("kept")
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), "0"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("kept\n", "")
