"""The database of what is remembered: its tables."""

from __future__ import annotations

from ollamamaster.storage.database import Database

# `number` is the order in which they entered; `options` and `runs_on` are JSON; `instance` is the
# one it runs on, NULL while it waits. `place` tells a process number of this boot and namespace
# from the same number of another.
TICKETS = """
    CREATE TABLE tickets (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        place TEXT NOT NULL,
        pid INTEGER NOT NULL,
        started REAL NOT NULL,
        entered_at REAL NOT NULL,
        price REAL NOT NULL,
        priority INTEGER NOT NULL,
        options TEXT NOT NULL,
        overtaken_s REAL NOT NULL,
        runs_on TEXT,
        instance TEXT,
        started_at REAL,
        most_others INTEGER NOT NULL
    )
    """

# Each is one statement, applied once, in this order. One that was released is never changed: what
# is to be different is a new one at the end.
MIGRATIONS = (
    """
    CREATE TABLE liveness (
        instance TEXT PRIMARY KEY,
        failures INTEGER NOT NULL,
        skip_s REAL NOT NULL,
        skipped_until REAL NOT NULL
    ) WITHOUT ROWID
    """,
    TICKETS,
)


class HistoryDatabase(Database):
    """`history.db`."""

    migrations = MIGRATIONS


class TicketDatabase(Database):
    """The tickets alone, where `history.db` is on a disk that other machines use too."""

    migrations = (TICKETS,)
