"""What tests of workflows share: a tool server, a listener that hears nothing, a plan's time."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ollamamaster.domain.workflow import longest_chain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ollamamaster.domain.workflow import Step
    from ollamamaster.domain.workflow_plan import Plan
    from ollamamaster.domain.workflow_run import StepResult


SERVER = str(Path(__file__).parent / "tool_server.py")


def corpus(*tools: str) -> str:
    """The table of a workflow that lets it use these tools of the server."""
    return (
        f"[mcp.corpus]\ncommand = {json.dumps(sys.executable)}\n"
        f"args = [{json.dumps(SERVER)}]\ntools = {json.dumps(tools)}\n"
    )


class Quiet:
    """Hears everything of a workflow and tells nobody."""

    def preparing(self, server: str) -> None: ...

    def planned(self, run_id: str, plan: Plan) -> None: ...

    def began(self, step: str) -> None: ...

    def working(self, step: str, model: str, instance_name: str) -> None: ...

    def rested(self, step: str, model: str, instance_name: str) -> None: ...

    def ended(self, result: StepResult) -> None: ...

    def note(self, text: str) -> None: ...


def critical_path(steps: Sequence[Step], seconds: Mapping[str, float]) -> float:
    """The time of the longest chain of steps, where each takes so many seconds."""
    return sum(seconds[step_id] for step_id in longest_chain(steps, seconds))
