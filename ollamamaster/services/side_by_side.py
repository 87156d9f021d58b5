"""Several models answer one prompt at once."""

from __future__ import annotations

import asyncio  # noqa: TID253 (imported only by commands that wait for instances)
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ollamamaster.errors import ModelUnknownError, OllamaMasterError, Outcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from ollamamaster.domain.routing import RouteRequest, RouteResult
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.services.answering import RouteListener
    from ollamamaster.services.pull import PullListener
    from ollamamaster.services.route import RouteService


@dataclass(frozen=True, slots=True)
class Side:
    """What one model gave: an answer, or an error with as much as came until then."""

    model: str
    result: RouteResult
    outcome: str
    error: OllamaMasterError | None = None


async def side_by_side(
    routes: RouteService,
    request: RouteRequest,
    models: Sequence[str],
    find: Callable[[], Awaitable[Fleet]],
    listener: RouteListener,
    pulling: PullListener,
) -> list[Side]:
    """The answers in the order of the models; one that fails spoils none of the others."""

    async def one(model: str) -> Side:
        run = routes.begin(replace(request, model=model))
        try:
            result = await run.complete(find, listener, pulling)
        except ModelUnknownError as error:
            return Side(model, run.so_far(), str(Outcome.MODEL_MISSING), error)
        except OllamaMasterError as error:
            tried = run.so_far().attempts
            ended = tried[-1].outcome if tried else None
            return Side(model, run.so_far(), str(ended or error.code), error)
        return Side(result.model or model, result, str(Outcome.OK))

    return await asyncio.gather(*map(one, models))
