"""Workflows: which there are, whether one could run, its runs, and whom it may start."""

from __future__ import annotations

import asyncio  # noqa: TID253 (imported only by commands that wait for instances)
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.request_ids import as_typed, request_id
from ollamamaster.domain.trust import fingerprint
from ollamamaster.domain.workflow import ToolWork
from ollamamaster.domain.workflow_inputs import given_inputs
from ollamamaster.domain.workflow_plan import Plan
from ollamamaster.domain.workflow_problems import Mistake, WorkflowProblem
from ollamamaster.domain.workflow_run import RunRecord, RunResult, RunStatus
from ollamamaster.errors import (
    NotAllowedError,
    OllamaMasterError,
    ServerFailedError,
    UsageError,
)
from ollamamaster.services.compare import CompareService
from ollamamaster.services.residency import SharedResidency
from ollamamaster.services.workflow_errors import invalid, not_allowed, sound
from ollamamaster.services.workflow_plan import Planner, tool_problems
from ollamamaster.services.workflow_run import WorkflowRun
from ollamamaster.services.workflow_steps import StepRunner

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence

    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.domain.workflow import ToolServer, Workflow
    from ollamamaster.domain.workflow_problems import WorkflowReading
    from ollamamaster.domain.workflow_run import StepResult
    from ollamamaster.ports import (
        Attached,
        Clock,
        RunningServer,
        RunStore,
        ToolServers,
        TrustStore,
        WorkflowStore,
    )
    from ollamamaster.services.route import RouteService
    from ollamamaster.services.workflow_listener import WorkflowListener


@dataclass(frozen=True, slots=True)
class Wanted:
    """A run that was asked for. With `person` the inputs are those of a person at the keyboard."""

    workflow: Workflow
    inputs: Mapping[str, Any]
    person: bool = True


