"""Conversations that have a name, kept until the person deletes them."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.conversation import Conversation, PastSession, Summary, Turn
from ollamamaster.errors import UsageError
from ollamamaster.storage.forgetting import shrink
from ollamamaster.storage.record_rows import storable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from ollamamaster.storage.database import Database

_DAY_S = 86_400

_TURN = "prompt, answer, model, instance, asked_at, at"
_OF_TURNS = "SELECT t.number FROM session_turns t JOIN sessions s ON s.number = t.session WHERE {}"
_OF_SESSIONS = "SELECT number FROM sessions WHERE {}"
# What belongs to the sessions that a condition gives, the innermost first.
_BELONGING = (
    f"DELETE FROM session_images WHERE turn IN ({_OF_TURNS})",  # noqa: S608 (constants)
    f"DELETE FROM session_turns WHERE session IN ({_OF_SESSIONS})",  # noqa: S608 (constants)
    f"DELETE FROM session_summaries WHERE session IN ({_OF_SESSIONS})",  # noqa: S608 (constants)
    "DELETE FROM sessions WHERE {}",
)


class SessionTable:
    """The tables of sessions; implements SessionStore. Raises StateUnusableError.

    A session that nobody used for `keep_days` is deleted; 0 keeps all.
    """

    def __init__(
        self,
        database: Database,
        keep_days: float = 0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._keep_days = keep_days
        self._now = now

    def load(self, name: str) -> Conversation | None:
        """A conversation; None when there is none of that name."""
        if not self._database.there:
            return None
        self._forget_old()
        with self._database.reading() as connection:
            # one moment for all that is read: another process may add a turn in between
            connection.execute("BEGIN")
            try:
                return _conversation(connection, name)
            finally:
                connection.rollback()

    def append(
        self, name: str, turn: Turn, *, system: str | None, cached_tokens: int | None
    ) -> None:
        """Keep a turn as the last one of a conversation, which begins with it if need be."""
        with self._database.transaction() as connection:
            _append(connection, _number(connection, name, turn.at), turn)
            connection.execute(
                "UPDATE sessions SET system = ?, cached_tokens = ?, updated_at = ? WHERE name = ?",
                (storable(system), storable(cached_tokens), turn.at, name),
            )
            _count(connection, name)
        self._forget_old()

    def add_summary(self, name: str, summary: Summary) -> None:
        """Keep a summary, which counts from now on."""
        with self._database.transaction() as connection:
            _add_summary(connection, _number(connection, name, summary.at), summary)
            _count(connection, name)

    def save(self, conversation: Conversation) -> None:
        """Keep a whole conversation under its name. Raises UsageError when there is one."""
        name, turns = conversation.name, conversation.turns
        at = turns[-1].at if turns else self._now()
        with self._database.transaction() as connection:
            if _row(connection, name) is not None:
                raise UsageError(f"there is a session {name!r} already", hint="choose another name")
            number = _number(connection, name, at)
            for turn in turns:
                _append(connection, number, turn)
            for summary in conversation.summaries:
                _add_summary(connection, number, summary)
            connection.execute(
                "UPDATE sessions SET system = ?, cached_tokens = ? WHERE number = ?",
                (storable(conversation.system), conversation.cached_tokens, number),
            )
            _count(connection, name)

    def last_at(self, name: str) -> float | None:
        """When the last turn was answered; None when there is none."""
        conversation = self.load(name)
        return conversation.turns[-1].at if conversation and conversation.turns else None

    def drop_last(self, name: str, at: float) -> None:
        """Delete the last turn, if it is the one that was answered at this moment."""
        with self._database.transaction() as connection:
            conversation, row = _conversation(connection, name), _row(connection, name)
            if conversation is None or row is None or not conversation.turns:
                return
            if conversation.turns[-1].at != at:
                return
            left = len(conversation.turns) - 1
            connection.execute("PRAGMA secure_delete=ON")
            _drop_newest(connection, row[0], left)
            _count(connection, name)

    def listed(self) -> Sequence[PastSession]:
        """All sessions, the latest first."""
        if not self._database.there:
            return []
        self._forget_old()
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT name,"
                " (SELECT count(*) FROM session_turns t WHERE t.session = s.number),"
                " tokens,"
                " (SELECT model FROM session_turns t WHERE t.session = s.number"
                "  ORDER BY t.number DESC LIMIT 1),"
                " updated_at"
                " FROM sessions s ORDER BY updated_at DESC, number DESC"
            ).fetchall()
        return [PastSession(*row) for row in rows]

    def rename(self, old: str, new: str) -> None:
        """Give a session another name. Raises UsageError."""
        if not self._database.there:
            raise unknown(old)
        with self._database.transaction() as connection:
            if _row(connection, old) is None:
                raise unknown(old)
            if _row(connection, new) is not None:
                raise UsageError(f"there is a session {new!r} already", hint="choose another name")
            connection.execute("PRAGMA secure_delete=ON")
            connection.execute("UPDATE sessions SET name = ? WHERE name = ?", (new, old))

    def delete(self, name: str) -> bool:
        """Delete a session with all its texts; whether nothing is left of them in any file.

        Raises UsageError when there is none of that name.
        """
        if not self._database.there:
            raise unknown(name)
        with self._database.transaction() as connection:
            if _row(connection, name) is None:
                raise unknown(name)
            _forget(connection, "name = ?", name)
        return shrink(self._database)

    def _forget_old(self) -> None:
        if not self._keep_days:
            return
        before = self._now() - self._keep_days * _DAY_S
        with self._database.reading() as connection:
            old = connection.execute(
                "SELECT 1 FROM sessions WHERE updated_at < ? LIMIT 1", (before,)
            ).fetchone()
        if old:
            with self._database.transaction() as connection:
                _forget(connection, "updated_at < ?", before)


def _drop_newest(connection: sqlite3.Connection, session: int, left: int) -> None:
    """Delete the newest turn; no summary stands for more than what is left."""
    newest = "(SELECT max(number) FROM session_turns WHERE session = ?)"
    connection.execute(f"DELETE FROM session_images WHERE turn = {newest}", (session,))  # noqa: S608 (a constant)
    connection.execute(f"DELETE FROM session_turns WHERE number = {newest}", (session,))  # noqa: S608 (a constant)
    connection.execute(
        "DELETE FROM session_summaries WHERE session = ? AND turns > ?", (session, left)
    )
    connection.execute("UPDATE sessions SET cached_tokens = NULL WHERE number = ?", (session,))


def unknown(name: str) -> UsageError:
    """There is no session of that name."""
    return UsageError(f"there is no session {name!r}", hint="ollamamaster session list")


def _forget(connection: sqlite3.Connection, where: str, value: Any) -> None:
    """Delete what matches; what is deleted is overwritten in the file."""
    connection.execute("PRAGMA secure_delete=ON")
    for statement in _BELONGING:
        connection.execute(statement.format(where), (value,))


def _row(connection: sqlite3.Connection, name: str) -> tuple[Any, ...] | None:
    row: tuple[Any, ...] | None = connection.execute(
        "SELECT number, system, cached_tokens FROM sessions WHERE name = ?", (name,)
    ).fetchone()
    return row


def _number(connection: sqlite3.Connection, name: str, at: float) -> int:
    """The number of the session, which begins now if it is new."""
    connection.execute(
        "INSERT OR IGNORE INTO sessions (name, updated_at, tokens, bytes) VALUES (?, ?, 0, 0)",
        (name, at),
    )
    row = _row(connection, name)
    assert row is not None  # noqa: S101 (inserted just now, if it was not there)
    return int(row[0])


def _append(connection: sqlite3.Connection, session: int, turn: Turn) -> None:
    texts = map(storable, (turn.prompt, turn.answer, turn.model, turn.instance))
    number = connection.execute(
        f"INSERT INTO session_turns (session, {_TURN}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 (a constant)
        (session, *texts, turn.asked_at, turn.at),
    ).lastrowid
    connection.executemany(
        "INSERT INTO session_images VALUES (?, ?, ?)",
        [(number, place, image) for place, image in enumerate(turn.images)],
    )


def _add_summary(connection: sqlite3.Connection, session: int, summary: Summary) -> None:
    connection.execute(
        "INSERT INTO session_summaries (session, text, turns, model, at) VALUES (?, ?, ?, ?, ?)",
        (session, storable(summary.text), summary.turns, storable(summary.model), summary.at),
    )


def _count(connection: sqlite3.Connection, name: str) -> None:
    """Write down what the session takes: of a context, and of the file."""
    conversation = _conversation(connection, name)
    assert conversation is not None  # noqa: S101 (written just now)
    texts = [t for turn in conversation.turns for t in (turn.prompt, turn.answer)]
    texts += [conversation.system or "", *(s.text for s in conversation.summaries)]
    images = sum(len(image) for turn in conversation.turns for image in turn.images)
    connection.execute(
        "UPDATE sessions SET tokens = ?, bytes = ? WHERE name = ?",
        (conversation.tokens, sum(len(text.encode()) for text in texts) + images, name),
    )


def _conversation(connection: sqlite3.Connection, name: str) -> Conversation | None:
    row = _row(connection, name)
    if row is None:
        return None
    number, system, cached_tokens = row
    turns = {
        turn: Turn(*values)
        for turn, *values in connection.execute(
            f"SELECT number, {_TURN} FROM session_turns WHERE session = ? ORDER BY number",  # noqa: S608 (a constant)
            (number,),
        )
    }
    for turn, image in connection.execute(
        "SELECT turn, content FROM session_images WHERE turn IN"
        " (SELECT number FROM session_turns WHERE session = ?) ORDER BY turn, place",
        (number,),
    ):
        turns[turn] = replace(turns[turn], images=(*turns[turn].images, image))
    summaries = connection.execute(
        "SELECT text, turns, model, at FROM session_summaries WHERE session = ? ORDER BY number",
        (number,),
    )
    return Conversation(
        name,
        tuple(turns.values()),
        system,
        tuple(Summary(*summary) for summary in summaries),
        cached_tokens,
    )
