"""Which workflows ran, how far they came, and which servers the person allowed?"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.json_values import read_json
from ollamamaster.domain.workflow_run import RunRecord, RunStatus, StepResult, StepStatus
from ollamamaster.errors import StateUnusableError, UsageError
from ollamamaster.storage import processes
from ollamamaster.storage.forgetting import shrink
from ollamamaster.storage.record_rows import storable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ollamamaster.storage.database import Database

# A run holds texts; that long a person may come back to it.
KEEP_DAYS = 30
_DAY_S = 86_400
# How many past calls tell how long a tool takes: enough to be used to one that was slow once.
_CALLS = 9

_COLUMNS = "id, workflow, path, digest, inputs, status, started_at, seconds, output, person"


class RunTables:
    """The tables `workflow_runs` and `workflow_steps`; implements RunStore.

    What writes is a note when it fails, and the run goes on unrecorded; what a person asks for
    raises StateUnusableError.
    """

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now

    def begin(self, run: RunRecord) -> None:
        """A run begins, as this process's. Runs that are too old are deleted."""
        before = self._now() - KEEP_DAYS * _DAY_S

        def begun(connection: sqlite3.Connection) -> None:
            old = connection.execute("SELECT id FROM workflow_runs WHERE started_at < ?", (before,))
            for (run_id,) in old.fetchall():
                _delete(connection, run_id)
            connection.execute(
                f"INSERT INTO workflow_runs ({_COLUMNS}, place, pid, process_started)"  # noqa: S608 (names are ours)
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*_row(run), *_own()),
            )

        self._write(begun)

    def again(self, run_id: str, finished: frozenset[str]) -> None:
        """A run goes on, as this process's; its steps that are not finished are forgotten.

        Raises UsageError when a living process runs it, and when the finished steps are others
        than those that were found: between the two, another process went on with it.
        """
        with self._database.transaction() as connection:
            if _status(*_process_row(connection, run_id)) is RunStatus.RUNNING:
                raise UsageError(f"run {run_id} is running now", hint="wait until it has ended")
            rows = connection.execute(
                "SELECT step FROM workflow_steps WHERE run = ? AND status IN ('ok', 'skipped')",
                (run_id,),
            )
            if frozenset(row[0] for row in rows) != finished:
                raise UsageError(
                    f"run {run_id} has gone on elsewhere in this moment", hint="type it again"
                )
            connection.execute(
                "UPDATE workflow_runs SET status = 'running', seconds = NULL, place = ?, pid = ?,"
                " process_started = ? WHERE id = ?",
                (*_own(), run_id),
            )
            connection.execute(
                "DELETE FROM workflow_steps WHERE run = ? AND status NOT IN ('ok', 'skipped')",
                (run_id,),
            )

    def step(self, run_id: str, result: StepResult) -> None:
        """A step ended."""
        row = (
            run_id,
            result.id,
            str(result.status),
            storable(result.text),
            json.dumps(result.data),
            result.model,
            result.instance,
            result.seconds,
            storable(result.error),
        )
        statement = (
            "INSERT OR REPLACE INTO workflow_steps"
            " (run, step, status, text, data, model, instance, seconds, error)"
            # of a run whose beginning could not be kept, nothing is: nobody could delete it
            " SELECT ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE EXISTS"
            " (SELECT 1 FROM workflow_runs WHERE id = ?)"
        )
        self._write(lambda connection: connection.execute(statement, (*row, run_id)))

    def end(self, run_id: str, status: RunStatus, seconds: float, output: str | None) -> None:
        """A run ended."""
        statement = "UPDATE workflow_runs SET status = ?, seconds = ?, output = ? WHERE id = ?"
        row = (str(status), seconds, storable(output), run_id)
        self._write(lambda connection: connection.execute(statement, row))

    def find(self, run_id: str) -> tuple[RunRecord, tuple[StepResult, ...]] | None:
        """A run with the steps that ended; None when there is none. Raises StateUnusableError."""
        if not self._database.there:
            return None
        with self._database.reading() as connection:
            row = connection.execute(
                f"SELECT {_COLUMNS}, place, pid, process_started FROM workflow_runs WHERE id = ?",  # noqa: S608 (names are ours)
                (run_id,),
            ).fetchone()
            steps = connection.execute(
                "SELECT step, status, text, data, model, instance, seconds, error"
                " FROM workflow_steps WHERE run = ? ORDER BY rowid",
                (run_id,),
            ).fetchall()
        return None if row is None else (_record(row), tuple(map(_step, steps)))

    def newest(self, limit: int) -> tuple[RunRecord, ...]:
        """The latest runs, the newest first. Raises StateUnusableError."""
        if not self._database.there:
            return ()
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS}, place, pid, process_started FROM workflow_runs"  # noqa: S608 (names are ours)
                " ORDER BY started_at DESC, id DESC LIMIT ?",
                (limit,),
            ).fetchall()
        return tuple(map(_record, rows))

    def forget(self, run_id: str) -> bool:
        """Delete a run with its texts, from the file too; whether there was one.

        Raises StateUnusableError, and UsageError while it runs.
        """
        if not self._database.there:
            return False
        with self._database.transaction() as connection:
            row = _process_row(connection, run_id)
            if row[0] and _status(*row) is RunStatus.RUNNING:
                raise UsageError(f"run {run_id} is running now", hint="wait until it has ended")
            gone = _delete(connection, run_id)
        shrink(self._database)
        return gone

    def seconds(self, workflow: str) -> Mapping[str, float]:
        """How long each step of the workflow took lately, the median; nothing when unknown."""
        if not self._database.there:
            return {}
        try:
            with self._database.reading() as connection:
                rows = connection.execute(
                    "SELECT s.step, s.seconds FROM workflow_steps s JOIN workflow_runs r"
                    " ON r.id = s.run WHERE r.workflow = ? AND s.status = 'ok'"
                    " ORDER BY r.started_at DESC LIMIT 1000",
                    (workflow,),
                ).fetchall()
        except StateUnusableError as error:
            self._database.give_up(error)
            return {}
        took: dict[str, list[float]] = {}
        for step, seconds in rows:
            took.setdefault(step, []).append(seconds)
        latest = {step: sorted(each[:_CALLS]) for step, each in took.items()}
        return {step: each[len(each) // 2] for step, each in latest.items()}

    def _write(self, change: Callable[[sqlite3.Connection], object]) -> None:
        """Change the tables; a failure is a note."""
        try:
            with self._database.transaction() as connection:
                change(connection)
        except StateUnusableError as error:
            self._database.give_up(error)


class AllowedServers:
    """The table `allowed_servers`; implements TrustStore."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now

    def allowed(self, fingerprints: Iterable[str]) -> frozenset[str]:
        """Those of them that the person allowed. Raises StateUnusableError."""
        wanted = frozenset(fingerprints)
        if not wanted or not self._database.there:
            return frozenset()
        with self._database.reading() as connection:
            rows = connection.execute("SELECT fingerprint FROM allowed_servers").fetchall()
        return wanted & {row[0] for row in rows}

    def allow(self, fingerprints: Sequence[str], workflow: str) -> None:
        """Remember that the person allowed them. Raises StateUnusableError."""
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO allowed_servers VALUES (?, ?, ?)",
                [(each, workflow, self._now()) for each in fingerprints],
            )


def _own() -> tuple[str, int, float]:
    own = processes.own()
    return processes.place(), own.pid, own.started


def _process_row(connection: sqlite3.Connection, run_id: str) -> tuple[Any, ...]:
    found = connection.execute(
        "SELECT status, place, pid, process_started FROM workflow_runs WHERE id = ?", (run_id,)
    ).fetchone()
    return ("", "", 0, 0.0) if found is None else tuple(found)


def _status(status: str, place: str, pid: int, started: float) -> RunStatus:
    """The status, which is `stopped` where the process died without telling."""
    from ollamamaster.domain.tickets import ProcessId

    if status != RunStatus.RUNNING:
        return RunStatus(status) if status in tuple(RunStatus) else RunStatus.STOPPED
    # where nobody can tell, it may well run
    alive = processes.alive_at(place, ProcessId(pid, started))
    return RunStatus.STOPPED if alive is False else RunStatus.RUNNING


def _delete(connection: sqlite3.Connection, run_id: str) -> bool:
    connection.execute("PRAGMA secure_delete=ON")
    connection.execute("DELETE FROM workflow_steps WHERE run = ?", (run_id,))
    return connection.execute("DELETE FROM workflow_runs WHERE id = ?", (run_id,)).rowcount > 0


def _row(run: RunRecord) -> tuple[Any, ...]:
    return (
        run.id,
        run.workflow,
        storable(run.path),
        run.digest,
        json.dumps(run.inputs),
        str(run.status),
        run.started_at,
        run.seconds,
        storable(run.output),
        run.person,
    )


def _record(row: Sequence[Any]) -> RunRecord:
    run_id, workflow, path, digest, inputs, status, started_at, seconds, output, person = row[:10]
    state = _status(status, *row[10:])
    given = _json(inputs)
    return RunRecord(
        run_id,
        workflow,
        path,
        digest,
        given if isinstance(given, dict) else {},
        state,
        started_at,
        seconds,
        output,
        bool(person),
    )


def _step(row: Sequence[Any]) -> StepResult:
    step, status, text, data, model, instance, seconds, error = row
    # one that nobody can tell how it ended is run again
    state = StepStatus(status) if status in tuple(StepStatus) else StepStatus.CANCELLED
    return StepResult(step, state, text, _json(data), model, instance, seconds, error)


def _json(text: str) -> Any:
    try:
        return read_json(text)
    except ValueError:
        return None
