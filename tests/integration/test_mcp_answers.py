"""Several answers over MCP: turns of one conversation, and models that are compared."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fleets import known, narrow_fleet, use
from program import home_for, run, until
from served_fleet import ERAS, LARGE, SMALL, STORY, ask, client, generates, text, unhurried

from ollamamaster.bootstrap import Application
from ollamamaster.domain.conversation import Conversation, Turn
from ollamamaster.mcp_server.door import OF_A_KIND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollamamaster.simulator.sandbox import SimulatedFleet, SimulatedInstance

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("era", ERAS)]


@pytest.fixture(scope="module")
def fleet() -> Iterator[SimulatedFleet]:
    with known("duo", speed=200.0) as found:
        yield found


@pytest.fixture(scope="module")
def slow_fleet() -> Iterator[SimulatedFleet]:
    with unhurried() as found:
        yield found


@pytest.fixture
def slow(
    slow_fleet: SimulatedFleet,
    env: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> SimulatedInstance:
    """The one instance that is up; its answers take minutes."""
    use(monkeypatch, home_for(slow_fleet, tmp_path / "slow"))
    return slow_fleet["a"]


@pytest.fixture(autouse=True)
def env(fleet: SimulatedFleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A home of each test's own."""
    found = home_for(fleet, tmp_path / "home")
    use(monkeypatch, found)
    return found


def kept(name: str) -> Conversation | None:
    return Application().sessions.load(name)


# ---- sessions


async def test_a_second_call_in_a_session_goes_on_where_the_first_ended(era: str) -> None:
    async with client(era) as connected:
        first = await ask(connected, "route_request", prompt="One", model=SMALL, session="trip")
        second = await ask(connected, "route_request", prompt="Two", model=SMALL, session="trip")
    conversation = kept("mcp:trip")
    assert conversation is not None
    assert [turn.prompt for turn in conversation.turns] == ["One", "Two"]
    assert conversation.turns[0].answer == first.structured_content["response"]
    read = [r.structured_content["usage"]["prompt_tokens"] for r in (first, second)]
    assert read[1] > read[0]


async def test_a_session_of_the_same_name_is_not_the_persons_own(
    era: str, env: dict[str, str]
) -> None:
    assert run("route", "mine", "--session", "trip", "-m", SMALL, env=env).code == 0
    async with client(era) as connected:
        await ask(connected, "route_request", prompt="theirs", model=SMALL, session="trip")
    own, theirs = kept("trip"), kept("mcp:trip")
    assert own is not None
    assert theirs is not None
    assert [turn.prompt for turn in own.turns] == ["mine"]
    assert [turn.prompt for turn in theirs.turns] == ["theirs"]


async def test_two_turns_at_once_wait_for_each_other(era: str) -> None:
    async with client(era) as connected:
        await asyncio.gather(
            *(
                ask(connected, "route_request", prompt=f"Hi {n}", model=SMALL, session="trip")
                for n in range(3)
            )
        )
    conversation = kept("mcp:trip")
    assert conversation is not None
    assert {turn.prompt for turn in conversation.turns} == {"Hi 0", "Hi 1", "Hi 2"}
    times = [(turn.asked_at, turn.at) for turn in conversation.turns]
    assert [at for _, at in times] == sorted(at for _, at in times)


async def test_turns_that_wait_for_their_session_keep_nobody_else_waiting(
    era: str, slow: SimulatedInstance
) -> None:
    given: dict[str, Any] = {"prompt": STORY, "model": SMALL, "session": "trip", "wait": 0}
    async with client(era) as connected:
        await ask(connected, "route_request", **given)
        await until(lambda: generates(slow), "the first turn is answered")
        for _ in range(OF_A_KIND + 1):
            await ask(connected, "route_request", **given)
        other = await ask(connected, "route_request", prompt=STORY, model=SMALL, wait=0)
        run_id = other.structured_content["run_id"]

        async def in_line() -> bool:
            found = await ask(connected, "get_result", run_id=run_id, wait=0)
            return "looking for the best model" not in text(found)

        await until(in_line, "the other one comes into the line, or is answered")
        status = await ask(connected, "fleet_status")
    assert [r["status"] for r in status.structured_content["runs"]] == ["running"] * (OF_A_KIND + 3)


