"""What of the past is deleted, when, and is it really gone from the file?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

    from ollamamaster.storage.database import Database

MB = 1_000_000
# When the file is full, so much of the limit is made free at once: deleting a little with every
# request would cost each of them, and the oldest tenth is what is missed least.
_MAKE_FREE = 0.1

# Pages take this much more than the texts in them, a text's last page being half full.
_PAGES_PER_TEXT = 1.2

_BELONGING = (
    "DELETE FROM texts WHERE request IN (SELECT number FROM requests WHERE {})",
    "DELETE FROM attempts WHERE request IN (SELECT number FROM requests WHERE {})",
)


def forget(connection: sqlite3.Connection, where: str, *values: float) -> int:
    """Delete the requests that match, with all that belongs to them; returns how many.

    Runs in the caller's transaction. What is deleted is overwritten in the file.
    """
    connection.execute("PRAGMA secure_delete=ON")
    for statement in _BELONGING:
        connection.execute(statement.format(where), values)
    return connection.execute(f"DELETE FROM requests WHERE {where}", values).rowcount  # noqa: S608 (conditions are ours, values are bound)


def forget_old(connection: sqlite3.Connection, before: float, max_bytes: float) -> bool:
    """Delete what is older than `before` and, when too much is kept, the oldest of the rest.

    What was learnt stays. Returns whether the file is larger than allowed all the same.
    """
    if connection.execute("SELECT 1 FROM requests WHERE at < ? LIMIT 1", (before,)).fetchone():
        forget(connection, "at < ?", before)
    # sessions are the person's own to delete, and no reason to forget requests
    sessions = _bytes_of_sessions(connection)
    if _used_bytes(connection) - sessions > max_bytes:
        _make_room(connection, max_bytes * (1 - _MAKE_FREE) + sessions)
    return _file_bytes(connection) - sessions > max_bytes


def _make_room(connection: sqlite3.Connection, wanted: float) -> None:
    while _used_bytes(connection) > wanted:
        count = connection.execute("SELECT count(*) FROM requests").fetchone()[0]
        if not count:
            return
        last = connection.execute(
            "SELECT number FROM requests ORDER BY number LIMIT 1 OFFSET ?",
            (int(count * _MAKE_FREE),),
        ).fetchone()[0]
        forget(connection, "number <= ?", last)


def _bytes_of_sessions(connection: sqlite3.Connection) -> float:
    kept = connection.execute("SELECT total(bytes) FROM sessions").fetchone()[0]
    return float(kept) * _PAGES_PER_TEXT


def _used_bytes(connection: sqlite3.Connection) -> int:
    free = _pragma(connection, "freelist_count") * _pragma(connection, "page_size")
    return _file_bytes(connection) - free


def _file_bytes(connection: sqlite3.Connection) -> int:
    return _pragma(connection, "page_count") * _pragma(connection, "page_size")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def shrink(database: Database) -> bool:
    """Write the file anew without its free pages, and empty the write-ahead log.

    Returns False when another process reads the file, so that the log may still hold what was
    deleted until that process ends. Raises StateUnusableError.
    """
    with database.reading() as connection:
        # First the log into the file, or VACUUM would leave the pages of before in the log.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        connection.execute("VACUUM")
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    return not busy
