"""Who summarises older turns, and what if nothing comes of it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from routes import Heard

from ollamamaster.domain.answers import Usage
from ollamamaster.domain.conversation import Turn
from ollamamaster.domain.routing import RouteRequest, RouteResult, Timing
from ollamamaster.domain.settings import Performance
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.errors import FailedError
from ollamamaster.services.summary import Summarising

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.anyio

TURN = Turn("Who keeps the light?", "Jaan.", "m", "i", 0.0, 1.0)


class Routes:
    """Answers what each model answers; None is the one that is chosen."""

    def __init__(self, answers: Mapping[str | None, str]) -> None:
        self.asked: list[RouteRequest] = []
        self._answers = answers

    def begin(self, request: RouteRequest) -> Routes:
        self.asked.append(request)
        return self

    async def complete(self, *_: Any) -> RouteResult:
        model = self.asked[-1].model
        said = self._answers[model]
        return RouteResult(said, None, model, "i", "stop", None, (), Usage(), Timing(), None)


def summarising(routes: Any, model: str | None) -> Summarising:
    request = RouteRequest("next", model=model, performance=Performance.POWERFUL)
    return Summarising(routes, request, Fleet(), Heard())


async def test_where_the_fast_model_says_nothing_the_one_that_was_asked_for_summarises() -> None:
    routes = Routes({None: " \n", "own:8b": "Jaan keeps the light."})
    made = await summarising(routes, "own:8b").summary(None, [TURN], room=1000, context=4096)
    assert (made.text, made.model) == ("Jaan keeps the light.", "own:8b")
    assert [asked.performance for asked in routes.asked] == ["fast", "powerful"]


@pytest.mark.parametrize("model", [None, "own:8b"])
async def test_where_no_model_says_anything_it_is_an_error(model: str | None) -> None:
    routes = Routes({None: "", model: ""})
    with pytest.raises(FailedError, match="came out empty"):
        await summarising(routes, model).summary(None, [TURN], room=1000, context=4096)
