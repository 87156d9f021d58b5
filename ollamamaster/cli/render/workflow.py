"""A workflow drawn: its graph, its problems, the list of them, and their runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from ollamamaster.cli.render.figures import seconds
from ollamamaster.contract.workflow import does
from ollamamaster.domain.plain_text import one_line
from ollamamaster.domain.references import as_text
from ollamamaster.domain.workflow import longest_chain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import Console

    from ollamamaster.domain.workflow import Input
    from ollamamaster.domain.workflow_plan import Plan
    from ollamamaster.domain.workflow_problems import WorkflowProblem
    from ollamamaster.domain.workflow_run import RunResult

_STATUS = {"ok": "green", "failed": "red", "stopped": "yellow", "running": "cyan"}


def render_plan(console: Console, plan: Plan, names: Mapping[str, str], shown_as: str) -> None:
    """The inputs, the graph, what is expected, and what is wrong.

    `names` tells what an instance is called by its id; `shown_as` is what was typed.
    """
    workflow = plan.workflow
    console.print(
        Text.assemble((one_line(workflow.name), "bold"), "  ", one_line(workflow.description))
    )
    for each in workflow.inputs:
        console.print(
            Text(f"  {one_line(each.name)}{_default(each)}  {one_line(each.description)}", "dim")
        )
    console.print()
    console.print(_graph(plan, names))
    console.print()
    if plan.expected_s is not None:
        console.print(expected_line(plan))
    render_problems(console, plan.problems, shown_as)


def expected_line(plan: Plan) -> str:
    """`expected 31 s over 2 machines · longest: source → digest → answer`."""
    if plan.expected_s is None:
        return "nothing is known yet of how long it takes"
    count = len(plan.instances)
    where = f" over {count} machine{'s' if count > 1 else ''}" if count else ""
    took = {i: each.seconds or 0.0 for i, each in plan.expected.items()}
    but = "" if all(took.values()) else ", without what was never timed"
    return f"expected {seconds(plan.expected_s)}{where}{but}{_longest(plan, took)}"


def took_line(plan: Plan, result: RunResult) -> str:
    """`took 28 s, expected 31 s · longest: source → digest → answer`."""
    took = {step.id: step.seconds for step in result.steps}
    expected = "" if result.expected_s is None else f", expected {seconds(result.expected_s)}"
    return f"took {seconds(result.seconds)}{expected}{_longest(plan, took)}"


def _longest(plan: Plan, took: Mapping[str, float]) -> str:
    chain = longest_chain(plan.workflow.steps, took)
    return f" · longest: {' → '.join(chain)}" if len(chain) > 1 else ""


def _default(each: Input) -> str:
    return "" if each.required else f" = {one_line(as_text(each.default), 40)}"


def _graph(plan: Plan, names: Mapping[str, str]) -> Table:
    """A line a step; what may run together is bracketed, an arrow tells what is waited for."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_column(overflow="fold")
    grid.add_column(no_wrap=True, justify="right")
    for mark, step_id in graph_marks(plan.order):
        step = plan.workflow.step(step_id)
        expected = plan.expected.get(step_id)
        places = () if expected is None else expected.places
        where = " · ".join(
            f"{one_line(p.model)} on {one_line(names.get(p.instance, p.instance))}" for p in places
        )
        before = ", ".join(sorted(step.waits_for))
        took = "" if expected is None else seconds(expected.seconds)
        grid.add_row(
            Text.assemble((mark, "dim"), (step_id, "bold")),
            Text(where or one_line(does(step))),
            Text(f"← {before}" if before else "", "dim"),
            took,
        )
    return grid


def graph_marks(order: Sequence[Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Each step with the line that is drawn before it: waves stand below each other."""
    for wave in order:
        for place, step_id in enumerate(wave):
            if len(wave) == 1:
                mark = "● "
            elif place == 0:
                mark = "┌ "
            else:
                mark = "└ " if place == len(wave) - 1 else "├ "
            yield mark, step_id


def plan_rows(plan: Plan) -> Iterator[list[str]]:
    """Wave, step, what it does, what it waits for, expected seconds; then the problems."""
    for number, wave in enumerate(plan.order, 1):
        for step_id in wave:
            step = plan.workflow.step(step_id)
            expected = plan.expected.get(step_id)
            known = None if expected is None else expected.seconds
            took = "" if known is None else f"{known:.1f}"
            yield [str(number), step_id, does(step), ",".join(sorted(step.waits_for)), took]


def render_problems(console: Console, problems: Iterable[WorkflowProblem], shown_as: str) -> None:
    """A paragraph a mistake: where, what, and what to do."""
    for each in problems:
        where = "" if each.line is None else f"{shown_as}:{each.line}: "
        console.print(Text.assemble((where, "bold"), one_line(each.message)))
        for line in (each.hint or "").splitlines():
            console.print(Text(f"  {one_line(line)}", "dim"))


def problem_rows(problems: Iterable[WorkflowProblem]) -> Iterator[list[str]]:
    """Line, code, message, hint."""
    for each in problems:
        line = "" if each.line is None else str(each.line)
        yield [line, str(each.code), each.message, (each.hint or "").replace("\n", "; ")]


def render_workflows(console: Console, listed: Iterable[dict[str, Any]]) -> None:
    """One line a workflow."""
    table = _table("workflow", "inputs", "")
    for each in listed:
        needed = [one_line(i["name"]) + ("" if i["required"] else "?") for i in each["inputs"]]
        wrong = each["problems"]
        said = f"{wrong} mistakes: ollamamaster workflow check {each['name']}" if wrong else ""
        table.add_row(each["name"], " ".join(needed), said or one_line(each["description"] or ""))
    console.print(table)


def render_runs(console: Console, runs: Iterable[dict[str, Any]]) -> None:
    """One line a run."""
    table = _table("run", "workflow", "began", "took", "")
    for run in runs:
        status = Text(run["status"], _STATUS.get(run["status"], ""))
        began = (run["started_at"] or "")[:19].replace("T", " ")
        table.add_row(run["run_id"], run["workflow"], began, seconds(run["seconds"]), status)
    console.print(table)


def _table(*titles: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title, overflow="fold")
    return table
