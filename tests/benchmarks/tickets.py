"""Do tickets hold when 32 processes do nothing else? POSIX only.

    python tests/benchmarks/tickets.py [SECONDS] [PROCESSES]

Every process enters a ticket, tries to take one of eight slots until it has one, and leaves, over
and over; every second one opens the file anew for each ticket, as commands do. Twice a second one
of them is killed with kill -9 and another is started. Whether two ever hold one slot is told by
the kernel: who has taken a slot locks a file of that name, which must be free, and which is free
again the moment its process is dead.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from measure import line

sys.path.insert(0, str(Path(__file__).parents[1]))  # a script finds its own folder only

from program import wait_until

from ollamamaster.domain.tickets import Choice, Option, ProcessId, Ticket
from ollamamaster.storage.history import HistoryDatabase
from ollamamaster.storage.tickets import TicketTable

if TYPE_CHECKING:
    from collections.abc import Sequence

SLOTS = 8
KILL_EVERY_S = 0.5
# As many as a decision keeps.
OPTIONS = 16


class Hammer:
    """One process: what it did, and what went wrong, by name."""

    def __init__(self, folder: Path, me: int) -> None:
        self.folder, self.me = folder, me
        self.counts: Counter[str] = Counter()
        self.slowest_s = 0.0
        self.places = [
            Option("m:latest", f"slot-{n % SLOTS}", 0.5, 1.0, 0.0) for n in range(me, me + OPTIONS)
        ]
        self.table = self._open()

    def run(self, until: float) -> None:
        while time.monotonic() < until:
            if self.me % 2:
                self.table = self._open()
            self._once(f"{os.getpid()}-{self.counts['entered']}")

    def _open(self) -> TicketTable:
        return TicketTable(HistoryDatabase(self.folder / "history.db", note=self._noted))

    def _noted(self, note: str) -> None:
        self.counts["notes"] += 1
        sys.stderr.write(f"note: {note}\n")

    def _once(self, name: str) -> None:
        self.table.enter(Ticket(name, time.time(), tuple(self.places), ProcessId(0, 0.0)))
        self.counts["entered"] += 1
        seen = -1
        while True:
            # as a waiting route does: choose again when something changed
            wait_until(lambda seen=seen: self.table.changes() != seen, "something changed")  # type: ignore[misc]
            seen = self.table.changes()
            began = time.monotonic()
            choice = self.table.take(name, self._choose)
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            self.counts["tried"] += 1
            if choice.begins and choice.option is not None:
                break
        self._hold(choice.option.instance, name)
        self.table.leave(name)
        self.counts["left"] += 1

    def _choose(self, _me: Ticket, others: Sequence[Ticket]) -> Choice:
        taken = {other.on.instance for other in others if other.on is not None}
        free = [place for place in self.places if place.instance not in taken]
        return Choice(free[0], begins=True) if free else Choice(None, begins=False)

    def _hold(self, slot: str, name: str) -> None:
        with (self.folder / slot).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.counts["doubled"] += 1
            if name not in {ticket.id for ticket in self.table.others("nobody")}:
                self.counts["lost"] += 1


def hammer(folder: Path, me: int) -> None:
    """What a child does; it tells its counts at the end, if it lives to see it."""
    one = Hammer(folder, me)
    print("ready", flush=True)
    one.run(float(sys.stdin.readline()))
    print(json.dumps({**one.counts, "slowest_s": one.slowest_s}))


def start(folder: Path, me: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, __file__, "--child", str(folder), str(me)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def go(child: subprocess.Popen[str], until: float) -> None:
    assert child.stdin is not None
    child.stdin.write(f"{until}\n")
    child.stdin.flush()


def told_by(child: subprocess.Popen[str]) -> dict[str, float]:
    """The counts a child tells in its last line; none when it failed."""
    lines = child.communicate()[0].splitlines()
    return dict(json.loads(lines[-1])) if child.returncode == 0 else {}


def main(seconds: float, processes: int) -> int:
    chance = random.Random(5)  # noqa: S311 (which one is killed is no secret)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        children = [start(folder, me) for me in range(processes)]
        for child in children:
            assert child.stdout is not None
            child.stdout.readline()
        until = time.monotonic() + seconds
        for child in children:
            go(child, until)
        killed = 0
        while time.monotonic() < until - 3 * KILL_EVERY_S:
            which = chance.randrange(processes)
            # Until it is its turn it lives.
            with suppress(subprocess.TimeoutExpired):
                children[which].wait(KILL_EVERY_S)
            children[which].send_signal(signal.SIGKILL)
            children[which].communicate()
            children[which] = start(folder, which)
            go(children[which], until)
            killed += 1
        counts: Counter[str] = Counter()
        slowest_s, failed = 0.0, 0
        for child in children:
            told = told_by(child)
            failed += child.returncode != 0
            slowest_s = max(slowest_s, told.pop("slowest_s", 0.0))
            counts.update({what: int(number) for what, number in told.items()})
        database = HistoryDatabase(folder / "history.db")
        left_over = len(TicketTable(database).others("nobody"))
        database.close()
    wrong = {
        "slots held twice": counts["doubled"],
        "tickets lost": counts["lost"],
        "tickets left over": left_over,
        "entered and not left": counts["entered"] - counts["left"],
        "notes (a locked or lost file)": counts["notes"],
        "processes that failed": failed,
    }
    print(f"{processes} processes, {seconds:g} s, {SLOTS} slots, {killed} killed")
    print(f"  tickets of those that lived: {counts['entered']}, choices {counts['tried']}")
    print(f"  the slowest choice took {slowest_s * 1000:.0f} ms, waiting for the file included")
    for what, number in wrong.items():
        line(what, str(number), "0", good=number == 0)
    return 1 if any(wrong.values()) else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        hammer(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        given = dict(enumerate(sys.argv[1:]))
        raise SystemExit(main(float(given.get(0, 20)), int(given.get(1, 32))))
