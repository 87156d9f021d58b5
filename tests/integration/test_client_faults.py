"""Every fault of the sandbox, as the client tells it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest
from program import PATIENCE_S, until

from ollamamaster.domain.answers import AnswerRequest
from ollamamaster.domain.instances import Endpoint, InstanceAddress
from ollamamaster.errors import AttemptError, Outcome
from ollamamaster.ollama.client import OllamaClient
from ollamamaster.ollama.watchdog import Watch
from ollamamaster.simulator.sandbox import SimulatedFleet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from ollamamaster.simulator.sandbox import SimulatedInstance

pytestmark = pytest.mark.anyio

# What answers has all the time in the world, so that a slow machine that runs these tests is not
# taken for a dead instance.
PATIENT = Watch(ask_every_s=0.3, answer_within_s=PATIENCE_S, line_within_s=None)
# Nothing will come, so this only says how long the test takes.
HASTY = Watch(ask_every_s=0.3, answer_within_s=0.5, line_within_s=1.0)


@pytest.fixture
def instance() -> Iterator[SimulatedInstance]:
    with SimulatedFleet.start("duo", speed=50.0) as fleet:
        yield fleet["a"]


@pytest.fixture
def endpoint(instance: SimulatedInstance) -> Endpoint:
    return Endpoint(InstanceAddress.parse(instance.url))


@pytest.fixture
def watch() -> Watch:
    return PATIENT


@pytest.fixture
async def ollama(watch: Watch) -> AsyncIterator[OllamaClient]:
    client = OllamaClient(watch=watch)
    yield client
    await client.aclose()


async def first_model(ollama: OllamaClient, endpoint: Endpoint) -> str:
    return str((await ollama.tags(endpoint, timeout_s=PATIENCE_S))[0].name)


async def complete(ollama: OllamaClient, endpoint: Endpoint, model: str) -> str:
    request = AnswerRequest(model, "hello", options={"num_predict": 20})
    async with aclosing(ollama.answer(endpoint, request)) as chunks:
        return "".join([chunk.text async for chunk in chunks])


@pytest.mark.parametrize(
    ("watch", "kind", "outcome"),
    [
        (HASTY, "hang", Outcome.TIMEOUT),
        (HASTY, "slow_drip", Outcome.TIMEOUT),
        (PATIENT, "error_500", Outcome.HTTP_ERROR),
        (PATIENT, "busy_503", Outcome.BUSY),
        (PATIENT, "not_found", Outcome.MODEL_MISSING),
        (PATIENT, "garbage", Outcome.BAD_RESPONSE),
        (PATIENT, "huge_line", Outcome.BAD_RESPONSE),
        (PATIENT, "wrong_json", Outcome.BAD_RESPONSE),
        (PATIENT, "truncate_stream", Outcome.STREAM_BROKEN),
        (PATIENT, "error_in_stream", Outcome.STREAM_BROKEN),
        (PATIENT, "reset", Outcome.CONNECT_ERROR),
    ],
)
async def test_a_fault_has_its_outcome(
    kind: str,
    outcome: Outcome,
    instance: SimulatedInstance,
    endpoint: Endpoint,
    ollama: OllamaClient,
) -> None:
    model = await first_model(ollama, endpoint)
    instance.fault(kind)
    with pytest.raises(AttemptError) as caught:
        await complete(ollama, endpoint, model)
    assert caught.value.outcome is outcome


async def test_an_instance_that_died_is_a_connect_error_without_a_connection(
    instance: SimulatedInstance, endpoint: Endpoint, ollama: OllamaClient
) -> None:
    model = await first_model(ollama, endpoint)
    instance.stop()
    with pytest.raises(AttemptError) as caught:
        await complete(ollama, endpoint, model)
    assert (caught.value.outcome, caught.value.connected) == (Outcome.CONNECT_ERROR, False)


async def test_an_instance_that_came_back_answers(
    instance: SimulatedInstance, endpoint: Endpoint, ollama: OllamaClient
) -> None:
    model = await first_model(ollama, endpoint)
    instance.stop()
    instance.restart()
    assert (await complete(ollama, endpoint, model)).startswith("[simulated]")


async def test_an_answer_that_is_cancelled_while_its_model_loads_frees_the_instance(
    ollama: OllamaClient,
) -> None:
    # So slow that the load would outlast every test.
    with SimulatedFleet.start("duo", speed=0.001) as fleet:
        instance = fleet["a"]
        endpoint = Endpoint(InstanceAddress.parse(instance.url))
        model = await first_model(ollama, endpoint)
        waiting = asyncio.create_task(complete(ollama, endpoint, model))
        await until(lambda: bool(instance.state()["loading"]), "the load begins")
        waiting.cancel()
        await until(
            lambda: not instance.state()["loading"] and not instance.state()["running"],
            "the load ends",
        )
        assert instance.state()["served"] == 0
