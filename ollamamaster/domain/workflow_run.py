"""What came of a run of a workflow, and of each of its steps?"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.references import Given

if TYPE_CHECKING:
    from collections.abc import Mapping


class StepStatus(StrEnum):
    """How a step ended."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class RunStatus(StrEnum):
    """How a run is. One that is stopped was interrupted, or its process died."""

    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step that ended. `model` and `instance` are None where no single one answered."""

    id: str
    status: StepStatus
    text: str = ""
    data: Any = None
    model: str | None = None
    instance: str | None = None
    seconds: float = 0.0
    error: str | None = None

    @property
    def given(self) -> Given:
        """What later steps can name of it; nothing of one that did not succeed."""
        if self.status is not StepStatus.OK:
            return Given()
        return Given(self.text, self.data, self.model or "", self.instance or "")

    @property
    def finished(self) -> bool:
        """Whether a resumed run keeps it."""
        return self.status in (StepStatus.OK, StepStatus.SKIPPED)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as it is remembered. `started_at` is seconds since the epoch.

    `path` and `digest` are those of the file when it began; `seconds` is None while it runs and
    where its process died. With `person` a person began it and gave the inputs, else an agent.
    """

    id: str
    workflow: str
    path: str
    digest: str
    inputs: Mapping[str, Any]
    status: RunStatus
    started_at: float
    seconds: float | None = None
    output: str | None = None
    person: bool = True


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run that ended, with all of its steps in the order of the file.

    `output` is None unless it succeeded; `expected_s` is what was foreseen of what was run;
    `failed_by` is the id of the step that ended a run, for which it was not to go on.
    """

    run_id: str
    workflow: str
    status: RunStatus
    steps: tuple[StepResult, ...]
    seconds: float
    output: str | None = None
    expected_s: float | None = None
    errors: Mapping[str, BaseException] = field(default_factory=dict, compare=False)
    failed_by: str | None = None

    @property
    def failed(self) -> StepResult | None:
        """The step that failed the run; None where all went well, or the output could not be."""
        return next((step for step in self.steps if step.id == self.failed_by), None)
