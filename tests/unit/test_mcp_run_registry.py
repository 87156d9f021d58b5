"""How long runs are kept, how many go on at once, and what is told of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from ollamamaster.bootstrap import Application
from ollamamaster.errors import AllFailedError
from ollamamaster.mcp_server.announcer import Announcer
from ollamamaster.mcp_server.reply import RefusedError, Reply
from ollamamaster.mcp_server.runs import (
    KEPT_BYTES,
    KEPT_RESULTS,
    KEPT_S,
    MOST_AT_ONCE,
    Run,
    Runs,
    RunStatus,
    Standing,
)
from ollamamaster.mcp_server.served import Served

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

pytestmark = pytest.mark.anyio


@dataclass
class SetClock:
    """A clock that stands where it is set."""

    at: float = 0.0

    def monotonic(self) -> float:
        return self.at

    def now(self) -> datetime:
        raise AssertionError("how long ago is no matter of the time of day")

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("a run is waited for, not slept for")


@dataclass
class Answer:
    """Work that ends when it is told to, well or not."""

    text: str = ""
    failure: Exception | None = None
    end: asyncio.Event = field(default_factory=asyncio.Event)

    async def carry_out(self) -> Reply:
        await self.end.wait()
        if self.failure is not None:
            raise self.failure
        return Reply(self.text, {})

    def standing(self) -> Standing:
        return Standing("working", partial=self.text)


async def ended(runs: Runs, work: Answer | None = None) -> Run:
    work = work or Answer()
    work.end.set()
    run = runs.begin("tool", work)
    await asyncio.wait({run.task})
    assert run.ended is not None
    return run


async def test_a_result_is_there_for_half_an_hour_after_its_end() -> None:
    clock = SetClock()
    runs = Runs(clock)
    run = await ended(runs)
    clock.at = KEPT_S
    assert runs.find(run.id) is run
    clock.at = KEPT_S + 1
    with pytest.raises(RefusedError, match="30 minutes"):
        runs.find(run.id)


async def test_a_run_that_goes_on_is_never_forgotten() -> None:
    clock = SetClock()
    runs = Runs(clock)
    run = runs.begin("tool", Answer())
    clock.at = 100 * KEPT_S
    assert runs.find(run.id).status is RunStatus.RUNNING
    await runs.close()


async def test_the_oldest_result_goes_first_when_there_are_too_many() -> None:
    clock = SetClock()
    runs = Runs(clock)
    found = []
    for at in range(KEPT_RESULTS + 1):
        clock.at = float(at)
        found.append(await ended(runs))
    assert {run.id for run in runs} == {run.id for run in found[1:]}


async def test_the_oldest_result_goes_first_when_they_are_too_large() -> None:
    clock = SetClock()
    runs = Runs(clock)
    first = await ended(runs, Answer("x" * (KEPT_BYTES // 2)))
    clock.at = 1.0
    second = await ended(runs, Answer("y" * (KEPT_BYTES // 2 + 1)))
    assert [run.id for run in runs] == [second.id]
    assert first.id != second.id


async def test_no_more_than_so_many_go_on_at_once() -> None:
    runs = Runs(SetClock())
    for _ in range(MOST_AT_ONCE):
        runs.begin("tool", Answer())
    with pytest.raises(RefusedError, match="busy: "):
        runs.begin("tool", Answer())
    await runs.close()


async def test_ids_cannot_be_guessed_from_one_another() -> None:
    runs = Runs(SetClock())
    ids = {runs.begin("tool", Answer()).id for _ in range(50)}
    assert len(ids) == 50
    assert all(len(run_id) >= 22 for run_id in ids), "128 bits"
    await runs.close()


async def test_a_failure_is_told_with_what_had_come() -> None:
    runs = Runs(SetClock())
    run = await ended(runs, Answer("half an answer", AllFailedError("every candidate failed")))
    assert run.status is RunStatus.FAILED
    with pytest.raises(RefusedError) as refused:
        run.reply()
    assert "Every candidate failed. Next: " in str(refused.value)
    assert "half an answer" in str(refused.value)


async def test_a_cancelled_run_says_so() -> None:
    runs = Runs(SetClock())
    run = runs.begin("tool", Answer())
    await runs.cancel(run)
    with pytest.raises(RefusedError, match="was cancelled"):
        run.reply()


async def test_cancelling_what_is_over_changes_nothing() -> None:
    runs = Runs(SetClock())
    run = await ended(runs, Answer("done"))
    await runs.cancel(run)
    assert run.reply().text == "done"


async def test_beginning_and_ending_are_told() -> None:
    told: list[str] = []
    runs = Runs(SetClock(), told.append)
    run = await ended(runs)
    assert told == [run.id, run.id]


async def test_who_is_told_of_a_forgotten_run_may_look_at_the_others() -> None:
    clock = SetClock()
    seen: list[int] = []
    runs = Runs(clock, lambda _id: seen.append(len(list(runs))))
    for _ in range(3):
        await ended(runs)
    clock.at = KEPT_S + 1
    assert list(runs) == []
    assert seen[-3:] == [0, 0, 0]


async def test_a_subscriber_hears_of_each_change_of_a_run_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMAMASTER_HOME", str(tmp_path))
    monkeypatch.setattr("secrets.token_urlsafe", lambda _bytes: "known")
    uri = "ollama://runs/known"
    told: list[str] = []
    announcer = Announcer()
    monkeypatch.setattr(announcer, "changed", lambda *uris: told.extend(uris))
    served = Served(Application(serving=True), announcer)
    work = Answer()

    async def end() -> None:
        work.end.set()
        await asyncio.wait({run.task})

    def look() -> None:
        served.live.announce()
        served.live.announce()

    with announcer.listening([uri]):
        look()
        assert told == []
        run = served.runs.begin("tool", work)
        look()
        assert told == [uri]
        work.text = "more"
        look()
        assert told == [uri] * 2
        await end()
        look()
    assert told == [uri] * 3
    await served.close()
