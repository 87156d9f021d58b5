"""Finished routes are kept, and what they teach is learnt."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ollamamaster.domain import judged
from ollamamaster.domain.learning import keys_of, learnt
from ollamamaster.domain.profiles import Profiles
from ollamamaster.errors import StateUnusableError
from ollamamaster.storage.forgetting import MB, forget_old, shrink
from ollamamaster.storage.record_rows import attempt_row, request_row, storable

if TYPE_CHECKING:
    import sqlite3

    from ollamamaster.domain.judged import Verdict
    from ollamamaster.domain.profile_rows import Key, Row
    from ollamamaster.domain.records import RouteRecord
    from ollamamaster.domain.settings import HistorySettings
    from ollamamaster.storage.database import Database

_DAY_S = 86_400


class RequestTables:
    """The tables `requests`, `attempts`, `texts` and `profiles`; implements HistoryStore.

    Nothing that is wrong with the database is raised: the first time it is a note, and from then
    on this process learns nothing.
    """

    def __init__(self, database: Database, settings: HistorySettings) -> None:
        self._database = database
        self._settings = settings

    def profiles(self) -> Profiles:
        """What history taught until now; nothing when it cannot be read."""
        if not self._database.there:
            # a command that only reads leaves no file behind
            return Profiles()
        try:
            with self._database.reading() as connection:
                rows = connection.execute("SELECT kind, a, b, value FROM profiles").fetchall()
        except StateUnusableError as error:
            self._database.give_up(error)
            return Profiles()
        return Profiles.from_rows(LazyRows({(kind, a, b): text for kind, a, b, text in rows}))

    def record(self, route: RouteRecord) -> None:
        """Keep a finished route and learn from its attempts, in one transaction.

        What is too old, or too much, is deleted on this occasion.
        """
        keep = self._settings
        try:
            with self._database.transaction() as connection:
                if keep.keep_days == 0 or _insert(connection, route, store_text=keep.store_text):
                    _learn(connection, route)
                before = route.at - keep.keep_days * _DAY_S
                oversized = forget_old(connection, before, keep.max_mb * MB)
        except StateUnusableError as error:
            self._database.give_up(error)
            return
        if oversized:
            # while others use the file it cannot be done, and the next request tries again
            with contextlib.suppress(StateUnusableError):
                shrink(self._database)

    def judge(self, verdict: Verdict) -> None:
        """Learn from a judged comparison."""
        if not verdict.bouts:
            return
        try:
            with self._database.transaction() as connection:
                rows = _read(connection, judged.keys_of(verdict))
                _write(connection, judged.learnt(rows, verdict))
        except StateUnusableError as error:
            self._database.give_up(error)


class LazyRows(Mapping["Key", "Row"]):
    """Rows whose JSON is only read when it is asked for: a decision looks at a few of many."""

    def __init__(self, texts: dict[Key, str]) -> None:
        self._texts = texts
        self._read: dict[Key, dict[str, Any]] = {}

    def __getitem__(self, key: Key) -> Row:
        if key not in self._read:
            self._read[key] = _row(self._texts[key])
        return self._read[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


def _row(text: object) -> dict[str, Any]:
    """The JSON object in a row; one that is damaged is as if nothing had been learnt."""
    if not isinstance(text, str):
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _insert(connection: sqlite3.Connection, route: RouteRecord, *, store_text: bool) -> bool:
    """Returns False when it is there already: what taught once does not teach again."""
    if connection.execute("SELECT 1 FROM requests WHERE id = ?", (route.id,)).fetchone():
        return False
    number = _insert_row(connection, "requests", request_row(route))
    for place, attempt in enumerate(route.attempts):
        row = attempt_row(attempt, store_text=store_text)
        _insert_row(connection, "attempts", {"request": number, "place": place, **row})
    if store_text and (route.prompt is not None or route.answer is not None):
        texts = {"prompt": storable(route.prompt), "answer": storable(route.answer)}
        _insert_row(connection, "texts", {"request": number, **texts})
    return True


def _insert_row(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> int | None:
    columns, marks = ", ".join(row), ", ".join("?" * len(row))
    statement = f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608 (names are ours)
    return connection.execute(statement, tuple(row.values())).lastrowid


def _learn(connection: sqlite3.Connection, route: RouteRecord) -> None:
    _write(connection, learnt(_read(connection, keys_of(route)), route))


def _read(connection: sqlite3.Connection, keys: Iterable[Key]) -> dict[Key, Row]:
    rows: dict[Key, Row] = {}
    for key in keys:
        found = connection.execute(
            "SELECT value FROM profiles WHERE kind = ? AND a = ? AND b = ?", _stored(key)
        ).fetchone()
        if found is not None:
            rows[key] = _row(found[0])
    return rows


def _write(connection: sqlite3.Connection, rows: Mapping[Key, Row]) -> None:
    for key, row in rows.items():
        connection.execute(
            "INSERT OR REPLACE INTO profiles VALUES (?, ?, ?, ?)",
            (*_stored(key), json.dumps(row, separators=(",", ":"))),
        )


def _stored(key: Key) -> tuple[str, ...]:
    return tuple(storable(part) for part in key)
