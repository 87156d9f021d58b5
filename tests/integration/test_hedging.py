"""A second attempt when the first token is late: who is heard, and when there is none."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from fleets import load
from program import PATIENCE_S, until
from routes import asked, begin, hold, outcomes

from ollamamaster.errors import AllFailedError, Outcome
from ollamamaster.services import hedge

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from routes import Going

    from ollamamaster.bootstrap import Application
    from ollamamaster.domain.answers import AnswerRequest, Chunk
    from ollamamaster.domain.instances import Endpoint
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.simulator.sandbox import SimulatedFleet, SimulatedInstance

pytestmark = pytest.mark.anyio


@pytest.fixture
def fresh(fresh: SimulatedFleet) -> SimulatedFleet:
    """Two equal idle instances that both have the model in memory."""
    for instance in fresh:
        load(instance)
    return fresh


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests do not wait as long as people do; the rest is as it is."""
    monkeypatch.setattr(hedge, "LATE_AT_LEAST_S", 0.05)
    monkeypatch.setattr(hedge, "LOOK_EVERY_S", 0.05)


@pytest.fixture
async def seen(application: Application) -> Fleet:
    return await asked(application)


async def goes_on_alone(route: Going, looks: int = 20) -> None:
    """It could have started a second attempt many times, and did not; then it is ended."""
    await route.started()
    done, _ = await asyncio.wait([route.task], timeout=looks * hedge.LOOK_EVERY_S)
    assert not done
    assert route.heard.hedges == []
    await ended(route)


async def ended(route: Going) -> None:
    route.task.cancel()
    await asyncio.wait([route.task], timeout=PATIENCE_S)


async def both_silent(
    application: Application, seen: Fleet, a: SimulatedInstance, b: SimulatedInstance
) -> Going:
    """A route whose second attempt has begun, and nobody says a word."""
    a.fault("hang_generate", count=None)
    b.fault("hang_generate", count=None)
    route = begin(application, seen, hedge=True)
    await route.hears(hedges=1)
    return route


async def test_an_idle_instance_answers_when_the_first_is_silent(
    application: Application, seen: Fleet, a: SimulatedInstance, b: SimulatedInstance
) -> None:
    a.fault("hang_generate", count=None)
    route = begin(application, seen, hedge=True)
    result = await route.result()
    assert route.heard.hedges == [(a.id, b.id)]
    assert outcomes(result.attempts) == [(a.id, Outcome.CANCELLED), (b.id, Outcome.OK)]
    assert result.instance == b.id
    assert result.response == "".join(route.heard.tokens)
    assert application.tickets.others("") == []


async def test_a_second_that_fails_leaves_the_first_alone(
    application: Application, seen: Fleet, a: SimulatedInstance, b: SimulatedInstance
) -> None:
    route = await both_silent(application, seen, a, b)
    b.stop()
    await route.hears(ends=1)
    assert [end.instance for end in route.heard.ends] == [b.id]
    assert not route.task.done()
    await ended(route)
    tried = outcomes(route.run.so_far().attempts)
    assert tried == [(a.id, Outcome.CANCELLED), (b.id, Outcome.CONNECT_ERROR)]


async def test_the_first_is_heard_when_it_speaks_before_the_second(
    application: Application,
    seen: Fleet,
    a: SimulatedInstance,
    b: SimulatedInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hedge, "late_after_s", lambda _: 0.05)
    b.fault("hang_generate", count=None)
    answer = application.ollama.answer

    async def after_the_second_began(
        endpoint: Endpoint, sent: AnswerRequest
    ) -> AsyncGenerator[Chunk, None]:
        async with aclosing(answer(endpoint, sent)) as chunks:
            async for chunk in chunks:
                await route.hears(hedges=1)
                yield chunk

    monkeypatch.setattr(application.ollama, "answer", after_the_second_began)
    route = begin(application, seen, hedge=True)
    result = await route.result()
    assert outcomes(result.attempts) == [(a.id, Outcome.OK), (b.id, Outcome.CANCELLED)]


