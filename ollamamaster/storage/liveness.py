"""The health of each instance, kept between processes in history.db."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from ollamamaster.domain.liveness import HEALTHY, LONGEST_SKIP_S, Health
from ollamamaster.errors import StateUnusableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ollamamaster.storage.history import HistoryDatabase


class LivenessTable:
    """The table `liveness`; implements LivenessStore.

    It is only advice, so nothing that is wrong with the database is raised: the first time it is
    a note, and from then on this process remembers by itself what it saw.
    """

    def __init__(self, database: HistoryDatabase) -> None:
        self._database = database
        self._seen: dict[str, Health] = {}
        self._usable = True

    def load(self) -> Mapping[str, Health]:
        """Health by instance id; an instance that is not in it is healthy."""
        if self._usable:
            try:
                return self._read()
            except StateUnusableError as error:
                self._give_up(error)
        return dict(self._seen)

    def update(self, instance: str, change: Callable[[Health], Health]) -> Health:
        """Read, change and write the health of one instance in one transaction."""
        if self._usable:
            try:
                return self._updated(instance, change)
            except StateUnusableError as error:
                self._give_up(error)
        after = change(self._seen.get(instance, HEALTHY))
        self._seen[instance] = after
        return after

    def _read(self) -> Mapping[str, Health]:
        if not self._database.there:
            # nothing was ever wrong; a command that only reads leaves no file behind
            return {}
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT instance, failures, skip_s, skipped_until FROM liveness"
            ).fetchall()
        now = time.time()
        return {str(row[0]): _health(row[1:], now) for row in rows}

    def _updated(self, instance: str, change: Callable[[Health], Health]) -> Health:
        if change(HEALTHY) == HEALTHY and instance not in self._read():
            # the usual answer of a healthy instance costs no write, and no file on a fresh machine
            return HEALTHY
        with self._database.transaction() as connection:
            row = connection.execute(
                "SELECT failures, skip_s, skipped_until FROM liveness WHERE instance = ?",
                (instance,),
            ).fetchone()
            before = HEALTHY if row is None else _health(row, time.time())
            after = change(before)
            if after == HEALTHY:
                # no row is a healthy instance: the table holds only those that are not
                connection.execute("DELETE FROM liveness WHERE instance = ?", (instance,))
            elif after != before:
                connection.execute(
                    "INSERT OR REPLACE INTO liveness VALUES (?, ?, ?, ?)",
                    (instance, after.failures, after.skip_s, after.skipped_until),
                )
        self._seen[instance] = after
        return after

    def _give_up(self, error: StateUnusableError) -> None:
        self._usable = False
        self._database.give_up(error)


def _health(row: tuple[object, ...], now: float) -> Health:
    """The health in a row; SQLite stores any type anywhere, so what is no number is healthy."""
    failures, skip_s, until = row
    if not (
        isinstance(failures, int)
        and isinstance(skip_s, (int, float))
        and isinstance(until, (int, float))
        and math.isfinite(skip_s)
        and math.isfinite(until)
    ):
        return HEALTHY
    # a clock that was set back must not skip an instance for longer than ever is meant
    return Health(failures, float(skip_s), min(float(until), now + LONGEST_SKIP_S))
