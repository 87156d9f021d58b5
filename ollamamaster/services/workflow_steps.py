"""Does one step of a workflow: asks a model or several, calls a tool, once or for each item."""

from __future__ import annotations

import asyncio  # noqa: TID253 (imported only by commands that wait for instances)
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ollamamaster.contract.compare import answer_data
from ollamamaster.domain.comparing import CompareRequest
from ollamamaster.domain.json_values import read_json
from ollamamaster.domain.references import Given, as_text, fill_tree
from ollamamaster.domain.tools import data_of
from ollamamaster.domain.workflow import ToolWork
from ollamamaster.errors import (
    FailedError,
    OllamaMasterError,
    PromptMissingError,
    ServerFailedError,
    UsageError,
)
from ollamamaster.services.workflow_listener import OfStep
from ollamamaster.services.workflow_requests import models_of, route_request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from ollamamaster.domain.references import Scope
    from ollamamaster.domain.settings import Settings
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.domain.workflow import ModelWork, Step
    from ollamamaster.ports import Attached, Clock, RunningServer
    from ollamamaster.services.compare import CompareService
    from ollamamaster.services.workflow_listener import WorkflowListener

# More than the slots of a large home fleet; each one under way holds a place in line and a
# connection.
_ITEMS_AT_ONCE = 32
# Before a try that is not the first: half a second, doubled each time up to this. Long enough for
# a server that is being restarted.
_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 8.0


@dataclass
class StepRunner:
    """Does steps, several at once. `person` says that the inputs are those of a person."""

    comparisons: CompareService
    find: Callable[[], Awaitable[Fleet]]
    servers: Mapping[str, RunningServer]
    attach: Callable[[Iterable[tuple[str, bool]]], Attached]
    settings: Settings
    clock: Clock
    listener: WorkflowListener
    person: bool

    async def do(self, step: Step, scope: Scope) -> Given:
        """What the step gives. Raises MissingDataError, OllamaMasterError."""
        if step.for_each is None:
            return await self._tried(step, scope)
        items = step.for_each.fill(scope)
        if not isinstance(items, list):
            raise FailedError(f"for_each is no list, but {_kind(items)}")
        return _together(await self._each(step, scope, items))

    async def _each(self, step: Step, scope: Scope, items: list[Any]) -> list[Given]:
        """All of them; after the first that fails no other is begun."""
        room = asyncio.Semaphore(_ITEMS_AT_ONCE)
        failed: list[BaseException] = []

        async def one(number: int, item: Any) -> Given:
            async with room:
                if failed:
                    return Given()
                try:
                    return await self._tried(step, replace(scope, item=item))
                except OllamaMasterError as error:
                    error.message = f"item {number}: {error.message}"
                    failed.append(error)
                except LookupError as error:
                    failed.append(error)
                return Given()

        found = await asyncio.gather(*(one(n, item) for n, item in enumerate(items)))
        if failed:
            raise failed[0]
        return found

    async def _tried(self, step: Step, scope: Scope) -> Given:
        for number in range(step.retries):
            try:
                return await self._once(step, scope)
            except UsageError:
                # what is wrong with the request itself is as wrong the next time
                raise
            except OllamaMasterError as error:
                if isinstance(error, ServerFailedError) and error.gone:
                    raise
                self.listener.note(f"{step.id}: {error.message}; trying again")
                await self.clock.sleep(min(_LONGEST_PAUSE_S, _PAUSE_S * 2**number))
        return await self._once(step, scope)

    async def _once(self, step: Step, scope: Scope) -> Given:
        if isinstance(step.work, ToolWork):
            return await self._call(step.work, scope)
        return await self._ask(step, step.work, scope)

    async def _call(self, work: ToolWork, scope: Scope) -> Given:
        answer = await self.servers[work.server].call(work.tool, fill_tree(work.arguments, scope))
        if answer.failed:
            said = answer.text.strip() or "it did not say why"
            raise ServerFailedError(f"{work.server}.{work.tool} failed: {said[:500]}")
        return Given(answer.text, answer.data)

    async def _ask(self, step: Step, work: ModelWork, scope: Scope) -> Given:
        request = route_request(work, scope, self.settings, self.attach, person=self.person)
        if not request.prompt.strip():
            # Ollama would only load the model, and answer nothing
            raise PromptMissingError("the prompt is empty")
        models = models_of(work, scope)
        hearing = OfStep(step.id, self.listener)
        if models is None:
            result = await self.comparisons.routes.begin(request).complete(
                self.find, hearing, hearing
            )
            data = _answer_data(result.response, wanted=request.format is not None)
            return Given(result.response, data, result.model or "", result.instance or "")
        run = self.comparisons.begin(CompareRequest(request, models))
        answers = await run.answers(self.find, hearing)
        for error in (answer.error for answer in answers if answer.error is not None):
            self.listener.note(f"{step.id}: {error.message}")
        text = "\n\n".join(
            f"## {answer.model}\n\n{(answer.text or '').strip()}" for answer in answers if answer.ok
        )
        return Given(text, [answer_data(answer) for answer in answers])


def _answer_data(response: str, *, wanted: bool) -> Any:
    """The JSON of an answer. One that was asked for as JSON must be it. Raises FailedError."""
    if not wanted:
        return data_of(response)
    try:
        return read_json(response)
    except ValueError:
        raise FailedError("the answer is not the JSON that format asks for") from None


def _together(found: list[Given]) -> Given:
    """All items as one: who answered stands there when it was always the same."""
    datas = [each.text if each.data is None else each.data for each in found]
    models = Counter((each.model, each.instance) for each in found)
    model, instance = next(iter(models)) if len(models) == 1 else ("", "")
    return Given("\n\n".join(each.text for each in found), datas, model, instance)


def _kind(value: Any) -> str:
    text = as_text(value)
    return f"the text {text[:40]!r}" if isinstance(value, str) else text[:40]
