"""What do all tools share? The application, the fleet as it is now, and the runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ollamamaster.mcp_server.announcer import Announcer
from ollamamaster.mcp_server.contents import RUNS
from ollamamaster.mcp_server.door import Door
from ollamamaster.mcp_server.live import USUAL, LiveFleet, Pace
from ollamamaster.mcp_server.runs import Runs

if TYPE_CHECKING:
    from ollamamaster.bootstrap import Application
    from ollamamaster.services.assess import AssessService
    from ollamamaster.services.route import RouteService
    from ollamamaster.services.session import SessionService
    from ollamamaster.services.workflow import WorkflowService


@dataclass
class Served:
    """One per server process. `application.read_only` says that nothing is kept or ended.

    `looks` counts the discoveries that go on for a call; the `door` lets so many routes at once
    stand in the line of the fleet.
    """

    application: Application
    announcer: Announcer = field(default_factory=Announcer)
    pace: Pace = USUAL
    door: Door = field(default_factory=Door)
    looks: int = 0

    @cached_property
    def live(self) -> LiveFleet:
        return LiveFleet(self.application, self.announcer, lambda: self.runs, self.pace)

    @cached_property
    def runs(self) -> Runs:
        return Runs(self.application.clock, self._run_changed)

    @cached_property
    def routes(self) -> RouteService:
        return self.application.route_service()

    @cached_property
    def sessions(self) -> SessionService:
        return self.application.session_service()

    @cached_property
    def workflows(self) -> WorkflowService:
        return replace(self.application.workflow_service(), find=self.live.fleet)

    @cached_property
    def assessments(self) -> AssessService:
        return self.application.assess_service()

    def _run_changed(self, run_id: str) -> None:
        if f"{RUNS}/{run_id}" in self.announcer.wanted:
            self.live.announce()

    async def close(self) -> None:
        """End everything that goes on."""
        await self.runs.close()
        await self.live.close()
        await self.announcer.close()
        if "ollama" in vars(self.application):
            await self.application.ollama.aclose()