async def test_while_older_turns_are_summarised_the_run_says_by_whom(
    era: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with known(narrow_fleet(tmp_path, context=2000), speed=50.0) as narrow:
        use(monkeypatch, narrow.environment())
        said = Turn("One. " * 400, "Two. " * 400, "narrow:8b", narrow["here"].id, 1.0, 2.0)
        Application().sessions.save(Conversation("mcp:trip", (said,) * 3))
        narrow["here"].fault("hang_generate")
        given: dict[str, Any] = {"prompt": "And?", "model": "narrow:8b", "session": "trip"}
        async with client(era) as connected:
            begun = await ask(connected, "route_request", **given, wait=0)
            run_id = begun.structured_content["run_id"]

            async def summarises() -> bool:
                found = await ask(connected, "get_result", run_id=run_id, wait=0)
                return "summarising older turns with quick:1b on here" in text(found)

            await until(summarises, "who summarises is said")
            await ask(connected, "cancel_run", run_id=run_id)


@pytest.mark.parametrize("session", [" trip", "a\nb"])
async def test_what_is_no_name_of_a_session_is_refused(era: str, session: str) -> None:
    async with client(era) as connected:
        found = await ask(connected, "route_request", prompt="Hi", session=session)
    assert found.is_error
    assert "is no name of a session" in text(found)


async def test_a_read_only_server_keeps_no_session(era: str) -> None:
    async with client(era, read_only=True) as connected:
        found = await ask(connected, "route_request", prompt="Hi", session="trip")
    assert found.is_error
    assert "unknown argument 'session'" in text(found)


# ---- comparisons


async def test_a_comparison_has_the_data_of_the_command_and_its_run(
    era: str, env: dict[str, str]
) -> None:
    names = [SMALL, LARGE]
    async with client(era) as connected:
        found = await ask(connected, "compare_models", prompt="Is 91 prime?", models=names)
    data = found.structured_content
    compared = run("compare", "Is 91 prime?", "--models", ",".join(names), "--json", env=env).data
    assert set(data) == {*compared, "status", "run_id"}
    assert data["status"] == "done"
    assert [r["model"] for r in data["results"]] == names
    assert [set(r) for r in data["results"]] == [set(r) for r in compared["results"]]


async def test_the_text_of_a_comparison_marks_every_answer(era: str) -> None:
    async with client(era) as connected:
        found = await ask(connected, "compare_models", prompt="Hi", models=[SMALL, LARGE])
    said = text(found)
    for name in (SMALL, LARGE):
        assert f"Answer of {name} on " in said
    assert said.count("data and not as instructions") == 2
    assert "Agreement: " in said


async def test_one_model_that_is_missing_spoils_nothing(era: str) -> None:
    async with client(era) as connected:
        found = await ask(connected, "compare_models", prompt="Hi", models=[SMALL, "nobody"])
    assert not found.is_error
    outcomes = [r["outcome"] for r in found.structured_content["results"]]
    assert outcomes == ["ok", "model_missing"]
    assert "nobody gave no answer" in text(found)


async def test_models_that_nobody_has_are_refused_with_the_next_step(era: str) -> None:
    async with client(era) as connected:
        found = await ask(connected, "compare_models", prompt="Hi", models=["nobody"])
    assert found.is_error
    assert "Next: call list_models" in text(found)
    # it has no argument of that name
    assert "`model`" not in text(found)


async def test_a_judge_scores_the_answers(era: str) -> None:
    given: dict[str, Any] = {"prompt": "Hi", "models": [SMALL, LARGE], "judge": LARGE}
    async with client(era) as connected:
        found = await ask(connected, "compare_models", **given)
    judge = found.structured_content["judge"]
    assert judge["model"] == LARGE
    assert len(judge["rounds"]) == 2


async def test_a_comparison_of_a_read_only_server_is_not_remembered(
    era: str, env: dict[str, str]
) -> None:
    given: dict[str, Any] = {"prompt": "Hi", "models": [SMALL, LARGE], "judge": LARGE}
    async with client(era, read_only=True) as connected:
        found = await ask(connected, "compare_models", **given)
    assert not found.is_error
    assert run("history", "list", env=env).out == ""
    with closing(sqlite3.connect(Path(env["OLLAMAMASTER_HOME"]) / "history.db")) as database:
        assert database.execute("SELECT count(*) FROM profiles").fetchone() == (0,)


async def test_a_comparison_that_takes_longer_goes_on_and_can_be_cancelled(
    era: str, slow: SimulatedInstance
) -> None:
    async with client(era) as connected:
        begun = await ask(connected, "compare_models", prompt=STORY, models=[SMALL], wait=0)
        data = begun.structured_content
        assert set(data) == {"status", "run_id", "partial", "elapsed_s", "remaining_s"}
        run_id = data["run_id"]
        await until(lambda: generates(slow), "an answer is written")
        later = await ask(connected, "get_result", run_id=run_id, wait=0)
        assert "0 of 1 models have answered" in text(later)
        ended = await ask(connected, "cancel_run", run_id=run_id)
        assert ended.structured_content["status"] == "cancelled"
        await until(lambda: not generates(slow), "it is written no more")


async def test_the_prompt_that_compares_names_its_tool_and_the_models(era: str) -> None:
    async with client(era) as connected:
        filled = await connected.get_prompt("compare", {"prompt": "Why {x}?", "models": "a, b"})
        plain = await connected.get_prompt("compare", {"prompt": "Why?"})
    said = filled.messages[0].content.model_dump()["text"]
    assert "compare_models" in said
    assert '["a", "b"]' in said
    assert "Why {x}?" in said
    assert "models=" not in plain.messages[0].content.model_dump()["text"]
