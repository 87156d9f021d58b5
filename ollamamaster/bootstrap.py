"""The composition root: which adapter serves which service, made when it is first needed."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ollamamaster.domain.settings import Settings
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.services.models import ModelsService
    from ollamamaster.storage.inventory import InventoryFile
    from ollamamaster.storage.paths import Paths


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        from datetime import UTC, datetime

        return datetime.now(UTC)

    def monotonic(self) -> float:
        import time

        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        import asyncio

        await asyncio.sleep(seconds)


def _silent(_note: str) -> None:
    """Notes go nowhere unless a face says where."""


@dataclass
class Application:
    """Everything a face needs, each part made once and only when asked for.

    `note` is told what is worth knowing but no error, such as a damaged file set aside.
    """

    note: Callable[[str], None] = field(default=_silent)
    clock: SystemClock = field(default_factory=SystemClock)

    @cached_property
    def paths(self) -> Paths:
        from ollamamaster.storage.paths import Paths

        return Paths.from_environment(os.environ)

    @cached_property
    def settings(self) -> Settings:
        """What the person configured. Raises ConfigInvalidError."""
        from ollamamaster.storage.config import load_settings

        loaded = load_settings(self.paths, os.environ)
        for note in loaded.notes:
            self.note(note)
        return loaded.settings

    @cached_property
    def inventory(self) -> InventoryFile:
        from ollamamaster.storage.inventory import InventoryFile

        return InventoryFile(self.paths.inventory, note=self.note)

    def fleet(self) -> Fleet:
        """The fleet as last known, with what the config says of each instance."""
        from ollamamaster.domain.snapshot import with_settings

        return with_settings(self.inventory.load(), self.settings)

    def models_service(self) -> ModelsService:
        from ollamamaster.services.models import ModelsService

        return ModelsService(self.settings, self.clock)
