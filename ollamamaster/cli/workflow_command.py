"""What the commands of `workflow` do: ask, run, show, and report."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ollamamaster.bootstrap import Application
from ollamamaster.cli.interrupts import run_async
from ollamamaster.cli.output import OUTPUT
from ollamamaster.cli.question import agreed, somebody_is_there
from ollamamaster.cli.workflow_progress import Progress
from ollamamaster.contract import workflow as contract
from ollamamaster.domain.plain_text import cleaned, one_line
from ollamamaster.domain.trust import shown
from ollamamaster.errors import ExitCode, FailedError, OllamaMasterError, UsageError
from ollamamaster.services.workflow_errors import failure, invalid, not_allowed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any

    from rich.console import Console

    from ollamamaster.domain.workflow import Workflow
    from ollamamaster.domain.workflow_plan import Plan
    from ollamamaster.domain.workflow_problems import WorkflowReading
    from ollamamaster.domain.workflow_run import RunResult
    from ollamamaster.services.workflow import WorkflowService


# After Ctrl-C servers are told to end, terminated, and killed, which takes two seconds of one that
# minds neither; a program that has ended before leaves it behind.
_PATIENCE_S = 5.0


class WorkflowCommand:
    """One command on workflows. `typed` is the NAME|PATH."""

    def __init__(self) -> None:
        self.application = Application(note=OUTPUT.note_once)

    @cached_property
    def service(self) -> WorkflowService:
        # made only where something runs: it loads the client of the instances
        return self.application.workflow_service()

    # ---- running

    def run(self, typed: str, texts: Mapping[str, str], *, yes: bool) -> int:
        """Run a workflow with inputs as typed."""
        workflow = self.service.typed(typed)
        wanted = self.service.wanted(workflow, texts)
        self._ask(workflow, yes=yes)
        return self._ran(lambda progress: self.service.run(wanted, progress))

    def resume(self, typed: str | None, run_id: str, *, changed_ok: bool, yes: bool) -> int:
        """Go on with a run; without `typed`, of the file it was begun with."""
        record, _ = self.service.past(run_id)
        workflow = self.service.typed(record.path if typed is None else typed)
        self._ask(workflow, yes=yes)
        return self._ran(
            lambda progress: self.service.resume(
                record.id, workflow, progress, changed_ok=changed_ok
            )
        )

    def _ran(self, work: Callable[[Progress], Awaitable[RunResult]]) -> int:
        async def complete() -> RunResult:
            try:
                return await work(progress)
            finally:
                await self.application.ollama.aclose()

        with Progress() as progress:
            try:
                result = run_async(complete(), _PATIENCE_S)
            except KeyboardInterrupt:
                if progress.run_id is not None:
                    progress.__exit__(None, None, None)
                    OUTPUT.note(f"to go on: ollamamaster workflow run --resume {progress.run_id}")
                raise
        progress.finished(result)
        error = failure(result)
        if error is not None:
            return OUTPUT.fail(error, data=contract.run_data(result), partial=True)
        if OUTPUT.json:
            return OUTPUT.envelope(contract.run_data(result))
        text = result.output or ""
        text = cleaned(text) if OUTPUT.may_act else text
        OUTPUT.write(text if text.endswith("\n") else text + "\n", flush=True)
        return ExitCode.OK

    # ---- looking

    def check(self, typed: str, texts: Mapping[str, str] | None, *, yes: bool) -> int:
        """Everything that can be told before a run; `texts` None fills the inputs in itself."""
        reading = self.service.store.typed(typed)
        if reading.problems or reading.workflow is None:
            return self._wrong(reading)
        workflow = reading.workflow
        inputs = {} if texts is None else self.service.wanted(workflow, texts).inputs
        if yes or somebody_is_there():
            self._ask(workflow, yes=yes)
        plan = self._plan(workflow, inputs, with_servers=True)
        return self._planned(plan)

    def show(self, typed: str) -> int:
        """The graph, with what is expected of the fleet; no server is started."""
        reading = self.service.store.typed(typed)
        if reading.problems or reading.workflow is None:
            return self._wrong(reading)
        plan = self._plan(reading.workflow, {}, with_servers=False)
        return self._emitted(plan, ExitCode.OK)

    def _plan(self, workflow: Workflow, inputs: Mapping[str, Any], *, with_servers: bool) -> Plan:
        async def plan() -> Plan:
            try:
                return await self.service.plan(
                    workflow, inputs, progress, with_servers=with_servers
                )
            finally:
                await self.application.ollama.aclose()

        with Progress() as progress:
            return run_async(plan(), _PATIENCE_S)

    def _planned(self, plan: Plan) -> int:
        if not plan.problems:
            OUTPUT.note("no mistakes") if OUTPUT.on_terminal else None
            return self._emitted(plan, ExitCode.OK)
        in_file = [problem for problem in plan.problems if problem.in_file]
        error: OllamaMasterError
        if in_file:
            error = invalid(plan.workflow.path, in_file)
        elif plan.errors:
            error = plan.errors[0]
        else:
            error = FailedError(plan.problems[0].message, hint=plan.problems[0].hint)
        if OUTPUT.json:
            return OUTPUT.fail(error, data=contract.plan_data(plan))
        return self._emitted(plan, error.exit_code)

    def _emitted(self, plan: Plan, exit_code: ExitCode) -> int:
        def table(console: Console) -> None:
            from ollamamaster.cli.render.workflow import render_plan

            names = {instance.id: instance.name for instance in self.application.fleet()}
            render_plan(console, plan, names, Path(plan.workflow.path).name)

        def rows() -> list[list[str]]:
            from ollamamaster.cli.render.workflow import plan_rows, problem_rows

            return list(problem_rows(plan.problems) if plan.problems else plan_rows(plan))

        return OUTPUT.emit(
            lambda: contract.plan_data(plan), table=table, rows=rows, exit_code=exit_code
        )

    def _wrong(self, reading: WorkflowReading) -> int:
        """A file with mistakes: all of them."""
        error = invalid(reading.path, reading.problems)
        name = Path(reading.path).stem
        data = contract.reading_data(reading, name)
        if OUTPUT.json:
            return OUTPUT.fail(error, data=data)

        def table(console: Console) -> None:
            from ollamamaster.cli.render.workflow import render_problems

            render_problems(console, reading.problems, Path(reading.path).name)

        def rows() -> list[list[str]]:
            from ollamamaster.cli.render.workflow import problem_rows

            return list(problem_rows(reading.problems))

        return OUTPUT.emit(lambda: data, table=table, rows=rows, exit_code=error.exit_code)

    # ---- trust

    def allow(self, typed: str) -> int:
        """Allow every server of a workflow as it is now."""
        from ollamamaster.services.workflow import servers_of

        workflow = self.service.typed(typed)
        servers = servers_of(workflow)
        self.service.allow(workflow, servers)
        allowed = [{"server": each.name, "runs": shown(each)} for each in servers]
        if not allowed:
            OUTPUT.note(f"{workflow.name} uses no MCP server")

        def table(console: Console) -> None:
            for each in allowed:
                console.print(f"allowed  {one_line(each['server'])}  {one_line(each['runs'])}")

        return OUTPUT.emit(
            lambda: {"workflow": workflow.name, "allowed": allowed},
            table=table,
            rows=lambda: [[each["server"], each["runs"]] for each in allowed],
        )

    def _ask(self, workflow: Workflow, *, yes: bool) -> None:
        """Ask once for each server that was never allowed. Raises NotAllowedError."""
        for server in self.service.strangers(workflow):
            if not yes:
                if not somebody_is_there():
                    raise not_allowed(workflow, server)
                does = "use" if server.url is not None else "run"
                tools = ", ".join(server.tools)
                question = (
                    f"the workflow {workflow.name} wants to {does}, for {one_line(tools)}:\n"
                    f"  {one_line(shown(server))}\n"
                    f"in {one_line(workflow.folder)}. Allow it from now on?"
                )
                if not agreed(question):
                    raise not_allowed(workflow, server)
            self.service.allow(workflow, [server])

    # ---- files and runs

    def runs(self, limit: int, forget: str | None) -> int:
        """Past runs, after one was forgotten."""
        if forget is not None:
            record, _ = self.service.past(forget)
            self.service.runs.forget(record.id)
            OUTPUT.note(f"run {record.id} is forgotten")
        data = contract.runs_data(self.service.runs.newest(limit))
        keys = ("run_id", "workflow", "status", "started_at", "seconds")

        def table(console: Console) -> None:
            from ollamamaster.cli.render.workflow import render_runs

            if data["runs"]:
                render_runs(console, data["runs"])

        def rows() -> list[list[str]]:
            return [["" if r[k] is None else str(r[k]) for k in keys] for r in data["runs"]]

        if not data["runs"]:
            OUTPUT.note("no run is remembered")
        return OUTPUT.emit(lambda: data, table=table, rows=rows)

    def list(self) -> int:
        """The workflows of the person's folder."""
        files = self.application.workflow_files
        data = contract.list_data((name, files.named(name)) for name in files.names())
        listed = data["workflows"]
        if not listed:
            OUTPUT.note("there is no workflow yet: ollamamaster workflow new NAME")

        def table(console: Console) -> None:
            from ollamamaster.cli.render.workflow import render_workflows

            if listed:
                render_workflows(console, listed)

        def rows() -> Any:
            return [[w["name"], w["description"] or "", w["path"]] for w in listed]

        return OUTPUT.emit(lambda: data, table=table, rows=rows)

    def new(self, name: str, ready_made: str | None) -> int:
        """Write a new file."""
        file = self.application.workflow_files.create(name, ready_made)
        OUTPUT.note(f"to check it: ollamamaster workflow check {name}")
        return OUTPUT.path(file)


def without_inputs(texts: Mapping[str, str]) -> None:
    """A run that goes on has its inputs. Raises UsageError."""
    if texts:
        raise UsageError("--resume keeps the inputs of the run; leave out --input")
