"""The text of a workflow file, as a workflow or as all that is wrong with it."""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.json_values import MAX_DEPTH, is_deep
from ollamamaster.domain.references import NAME, NoReferenceError
from ollamamaster.domain.workflow import (
    Input,
    InputType,
    ModelWork,
    OnError,
    Step,
    ToolServer,
    ToolWork,
    Workflow,
)
from ollamamaster.domain.workflow_inputs import checked
from ollamamaster.domain.workflow_problems import (
    Mistake,
    WorkflowProblem,
    WorkflowReading,
    graph_problems,
    near,
)
from ollamamaster.errors import UsageError
from ollamamaster.storage.key_lines import numbered_key_lines
from ollamamaster.storage.kinds import quoted
from ollamamaster.storage.workflow_schema import (
    INPUT,
    MODEL_STEP,
    OUTPUT,
    SERVER,
    STEP,
    TABLES,
    TOOL_STEP,
    TOP,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ollamamaster.storage.key_lines import NumberedPath
    from ollamamaster.storage.kinds import Kind

_AT_LINE = re.compile(r"\(at line (\d+), column \d+\)")


def read_workflow(text: str, path: Path) -> WorkflowReading:
    """Read the text of the file at `path`; nothing stops at the first mistake."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # besides its own error also that of a number with thousands of digits
        found = _AT_LINE.search(str(error))
        if found:
            line: int | None = int(found[1])
        else:
            line = text.count("\n") + 1 if "end of document" in str(error) else None
        message = _AT_LINE.sub("", str(error)).strip() or "it is nested too deeply"
        return WorkflowReading(str(path), None, (WorkflowProblem(Mistake.TOML, message, line),))
    if is_deep(document):
        problem = WorkflowProblem(Mistake.TOML, f"it is nested deeper than {MAX_DEPTH} levels")
        return WorkflowReading(str(path), None, (problem,))
    reader = _Reader(document, numbered_key_lines(text))
    workflow = reader.workflow(path, hashlib.sha256(text.encode()).hexdigest())
    problems = reader.problems
    if workflow is not None:
        problems += graph_problems(workflow)
    problems.sort(key=lambda problem: problem.line or 0)
    return WorkflowReading(str(path), workflow, tuple(problems))


@dataclass
class _Reader:
    document: Mapping[str, Any]
    lines: Mapping[NumberedPath, int]
    problems: list[WorkflowProblem] = field(default_factory=list)

    def workflow(self, path: Path, digest: str) -> Workflow | None:
        """The workflow, None where its steps could not be read."""
        for key in self.document:
            if key not in TOP and key not in TABLES:
                self._unknown((key,), (*TOP, *TABLES))
        top = self._table({k: v for k, v in self.document.items() if k not in TABLES}, (), TOP)
        name = top.get("name", path.stem)
        if "name" not in self.document:
            self._say(Mistake.MISSING_KEY, (), "name is missing", f'name = "{path.stem}"')
        elif "name" in top and name != path.stem:
            self._say(
                Mistake.WRONG_NAME,
                ("name",),
                f"name is {name!r}, and the file is called {path.name}",
                f'name = "{path.stem}", or call the file {name}.toml',
            )
        inputs = self._inputs()
        servers = self._servers()
        steps = self._steps()
        output = self._output()
        if steps is None:
            return None
        keys = {"output": ("output", "text")}
        keys |= {f"mcp.{server.name}": ("mcp", server.name) for server in servers}
        return Workflow(
            name,
            top.get("description", ""),
            inputs,
            steps,
            servers,
            output,
            path=str(path),
            folder=str(path.parent),
            digest=digest,
            lines={key: self.lines[at] for key, at in keys.items() if at in self.lines},
        )

    def _inputs(self) -> tuple[Input, ...]:
        found = []
        for name, value in self._subtables("inputs").items():
            at = ("inputs", name)
            if not re.fullmatch(NAME, name):
                self._say(Mistake.WRONG_NAME, at, f"{quoted(name)} is no name of an input")
            cells = self._table(value, at, INPUT)
            kind = cells.get("type", InputType.TEXT)
            made = Input(
                name,
                cells.get("description", ""),
                kind,
                "default" not in cells,
                cells.get("default"),
                tuple(cells.get("choices", ())),
            )
            for key, values in (("choices", made.choices), ("default", self._default(made))):
                for each in values:
                    self._fits(made, each, (*at, key))
            if not made.required and made.choices and made.default not in made.choices:
                self._say(
                    Mistake.WRONG_VALUE,
                    (*at, "default"),
                    f"inputs.{name}.default: {quoted(made.default)} is none of its choices",
                )
            found.append(made)
        return tuple(found)

    @staticmethod
    def _default(made: Input) -> tuple[Any, ...]:
        return () if made.required else (made.default,)

    def _fits(self, made: Input, value: Any, at: NumberedPath) -> None:
        try:
            checked(made, value)
        except UsageError as error:
            self._say(Mistake.WRONG_VALUE, at, f"{_dotted(at)}: {error.message}")

    def _servers(self) -> tuple[ToolServer, ...]:
        found = []
        for name, value in self._subtables("mcp").items():
            at = ("mcp", name)
            cells = self._table(value, at, SERVER)
            if isinstance(value, dict) and ("command" in value) == ("url" in value):
                self._say(
                    Mistake.MISSING_KEY,
                    at,
                    f"mcp.{name} needs a command or a url, one of them",
                )
            for key in ("args", "env") if "url" in cells else ("headers",):
                if key in cells:
                    kind = "url" if "url" in cells else "command"
                    self._say(
                        Mistake.WRONG_VALUE, (*at, key), f"mcp.{name}.{key}: not with a {kind}"
                    )
            url = cells.get("url")
            if url is not None and not url.startswith(("http://", "https://")):
                self._say(
                    Mistake.WRONG_VALUE,
                    (*at, "url"),
                    f"mcp.{name}.url: {quoted(url)} does not begin with http:// or https://",
                )
            found.append(
                ToolServer(
                    name,
                    cells.get("command"),
                    cells.get("args", ()),
                    cells.get("env", {}),
                    url,
                    cells.get("headers", {}),
                    cells.get("tools", ()),
                )
            )
        return tuple(found)

    def _steps(self) -> tuple[Step, ...] | None:
        tables = self.document.get("steps")
        if not isinstance(tables, list) or not tables:
            self._say(Mistake.MISSING_KEY, ("steps",), "there are no [[steps]]")
            return None
        steps: list[Step] = []
        whole = True
        for number, value in enumerate(tables):
            step = self._step(value, ("steps", number))
            if step is None:
                whole = False
            elif step.id in {each.id for each in steps}:
                self._say(
                    Mistake.WRONG_NAME,
                    ("steps", number, "id"),
                    f"two steps are called {step.id!r}",
                    "references need another id for one of them",
                )
                whole = False
            else:
                steps.append(step)
        return tuple(steps) if whole else None

    def _step(self, value: Any, at: NumberedPath) -> Step | None:
        before = len(self.problems)
        keys = {**STEP, **MODEL_STEP, **TOOL_STEP}
        cells = self._table(value, at, keys)
        table = value if isinstance(value, dict) else {}
        if "id" not in table:
            self._say(Mistake.MISSING_KEY, at, "a step has no id", 'id = "a-name"')
        prompts, calls = "prompt" in table, "mcp" in table or "tool" in table
        self._check_kind(table, at, prompts=prompts, calls=calls)
        if len(self.problems) > before and ("id" not in cells or prompts == calls):
            return None
        if not (("prompt" in cells) if prompts else ("mcp" in cells and "tool" in cells)):
            return None
        lines = {key: self.lines[*at, key] for key in table if (*at, key) in self.lines}
        begins = self._line(at)
        if begins is not None:
            lines[""] = begins
        return Step(
            cells["id"],
            _work(cells),
            cells.get("after", ()),
            cells.get("when"),
            cells.get("for_each"),
            cells.get("on_error", OnError.FAIL),
            cells.get("retries", 0),
            lines,
        )

    def _check_kind(
        self, table: Mapping[str, Any], at: NumberedPath, *, prompts: bool, calls: bool
    ) -> None:
        """A step asks models or calls a tool, and each has keys of its own."""
        if prompts == calls:
            self._say(
                Mistake.MISSING_KEY,
                at,
                f"{self._called(table)} needs a prompt, or mcp and tool, one of the two",
            )
        other = TOOL_STEP if prompts else MODEL_STEP
        for key in table:
            if prompts != calls and key in other:
                kind = "prompt" if prompts else "tool"
                self._say(
                    Mistake.WRONG_VALUE,
                    (*at, key),
                    f"{self._called(table)}: {key} does not go with a {kind}",
                )
        if calls and not prompts:
            for key in ("mcp", "tool"):
                if key not in table:
                    self._say(Mistake.MISSING_KEY, at, f"{self._called(table)} has no {key}")
        if "model" in table and "models" in table:
            self._say(
                Mistake.WRONG_VALUE,
                (*at, "models"),
                f"{self._called(table)} has model and models; one of them is enough",
            )

    @staticmethod
    def _called(table: Mapping[str, Any]) -> str:
        step_id = table.get("id")
        return f"steps.{step_id}" if isinstance(step_id, str) else "a step"

    def _output(self) -> Any:
        value = self.document.get("output")
        if value is None:
            return None
        return self._table(value, ("output",), OUTPUT).get("text")

    def _subtables(self, key: str) -> Mapping[str, Any]:
        value = self.document.get(key, {})
        if isinstance(value, dict):
            return value
        self._say(Mistake.WRONG_VALUE, (key,), f"{key} is written as tables: [{key}.NAME]")
        return {}

    def _table(self, value: Any, at: NumberedPath, keys: Mapping[str, Kind]) -> dict[str, Any]:
        """What could be read of a table."""
        if not isinstance(value, dict):
            self._say(Mistake.WRONG_VALUE, at, f"{_dotted(at)}: {quoted(value)} is not a table")
            return {}
        found = {}
        for key, cell in value.items():
            kind = keys.get(key)
            if kind is None:
                if at:
                    self._unknown((*at, key), keys)
                continue
            try:
                found[key] = kind.read(cell)
            except ValueError as error:
                code = _code_of(error)
                self._say(code, (*at, key), f"{self._name((*at, key))}: {error}")
        return found

    def _unknown(self, at: NumberedPath, known: Any) -> None:
        self._say(
            Mistake.UNKNOWN_KEY,
            at,
            f"{self._name(at)} is no key of a workflow",
            near(str(at[-1]), known),
        )

    def _name(self, at: NumberedPath) -> str:
        if at[0] == "steps" and len(at) > 1:
            table = self.document["steps"][at[1]]
            rest = ".".join(map(str, at[2:]))
            return f"{self._called(table)}.{rest}"
        return _dotted(at)

    def _say(self, code: Mistake, at: NumberedPath, message: str, hint: str | None = None) -> None:
        self.problems.append(WorkflowProblem(code, message, self._line(at), hint))

    def _line(self, at: NumberedPath) -> int | None:
        while at:
            if at in self.lines:
                return self.lines[at]
            at = at[:-1]
        return None


def _work(cells: Mapping[str, Any]) -> ModelWork | ToolWork:
    if "prompt" not in cells:
        return ToolWork(cells["mcp"], cells["tool"], cells.get("with", {}))
    return ModelWork(
        cells["prompt"],
        cells.get("model"),
        cells.get("models"),
        cells.get("performance"),
        cells.get("instance"),
        cells.get("max_time"),
        cells.get("system"),
        cells.get("format"),
        cells.get("options"),
        cells.get("files", ()),
        cells.get("think"),
    )


def _code_of(error: ValueError) -> Mistake:
    return Mistake.REFERENCE if isinstance(error, NoReferenceError) else Mistake.WRONG_VALUE


def _dotted(at: NumberedPath) -> str:
    return ".".join(map(str, at))
