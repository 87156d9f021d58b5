"""What is a workflow: its inputs, its steps, what each of them waits for."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.references import Reference, Root, Template, references_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ollamamaster.domain.settings import Performance


class InputType(StrEnum):
    """How the text of an input is read."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    JSON = "json"


class OnError(StrEnum):
    """What a failed step means for the run."""

    FAIL = "fail"
    CONTINUE = "continue"


@dataclass(frozen=True, slots=True)
class Input:
    """One input. Without a default it must be given."""

    name: str
    description: str = ""
    type: InputType = InputType.TEXT
    required: bool = True
    default: Any = None
    choices: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolServer:
    """An MCP server: a command with arguments, or a URL. `tools` are those that may be called."""

    name: str
    command: str | None = None
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    url: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    tools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelWork:
    """A prompt for one model, or for several side by side. What is Any is a tree of templates.

    `models` is a list of templates, or one that is a reference to a list; None for one model.
    """

    prompt: Template
    model: Template | None = None
    models: tuple[Template, ...] | Template | None = None
    performance: Performance | None = None
    instance: Template | None = None
    max_time_s: float | None = None
    system: Template | None = None
    format: Any = None
    options: Any = None
    files: tuple[Template, ...] = ()
    think: bool | None = None


@dataclass(frozen=True, slots=True)
class ToolWork:
    """A call of a tool of another MCP server. `arguments` is a tree of templates."""

    server: str
    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `lines` tells where in its file its keys stand, "" where it begins."""

    id: str
    work: ModelWork | ToolWork
    after: tuple[str, ...] = ()
    when: Template | None = None
    for_each: Template | None = None
    on_error: OnError = OnError.FAIL
    retries: int = 0
    lines: Mapping[str, int] = field(default_factory=dict, compare=False)

    @property
    def references(self) -> Iterator[tuple[str, Reference]]:
        """Every reference in it, and the key where it stands."""
        for key, tree in self._trees():
            for reference in references_in(tree):
                yield key, reference

    def _trees(self) -> Iterator[tuple[str, Any]]:
        yield "when", self.when
        yield "for_each", self.for_each
        work = self.work
        if isinstance(work, ToolWork):
            yield "with", work.arguments
            return
        yield "prompt", work.prompt
        yield "model", work.model
        yield "models", list(work.models) if isinstance(work.models, tuple) else work.models
        yield "instance", work.instance
        yield "system", work.system
        yield "format", work.format
        yield "options", work.options
        yield "files", list(work.files)

    @property
    def waits_for(self) -> frozenset[str]:
        """The steps that must have ended before it can begin."""
        named = (r.of for _, r in self.references if r.root is Root.STEPS)
        return frozenset((*self.after, *named))

    def line_of(self, key: str) -> int | None:
        """Where the key stands, or else the step."""
        return self.lines.get(key, self.lines.get(""))


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow as read. `output` is the text of its result, None for that of the last step.

    `folder` is where its file is, and what relative paths in it mean; `digest` changes with the
    text of the file. `lines` tells where other keys stand than those of steps.
    """

    name: str
    description: str
    inputs: tuple[Input, ...]
    steps: tuple[Step, ...]
    servers: tuple[ToolServer, ...] = ()
    output: Template | None = None
    path: str = ""
    folder: str = ""
    digest: str = ""
    lines: Mapping[str, int] = field(default_factory=dict, compare=False)

    def step(self, step_id: str) -> Step:
        return next(step for step in self.steps if step.id == step_id)

    def server(self, name: str) -> ToolServer:
        return next(server for server in self.servers if server.name == name)

    @property
    def result(self) -> Template:
        """The template of the output."""
        if self.output is not None:
            return self.output
        return Template((Reference(Root.STEPS, self.steps[-1].id),))


def waves(steps: Sequence[Step]) -> tuple[tuple[str, ...], ...]:
    """The ids of steps that may run together, one wave after the other.

    Steps of a cycle, and those that wait for one, are in no wave.
    """
    ahead = [set(step.waits_for) for step in steps]
    behind: dict[str, list[int]] = {}
    for number, before in enumerate(ahead):
        for step_id in before:
            behind.setdefault(step_id, []).append(number)
    found: list[tuple[str, ...]] = []
    ready = [number for number, before in enumerate(ahead) if not before]
    while ready:
        found.append(tuple(steps[number].id for number in ready))
        freed = set()
        for step_id in found[-1]:
            # each step is met once for each that it waits for, however long the chain is
            for number in behind.pop(step_id, ()):
                ahead[number].remove(step_id)
                if not ahead[number]:
                    freed.add(number)
        ready = sorted(freed)
    return tuple(found)


def cycle(steps: Sequence[Step]) -> tuple[str, ...]:
    """The ids of steps that wait for each other in a ring, first to last; empty when none do."""
    placed = {step_id for wave in waves(steps) for step_id in wave}
    left = {step.id: step for step in steps if step.id not in placed}
    known = {step.id for step in steps}
    for start in left:
        path = [start]
        while True:
            ahead = sorted(left[path[-1]].waits_for & left.keys() & known)
            if not ahead:
                break
            if ahead[0] in path:
                return tuple(path[path.index(ahead[0]) :])
            path.append(ahead[0])
    return ()


def longest_chain(steps: Sequence[Step], seconds: Mapping[str, float]) -> tuple[str, ...]:
    """The ids of the chain of steps that takes longest, in their order."""
    waits_for = {step.id: step.waits_for for step in steps}
    ends: dict[str, float] = {}
    before: dict[str, str | None] = {}
    for wave in waves(steps):
        for step_id in wave:
            last = max(sorted(waits_for[step_id]), key=ends.__getitem__, default=None)
            before[step_id] = last
            ends[step_id] = (0.0 if last is None else ends[last]) + seconds[step_id]
    chain: list[str] = []
    at = max(ends, key=ends.__getitem__, default=None)
    while at is not None:
        chain.append(at)
        at = before[at]
    return tuple(reversed(chain))
