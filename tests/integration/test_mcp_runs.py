"""Long calls over MCP: progress, going on by themselves, results kept, and real cancellation.

The fleet runs at the speed of real machines and slower, so that there is something to wait for
and to stop. Whether it stopped, the simulated instance itself tells.
"""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from fleets import known, load, use
from program import PATIENCE_S, home_for, run, until
from served_fleet import ERAS, SMALL, STORY, ask, client, generates, text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mcp import Client

    from ollamamaster.simulator.sandbox import SimulatedFleet, SimulatedInstance

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("era", ERAS)]


@pytest.fixture(scope="module")
def fleet() -> Iterator[SimulatedFleet]:
    with known("duo", speed=1.0) as found:
        load(found["a"])
        found["b"].stop()
        assert run("discover", env=found.environment()).code == 0
        yield found


@pytest.fixture(autouse=True)
def _seen(fleet: SimulatedFleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of each test's own: what was slow in one is not expected to be slow in the next."""
    use(monkeypatch, home_for(fleet, tmp_path / "home"))


@pytest.fixture
def slow(fleet: SimulatedFleet) -> Iterator[SimulatedInstance]:
    """The one instance that is up; its answers take minutes."""
    fleet["a"].fault("slow", count=None)
    yield fleet["a"]
    fleet["a"].clear_faults()


@pytest.fixture
def usual(fleet: SimulatedFleet) -> SimulatedInstance:
    """The same at its usual speed: a short answer takes about a second."""
    return fleet["a"]


async def under_way(connected: Client, slow: SimulatedInstance) -> str:
    """The id of a run whose answer is being written."""
    found = await ask(connected, "route_request", prompt=STORY, model=SMALL, wait=0)
    await until(lambda: generates(slow), "the generation begins")
    return str(found.structured_content["run_id"])


async def test_a_call_that_takes_longer_than_its_wait_goes_on(
    era: str, slow: SimulatedInstance
) -> None:
    async with client(era) as connected:
        found = await ask(connected, "route_request", prompt=STORY, model=SMALL, wait=0.5)
        run_id = found.structured_content["run_id"]

        async def has_begun() -> bool:
            nonlocal found
            found = await ask(connected, "get_result", run_id=run_id, wait=0)
            return bool(found.structured_content["partial"])

        assert found.structured_content["status"] == "running"
        await until(has_begun, "it writes")
        data = found.structured_content
        assert (data["status"], found.is_error) == ("running", False)
        assert set(data) == {"status", "run_id", "partial", "elapsed_s", "remaining_s"}
        assert data["partial"].startswith("[simulated]")
        assert data["run_id"] in text(found)
        assert "get_result" in text(found)
        assert generates(slow)


async def test_the_config_says_how_long_a_call_waits(
    era: str, slow: SimulatedInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMAMASTER_MCP_DETACH_AFTER_S", "0.2")
    async with client(era) as connected:
        found = await ask(connected, "route_request", prompt=STORY, model=SMALL)
        assert found.structured_content["status"] == "running"


async def test_the_result_of_a_run_is_the_one_its_tool_would_have_given(
    era: str, usual: SimulatedInstance
) -> None:
    async with client(era) as connected:
        begun = await ask(connected, "route_request", prompt="Hi", model=SMALL, wait=0)
        run_id = begun.structured_content["run_id"]
        assert begun.structured_content["status"] == "running"
        first = await ask(connected, "get_result", run_id=run_id, wait=60)
        second = await ask(connected, "get_result", run_id=run_id, wait=0)
    assert first.structured_content["status"] == "done"
    assert first.structured_content["response"].startswith("[simulated]")
    assert first.structured_content == second.structured_content


async def test_progress_is_told_at_most_each_second_by_a_message_for_a_person(
    era: str, slow: SimulatedInstance
) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    given = {"prompt": STORY, "model": SMALL, "wait": 600}
    async with client(era) as connected:
        call = asyncio.ensure_future(
            connected.call_tool("route_request", given, progress_callback=hear)
        )
        await until(
            lambda: len(told) > 1 and "tokens" in (told[-1][2] or ""), "it is told how far it is"
        )
        call.cancel()
    seconds = [progress for progress, _, _ in told]
    assert all(later - before >= 1 for before, later in pairwise(seconds))
    assert f"{SMALL} on a: " in (told[-1][2] or "")
    assert (told[-1][1] or 0) > 0


async def test_who_waits_for_the_rest_is_told_how_it_goes(
    era: str, slow: SimulatedInstance
) -> None:
    told: list[str | None] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append(message)

    async with client(era) as connected:
        begun = await ask(connected, "route_request", prompt=STORY, model=SMALL, wait=0)
        given = {"run_id": begun.structured_content["run_id"], "wait": 600}
        call = asyncio.ensure_future(
            connected.call_tool("get_result", given, progress_callback=hear)
        )
        await until(lambda: any("tokens" in (m or "") for m in told), "it is told how far it is")
        call.cancel()


async def test_a_cancelled_call_ends_the_generation(era: str, slow: SimulatedInstance) -> None:
    async with client(era) as connected:
        call = asyncio.ensure_future(ask(connected, "route_request", prompt=STORY, model=SMALL))
        await until(lambda: generates(slow), "the generation begins")
        call.cancel()
        await until(lambda: not generates(slow), "the generation ends")


async def test_cancel_run_ends_the_generation_before_it_answers(
    era: str, slow: SimulatedInstance
) -> None:
    async with client(era) as connected:
        run_id = await under_way(connected, slow)
        ended = await ask(connected, "cancel_run", run_id=run_id)
        again = await ask(connected, "cancel_run", run_id=run_id)
        assert ended.structured_content == {"run_id": run_id, "status": "cancelled"}
        assert again.structured_content == ended.structured_content
        await until(lambda: not generates(slow), "the generation ends")
        gone = await ask(connected, "get_result", run_id=run_id)
        assert gone.is_error
        assert "was cancelled" in text(gone)


async def test_cancelling_a_run_that_is_over_says_so(era: str, usual: SimulatedInstance) -> None:
    async with client(era) as connected:
        done = await ask(connected, "route_request", prompt="Hi", model=SMALL)
        run_id = done.structured_content["run_id"]
        ended = await ask(connected, "cancel_run", run_id=run_id)
    assert ended.structured_content == {"run_id": run_id, "status": "done"}


async def test_giving_up_on_get_result_does_not_end_the_run(
    era: str, slow: SimulatedInstance
) -> None:
    async with client(era) as connected:
        run_id = await under_way(connected, slow)
        told = asyncio.Event()

        async def hear(progress: float, total: float | None, message: str | None) -> None:
            told.set()

        waiting = asyncio.ensure_future(
            connected.call_tool(
                "get_result", {"run_id": run_id, "wait": 600}, progress_callback=hear
            )
        )
        await asyncio.wait_for(told.wait(), PATIENCE_S)
        waiting.cancel()
        later = await ask(connected, "get_result", run_id=run_id, wait=0.5)
        assert later.structured_content["status"] == "running"
        assert generates(slow)


async def test_the_end_of_the_server_ends_its_runs(era: str, slow: SimulatedInstance) -> None:
    async with client(era) as connected:
        await under_way(connected, slow)
    await until(lambda: not generates(slow), "the generation ends")


async def test_the_status_of_the_fleet_has_the_runs_and_where_they_are(
    era: str, slow: SimulatedInstance
) -> None:
    async with client(era) as connected:
        run_id = await under_way(connected, slow)
        found = await ask(connected, "fleet_status")
    busy = {i["label"]: i["running"] for i in found.structured_content["instances"]}
    assert busy == {"a": 1, "b": 0}
    (only,) = found.structured_content["runs"]
    assert only["run_id"] == run_id
    assert (only["tool"], only["status"]) == ("route_request", "running")


async def test_a_deadline_tells_what_had_come(
    era: str, slow: SimulatedInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It passes when something has come, however long that takes."""
    limit_s, timeout = 3600, asyncio.timeout
    deadlines: list[asyncio.Timeout] = []

    def remembered(seconds: float | None) -> asyncio.Timeout:
        made = timeout(seconds)
        if seconds is not None and limit_s - PATIENCE_S < seconds <= limit_s:
            deadlines.append(made)
        return made

    monkeypatch.setattr(asyncio, "timeout", remembered)
    given: dict[str, Any] = {"prompt": STORY, "model": SMALL, "max_time": limit_s, "wait": 0}
    async with client(era) as connected:
        begun = await ask(connected, "route_request", **given)
        run_id = begun.structured_content["run_id"]

        async def writes() -> bool:
            found = await ask(connected, "get_result", run_id=run_id, wait=0)
            return bool(found.structured_content["partial"])

        await until(writes, "it writes")
        (deadline,) = deadlines
        deadline.reschedule(asyncio.get_running_loop().time())
        found = await ask(connected, "get_result", run_id=run_id, wait=600)
    assert found.is_error
    assert "Next: raise `max_time`" in text(found)
    assert "[simulated]" in text(found)


async def test_an_unknown_run_is_refused(era: str, usual: SimulatedInstance) -> None:
    async with client(era) as connected:
        found = await ask(connected, "get_result", run_id="guessed")
    assert found.is_error
    assert "'guessed'" in text(found)


async def test_a_run_is_a_resource_as_well(era: str, slow: SimulatedInstance) -> None:
    async with client(era) as connected:
        begun = await ask(connected, "route_request", prompt=STORY, model=SMALL, wait=0)
        uri = f"ollama://runs/{begun.structured_content['run_id']}"
        found = (await connected.read_resource(uri)).model_dump_json()
    assert r"\"status\": \"running\"" in found