@dataclass
class WorkflowService:
    """Reads, checks and runs workflows.

    `find` gives the fleet; `attach` reads files, each with whether the person chose it, relative
    to a folder.
    """

    store: WorkflowStore
    runs: RunStore
    trust: TrustStore
    servers: ToolServers
    routes: RouteService
    find: Callable[[], Awaitable[Fleet]]
    attach: Callable[[Iterable[tuple[str, bool]], str], Attached]
    clock: Clock

    def readings(self) -> dict[str, WorkflowReading]:
        """Every workflow of the person's folder, also one that is wrong."""
        return {name: self.store.named(name) for name in self.store.names()}

    def named(self, name: str) -> Workflow:
        """The workflow of this name, never of a path.

        Raises UsageError, and WorkflowInvalidError for one that is wrong.
        """
        return sound(self.store.named(name))

    def typed(self, text: str) -> Workflow:
        """The workflow that a person typed, a name or a path; raises as `named` does."""
        return sound(self.store.typed(text))

    def wanted(
        self,
        workflow: Workflow,
        texts: Mapping[str, str],
        values: Mapping[str, Any] | None = None,
        *,
        person: bool = True,
    ) -> Wanted:
        """A run with inputs as typed, or as values. Raises UsageError."""
        return Wanted(workflow, given_inputs(workflow.inputs, texts, values), person)

    # ---- trust

    def strangers(self, workflow: Workflow) -> tuple[ToolServer, ...]:
        """The servers its steps use that the person never allowed, as they are now."""
        used = servers_of(workflow)
        prints = {server.name: fingerprint(server, workflow.folder) for server in used}
        allowed = self.trust.allowed(prints.values())
        return tuple(server for server in used if prints[server.name] not in allowed)

    def allow(self, workflow: Workflow, servers: Sequence[ToolServer]) -> None:
        """Remember that the person allows these servers of this workflow."""
        prints = [fingerprint(server, workflow.folder) for server in servers]
        if prints:
            self.trust.allow(prints, workflow.name)

    # ---- before a run

    async def plan(
        self,
        workflow: Workflow,
        inputs: Mapping[str, Any],
        listener: WorkflowListener,
        *,
        with_servers: bool = True,
        person: bool = True,
    ) -> Plan:
        """Everything that can be told before a run, problems among it; nothing is sent.

        A server that was never allowed is not started, which is a problem of its own.
        """
        found: list[WorkflowProblem] = []
        errors: list[NotAllowedError | ServerFailedError] = []
        if with_servers:
            strangers = self.strangers(workflow)
            errors = [not_allowed(workflow, server) for server in strangers]
            known = [server for server in servers_of(workflow) if server not in strangers]
            async with self._running(workflow, known, listener) as (running, failed):
                found += tool_problems(workflow, running)
            errors += failed
            found += [_server_problem(workflow, error) for error in errors]
        try:
            plan = await self._planned(workflow, inputs, listener, person=person)
        except OllamaMasterError as error:
            none = WorkflowProblem(Mistake.NO_INSTANCE, error.message, None, error.hint)
            plan = Plan(workflow, (), problems=(none,), errors=(error,))
        return replace(plan, problems=(*found, *plan.problems), errors=(*errors, *plan.errors))

    # ---- runs

    async def run(self, wanted: Wanted, listener: WorkflowListener) -> RunResult:
        """Run a workflow; a step that fails is told in the result.

        Raises NotAllowedError, ServerFailedError, WorkflowInvalidError, NoCandidateError,
        NoInstanceError before anything has run.
        """
        now = self.clock.now().timestamp()
        chance = int.from_bytes(os.urandom(4), "big")
        record = RunRecord(
            request_id(now, chance),
            wanted.workflow.name,
            wanted.workflow.path,
            wanted.workflow.digest,
            wanted.inputs,
            RunStatus.RUNNING,
            now,
            person=wanted.person,
        )
        return await self._run(wanted, record, (), listener)

    def past(self, run_id: str) -> tuple[RunRecord, tuple[StepResult, ...]]:
        """A run that was recorded. Raises UsageError, StateUnusableError."""
        found = self.runs.find(as_typed(run_id))
        if found is None:
            raise UsageError(f"there is no run {run_id!r}", hint="ollamamaster workflow runs")
        return found

    async def resume(
        self, run_id: str, workflow: Workflow, listener: WorkflowListener, *, changed_ok: bool
    ) -> RunResult:
        """Go on with a run under its id and with its inputs; what is finished is not run again.

        Whoever goes on with it, the inputs of an agent stay those of an agent. A run that
        succeeded runs nothing. Raises UsageError where the file changed, unless `changed_ok`, and
        where the run belongs to another workflow or, as an agent's, to another file; else as `run`.
        """
        record, steps = self.past(run_id)
        if record.workflow != workflow.name:
            raise UsageError(f"run {record.id} is one of the workflow {record.workflow!r}")
        if record.status is RunStatus.OK:
            seconds = record.seconds or 0.0
            return RunResult(
                record.id, record.workflow, record.status, steps, seconds, record.output
            )
        if not record.person and record.path != workflow.path:
            # what an agent names is looked for beside the file, wherever that were
            raise UsageError(
                f"run {record.id} was begun by an agent, and goes on with {record.path} only",
                hint=f"ollamamaster workflow run --resume {record.id}",
            )
        if record.digest != workflow.digest and not changed_ok:
            raise UsageError(
                f"{workflow.path} has changed since run {record.id} began",
                hint="--changed-ok goes on with the file as it is now",
            )
        known = {step.id for step in workflow.steps}
        kept = tuple(step for step in steps if step.finished and step.id in known)
        # one that the file has no more is used by nothing
        named = {each.name for each in workflow.inputs}
        given = {name: value for name, value in record.inputs.items() if name in named}
        inputs = given_inputs(workflow.inputs, {}, given)
        finished = frozenset(step.id for step in steps if step.finished)
        wanted = Wanted(workflow, inputs, record.person)
        return await self._run(wanted, record, kept, listener, finished)

    async def _run(
        self,
        wanted: Wanted,
        record: RunRecord,
        kept: Sequence[StepResult],
        listener: WorkflowListener,
        finished: frozenset[str] | None = None,
    ) -> RunResult:
        workflow = wanted.workflow
        for server in self.strangers(workflow):
            raise not_allowed(workflow, server)
        done = {step.id: step for step in kept}
        left = tuple(step for step in workflow.steps if step.id not in done)
        used = servers_of(replace(workflow, steps=left))
        async with self._running(workflow, used, listener) as (running, failed):
            if failed:
                raise failed[0]
            problems = tuple(tool_problems(workflow, running))
            if problems:
                raise invalid(workflow.path, problems)
            plan = await self._planned(workflow, wanted.inputs, listener, person=wanted.person)
            if plan.errors:
                raise plan.errors[0]
            if finished is not None:
                self.runs.again(record.id, finished)
            else:
                self.runs.begin(record)
            listener.planned(record.id, plan)
            for step in kept:
                listener.ended(step)
            run = WorkflowRun(
                record.id,
                workflow,
                wanted.inputs,
                self._runner(wanted, running, listener),
                self.runs,
                listener,
                self.clock,
                done,
            )
            result = await run.complete()
        return replace(result, expected_s=plan.expected_s)

    def _runner(
        self, wanted: Wanted, running: Mapping[str, RunningServer], listener: WorkflowListener
    ) -> StepRunner:
        return StepRunner(
            CompareService(self.routes.means, self.routes),
            self.find,
            running,
            lambda paths: self.attach(paths, wanted.workflow.folder),
            self.routes.means.settings,
            self.clock,
            listener,
            wanted.person,
        )

    async def _planned(
        self,
        workflow: Workflow,
        inputs: Mapping[str, Any],
        listener: WorkflowListener,
        *,
        person: bool,
    ) -> Plan:
        means = self.routes.means
        # between one step and the next no machine changes of itself
        shared = SharedResidency(means.ollama, means.clock, means.residency.refresh)
        planner = Planner(
            replace(self.routes, means=replace(means, residency=shared)),
            await self.find(),
            lambda paths: self.attach(paths, workflow.folder),
            listener.note,
            self.runs.seconds(workflow.name),
            person,
        )
        return await planner.plan(workflow, inputs)

    @asynccontextmanager
    async def _running(
        self, workflow: Workflow, servers: Sequence[ToolServer], listener: WorkflowListener
    ) -> AsyncGenerator[tuple[Mapping[str, RunningServer], list[ServerFailedError]], None]:
        """The servers, started side by side, and what failed; stopped whatever happens."""
        started: dict[str, RunningServer] = {}
        failed: list[ServerFailedError] = []

        async def start(server: ToolServer) -> None:
            listener.preparing(server.name)
            try:
                started[server.name] = await self.servers.start(server, workflow.folder)
            except ServerFailedError as error:
                error.server = server.name
                failed.append(error)

        try:
            await asyncio.gather(*map(start, servers))
            yield started, failed
        finally:
            closing = (server.aclose() for server in started.values())
            await asyncio.gather(*closing, return_exceptions=True)


def _server_problem(
    workflow: Workflow, error: NotAllowedError | ServerFailedError
) -> WorkflowProblem:
    refused = isinstance(error, NotAllowedError)
    code = Mistake.NOT_ALLOWED if refused else Mistake.SERVER_FAILED
    line = workflow.lines.get(f"mcp.{error.server}")
    return WorkflowProblem(code, error.message, line, error.hint)


def servers_of(workflow: Workflow) -> tuple[ToolServer, ...]:
    """The servers that its steps use."""
    used = {step.work.server for step in workflow.steps if isinstance(step.work, ToolWork)}
    return tuple(server for server in workflow.servers if server.name in used)
