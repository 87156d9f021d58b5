"""What is wrong with a workflow before anything of it runs?"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import TYPE_CHECKING

from ollamamaster.domain.references import Root
from ollamamaster.domain.workflow import ToolWork, cycle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ollamamaster.domain.references import Reference
    from ollamamaster.domain.workflow import Step, Workflow


class Mistake(StrEnum):
    """Stable words for what can be wrong; the first group is wrong in the file."""

    TOML = "toml"
    UNKNOWN_KEY = "unknown_key"
    MISSING_KEY = "missing_key"
    WRONG_VALUE = "wrong_value"
    WRONG_NAME = "wrong_name"
    REFERENCE = "reference"
    UNKNOWN_STEP = "unknown_step"
    UNKNOWN_SERVER = "unknown_server"
    CYCLE = "cycle"
    TOOL_NOT_ALLOWED = "tool_not_allowed"
    TOOL_MISSING = "tool_missing"
    ARGUMENT_MISSING = "argument_missing"
    ARGUMENT_UNKNOWN = "argument_unknown"

    NOT_ALLOWED = "not_allowed"
    SERVER_FAILED = "server_failed"
    NO_CANDIDATE = "no_candidate"
    NO_INSTANCE = "no_instance"


_OUTSIDE = (Mistake.NOT_ALLOWED, Mistake.SERVER_FAILED, Mistake.NO_CANDIDATE, Mistake.NO_INSTANCE)
_BEGINNING = "write inputs.NAME, steps.ID.text, .data, .model or .instance, or item"


@dataclass(frozen=True, slots=True)
class WorkflowProblem:
    """One mistake, on which line, and what to do about it."""

    code: Mistake
    message: str
    line: int | None = None
    hint: str | None = None

    @property
    def in_file(self) -> bool:
        """Whether mending the file mends it."""
        return self.code not in _OUTSIDE


@dataclass(frozen=True, slots=True)
class WorkflowReading:
    """What a file holds. `workflow` is None where its text is not even a workflow's."""

    path: str
    workflow: Workflow | None
    problems: tuple[WorkflowProblem, ...]


def near(word: str, known: Iterable[str]) -> str | None:
    """A hint with the known word that was probably meant, or all of them."""
    known = sorted(known)
    found = get_close_matches(word, known, n=1)
    if found:
        return f"did you mean {found[0]}?"
    return f"there are {', '.join(known)}" if known else None


def graph_problems(workflow: Workflow) -> Iterator[WorkflowProblem]:
    """References to nothing, steps that wait for each other, tools that may not be called."""
    for step in workflow.steps:
        yield from _step_problems(step, workflow)
    if workflow.output is not None:
        for reference in workflow.output.references:
            line = workflow.lines.get("output")
            if reference.root is Root.ITEM:
                yield _item_problem(line)
            else:
                yield from _reference_problems(reference, workflow, line)
    ring = cycle(workflow.steps)
    if ring:
        yield WorkflowProblem(
            Mistake.CYCLE,
            f"steps wait for each other: {' -> '.join((*ring, ring[0]))}",
            workflow.step(ring[0]).line_of(""),
            "take one of these references, or an `after`, away",
        )


def _step_problems(step: Step, workflow: Workflow) -> Iterator[WorkflowProblem]:
    ids = [each.id for each in workflow.steps]
    for each in step.after:
        if each not in ids:
            yield WorkflowProblem(
                Mistake.UNKNOWN_STEP,
                f"steps.{step.id}.after: there is no step {each!r}",
                step.line_of("after"),
                near(each, ids),
            )
    for key, reference in step.references:
        if reference.root is not Root.ITEM:
            yield from _reference_problems(reference, workflow, step.line_of(key))
        elif step.for_each is None or key in {"for_each", "when"}:
            yield _item_problem(step.line_of(key))
    if isinstance(step.work, ToolWork):
        yield from _tool_problems(step, step.work, workflow)


def _item_problem(line: int | None) -> WorkflowProblem:
    return WorkflowProblem(
        Mistake.REFERENCE,
        "`{{ item }}` is only known inside a step with for_each",
        line,
        "add for_each to the step, or name an input or a step",
    )


def _reference_problems(
    reference: Reference, workflow: Workflow, line: int | None
) -> Iterator[WorkflowProblem]:
    inputs = reference.root is Root.INPUTS
    known = [i.name for i in workflow.inputs] if inputs else [s.id for s in workflow.steps]
    if reference.of not in known:
        noun = "input" if inputs else "step"
        yield WorkflowProblem(
            Mistake.REFERENCE,
            f"`{{{{ {reference} }}}}` refers to nothing: there is no {noun} {reference.of!r}",
            line,
            near(reference.of, known) or _BEGINNING,
        )


def _tool_problems(step: Step, work: ToolWork, workflow: Workflow) -> Iterator[WorkflowProblem]:
    server = next((each for each in workflow.servers if each.name == work.server), None)
    if server is None:
        names = [each.name for each in workflow.servers]
        yield WorkflowProblem(
            Mistake.UNKNOWN_SERVER,
            f"steps.{step.id}.mcp: there is no [mcp.{work.server}]",
            step.line_of("mcp"),
            near(work.server, names) or "add the table with its command or url, and tools",
        )
    elif work.tool not in server.tools:
        yield WorkflowProblem(
            Mistake.TOOL_NOT_ALLOWED,
            f"steps.{step.id}.tool: [mcp.{server.name}] does not allow {work.tool!r}",
            step.line_of("tool"),
            f'add "{work.tool}" to tools of [mcp.{server.name}] if this workflow may call it',
        )
