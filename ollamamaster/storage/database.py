"""A file of tables: opened, migrated, and shared by processes."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, ClassVar

from ollamamaster.errors import StateUnusableError
from ollamamaster.storage.damaged import set_aside
from ollamamaster.storage.lock import locked, unusable
from ollamamaster.storage.network_disk import on_network_disk
from ollamamaster.storage.paths import home_of, no_folder

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from pathlib import Path

# Twenty processes that start at once are through in well under a second; a disk that is busy
# with something else may take longer.
BUSY_TIMEOUT_S = 5.0
# A change waits that many times as long: who gets in next is chance. The longest wait of 32
# processes that do nothing else for 20 s was 1.6 s, on two busy cores
# (tests/benchmarks/tickets.py).
CHANGE_TIMEOUTS = 6
# When a file is tried again: a tenth of the time at most is spent waiting for one that is locked.
GIVEN_UP_S = 10 * CHANGE_TIMEOUTS * BUSY_TIMEOUT_S
_LOOK_AGAIN_S = 0.005
_PAUSE_S = 0.02
# SQLITE_CORRUPT and SQLITE_NOTADB: the file's content, not the disk or another process.
_DAMAGED = frozenset({11, 26})
# SQLITE_BUSY: another process is in the middle of a change.
_BUSY = 5

# Kept for ever, so that they are never closed here.
_OF_PARENTS: list[sqlite3.Connection] = []


def _silent(_note: str) -> None:
    """Notes go nowhere unless the caller says where."""


class Database:
    """A SQLite file, opened when it is first needed; one thread uses it.

    `migrations` are applied once each, in their order; `user_version` of the file counts them.

    A damaged file is set aside with a note and begun anew. Everything that fails for another
    reason is a StateUnusableError. What is only advice goes on without it, see `give_up`.
    """

    migrations: ClassVar[tuple[str, ...]] = ()

    def __init__(self, path: Path, *, note: Callable[[str], None] = _silent) -> None:
        self.path = path
        self.note = note
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._given_up: StateUnusableError | None = None
        self._given_up_at = 0.0

    @property
    def there(self) -> bool:
        """Whether there is anything to read; who only reads leaves no file behind.

        Where no file could ever be, opening it tells why.
        """
        return self.path.exists() or no_folder(self.path.parent) is not None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Read and change in one transaction that no other process is in the middle of."""
        import sqlite3

        connection = self._opened()
        try:
            _begin(connection)
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()
        except sqlite3.Error as error:
            raise self._failure(error) from error

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read only."""
        import sqlite3

        connection = self._opened()
        try:
            yield connection
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def give_up(self, error: StateUnusableError) -> None:
        """Say, once for all that use the file, that this process goes on without it.

        For some minutes every use fails at once, so that nobody waits for the same trouble again.
        """
        if self._given_up is None:
            self._given_up, self._given_up_at = error, time.monotonic()
            self.note(f"{error.message}; this run goes on without what is remembered there")

    def close(self) -> None:
        """Close the file; it is opened again when it is next needed."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._process == os.getpid():
            connection.close()
        else:
            # SQLite forbids that a forked process even closes its parent's connection
            _OF_PARENTS.append(connection)

    def __del__(self) -> None:
        self.close()

    def _opened(self) -> sqlite3.Connection:
        if self._given_up is not None:
            if time.monotonic() - self._given_up_at < GIVEN_UP_S:
                raise self._given_up
            self._given_up = None
        if self._process != os.getpid():
            self.close()
            self._process = os.getpid()
        if self._connection is None:
            import sqlite3

            try:
                self._connection = self._open()
            except sqlite3.Error as error:
                if not _is_damage(error):
                    raise self._unusable(error) from error
                self._connection = self._begun_anew()
        return self._connection

    def _open(self) -> sqlite3.Connection:
        """A connection to a file of this program's version. Raises sqlite3.Error."""
        import sqlite3

        self._make_private()
        # The garbage collector may close it in any thread; SQLite itself is built for that.
        connection = sqlite3.connect(
            self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            # first of all: a file of a newer version is not to be changed in any way
            self._applied(connection)
            _set_journal(connection, "DELETE" if on_network_disk(self.path) else "WAL")
            # a lost last second of advice after a power cut is no loss; the file stays whole
            connection.execute("PRAGMA synchronous=NORMAL")
            self._migrate(connection)
            _check_tables(connection, self.migrations)
        except BaseException:
            connection.close()
            raise
        return connection

    def _make_private(self) -> None:
        """SQLite would make the file readable by others; its -wal and -shm take its mode."""
        try:
            home_of(self.path)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise unusable(self.path, error) from error

    def _migrate(self, connection: sqlite3.Connection) -> None:
        if self._applied(connection) == len(self.migrations):
            return
        _begin(connection)
        try:
            for migration in self.migrations[self._applied(connection) :]:
                connection.execute(migration)
            connection.execute(f"PRAGMA user_version={len(self.migrations)}")
            connection.commit()
        except BaseException:
            connection.rollback()
            raise

    def _applied(self, connection: sqlite3.Connection) -> int:
        """How many migrations the file has seen."""
        number = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if number > len(self.migrations):
            raise StateUnusableError(
                f"{self.path} was written by a newer ollamamaster",
                hint="update this one, or let OLLAMAMASTER_HOME name another folder",
            )
        return number

    def _begun_anew(self) -> sqlite3.Connection:
        """Under a lock, because another process may just have begun a good file."""
        import sqlite3

        with locked(self.path):
            try:
                return self._open_whole()
            except sqlite3.Error as error:
                if not _is_damage(error):
                    raise self._unusable(error) from error
                self._aside(error)
            try:
                return self._open()
            except sqlite3.Error as error:
                raise self._unusable(error) from error

    def _open_whole(self) -> sqlite3.Connection:
        """A connection to a file that is sound in every page."""
        connection = self._open()
        try:
            _check_pages(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _aside(self, damage: sqlite3.Error) -> None:
        try:
            aside = set_aside(self.path, time.time())
            # what these hold belongs to the damaged file and would spoil the new one
            for ending in ("-wal", "-shm", "-journal"):
                with contextlib.suppress(FileNotFoundError):
                    self.path.with_name(self.path.name + ending).unlink()
        except OSError as error:
            raise unusable(self.path, error) from error
        self.note(f"{self.path} was damaged ({damage}); it is now {aside.name}")

    def _failure(self, error: sqlite3.Error) -> StateUnusableError:
        """The error for a person. A file that shows its damage only now is set aside at once."""
        self.close()
        if _is_damage(error):
            with contextlib.suppress(StateUnusableError):
                self._connection = self._begun_anew()
        return self._unusable(error)

    def _unusable(self, error: sqlite3.Error) -> StateUnusableError:
        return StateUnusableError(
            f"{self.path} cannot be used: {error}", hint="OLLAMAMASTER_HOME names another folder"
        )


def _is_damage(error: sqlite3.Error) -> bool:
    # the low byte is the kind of error, the rest its details
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and (code & 0xFF) in _DAMAGED


def _check_pages(connection: sqlite3.Connection) -> None:
    """Raises the error that a damaged page would raise when it is read."""
    verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise _damage(verdict)


def _check_tables(connection: sqlite3.Connection, migrations: tuple[str, ...]) -> None:
    """Raises an error of damage when a table that the migrations made is not as they made it."""
    import sqlite3

    with contextlib.closing(sqlite3.connect(":memory:")) as sound:
        for migration in migrations:
            sound.execute(migration)
        missing = _columns(sound) - _columns(connection)
    if missing:
        table, column = min(missing)
        raise _damage(f"{table}.{column} is missing")


def _columns(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    return set(
        connection.execute(
            "SELECT t.name, c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c"
            " WHERE t.type = 'table'"
        )
    )


def _damage(what: str) -> sqlite3.Error:
    import sqlite3

    damage = sqlite3.DatabaseError(what)
    damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return damage


def _begin(connection: sqlite3.Connection) -> None:
    """Begin a change; wait for the changes of other processes for as long as one may have to."""
    import sqlite3

    deadline = time.monotonic() + CHANGE_TIMEOUTS * BUSY_TIMEOUT_S
    # SQLite itself would look ten times a second, while changes take a thousandth of one
    connection.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() > deadline:
                    raise
                _pause()
            else:
                return
    finally:
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000:.0f}")


def _pause() -> None:
    """Wait a moment, another one each time, so that the same ones do not meet again."""
    import random

    time.sleep(random.uniform(0.0, _LOOK_AGAIN_S))  # noqa: S311 (no secret)


def _is_busy(error: sqlite3.Error) -> bool:
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) == _BUSY


def _set_journal(connection: sqlite3.Connection, mode: str) -> None:
    """Change the journal mode; SQLite does not wait by itself for another that changes it too."""
    import sqlite3

    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute(f"PRAGMA journal_mode={mode}")
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_S)
        else:
            return


class InMemory(Database):
    """A database of which nothing is left when the process ends."""

    @property
    def there(self) -> bool:
        """It is always there."""
        return True

    def _open(self) -> sqlite3.Connection:
        import sqlite3

        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._migrate(connection)
        return connection
