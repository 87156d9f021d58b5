"""One process at a time around a file."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ollamamaster.errors import StateUnusableError
from ollamamaster.storage.paths import home_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A holder is done within milliseconds; twenty that start at once are through in under a second.
LOCK_TIMEOUT_S = 10.0
_POLL_S = 0.02


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of `path`, a file beside it that stays; a killed holder's lock is free.

    Raises StateUnusableError when it cannot be had within ten seconds, or not made at all.
    """
    from filelock import FileLock, Timeout

    try:
        home_of(path)
        # a lock object of its own each time: nothing is kept open between two changes
        lock = FileLock(path.with_name(f"{path.name}.lock"), LOCK_TIMEOUT_S, mode=0o600)
        lock.acquire(poll_interval=_POLL_S)
    except Timeout:
        raise StateUnusableError(
            f"{path}: another process has kept it locked for {LOCK_TIMEOUT_S:.0f} seconds",
            hint="end that process, or try again",
        ) from None
    except OSError as error:
        raise unusable(path, error) from error
    try:
        yield
    finally:
        lock.release()


def unusable(path: Path, error: OSError) -> StateUnusableError:
    """The error for a state file that cannot be written, in words for a person."""
    return StateUnusableError(
        f"{path} cannot be written: {error.strerror or error}",
        hint="OLLAMAMASTER_HOME names another folder",
    )
