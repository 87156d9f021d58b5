"""Whose turn is it in a conversation, when several processes speak at once?"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ollamamaster.domain.tickets import ProcessId
from ollamamaster.errors import StateUnusableError
from ollamamaster.storage import processes

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from pathlib import Path

    from ollamamaster.storage.database import Database


class TurnTable:
    """The table `turn_line`; implements TurnStore. Raises StateUnusableError.

    `home` tells the sessions of one history from those of another, where both share the file.
    """

    def __init__(self, database: Database, home: Path) -> None:
        self._database = database
        self._home = str(home)
        # turns that are over while the file could not be changed
        self._over: set[int] = set()

    def enter(self, session: str) -> int:
        """Stand in line for a turn; returns its number."""
        me = processes.own()
        row = (self._key(session), processes.place(), me.pid, me.started)
        with self._database.transaction() as connection:
            _delete(connection, self._over)
            number = connection.execute(
                "INSERT INTO turn_line (session, place, pid, started) VALUES (?, ?, ?, ?)", row
            ).lastrowid
        self._over.clear()
        assert number is not None  # noqa: S101 (a row was inserted)
        return number

    def is_next(self, session: str, number: int) -> bool:
        """Whether everyone before this number is gone; the turn of a dead process is void."""
        with self._database.reading() as connection:
            ahead, void = self._ahead(connection, session, number)
        if void:
            with self._database.transaction() as connection:
                _delete(connection, void)
        return not ahead

    def leave(self, number: int) -> None:
        """The turn is over, or given up; what was answered is not lost where that fails.

        The next turn that this table enters ends it then, or the end of the process.
        """
        self._over.add(number)
        with suppress(StateUnusableError):
            with self._database.transaction() as connection:
                _delete(connection, self._over)
            self._over.clear()

    def is_free(self, session: str) -> bool:
        """Whether nobody speaks, or waits to speak, in this session."""
        if not self._database.there:
            return True
        with self._database.reading() as connection:
            return not self._ahead(connection, session, None)[0]

    def _key(self, session: str) -> str:
        return f"{self._home}\n{session}"

    def _ahead(
        self, connection: sqlite3.Connection, session: str, number: int | None
    ) -> tuple[bool, list[int]]:
        """Whether somebody living is before this number, None for all, and the void ones."""
        rows = connection.execute(
            "SELECT number, place, pid, started FROM turn_line"
            " WHERE session = ? AND (? IS NULL OR number < ?)",
            (self._key(session), number, number),
        ).fetchall()
        lives, void = False, []
        for row, place, pid, started in rows:
            # where nobody can tell it is not waited for: each turn is kept whole anyway
            alive = processes.alive_at(str(place), ProcessId(pid, started))
            if alive is False:
                void.append(row)
            lives = lives or bool(alive)
        return lives, void


def _delete(connection: sqlite3.Connection, numbers: Iterable[int]) -> None:
    connection.executemany("DELETE FROM turn_line WHERE number = ?", [(each,) for each in numbers])
