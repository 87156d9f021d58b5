"""The inventory for a process that stays: read again only when the file is another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollamamaster.domain.snapshot import Fleet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ollamamaster.ports import InventoryStore

_Signature = tuple[int, int, int]


class CachedInventory:
    """An inventory whose last reading is kept; implements InventoryStore.

    Without `writes` changes stay in this process, until another one writes the file.
    """

    def __init__(self, store: InventoryStore, path: Path, *, writes: bool) -> None:
        self._store = store
        self._path = path
        self._writes = writes
        self._seen: _Signature | None = None
        self._fleet = Fleet()

    def load(self) -> Fleet:
        """The fleet as last written, or as changed here."""
        # Asked before reading: what is written in between is then read once more.
        now = self._signature()
        if now != self._seen:
            self._fleet, self._seen = self._store.load(), now
        return self._fleet

    def update(self, change: Callable[[Fleet], Fleet]) -> Fleet:
        """Change the file, or without `writes` only what this process knows."""
        if self._writes:
            return self._store.update(change)
        self._fleet = change(self.load())
        return self._fleet

    def _signature(self) -> _Signature | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        # Every writer puts a new file in place, so one of these is another one.
        return found.st_ino, found.st_mtime_ns, found.st_size
