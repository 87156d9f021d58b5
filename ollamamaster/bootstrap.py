"""The composition root: which adapter serves which service, made when it is first needed."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ollamamaster.discovery.names import SystemNames
    from ollamamaster.domain.settings import Settings
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.ollama.client import OllamaClient
    from ollamamaster.ports import HistoryStore, InventoryStore, LivenessStore
    from ollamamaster.services.assess import AssessService
    from ollamamaster.services.compare import CompareService
    from ollamamaster.services.discover import DiscoverService
    from ollamamaster.services.fleet import FleetService
    from ollamamaster.services.history import HistoryService
    from ollamamaster.services.long_document import LongDocumentService
    from ollamamaster.services.means import Means
    from ollamamaster.services.models import ModelsService
    from ollamamaster.services.pull import PullService
    from ollamamaster.services.route import RouteService
    from ollamamaster.services.session import SessionService
    from ollamamaster.services.watch import WatchService
    from ollamamaster.services.workflow import WorkflowService
    from ollamamaster.storage.history import HistoryDatabase
    from ollamamaster.storage.paths import Paths
    from ollamamaster.storage.remembered import RememberedRequests
    from ollamamaster.storage.sessions import SessionTable
    from ollamamaster.storage.tickets import TicketTable
    from ollamamaster.storage.turns import TurnTable
    from ollamamaster.storage.workflow_files import WorkflowFiles


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
    `serving` says that this process stays and reads the inventory often; with `read_only` it
    keeps nothing for other processes.
    """

    note: Callable[[str], None] = field(default=_silent)
    clock: SystemClock = field(default_factory=SystemClock)
    serving: bool = False
    read_only: bool = False

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
    def inventory(self) -> InventoryStore:
        from ollamamaster.storage.inventory import InventoryFile

        file = InventoryFile(self.paths.inventory, note=self.note)
        if not self.serving:
            return file
        from ollamamaster.storage.inventory_cache import CachedInventory

        return CachedInventory(file, self.paths.inventory, writes=not self.read_only)

    def fleet(self) -> Fleet:
        """The fleet as last known, with what the config says of each instance."""
        from ollamamaster.domain.snapshot import with_settings

        return with_settings(self.inventory.load(), self.settings)

    def fleet_service(self) -> FleetService:
        from ollamamaster.services.fleet import FleetService

        return FleetService(self.settings, self.fleet, self.discover_service, self.note)

    def models_service(self) -> ModelsService:
        from ollamamaster.services.models import ModelsService

        return ModelsService(self.settings, self.clock)

    @cached_property
    def ollama(self) -> OllamaClient:
        from ollamamaster.ollama.client import OllamaClient

        return OllamaClient()

    @cached_property
    def history(self) -> HistoryDatabase:
        from ollamamaster.storage.history import HistoryDatabase

        return HistoryDatabase(self.paths.history, note=self.note)

    @cached_property
    def past(self) -> HistoryStore:
        """What happened and what it taught, for routes."""
        from ollamamaster.storage.requests import RequestTables

        tables = RequestTables(self.history, self.settings.history)
        if not self.read_only:
            return tables
        from ollamamaster.storage.unrecorded import Unrecorded

        return Unrecorded(tables)

    @cached_property
    def remembered(self) -> RememberedRequests:
        """What happened, for a person."""
        from ollamamaster.storage.remembered import RememberedRequests

        return RememberedRequests(self.history)

    def history_service(self) -> HistoryService:
        from ollamamaster.services.history import HistoryService

        return HistoryService(self.remembered)

    @cached_property
    def liveness(self) -> LivenessStore:
        if self.read_only:
            from ollamamaster.storage.liveness_memory import LivenessMemory

            return LivenessMemory()
        from ollamamaster.storage.liveness import LivenessTable

        return LivenessTable(self.history)

    @cached_property
    def names(self) -> SystemNames:
        from ollamamaster.discovery.names import SystemNames

        return SystemNames()

    @cached_property
    def tickets(self) -> TicketTable:
        from ollamamaster.storage.tickets import TicketTable, ticket_database

        return TicketTable(ticket_database(self.history))

    def discover_service(self) -> DiscoverService:
        from ollamamaster.discovery.gpu import NvidiaSmi
        from ollamamaster.discovery.memory import ram_total
        from ollamamaster.discovery.neighbours import SystemNeighbours
        from ollamamaster.discovery.scan import SocketScanner
        from ollamamaster.services.discover import DiscoverService, Surroundings

        around = Surroundings(
            SocketScanner(), self.names, SystemNeighbours(), NvidiaSmi(), ram_total
        )
        return DiscoverService(
            self.settings,
            self.inventory,
            self.ollama,
            around,
            self.clock,
            liveness=self.liveness,
            ollama_host=os.environ.get("OLLAMA_HOST"),
        )

    def pull_service(self) -> PullService:
        from ollamamaster.services.pull import PullService

        return PullService(self.ollama, self.clock, self.fleet_service().refreshed)

    @cached_property
    def means(self) -> Means:
        """What routes work with."""
        from ollamamaster.services.means import Means
        from ollamamaster.services.residency import Residency
        from ollamamaster.storage.abilities import load_abilities

        return Means(
            self.settings,
            self.ollama,
            self.liveness,
            self.tickets,
            self.past,
            self.clock,
            Residency(self.ollama, self.clock, self.fleet_service().refreshed),
            load_abilities(),
        )

    def route_service(self) -> RouteService:
        from ollamamaster.services.route import RouteService

        return RouteService(self.means, self.pull_service)

    def compare_service(self) -> CompareService:
        from ollamamaster.services.compare import CompareService

        return CompareService(self.means, self.route_service())

    @cached_property
    def sessions(self) -> SessionTable:
        """The conversations that are kept."""
        from ollamamaster.storage.sessions import SessionTable

        return SessionTable(self.history, self.settings.sessions.keep_days)

    @cached_property
    def turns(self) -> TurnTable:
        from ollamamaster.storage.tickets import ticket_database
        from ollamamaster.storage.turns import TurnTable

        return TurnTable(ticket_database(self.history), self.paths.history)

    def session_service(self) -> SessionService:
        from ollamamaster.services.session import SessionService

        return SessionService(self.route_service(), self.sessions, self.turns)

    def long_document_service(self) -> LongDocumentService:
        from ollamamaster.services.long_document import LongDocumentService

        return LongDocumentService(self.route_service())

    def assess_service(self) -> AssessService:
        from ollamamaster.services.assess import AssessService
        from ollamamaster.storage.library import load_library

        return AssessService(self.means, load_library)

    @cached_property
    def workflow_files(self) -> WorkflowFiles:
        from ollamamaster.storage.workflow_files import WorkflowFiles

        return WorkflowFiles(self.paths.workflows)

    def workflow_service(self) -> WorkflowService:
        from ollamamaster.mcp_client.servers import McpServers
        from ollamamaster.services.workflow import WorkflowService
        from ollamamaster.storage.workflow_attachments import attach
        from ollamamaster.storage.workflow_runs import AllowedServers, RunTables

        return WorkflowService(
            self.workflow_files,
            RunTables(self.history),
            AllowedServers(self.history),
            McpServers(),
            self.route_service(),
            self.fleet_service().first,
            attach,
            self.clock,
        )

    def watch_service(self, discover: DiscoverService) -> WatchService:
        from ollamamaster.services.watch import WatchService

        return WatchService(discover, self.clock)
