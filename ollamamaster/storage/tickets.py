"""Which routes of this user wait and run on this machine, in all its processes?"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from ollamamaster.errors import StateUnusableError
from ollamamaster.storage import processes
from ollamamaster.storage.history import TicketDatabase, TicketsInMemory
from ollamamaster.storage.network_disk import on_network_disk
from ollamamaster.storage.runtime_folder import runtime_folder
from ollamamaster.storage.ticket_rows import (
    COLUMNS,
    option_text,
    options_of,
    options_text,
    process_of,
    ticket_of,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Sequence

    from ollamamaster.domain.tickets import Choice, Option, ProcessId, Ticket
    from ollamamaster.storage.database import Database

_T = TypeVar("_T")


def ticket_database(history: Database) -> Database:
    """The file that holds the tickets: `history.db` itself, unless other machines use it too.

    There SQLite cannot share it safely, and processes of other machines cannot be looked at.
    """
    if not on_network_disk(history.path):
        return history
    try:
        path = runtime_folder() / "tickets.db"
    except StateUnusableError as error:
        alone = TicketsInMemory(history.path, note=history.note)
        alone.note(f"{error.message}; requests of other processes are not seen")
        return alone
    if not path.exists():
        # once: the file stays until the machine is started anew
        history.note(
            f"{history.path.parent} is on a network disk; whose turn it is, the processes of this "
            f"machine tell each other in {path}"
        )
    return TicketDatabase(path, note=history.note)


@dataclass(frozen=True, slots=True)
class _Seen:
    """The live tickets in their order, the ids of the void ones, and which processes live."""

    live: list[Ticket]
    void: list[str]
    alive: dict[ProcessId, bool]


class TicketTable:
    """The table `tickets`; implements TicketStore.

    A row is void when its process is dead; whoever sees that deletes it. When the file cannot be
    used, this process goes on with its own tickets in memory.
    """

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now
        # as this process knows them: a row that got lost is written again
        self._own: dict[str, Ticket] = {}
        # options never change, and reading them is most of the work
        self._options: dict[str, tuple[Option, ...]] = {}
        self._changes = 0
        self._seen: tuple[sqlite3.Connection, int] | None = None

    def enter(self, ticket: Ticket) -> None:
        """Put a waiting ticket among the others, as this process's, whatever it says."""
        mine = replace(ticket, process=processes.own())
        self._own[mine.id] = mine
        self._options[mine.id] = mine.options
        self._changed(lambda connection: _insert(connection, mine))

    def others(self, ticket_id: str) -> Sequence[Ticket]:
        """Every live ticket but this one, in the order in which they entered."""
        seen = self._with(self._look)
        if seen.void:
            self._changed(lambda connection: _delete(connection, seen.void))
        return [ticket for ticket in seen.live if ticket.id != ticket_id]

    def take(self, ticket_id: str, choose: Callable[[Ticket, Sequence[Ticket]], Choice]) -> Choice:
        """Let a waiting ticket choose, given itself and the others, while nobody else does."""
        # what takes time is done before anybody has to wait for it
        seen = self._with(self._look)
        return self._changed(lambda connection: self._taken(connection, ticket_id, choose, seen))

    def move(self, ticket_id: str, option: Option | None) -> None:
        """Say that the ticket runs elsewhere now, or waits again."""
        seen = self._with(self._look)

        def moved(connection: sqlite3.Connection) -> None:
            _delete(connection, seen.void)
            self._restore(connection, ticket_id)
            self._place(connection, ticket_id, option)

        self._changed(moved)

    def leave(self, ticket_id: str) -> None:
        """Take the ticket out; done, failed or given up."""
        self._own.pop(ticket_id, None)
        self._changed(lambda connection: _delete(connection, [ticket_id]))

    def changes(self) -> int:
        """A number that is another one when a ticket of any process changed; cheap to ask."""

        def version() -> tuple[sqlite3.Connection, int]:
            with self._database.reading() as connection:
                return connection, connection.execute("PRAGMA data_version").fetchone()[0]

        # the version counts what others wrote while this very connection was open
        seen = self._with(version)
        if seen != self._seen:
            self._seen = seen
            self._changes += 1
        return self._changes

    def most_others(self, ticket_id: str) -> int:
        """The most running tickets there were on its instance while it ran, itself left out."""

        def most() -> int:
            with self._database.reading() as connection:
                row = connection.execute(
                    "SELECT most_others FROM tickets WHERE id = ?", (ticket_id,)
                ).fetchone()
            return row[0] if row is not None and isinstance(row[0], int) else 0

        return self._with(most)

    def _taken(
        self,
        connection: sqlite3.Connection,
        ticket_id: str,
        choose: Callable[[Ticket, Sequence[Ticket]], Choice],
        before: _Seen,
    ) -> Choice:
        self._restore(connection, ticket_id)
        seen = self._tickets(connection, before.alive)
        _delete(connection, seen.void)
        live = seen.live
        [mine] = [ticket for ticket in live if ticket.id == ticket_id] or [self._own[ticket_id]]
        choice = choose(mine, [ticket for ticket in live if ticket.id != ticket_id])
        if choice.begins:
            self._place(connection, ticket_id, choice.option)
        connection.executemany(
            "UPDATE tickets SET overtaken_s = overtaken_s + ? WHERE id = ?",
            [(seconds, passed) for passed, seconds in choice.passed.items()],
        )
        return choice

    def _look(self) -> _Seen:
        with self._database.reading() as connection:
            return self._tickets(connection, {})

    def _tickets(self, connection: sqlite3.Connection, alive: dict[ProcessId, bool]) -> _Seen:
        """All tickets; `alive` is what was found out of their processes a moment ago."""
        here = processes.place()
        found: list[Ticket] = []
        void: list[str] = []
        options: dict[str, tuple[Option, ...]] = {}
        rows = connection.execute(f"SELECT place, {COLUMNS} FROM tickets ORDER BY number")  # noqa: S608 (a constant)
        for place, *row in rows.fetchall():
            process = process_of(tuple(row))
            if place != here:
                # of another namespace on this machine, nobody here can tell who lives
                if processes.is_past(str(place)):
                    void.append(row[0])
            elif process is None or not _is_alive(process, alive):
                void.append(row[0])
            else:
                known = self._options.get(row[0]) or _options(connection, row[0])
                ticket = None if known is None else ticket_of(tuple(row), process, known)
                if ticket is not None and known is not None:
                    options[ticket.id] = known
                    found.append(ticket)
        self._options = options
        return _Seen(found, void, alive)

    def _place(self, connection: sqlite3.Connection, ticket_id: str, option: Option | None) -> None:
        """The ticket runs on this option from now on, or waits; each counts who is beside it."""
        instance = None if option is None else option.instance
        started_at = None if option is None else self._now()
        beside = connection.execute(
            "SELECT count(*) FROM tickets WHERE instance = ? AND id <> ?", (instance, ticket_id)
        ).fetchone()[0]
        connection.execute(
            "UPDATE tickets SET most_others = max(most_others, ?) WHERE instance = ? AND id <> ?",
            (beside, instance, ticket_id),
        )
        connection.execute(
            "UPDATE tickets SET runs_on = ?, instance = ?, started_at = ?, most_others = ?"
            " WHERE id = ?",
            (option_text(option), instance, started_at, beside, ticket_id),
        )
        mine = self._own[ticket_id]
        self._own[ticket_id] = replace(mine, on=option, started_at=started_at)

    def _restore(self, connection: sqlite3.Connection, ticket_id: str) -> None:
        """Write a ticket of ours again that is no more there: the file may have begun anew."""
        if not connection.execute("SELECT 1 FROM tickets WHERE id = ?", (ticket_id,)).fetchone():
            _insert(connection, self._own[ticket_id])

    def _changed(self, change: Callable[[sqlite3.Connection], _T]) -> _T:
        def changed() -> _T:
            with self._database.transaction() as connection:
                before = connection.total_changes
                result = change(connection)
                # a look that changed nothing must not wake who waits for a change, itself first
                self._changes += connection.total_changes != before
            return result

        return self._with(changed)

    def _with(self, use: Callable[[], _T]) -> _T:
        """Use the file; when that cannot be done, the memory, from now on."""
        try:
            return use()
        except StateUnusableError as error:
            self._database.give_up(error)
        self._database = TicketsInMemory(self._database.path, note=self._database.note)
        with self._database.transaction() as connection:
            for ticket in self._own.values():
                _insert(connection, ticket)
        return use()


def _is_alive(process: ProcessId, known: dict[ProcessId, bool]) -> bool:
    if process not in known:
        known[process] = processes.alive(process)
    return known[process]


def _options(connection: sqlite3.Connection, ticket_id: str) -> tuple[Option, ...] | None:
    row = connection.execute("SELECT options FROM tickets WHERE id = ?", (ticket_id,)).fetchone()
    return None if row is None else options_of(row[0])


def _insert(connection: sqlite3.Connection, ticket: Ticket) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO tickets (id, place, pid, started, entered_at, price, priority,"
        " options, overtaken_s, runs_on, instance, started_at, most_others)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
        (
            ticket.id,
            processes.place(),
            ticket.process.pid,
            ticket.process.started,
            ticket.entered_at,
            ticket.price,
            ticket.priority.value,
            options_text(ticket.options),
            ticket.overtaken_s,
            option_text(ticket.on),
            None if ticket.on is None else ticket.on.instance,
            ticket.started_at,
        ),
    )


def _delete(connection: sqlite3.Connection, ticket_ids: Iterable[str]) -> None:
    connection.executemany("DELETE FROM tickets WHERE id = ?", [(each,) for each in ticket_ids])
