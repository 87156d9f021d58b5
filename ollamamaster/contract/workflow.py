"""`data` of the commands of `workflow`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollamamaster.contract.decision import rounded
from ollamamaster.contract.times import rfc3339_of
from ollamamaster.domain.workflow import ToolWork, waves

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ollamamaster.domain.forecast import Expected
    from ollamamaster.domain.workflow import Input, Step
    from ollamamaster.domain.workflow_plan import Plan
    from ollamamaster.domain.workflow_problems import WorkflowProblem, WorkflowReading
    from ollamamaster.domain.workflow_run import RunRecord, RunResult, StepResult


def run_data(result: RunResult) -> dict[str, Any]:
    """A run: its output, and every step with how it ended."""
    return {
        "run_id": result.run_id,
        "workflow": result.workflow,
        "output": result.output,
        "steps": [_result(step) for step in result.steps],
        "seconds": rounded(result.seconds),
        "expected_seconds": rounded(result.expected_s),
    }


def _result(step: StepResult) -> dict[str, Any]:
    return {
        "id": step.id,
        "status": str(step.status),
        "text": step.text,
        "data": step.data,
        "model": step.model,
        "instance": step.instance,
        "seconds": rounded(step.seconds),
        "error": step.error,
    }


def plan_data(plan: Plan) -> dict[str, Any]:
    """What is expected of a run, and what is wrong."""
    return {
        "workflow": plan.workflow.name,
        "steps": [_step(step, plan.expected.get(step.id)) for step in plan.workflow.steps],
        "order": [list(wave) for wave in plan.order],
        "expected_seconds": rounded(plan.expected_s),
        "problems": problems_data(plan.problems),
    }


def reading_data(reading: WorkflowReading, name: str) -> dict[str, Any]:
    """The same of a file with mistakes: nothing can be expected of it."""
    steps = () if reading.workflow is None else reading.workflow.steps
    return {
        "workflow": name,
        "steps": [_step(step, None) for step in steps],
        "order": [],
        "expected_seconds": None,
        "problems": problems_data(reading.problems),
    }


def problems_data(problems: Iterable[WorkflowProblem]) -> list[dict[str, Any]]:
    """Mistakes, each with its line."""
    return [
        {"line": p.line, "code": str(p.code), "message": p.message, "hint": p.hint}
        for p in problems
    ]


def _step(step: Step, expected: Expected | None) -> dict[str, Any]:
    places = () if expected is None else expected.places
    return {
        "id": step.id,
        "does": does(step),
        "waits_for": sorted(step.waits_for),
        "places": [{"model": place.model, "instance": place.instance} for place in places],
        "expected_seconds": None if expected is None else rounded(expected.seconds),
    }


def does(step: Step) -> str:
    """What a step does in a few words: `files.read_text_file`, `2 models`, `fast`."""
    work = step.work
    if isinstance(work, ToolWork):
        what = f"{work.server}.{work.tool}"
    elif work.models is not None:
        what = f"{len(work.models)} models" if isinstance(work.models, tuple) else "several models"
    elif work.model is not None and not list(work.model.references):
        what = str(work.model.parts[0])
    else:
        what = str(work.performance or "a model")
    return what if step.for_each is None else f"{what}, for each item"


def list_data(readings: Iterable[tuple[str, WorkflowReading]]) -> dict[str, Any]:
    """The workflows of the person's folder; one that cannot be read has no description."""
    return {"workflows": [_listed(name, reading) for name, reading in readings]}


def _listed(name: str, reading: WorkflowReading) -> dict[str, Any]:
    workflow = reading.workflow
    return {
        "name": name,
        "description": None if workflow is None else workflow.description,
        "inputs": [] if workflow is None else [_input(each) for each in workflow.inputs],
        "path": reading.path,
        "problems": len(reading.problems),
    }


def described_data(name: str, reading: WorkflowReading) -> dict[str, Any]:
    """One workflow as its file tells it: what it takes, what its steps do, what is wrong."""
    workflow = reading.workflow
    steps = () if workflow is None else workflow.steps
    return {
        **_listed(name, reading),
        "steps": [
            {"id": step.id, "does": does(step), "waits_for": sorted(step.waits_for)}
            for step in steps
        ],
        "order": [list(wave) for wave in waves(steps)],
        "problems": problems_data(reading.problems),
    }


def _input(each: Input) -> dict[str, Any]:
    return {
        "name": each.name,
        "description": each.description,
        "type": str(each.type),
        "required": each.required,
        "default": each.default,
        "choices": list(each.choices),
    }


def runs_data(runs: Sequence[RunRecord]) -> dict[str, Any]:
    """Past runs, the newest first."""
    return {
        "runs": [
            {
                "run_id": run.id,
                "workflow": run.workflow,
                "status": str(run.status),
                "started_at": rfc3339_of(run.started_at),
                "seconds": rounded(run.seconds),
            }
            for run in runs
        ]
    }
