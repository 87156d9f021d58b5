"""The past for a process that adds nothing to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ollamamaster.domain.profiles import Profiles
    from ollamamaster.domain.records import RouteRecord
    from ollamamaster.ports import HistoryStore


class Unrecorded:
    """What others learnt, and no more; implements HistoryStore."""

    def __init__(self, store: HistoryStore) -> None:
        self._store = store

    def profiles(self) -> Profiles:
        """What history taught until now."""
        return self._store.profiles()

    def record(self, route: RouteRecord) -> None:
        """Forget it."""
