"""Could a workflow run now, and how long would it take? Nothing is sent to a model."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.candidates import Reason
from ollamamaster.domain.forecast import Place, forecast
from ollamamaster.domain.names import is_known
from ollamamaster.domain.references import Face, Given, MissingDataError, Root, Scope
from ollamamaster.domain.workflow import InputType, ModelWork, ToolWork, waves
from ollamamaster.domain.workflow_plan import Plan
from ollamamaster.domain.workflow_problems import Mistake, WorkflowProblem, near
from ollamamaster.errors import (
    FileUnusableError,
    NoInstanceError,
    OllamaMasterError,
    UsageError,
)
from ollamamaster.services.route_errors import no_candidate, over_limit
from ollamamaster.services.workflow_requests import models_of, route_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ollamamaster.domain.forecast import Work
    from ollamamaster.domain.references import Reference
    from ollamamaster.domain.routing import RouteRequest
    from ollamamaster.domain.selection import Decision
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.domain.tools import Tool
    from ollamamaster.domain.workflow import Step, Workflow
    from ollamamaster.ports import Attached, RunningServer
    from ollamamaster.services.route import RouteService

# One token each, as far as counting goes: an answer that is not there yet, in its likely length.
_WORD = "word "
# So many words at most: the context of the largest models, and no estimate needs more.
_MOST_WORDS = 200_000
# Deciding takes milliseconds; so many items of a list tell how long the others take.
_MOST_DECIDED = 8


def tool_problems(
    workflow: Workflow, running: Mapping[str, RunningServer]
) -> Iterator[WorkflowProblem]:
    """Tools that their servers do not have, and arguments that they need."""
    for step in workflow.steps:
        if isinstance(step.work, ToolWork) and step.work.server in running:
            yield from _call_problems(step, step.work, running[step.work.server].tools)


def _call_problems(
    step: Step, work: ToolWork, tools: Mapping[str, Tool]
) -> Iterator[WorkflowProblem]:
    tool = tools.get(work.tool)
    if tool is None:
        yield WorkflowProblem(
            Mistake.TOOL_MISSING,
            f"steps.{step.id}.tool: {work.server} has no tool {work.tool!r}",
            step.line_of("tool"),
            near(work.tool, tools),
        )
        return
    for name in tool.required:
        if name not in work.arguments:
            yield WorkflowProblem(
                Mistake.ARGUMENT_MISSING,
                f"steps.{step.id}.with: {work.tool} needs the argument {name!r}",
                step.line_of("with"),
                f"it takes {', '.join(tool.schema.get('properties', ()))}",
            )
    for name in work.arguments:
        if tool.known is not None and name not in tool.known:
            yield WorkflowProblem(
                Mistake.ARGUMENT_UNKNOWN,
                f"steps.{step.id}.with: {work.tool} has no argument {name!r}",
                step.line_of("with"),
                near(name, tool.known),
            )


@dataclass
class Planner:
    """Decides every model step of a workflow as if it began now, in the order of the graph.

    Steps that ask for the same are decided once.

    `took` is how long each step took in the past: what is known of the tools.
    """

    routes: RouteService
    fleet: Fleet
    attach: Callable[[Iterable[tuple[str, bool]]], Attached]
    note: Callable[[str], None]
    took: Mapping[str, float]
    person: bool
    _unknown: frozenset[str] = frozenset()
    _given: dict[str, Given] = field(default_factory=dict)
    _problems: list[WorkflowProblem] = field(default_factory=list)
    _errors: list[OllamaMasterError] = field(default_factory=list)
    _decisions: dict[str, list[tuple[RouteRequest, Decision]]] = field(default_factory=dict)

    async def plan(self, workflow: Workflow, inputs: Mapping[str, Any]) -> Plan:
        """The plan; with problems there is no expectation."""
        order = waves(workflow.steps)
        values = {**_unknown_inputs(workflow), **inputs}
        self._unknown = frozenset(i.name for i in workflow.inputs if i.required) - set(inputs)
        work: dict[str, Work] = {}
        by_id = {step.id: step for step in workflow.steps}
        for wave in order:
            for step_id in wave:
                step = by_id[step_id]
                work[step_id] = await self._work(step, _Foreseen(values, self._given))
        problems = tuple(self._problems)
        expected = {} if problems else forecast(workflow.steps, work)
        return Plan(workflow, order, expected, problems, tuple(self._errors))

    async def _work(self, step: Step, scope: Scope) -> Work:
        if isinstance(step.work, ToolWork):
            self._given[step.id] = Given()
            return float(self.took.get(step.id, 0.0))
        scopes = _items(step, scope)
        pieces: list[tuple[Place, ...]] = []
        texts: list[str] = []
        of_each = (self._requests(step, step.work, each) for each in scopes[:_MOST_DECIDED])
        for request in chain.from_iterable(of_each):
            decision = await self._decided(step, request)
            if decision is None or decision.chosen is None:
                break
            pieces.append(_places(decision))
            words = min(_MOST_WORDS, round(decision.task.output_tokens.p50))
            texts.append(_WORD * words)
        if pieces:
            rounds = -(-len(scopes) // _MOST_DECIDED)
            whole = len(pieces) * len(scopes) // min(len(scopes), _MOST_DECIDED)
            pieces, texts = (pieces * rounds)[:whole], (texts * rounds)[:whole]
        self._given[step.id] = Given("\n\n".join(texts))
        return tuple(pieces)

    def _requests(self, step: Step, work: ModelWork, scope: Scope) -> list[RouteRequest]:
        """What the step would ask, once for each of its models; empty where that is unknown."""
        try:
            request = route_request(
                work, scope, self.routes.means.settings, self._attached(step), person=self.person
            )
            models = models_of(work, scope)
        except (MissingDataError, UsageError) as error:
            if isinstance(error, OllamaMasterError) and not self._depends(step):
                self._problem(step, "files", error)
            return []
        if models is None:
            return [request]
        # one that nobody has is left out when it runs, and only matters where there is no other
        known = [name for name in models if is_known(name, self.fleet)]
        # what an earlier step names is not there yet, and may be any
        named = known or [name for name in models if name.strip()]
        return [replace(request, model=name) for name in named] or [request]

    def _attached(self, step: Step) -> Callable[[Iterable[tuple[str, bool]]], Attached]:
        """Files that are known already are read; those that are named later are not there yet."""
        assert isinstance(step.work, ModelWork)  # noqa: S101 (asked before)
        later = [any(map(self._comes_later, each.references)) for each in step.work.files]

        def read(paths: Iterable[tuple[str, bool]]) -> Attached:
            now = [path for path, is_later in zip(paths, later, strict=True) if not is_later]
            return self.attach(now)

        return read

    def _depends(self, step: Step) -> bool:
        return any(self._comes_later(reference) for _, reference in step.references)

    def _comes_later(self, reference: Reference) -> bool:
        """Whether its value is not known before the run."""
        return reference.root is not Root.INPUTS or reference.of in self._unknown

    async def _decided(self, step: Step, request: RouteRequest) -> Decision | None:
        # by the prompt, as not all of a request has a hash
        alike = self._decisions.setdefault(request.prompt, [])
        decision = next((decision for same, decision in alike if same == request), None)
        if decision is None:
            try:
                decision = await self.routes.begin(request).decide(self.fleet, self.note)
            except OllamaMasterError as error:
                self._problem(step, "model", error)
                return None
            alike.append((request, decision))
        if decision.refused:
            self._problem(step, "max_time", over_limit(decision, self.fleet))
        elif not decision.ranked:
            down = all(r.reason is Reason.INSTANCE_DOWN for r in decision.rejected)
            nothing = no_candidate(decision, self.fleet, decision.wish)
            self._problem(step, "model", nothing, down=down)
        return decision

    def _problem(
        self, step: Step, key: str, error: OllamaMasterError, *, down: bool = False
    ) -> None:
        none_up = down or isinstance(error, NoInstanceError)
        code = Mistake.NO_INSTANCE if none_up else Mistake.NO_CANDIDATE
        if isinstance(error, FileUnusableError):
            code = Mistake.WRONG_VALUE
        error.message = f"the step {step.id!r}: {error.message}"
        self._problems.append(WorkflowProblem(code, error.message, step.line_of(key), error.hint))
        self._errors.append(error)


@dataclass(frozen=True, slots=True)
class _Foreseen(Scope):
    """Values before anything ran: of a step only the likely length of its text is known."""

    def value(self, reference: Reference) -> Any:
        """The value, or a text as long as it will likely be. Raises MissingDataError."""
        if reference.root is Root.STEPS:
            named = reference.face in (Face.MODEL, Face.INSTANCE)
            return "" if named else self.steps[reference.of].text
        if reference.root is Root.ITEM and isinstance(self.item, _UnknownItem):
            return self.item
        # not super(): slots make another class of this one
        return Scope.value(self, reference)


class _UnknownItem(str):
    """An item of a list that is not there yet."""

    __slots__ = ()


def _items(step: Step, scope: Scope) -> list[Scope]:
    """One scope an item. A list that is not known yet counts as one item."""
    if step.for_each is None:
        return [scope]
    try:
        items = step.for_each.fill(scope)
    except MissingDataError:
        items = None
    if not isinstance(items, list):
        return [replace(scope, item=_UnknownItem(items or ""))]
    return [replace(scope, item=item) for item in items]


def _places(decision: Decision) -> tuple[Place, ...]:
    """The chosen pair first, then the same model elsewhere."""
    chosen = decision.chosen
    assert chosen is not None  # noqa: S101 (asked before)
    same = [chosen, *(c for c in decision.ranked[1:] if c.model == chosen.model)]
    return tuple(Place(c.model, c.instance, c.estimate.p50_s, c.estimate.load_s) for c in same)


def _unknown_inputs(workflow: Workflow) -> dict[str, Any]:
    """A value for every input, so that there is something to estimate with."""
    empty = {
        InputType.TEXT: "",
        InputType.INTEGER: 0,
        InputType.NUMBER: 0.0,
        InputType.BOOLEAN: True,
        InputType.JSON: [],
    }
    return {i.name: empty[i.type] if i.required else i.default for i in workflow.inputs}
