"""What is learnt over real sockets, of machines whose true figures are known."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from program import home_for
from routes import MODEL, asked, begin, request
from taught import profiles

from ollamamaster.bootstrap import Application
from ollamamaster.domain.answers import AnswerRequest, Usage
from ollamamaster.domain.attempt_record import AttemptRecord
from ollamamaster.domain.concurrency import Slots
from ollamamaster.domain.instances import Endpoint, Instance, InstanceAddress
from ollamamaster.domain.rates import Source
from ollamamaster.errors import Outcome
from ollamamaster.ollama.client import OllamaClient
from ollamamaster.simulator.fleet import load_fleet
from ollamamaster.simulator.sandbox import SimulatedFleet

if TYPE_CHECKING:
    from pathlib import Path

    from ollamamaster.simulator.sandbox import SimulatedInstance

pytestmark = pytest.mark.anyio

# A request takes a third of a second: long beside what the sockets take, short for a test.
SPEED = 4.0


def fleet_of(slots: int) -> SimulatedFleet:
    """One machine with so many slots."""
    plan = load_fleet("duo")
    first = plan.instances[0]
    only = replace(first, hardware=replace(first.hardware, slots=slots))
    return SimulatedFleet.start(replace(plan, instances=(only,)), speed=SPEED)


async def test_five_routes_teach_the_true_decode_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fleet_of(1) as fleet:
        for name, value in home_for(fleet, tmp_path / "home").items():
            if name.startswith("OLLAMAMASTER"):
                monkeypatch.setenv(name, value)
        application = Application()
        async with aclosing(application.ollama):
            for _ in range(5):
                there = await asked(application)
                await begin(application, there, options={"num_predict": 60}).result()
            there = await asked(application)
            decision = await application.route_service().explain(request(), there, print)
        application.history.close()
        assert decision.chosen is not None
        rate = decision.chosen.prospect.rates.decode
        hardware, model = fleet.plan.instances[0].hardware, fleet.plan.models[MODEL].served()
        truth = SPEED / hardware.token_s(model, hardware.placement(model, 4096))
    assert rate.source is Source.MEASURED
    assert rate.median == pytest.approx(truth, rel=0.1)


async def answered(client: OllamaClient, instance: SimulatedInstance, prompt: str) -> AttemptRecord:
    """One request beside another, and what it would be remembered as."""
    endpoint = Endpoint(InstanceAddress("127.0.0.1", instance.port))
    began_at, began, usage = time.time(), time.monotonic(), Usage()
    sent = AnswerRequest(MODEL, prompt, options={"num_predict": 150}, num_ctx=4096)
    async with aclosing(client.answer(endpoint, sent)) as chunks:
        async for chunk in chunks:
            if chunk.done:
                usage = chunk.usage
    seconds = time.monotonic() - began
    return AttemptRecord(
        MODEL, instance.id, Outcome.OK, None, began_at, seconds, usage, resident=True, others=1
    )


@pytest.mark.parametrize(
    ("slots", "expected"), [(1, Slots(1, known=True)), (2, Slots(2, known=False))]
)
async def test_two_at_once_tell_how_many_slots_there_are(slots: int, expected: Slots) -> None:
    with fleet_of(slots) as fleet:
        [instance] = fleet
        async with aclosing(OllamaClient()) as client:
            await answered(client, instance, "Write a story to load the model")
            prompts = ("Write a story about the sea", "Write an essay about the tides")
            both = await asyncio.gather(*(answered(client, instance, p) for p in prompts))
        records = sorted(both, key=lambda record: record.started_at + record.seconds)
        seen = Instance(InstanceAddress("127.0.0.1", instance.port))
        assert profiles(records).slots(seen) == expected