async def test_both_may_fail(
    application: Application, seen: Fleet, a: SimulatedInstance, b: SimulatedInstance
) -> None:
    a.fault("hang_generate", count=None)
    b.fault("error_500", count=None)
    route = begin(application, seen, hedge=True)
    await route.hears(ends=1)
    a.stop()
    with pytest.raises(AllFailedError):
        await route.result()
    assert [tried.instance for tried in route.run.so_far().attempts] == [a.id, b.id]


async def test_the_other_goes_on_when_the_silent_one_fails(
    application: Application, seen: Fleet, a: SimulatedInstance, b: SimulatedInstance
) -> None:
    route = await both_silent(application, seen, a, b)
    a.stop()
    await route.hears(ends=1)
    assert not route.task.done()
    await until(
        lambda: [t.on and t.on.instance for t in application.tickets.others("")] == [b.id],
        "only the other one holds a place",
    )
    await ended(route)
    assert application.tickets.others("") == []


@pytest.mark.parametrize("where", ["the request", "the config"])
async def test_there_is_none_when_the_person_does_not_want_it(
    where: str, application: Application, seen: Fleet, a: SimulatedInstance
) -> None:
    a.fault("hang_generate", count=None)
    if where == "the config":
        settings = application.settings
        off = replace(settings, route=replace(settings.route, hedge=False))
        vars(application)["settings"] = off
    route = begin(application, seen, hedge=where == "the config")
    await goes_on_alone(route)


async def test_there_is_none_for_a_cloud_model(
    application: Application, seen: Fleet, a: SimulatedInstance
) -> None:
    a.fault("hang_generate", count=None)
    paid = tuple(
        replace(
            instance,
            models=tuple(replace(m, remote_host="https://ollama.com:443") for m in instance.models),
        )
        for instance in seen.instances
    )
    route = begin(application, replace(seen, instances=paid), hedge=True)
    await goes_on_alone(route)


async def test_there_is_none_where_one_of_ours_runs(
    application: Application, seen: Fleet, a: SimulatedInstance, b: SimulatedInstance
) -> None:
    a.fault("hang_generate", count=None)
    hold(application, b.id, work_s=60.0)
    route = begin(application, seen, hedge=True)
    await goes_on_alone(route)


async def test_there_is_none_where_the_model_must_be_loaded(
    application: Application, seen: Fleet, a: SimulatedInstance, b: SimulatedInstance
) -> None:
    a.fault("hang_generate", count=None)
    b.restart()
    route = begin(application, seen, hedge=True)
    await goes_on_alone(route)


async def test_there_is_none_while_a_load_is_under_way_on_the_first(
    application: Application, seen: Fleet, a: SimulatedInstance, b: SimulatedInstance
) -> None:
    # It seemed to be in memory when it was decided, and is not any more.
    a.restart()
    a.fault("hang_generate", count=None)
    route = begin(application, seen, hedge=True, instance=None)
    await goes_on_alone(route)


async def test_a_load_counts_as_under_way_only_for_so_long(
    application: Application,
    seen: Fleet,
    a: SimulatedInstance,
    b: SimulatedInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hedge, "LOAD_AT_LEAST_S", 0.1)
    monkeypatch.setattr(hedge, "LOAD_TIMES", 0.0)
    a.restart()
    a.fault("hang_generate", count=None)
    result = await begin(application, seen, hedge=True).result()
    assert result.instance == b.id


async def test_a_named_instance_has_no_second(
    application: Application, seen: Fleet, a: SimulatedInstance
) -> None:
    a.fault("hang_generate", count=None)
    route = begin(application, seen, hedge=True, instance=a.id)
    await goes_on_alone(route)


async def test_one_that_speaks_in_time_has_no_second(
    application: Application, seen: Fleet, a: SimulatedInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hedge, "late_after_s", lambda _: PATIENCE_S)
    route = begin(application, seen, hedge=True)
    result = await route.result()
    assert outcomes(result.attempts) == [(a.id, Outcome.OK)]
    assert route.heard.hedges == []
