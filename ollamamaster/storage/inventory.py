"""The file that keeps the fleet between processes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ollamamaster.domain.facts import fleet_with_facts
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.errors import StateUnusableError
from ollamamaster.storage.atomic import replace_file
from ollamamaster.storage.damaged import set_aside
from ollamamaster.storage.inventory_text import DamagedError, from_text, to_text
from ollamamaster.storage.lock import locked, unusable
from ollamamaster.storage.regular_file import content_of_regular

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _silent(_note: str) -> None:
    """Notes go nowhere unless the caller says where."""


class InventoryFile:
    """`inventory.toml`: read without a lock, changed under one; implements InventoryStore.

    `note` is told when the file was damaged and set aside, or cannot be read.
    """

    def __init__(self, path: Path, *, note: Callable[[str], None] = _silent) -> None:
        self._path = path
        self._note = note

    def load(self) -> Fleet:
        """The fleet as last written; empty when nothing was. Never raises.

        A damaged file is set aside, and what could be wrong with the disk is a note.
        """
        try:
            return self._read()
        except DamagedError as error:
            return self._rebuilt(error)
        except OSError as error:
            self._note(f"{self._path} cannot be read: {error.strerror or error}")
            return Fleet()

    def update(self, change: Callable[[Fleet], Fleet]) -> Fleet:
        """Read, change and replace under the lock between processes; returns what was written.

        What an instance left unsaid of a model is filled in from what was known of the same
        digest. Raises StateUnusableError when it cannot be written; the file stays as it was.
        """
        with locked(self._path):
            try:
                try:
                    before = self._read()
                except DamagedError as error:
                    self._aside(error)
                    before = Fleet()
                after = fleet_with_facts(change(before), before)
                replace_file(self._path, to_text(after))
            except OSError as error:
                raise unusable(self._path, error) from error
        return after

    def _read(self) -> Fleet:
        try:
            content = content_of_regular(self._path)
        except FileNotFoundError:
            return Fleet()
        return from_text(content)

    def _rebuilt(self, error: DamagedError) -> Fleet:
        """Under the lock, because another process may just have put a good file there."""
        try:
            with locked(self._path):
                try:
                    return self._read()
                except DamagedError as still:
                    self._aside(still)
        except (StateUnusableError, OSError) as failure:
            self._note(f"{self._path} is damaged ({error}) and cannot be set aside: {failure}")
        return Fleet()

    def _aside(self, error: DamagedError) -> None:
        aside = set_aside(self._path, time.time())
        self._note(f"{self._path} was damaged ({error}); it is now {aside.name}")
