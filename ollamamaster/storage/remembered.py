"""What is kept of past requests, read for a person; and deleted when they say so."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.history import HistoryQuery, PastAttempt, Promise
from ollamamaster.errors import Outcome, UsageError
from ollamamaster.storage.forgetting import forget, shrink
from ollamamaster.storage.record_rows import past_request, route_record

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from ollamamaster.domain.records import PastRequest, RouteRecord
    from ollamamaster.storage.database import Database

# Read and handed over in pieces of this many, so that a long history need not be in memory.
_PIECE = 200


class RememberedRequests:
    """The past in `history.db`; implements PastRequests. Raises StateUnusableError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def listed(self, query: HistoryQuery) -> Sequence[PastRequest]:
        """The requests that match, the newest first."""
        where, values = _conditions(query)
        limit = -1 if query.limit is None else query.limit
        columns = "id, at, who, task_type, model, instance, outcome, seconds"
        statement = (
            f"SELECT {columns} FROM requests WHERE {where} ORDER BY at DESC, number DESC LIMIT ?"  # noqa: S608 (columns are ours)
        )
        return [past_request(dict(row)) for row in self._rows(statement, *values, limit)]

    def found(self, beginning: str) -> RouteRecord:
        """The request whose id begins so, or the `last` one.

        Raises UsageError when there is none, or several.
        """
        if beginning == "last":
            rows = self._rows("SELECT * FROM requests ORDER BY at DESC, number DESC LIMIT 1")
        else:
            # beyond the longest id there is none, so its beginnings lie between these two
            rows = self._rows(
                "SELECT * FROM requests WHERE id >= ? AND id < ? ORDER BY id LIMIT 6",
                beginning,
                beginning + "\U0010ffff",
            )
        if not rows and beginning == "last":
            raise UsageError(
                "no request is kept yet", hint="to make one: ollamamaster route PROMPT"
            )
        if not rows:
            raise UsageError(
                f"no request is kept whose id begins with {beginning!r}",
                hint="ollamamaster history list",
            )
        if len(rows) > 1 and rows[0]["id"] != beginning:
            ids = ", ".join(str(row["id"]) for row in rows[:5])
            more = " and more" if len(rows) > 5 else ""
            raise UsageError(f"{beginning!r} begins several ids", hint=f"they are {ids}{more}")
        record = self._whole(rows[0])
        if record is None:
            raise UsageError(f"the request {rows[0]['id']} cannot be read any more")
        return record

    def newest(self, limit: int) -> Iterator[RouteRecord]:
        """The latest requests with all that is kept of them, the newest first."""
        return self._records("ORDER BY at DESC, number DESC", limit)

    def everything(self) -> Iterator[RouteRecord]:
        """All requests, the oldest first."""
        return self._records("ORDER BY at, number", -1)

    def attempts(self) -> Iterator[PastAttempt]:
        """Every attempt, the oldest first."""
        for row in self._rows(
            "SELECT model, instance, outcome, first_token_s, output_tokens, said_generation_s"
            " FROM attempts ORDER BY request, place"
        ):
            tokens, seconds = _positive(row["output_tokens"]), _positive(row["said_generation_s"])
            yield PastAttempt(
                str(row["model"]),
                str(row["instance"]),
                str(row["outcome"]),
                _positive(row["first_token_s"]),
                tokens / seconds if tokens and seconds else None,
            )

    def promises(self) -> Iterator[Promise]:
        """What was expected of each request that was answered, and what came."""
        for row in self._rows(
            "SELECT expected_p50_s, expected_p80_s, seconds FROM requests WHERE outcome = ?",
            str(Outcome.OK),
        ):
            p50_s, p80_s, seconds = (_positive(value) for value in row)
            if p50_s is not None and p80_s is not None and seconds is not None:
                yield Promise(p50_s, p80_s, seconds)

    def count(self, before: float | None = None) -> int:
        """How many requests are kept that began before this moment; None counts all."""
        rows = self._rows(
            "SELECT count(*) FROM requests WHERE at < ?", float("inf") if before is None else before
        )
        return int(rows[0][0]) if rows else 0

    def clear(self, before: float | None, *, learnt: bool) -> tuple[int, bool]:
        """Delete the requests that began before this moment, None for all, with their texts.

        With `learnt` also what they taught, of all times. Returns how many there were, and
        whether nothing of them is left in any of the files.
        """
        if not self._database.there:
            return 0, True
        with self._database.transaction() as connection:
            deleted = forget(connection, "at < ?", float("inf") if before is None else before)
            if learnt:
                connection.execute("DELETE FROM profiles")
        return deleted, shrink(self._database)

    def _records(self, order: str, limit: int) -> Iterator[RouteRecord]:
        numbers = [
            row[0]
            for row in self._rows(f"SELECT number FROM requests {order} LIMIT ?", limit)  # noqa: S608 (the order is ours)
        ]
        for start in range(0, len(numbers), _PIECE):
            piece = numbers[start : start + _PIECE]
            marks = ", ".join("?" * len(piece))
            rows = self._rows(f"SELECT * FROM requests WHERE number IN ({marks}) {order}", *piece)  # noqa: S608 (marks)
            yield from filter(None, map(self._whole, rows))

    def _whole(self, row: sqlite3.Row) -> RouteRecord | None:
        """The request with all that belongs to it; None where the row makes no sense."""
        number = row["number"]
        attempts = self._rows("SELECT * FROM attempts WHERE request = ? ORDER BY place", number)
        texts = self._rows("SELECT prompt, answer FROM texts WHERE request = ?", number)
        try:
            return route_record(dict(row), [dict(each) for each in attempts], _only(texts))
        except ValueError:
            return None

    def _rows(self, statement: str, *values: object) -> list[sqlite3.Row]:
        if not self._database.there:
            # nothing was ever kept; a command that only reads leaves no file behind
            return []
        import sqlite3

        with self._database.reading() as connection:
            cursor = connection.cursor()
            cursor.row_factory = sqlite3.Row
            return cursor.execute(statement, values).fetchall()


def _only(rows: Sequence[sqlite3.Row]) -> dict[str, Any] | None:
    return dict(rows[0]) if rows else None


def _conditions(query: HistoryQuery) -> tuple[str, tuple[object, ...]]:
    asked = {
        "model = ?": query.model,
        "instance = ?": query.instance,
        "outcome = ?": query.outcome,
        "at >= ?": query.since,
    }
    given = {condition: value for condition, value in asked.items() if value is not None}
    return " AND ".join(given) or "1", tuple(given.values())


def _positive(value: object) -> float | None:
    """SQLite holds any type anywhere, so what is no such number is unknown."""
    if isinstance(value, (int, float)) and math.isfinite(value) and value > 0:
        return float(value)
    return None
