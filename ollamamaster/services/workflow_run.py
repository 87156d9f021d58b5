"""Runs the steps of a workflow: each as soon as all that it waits for has ended."""

from __future__ import annotations

import asyncio  # noqa: TID253 (imported only by commands that wait for instances)
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.references import Given, MissingDataError, Scope, is_empty
from ollamamaster.domain.workflow import OnError
from ollamamaster.domain.workflow_run import RunResult, RunStatus, StepResult, StepStatus
from ollamamaster.errors import OllamaMasterError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollamamaster.domain.workflow import Step, Workflow
    from ollamamaster.ports import Clock, RunStore
    from ollamamaster.services.workflow_listener import WorkflowListener
    from ollamamaster.services.workflow_steps import StepRunner


@dataclass
class WorkflowRun:
    """One run under way. `results` has the steps that ended, those of an earlier try too.

    A step that fails ends the run: those that run finish, and the rest is cancelled. `errors`
    has what was raised.
    """

    id: str
    workflow: Workflow
    inputs: Mapping[str, Any]
    runner: StepRunner
    store: RunStore
    listener: WorkflowListener
    clock: Clock
    results: dict[str, StepResult] = field(default_factory=dict)
    errors: dict[str, BaseException] = field(default_factory=dict)
    _failed_by: str | None = None

    async def complete(self) -> RunResult:
        """Run what is not finished, and tell the store how it ended. Raises nothing of a step."""
        began = self.clock.monotonic()
        status, output = RunStatus.STOPPED, None
        try:
            await self._all()
            status = RunStatus.OK if self._failed_by is None else RunStatus.FAILED
            if status is RunStatus.OK:
                try:
                    output = self._output()
                except MissingDataError as error:
                    status = RunStatus.FAILED
                    self.errors["output"] = error
        finally:
            seconds = self.clock.monotonic() - began
            self.store.end(self.id, status, seconds, output)
        steps = tuple(self.results[step.id] for step in self.workflow.steps)
        return RunResult(
            self.id,
            self.workflow.name,
            status,
            steps,
            seconds,
            output,
            errors=self.errors,
            failed_by=self._failed_by,
        )

    async def _all(self) -> None:
        waiting = {s.id: s.waits_for for s in self.workflow.steps if s.id not in self.results}
        running: dict[asyncio.Task[StepResult], Step] = {}
        try:
            while waiting or running:
                if self._failed_by is None:
                    for step_id in [
                        i for i, before in waiting.items() if before <= self.results.keys()
                    ]:
                        del waiting[step_id]
                        step = self.workflow.step(step_id)
                        running[asyncio.create_task(self._step(step))] = step
                if not running:
                    break
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    self._ended(running.pop(task), task.result())
        finally:
            await _cancelled(running)
        for step_id in waiting:
            self._ended(self.workflow.step(step_id), StepResult(step_id, StepStatus.CANCELLED))

    def _ended(self, step: Step, result: StepResult) -> None:
        self.results[step.id] = result
        self.store.step(self.id, result)
        self.listener.ended(result)
        if result.status is StepStatus.FAILED and step.on_error is OnError.FAIL:
            self._failed_by = self._failed_by or step.id

    async def _step(self, step: Step) -> StepResult:
        scope = self._scope()
        if step.when is not None and _is_off(step, scope):
            return StepResult(step.id, StepStatus.SKIPPED)
        began = self.clock.monotonic()
        self.listener.began(step.id)
        error: str | None = None
        try:
            given = await self.runner.do(step, scope)
        except MissingDataError as missing:
            given, error = Given(), str(missing)
        except OllamaMasterError as failure:
            self.errors[step.id] = failure
            given = Given()
            error = "; ".join([failure.message, *(failure.hint or "").splitlines()])
        return StepResult(
            step.id,
            StepStatus.OK if error is None else StepStatus.FAILED,
            given.text,
            given.data,
            given.model or None,
            given.instance or None,
            self.clock.monotonic() - began,
            error,
        )

    def _scope(self) -> Scope:
        return Scope(self.inputs, {i: result.given for i, result in self.results.items()})

    def _output(self) -> str:
        """The text of the result. Raises MissingDataError."""
        return self.workflow.result.text(self._scope())


def _is_off(step: Step, scope: Scope) -> bool:
    assert step.when is not None  # noqa: S101 (asked before)
    try:
        return is_empty(step.when.fill(scope))
    except MissingDataError:
        return True


async def _cancelled(tasks: Mapping[asyncio.Task[Any], Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
