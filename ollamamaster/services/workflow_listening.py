"""What is told while a workflow runs, and how the routes of its steps tell it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollamamaster.domain.answers import PullProgress
    from ollamamaster.domain.comparing import Answer, Entrant, Planned
    from ollamamaster.domain.instances import Instance
    from ollamamaster.domain.routing import Attempt
    from ollamamaster.domain.selection import Candidate, Decision
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


class Quiet:
    """Hears everything and tells nobody."""

    def preparing(self, server: str) -> None: ...

    def planned(self, run_id: str, plan: Plan) -> None: ...

    def began(self, step: str) -> None: ...

    def working(self, step: str, model: str, instance_name: str) -> None: ...

    def rested(self, step: str, model: str, instance_name: str) -> None: ...

    def ended(self, result: StepResult) -> None: ...

    def note(self, text: str) -> None: ...


@dataclass
class OfStep:
    """Hears the routes and comparisons of one step, and tells who listens to the workflow."""

    step: str
    listener: WorkflowListener
    _names: dict[str, str] = field(default_factory=dict)

    def decided(self, decision: Decision) -> None: ...

    def waiting(self, instance_name: str, position: int, wait_s: float) -> None: ...

    def started(self, attempt: Attempt, candidate: Candidate) -> None:
        name = self._names[attempt.instance] = candidate.pair.instance.name
        self.listener.working(self.step, attempt.model, name)

    def hedged(self, late: Attempt, candidate: Candidate) -> None: ...

    def token(self, text: str, thinking: str) -> None: ...

    def restarted(self, attempt: Attempt) -> None: ...

    def ended(self, attempt: Attempt) -> None:
        name = self._names.get(attempt.instance, attempt.instance)
        self.listener.rested(self.step, attempt.model, name)

    def note(self, text: str) -> None:
        self.listener.note(f"{self.step}: {text}")

    def chosen(self, model: str, instance: Instance) -> None: ...

    def progress(self, progress: PullProgress) -> None: ...

    def entered(self, entrants: Sequence[Entrant]) -> None: ...

    def planned(self, plan: Sequence[Planned]) -> None: ...

    def route(self, index: int) -> OfStep:  # noqa: ARG002 (all of them are this step's)
        return self

    def answered(self, index: int, answer: Answer) -> None: ...

    def judging(self, model: str, number: int) -> OfStep:  # noqa: ARG002 (as above)
        return self
