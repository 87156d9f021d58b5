"""What is told while a workflow runs, and how the routes of its steps tell it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ollamamaster.services.compare_listener import UnheardComparison

if TYPE_CHECKING:
    from ollamamaster.domain.routing import Attempt
    from ollamamaster.domain.selection import Candidate
    from ollamamaster.domain.workflow_plan import Plan
    from ollamamaster.domain.workflow_run import StepResult


class WorkflowListener(Protocol):
    """Is told what happens to a workflow."""

    def preparing(self, server: str) -> None:
        """A server is being started."""

    def planned(self, run_id: str, plan: Plan) -> None:
        """It begins, and this is what is expected."""

    def began(self, step: str) -> None:
        """A step begins."""

    def working(self, step: str, model: str, instance_name: str) -> None:
        """A model works at a step."""

    def rested(self, step: str, model: str, instance_name: str) -> None:
        """It does not any more."""

    def ended(self, result: StepResult) -> None:
        """A step is over, well or not."""

    def note(self, text: str) -> None:
        """Something worth knowing."""


@dataclass
class OfStep(UnheardComparison):
    """Hears the routes and comparisons of one step, and tells who listens to the workflow."""

    step: str
    listener: WorkflowListener
    _names: dict[str, str] = field(default_factory=dict)

    def started(self, attempt: Attempt, candidate: Candidate) -> None:
        name = self._names[attempt.instance] = candidate.pair.instance.name
        self.listener.working(self.step, attempt.model, name)

    def ended(self, attempt: Attempt) -> None:
        name = self._names.get(attempt.instance, attempt.instance)
        self.listener.rested(self.step, attempt.model, name)

    def note(self, text: str) -> None:
        self.listener.note(f"{self.step}: {text}")
