"""How a workflow that cannot be used, or failed, is reported."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ollamamaster.domain.trust import shown
from ollamamaster.domain.workflow_run import RunStatus
from ollamamaster.errors import (
    FailedError,
    NotAllowedError,
    OllamaMasterError,
    StepFailedError,
    WorkflowInvalidError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollamamaster.domain.workflow import ToolServer, Workflow
    from ollamamaster.domain.workflow_problems import WorkflowProblem, WorkflowReading
    from ollamamaster.domain.workflow_run import RunResult

# Problems that are told in the error itself; `check` has them all.
_TOLD = 5


def sound(reading: WorkflowReading) -> Workflow:
    """The workflow of a file without mistakes. Raises WorkflowInvalidError."""
    if reading.problems or reading.workflow is None:
        raise invalid(reading.path, reading.problems)
    return reading.workflow


def invalid(path: str, problems: Sequence[WorkflowProblem]) -> WorkflowInvalidError:
    """The error for what is wrong in a file: the first mistake, and more of them in the hint."""
    first, *others = problems
    where = path if first.line is None else f"{path}:{first.line}"
    lines = [first.hint] if first.hint else []
    lines += [
        each.message if each.line is None else f"line {each.line}: {each.message}"
        for each in others[: _TOLD - 1]
    ]
    if len(others) >= _TOLD:
        lines.append(f"and {len(others) - _TOLD + 1} more: ollamamaster workflow check {path}")
    return WorkflowInvalidError(f"{where}: {first.message}", hint="\n".join(lines) or None)


def not_allowed(workflow: Workflow, server: ToolServer) -> NotAllowedError:
    """The error for a server that the person never allowed."""
    does = "would use" if server.url is not None else "would run"
    return NotAllowedError(
        f"the workflow {workflow.name} {does} {shown(server)}, which you never allowed",
        hint=f"to allow it: ollamamaster workflow allow {shlex.quote(workflow.path)}",
        server=server.name,
    )


def failure(result: RunResult) -> OllamaMasterError | None:
    """The error for a run that failed; None for one that succeeded."""
    if result.status is RunStatus.OK:
        return None
    failed = result.failed
    resume = f"ollamamaster workflow run --resume {result.run_id}"
    if failed is None:
        missing = result.errors.get("output")
        return FailedError(f"the output cannot be written: {missing}", hint=resume)
    return StepFailedError(
        f"the step {failed.id!r} failed: {failed.error}",
        hint=f"to go on after mending it: {resume}",
    )
