"""What tests of workflows share: a listener that hears nothing, and the least time of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollamamaster.domain.workflow import longest_chain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ollamamaster.domain.workflow import Step
    from ollamamaster.domain.workflow_plan import Plan
    from ollamamaster.domain.workflow_run import StepResult


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
