"""Whose turn is it in a conversation, when several processes speak at once?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollamamaster.domain.tickets import ProcessId
from ollamamaster.storage import processes

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from ollamamaster.storage.database import Database


class TurnTable:
    """The table `turn_line`; implements TurnStore. Raises StateUnusableError.

    `home` tells the sessions of one history from those of another, where both share the file.
    """

    def __init__(self, database: Database, home: Path) -> None:
        self._database = database
        self._home = str(home)

    def enter(self, session: str) -> int:
        """Stand in line for a turn; returns its number."""
        me = processes.own()
        row = (self._key(session), processes.place(), me.pid, me.started)
        with self._database.transaction() as connection:
            number = connection.execute(
                "INSERT INTO turn_line (session, place, pid, started) VALUES (?, ?, ?, ?)", row
            ).lastrowid
        assert number is not None  # noqa: S101 (a row was inserted)
        return number

    def is_next(self, session: str, number: int) -> bool:
        """Whether everyone before this number is gone; the turn of a dead process is void."""
        with self._database.reading() as connection:
            ahead, void = self._ahead(connection, session, number)
        if void:
            with self._database.transaction() as connection:
                connection.executemany("DELETE FROM turn_line WHERE number = ?", void)
        return not ahead

    def leave(self, number: int) -> None:
        """The turn is over, or given up."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM turn_line WHERE number = ?", (number,))

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
    ) -> tuple[bool, list[tuple[int]]]:
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
                void.append((row,))
            lives = lives or bool(alive)
        return lives, void
