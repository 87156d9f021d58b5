"""Every fault of an instance, and how a route gets its answer all the same."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from program import PATIENCE_S, home_for, run

from ollamamaster.bootstrap import Application, SystemClock
from ollamamaster.domain.candidates import Reason
from ollamamaster.domain.instances import Status
from ollamamaster.domain.routing import Attempt, RouteRequest, RouteResult
from ollamamaster.errors import (
    AllFailedError,
    BadRequestError,
    ExitCode,
    NoCandidateError,
    NoInstanceError,
    OllamaMasterError,
    Outcome,
    TimeLimitError,
)
from ollamamaster.ollama.client import OllamaClient
from ollamamaster.ollama.watchdog import Watch
from ollamamaster.services import residency
from ollamamaster.simulator.sandbox import SimulatedFleet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from ollamamaster.domain.answers import PullProgress
    from ollamamaster.domain.instances import Instance
    from ollamamaster.domain.selection import Candidate, Decision
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.services.route import RouteRun
    from ollamamaster.simulator.sandbox import SimulatedInstance

pytestmark = pytest.mark.anyio

MODEL = "llama3.2:3b"
# What answers has all the time in the world, so that a slow machine that runs these tests is not
# taken for a dead instance.
PATIENT = Watch(ask_every_s=0.2, answer_within_s=PATIENCE_S, line_within_s=None)
# Where nothing will come: this only says how long the test takes, and the one that answers then
# has far longer than it ever needs.
HASTY = Watch(ask_every_s=0.2, answer_within_s=1.0, line_within_s=1.5)


class Clock(SystemClock):
    """Waits for nothing, remembers how long it would have, and can be put forward."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.ahead_s = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.ahead_s)

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead_s

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.ahead_s += seconds


@dataclass
class Recorder:
    """Listens to a route and to a download."""

    tokens: list[str] = field(default_factory=list)
    lost: list[Attempt] = field(default_factory=list)
    ends: list[Attempt] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)

    @property
    def pauses(self) -> list[float]:
        """For how long it was to wait for busy instances, each time."""
        told = [re.fullmatch(r"all are busy; trying again in (\d+) s", n) for n in self.notes]
        return [float(match[1]) for match in told if match]

    def decided(self, decision: Decision) -> None: ...
    def waiting(self, instance_name: str, position: int, wait_s: float) -> None: ...
    def hedged(self, late: Attempt, candidate: Candidate) -> None: ...
    def started(self, attempt: Attempt, candidate: Candidate) -> None: ...

    def token(self, text: str, thinking: str) -> None:
        self.tokens.append(text)

    def restarted(self, attempt: Attempt) -> None:
        self.lost.append(attempt)
        self.tokens.clear()

    def ended(self, attempt: Attempt) -> None:
        self.ends.append(attempt)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def chosen(self, model: str, instance: Instance) -> None:
        self.places.append(instance.id)

    def progress(self, progress: PullProgress) -> None: ...


@pytest.fixture(scope="module")
def running() -> Iterator[SimulatedFleet]:
    with SimulatedFleet.start("duo", speed=50.0) as fleet:
        yield fleet


@pytest.fixture
def duo(running: SimulatedFleet) -> SimulatedFleet:
    """Two equal instances with nothing wrong and nothing in memory."""
    for instance in running:
        instance.restart()
    return running


@pytest.fixture
def first(duo: SimulatedFleet) -> SimulatedInstance:
    """The one that is tried first: all else being equal, the lower id."""
    return min(duo, key=lambda instance: instance.id)


@pytest.fixture
def second(duo: SimulatedFleet) -> SimulatedInstance:
    return max(duo, key=lambda instance: instance.id)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch() -> Watch:
    return PATIENT


@pytest.fixture
async def application(
    duo: SimulatedFleet,
    clock: Clock,
    watch: Watch,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Application]:
    """A process of its own, with a client that watches like this."""
    for name, value in home_for(duo, tmp_path / "home").items():
        if name.startswith("OLLAMAMASTER"):
            monkeypatch.setenv(name, value)
    monkeypatch.setattr(residency, "WITHIN_S", PATIENCE_S)
    made = Application(clock=clock)
    vars(made)["ollama"] = OllamaClient(watch=watch)
    yield made
    await closed(made)


async def closed(application: Application) -> None:
    await application.ollama.aclose()
    application.history.close()


@pytest.fixture
async def fleet(application: Application) -> Fleet:
    """The fleet as just asked, both instances equally near."""
    known = application.fleet()
    found = await application.discover_service().refresh(known, within_s=PATIENCE_S)
    # An instance that refuses connections still serves those that were kept.
    await application.ollama.aclose()
    same = tuple(replace(i, latency_ms=1.0) for i in found.fleet)
    return replace(found.fleet, instances=same, checked_at=datetime.now(UTC))


def request(**wishes: Any) -> RouteRequest:
    usual: dict[str, Any] = {"prompt": "hello", "model": MODEL, "options": {"num_predict": 20}}
    return RouteRequest(**usual | {"hedge": False} | wishes)


class Routed:
    """A route that has ended, well or not."""

    def __init__(self, run: RouteRun, recorder: Recorder, error: OllamaMasterError | None) -> None:
        self.run, self.recorder, self.error = run, recorder, error
        self.result: RouteResult = run.so_far()

    @property
    def outcomes(self) -> list[tuple[str, Outcome | None]]:
        return [(a.instance, a.outcome) for a in self.result.attempts]


async def routed(application: Application, fleet: Fleet, **wishes: Any) -> Routed:
    async def find() -> Fleet:
        # What is known is not asked again, however long ago the test began.
        return replace(fleet, checked_at=application.clock.now())

    recorder, error = Recorder(), None
    run = application.route_service().begin(request(**wishes))
    try:
        async with asyncio.timeout(PATIENCE_S):
            await run.complete(find, recorder, recorder)
    except OllamaMasterError as caught:
        error = caught
    return Routed(run, recorder, error)


@pytest.mark.parametrize(
    ("watch", "kind", "settings", "outcome"),
    [
        (PATIENT, "refuse", {}, Outcome.CONNECT_ERROR),
        (HASTY, "hang", {}, Outcome.TIMEOUT),
        (PATIENT, "error_500", {}, Outcome.HTTP_ERROR),
        (PATIENT, "busy_503", {}, Outcome.BUSY),
        (PATIENT, "not_found", {}, Outcome.MODEL_MISSING),
        (PATIENT, "garbage", {}, Outcome.BAD_RESPONSE),
        (PATIENT, "truncate_stream", {}, Outcome.STREAM_BROKEN),
        (PATIENT, "error_in_stream", {}, Outcome.STREAM_BROKEN),
        (PATIENT, "reset", {}, Outcome.CONNECT_ERROR),
        (PATIENT, "reset", {"tokens": 3}, Outcome.STREAM_BROKEN),
        (HASTY, "slow_drip", {}, Outcome.TIMEOUT),
        (PATIENT, "huge_line", {}, Outcome.BAD_RESPONSE),
        (PATIENT, "wrong_json", {}, Outcome.BAD_RESPONSE),
        (PATIENT, "die", {}, Outcome.CONNECT_ERROR),
        (PATIENT, "die", {"tokens": 3}, Outcome.STREAM_BROKEN),
        (PATIENT, "restart", {"tokens": 3}, Outcome.STREAM_BROKEN),
    ],
)
async def test_a_route_survives_it_when_another_instance_can_answer(
    kind: str,
    settings: dict[str, Any],
    outcome: Outcome,
    application: Application,
    fleet: Fleet,
    first: SimulatedInstance,
    second: SimulatedInstance,
) -> None:
    first.fault(kind, **settings)
    route = await routed(application, fleet)
    assert route.error is None
    assert route.outcomes == [(first.id, outcome), (second.id, Outcome.OK)]
    assert route.result.attempts[0].error
    assert route.result.response == "".join(route.recorder.tokens)
    assert route.result.response.startswith("[simulated]")
    assert route.result.done_reason is not None


async def test_a_slow_instance_answers_in_the_end(
    application: Application, fleet: Fleet, first: SimulatedInstance
) -> None:
    first.fault("slow")
    route = await routed(application, fleet)
    assert route.outcomes == [(first.id, Outcome.OK)]


async def test_control_characters_in_an_answer_are_no_failure(
    application: Application, fleet: Fleet, first: SimulatedInstance
) -> None:
    first.fault("control_characters")
    route = await routed(application, fleet)
    assert route.outcomes == [(first.id, Outcome.OK)]
    assert "\x1b" in route.result.response


async def test_a_restarting_instance_is_left_for_the_other(
    application: Application,
    fleet: Fleet,
    first: SimulatedInstance,
    second: SimulatedInstance,
) -> None:
    first.fault("restart", for_s=0.2)
    route = await routed(application, fleet)
    assert route.outcomes[-1] == (second.id, Outcome.OK)


async def test_a_generation_that_never_begins_is_ended_by_the_deadline(
    application: Application, fleet: Fleet, first: SimulatedInstance
) -> None:
    first.fault("hang_generate", count=None)
    route = await routed(application, fleet, max_time_s=1.0)
    assert isinstance(route.error, TimeLimitError)
    assert route.error.exit_code == ExitCode.TIME_LIMIT
    assert route.outcomes == [(first.id, Outcome.CANCELLED)]


async def test_a_deadline_is_for_finding_the_fleet_too(application: Application) -> None:
    async def find() -> Fleet:
        await asyncio.Event().wait()
        raise AssertionError

    run = application.route_service().begin(request(max_time_s=0.05))
    with pytest.raises(TimeLimitError):
        await run.complete(find, Recorder(), Recorder())


async def test_a_stream_that_broke_voids_its_tokens(
    application: Application, fleet: Fleet, first: SimulatedInstance
) -> None:
    first.fault("truncate_stream", tokens=5)
    route = await routed(application, fleet)
    assert [a.instance for a in route.recorder.lost] == [first.id]
    assert route.result.response.count("[simulated]") == 1


async def test_a_truncated_stream_is_never_a_complete_answer(
    application: Application, fleet: Fleet, duo: SimulatedFleet
) -> None:
    for instance in duo:
        instance.fault("truncate_stream")
    route = await routed(application, fleet)
    assert isinstance(route.error, AllFailedError)
    assert {o for _, o in route.outcomes} == {Outcome.STREAM_BROKEN}
    assert route.result.done_reason is None
    assert route.run.characters > 0


async def test_every_attempt_has_its_line_when_all_failed(
    application: Application, fleet: Fleet, duo: SimulatedFleet
) -> None:
    for instance in duo:
        instance.fault("error_500", count=None)
    route = await routed(application, fleet)
    assert isinstance(route.error, AllFailedError)
    assert route.error.exit_code == ExitCode.ALL_FAILED
    lines = (route.error.hint or "").splitlines()
    assert [line.partition(":")[0] for line in lines] == ["llama3.2"] * 2
    assert all(any(f" on {i.name}: " in line for line in lines) for i in duo)


async def test_nobody_who_could_be_connected_to_is_no_instance(
    application: Application, fleet: Fleet, duo: SimulatedFleet
) -> None:
    for instance in duo:
        instance.stop()
    route = await routed(application, fleet)
    assert isinstance(route.error, NoInstanceError)
    assert [o for _, o in route.outcomes] == [Outcome.CONNECT_ERROR] * 2


async def test_one_that_was_connected_to_makes_it_all_failed(
    application: Application,
    fleet: Fleet,
    first: SimulatedInstance,
    second: SimulatedInstance,
) -> None:
    first.stop()
    second.fault("reset", count=None)
    assert isinstance((await routed(application, fleet)).error, AllFailedError)


async def test_a_busy_instance_is_not_asked_again_while_another_can_answer(
    application: Application,
    fleet: Fleet,
    first: SimulatedInstance,
    second: SimulatedInstance,
    clock: Clock,
) -> None:
    first.fault("busy_503", count=None)
    route = await routed(application, fleet, model=None)
    assert route.outcomes == [(first.id, Outcome.BUSY), (second.id, Outcome.OK)]
    assert clock.slept == []


async def test_when_all_are_busy_it_waits_and_tries_again(
    application: Application,
    fleet: Fleet,
    first: SimulatedInstance,
    second: SimulatedInstance,
    clock: Clock,
) -> None:
    for instance in (first, second):
        instance.fault("busy_503", count=3)
    route = await routed(application, fleet)
    assert route.error is None
    assert [o for _, o in route.outcomes] == [Outcome.BUSY] * 6 + [Outcome.OK]
    assert route.recorder.pauses == [1.0, 2.0, 4.0]
    assert route.result.timing.queue_s is not None
    assert route.result.timing.queue_s >= 7.0


async def test_after_ten_minutes_of_busy_all_failed(
    application: Application, fleet: Fleet, duo: SimulatedFleet, clock: Clock
) -> None:
    for instance in duo:
        instance.fault("busy_503", count=None)
    route = await routed(application, fleet)
    assert isinstance(route.error, AllFailedError)
    assert route.recorder.pauses[:7] == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert 540 < sum(route.recorder.pauses) <= 600


async def test_with_a_longer_limit_busy_instances_are_asked_until_then(
    application: Application, fleet: Fleet, duo: SimulatedFleet, clock: Clock
) -> None:
    for instance in duo:
        instance.fault("busy_503", count=40)
    route = await routed(application, fleet, max_time_s=7200)
    assert route.error is None
    assert sum(route.recorder.pauses) > 600


async def test_the_callers_fault_ends_the_route_at_once(
    application: Application,
    fleet: Fleet,
    first: SimulatedInstance,
) -> None:
    route = await routed(application, fleet, options={"num_ctx": "many"})
    assert isinstance(route.error, BadRequestError)
    assert route.error.exit_code == ExitCode.USAGE
    assert route.error.instance == first.id
    assert route.outcomes == [(first.id, Outcome.BAD_REQUEST)]
    assert application.liveness.load() == {}


async def test_the_callers_fault_is_tried_nowhere_else(
    application: Application, fleet: Fleet, second: SimulatedInstance
) -> None:
    before = second.state()["requests"]
    await routed(application, fleet, options={"num_ctx": "many"})
    assert second.state()["requests"] == before


# The sandbox counts 1.5 characters a token where we estimate 2: such a text is longer than it
# looks, as real texts are at times.
def cyrillic(characters: int) -> str:
    return "ж" * characters


async def test_a_prompt_longer_than_estimated_is_sent_once_more_with_the_next_context(
    application: Application, fleet: Fleet, first: SimulatedInstance
) -> None:
    route = await routed(application, fleet, prompt=cyrillic(25_200))
    assert route.error is None
    assert route.outcomes == [(first.id, Outcome.BAD_REQUEST), (first.id, Outcome.OK)]
    assert first.state()["resident"][0]["context_length"] == 32_768
    assert application.liveness.load() == {}


async def test_what_no_context_of_the_model_holds_is_rejected_as_too_small(
    application: Application, fleet: Fleet, duo: SimulatedFleet
) -> None:
    route = await routed(application, fleet, prompt=cyrillic(51_000), model="llava:7b")
    assert isinstance(route.error, NoCandidateError)
    assert [o for _, o in route.outcomes] == [Outcome.BAD_REQUEST] * 2
    assert route.result.decision is not None
    assert route.result.decision.ranked == ()
    told = {r.instance: r.reason for r in route.result.decision.rejected if r.model == "llava:7b"}
    assert told == {i.id: Reason.CONTEXT_TOO_SMALL for i in duo}


async def test_a_num_ctx_that_the_person_set_is_sent_as_it_is(
    application: Application, fleet: Fleet, first: SimulatedInstance
) -> None:
    await routed(application, fleet, options={"num_ctx": 12_345, "num_predict": 5})
    assert first.state()["resident"][0]["context_length"] == 12_345


async def test_a_resident_context_that_is_enough_is_used_without_a_load(
    application: Application, fleet: Fleet, first: SimulatedInstance
) -> None:
    await routed(application, fleet, options={"num_ctx": 10_000, "num_predict": 5})
    loads = first.state()["loads"]
    now = await application.discover_service().refresh(fleet, within_s=PATIENCE_S)
    await routed(application, replace(now.fleet, checked_at=datetime.now(UTC)))
    assert first.state()["loads"] == loads


async def fails_twice(application: Application, fleet: Fleet, instance: SimulatedInstance) -> None:
    """So that it is left alone from now on."""
    instance.fault("error_500", count=2)
    for _ in range(2):
        await routed(application, fleet, instance=instance.id)


async def test_an_instance_that_failed_twice_is_skipped_also_by_the_next_process(
    application: Application,
    fleet: Fleet,
    first: SimulatedInstance,
    second: SimulatedInstance,
) -> None:
    first.fault("error_500", count=None)
    await routed(application, fleet, instance=first.id)
    once = await routed(application, fleet, instance=first.id)
    assert once.outcomes == [(first.id, Outcome.HTTP_ERROR)]
    next_process = Application()
    try:
        route = await routed(next_process, fleet)
    finally:
        await closed(next_process)
    assert route.outcomes == [(second.id, Outcome.OK)]
    assert route.result.decision is not None
    told = {(r.model, r.instance): r.reason for r in route.result.decision.rejected}
    assert told[MODEL, first.id] is Reason.INSTANCE_DOWN


async def test_a_skipped_instance_is_used_again_after_a_probe(
    application: Application,
    fleet: Fleet,
    first: SimulatedInstance,
    clock: Clock,
) -> None:
    await fails_twice(application, fleet, first)
    assert application.liveness.load()[first.id].failures == 2
    clock.ahead_s += 6
    route = await routed(application, fleet)
    assert route.outcomes == [(first.id, Outcome.OK)]
    assert application.liveness.load() == {}


async def test_a_probe_that_fails_leaves_it_alone_for_twice_as_long(
    application: Application,
    fleet: Fleet,
    first: SimulatedInstance,
    second: SimulatedInstance,
    clock: Clock,
) -> None:
    await fails_twice(application, fleet, first)
    first.stop()
    clock.ahead_s += 6
    route = await routed(application, fleet)
    assert route.outcomes == [(first.id, Outcome.CONNECT_ERROR), (second.id, Outcome.OK)]
    assert application.liveness.load()[first.id].skip_s == 10.0


@pytest.mark.parametrize("kind", ["busy_503", "not_found"])
async def test_busy_and_missing_say_nothing_of_the_health(
    kind: str, application: Application, fleet: Fleet, first: SimulatedInstance
) -> None:
    for _ in range(3):
        first.fault(kind)
        route = await routed(application, fleet, instance=first.id)
        assert route.outcomes[0][1] in {Outcome.BUSY, Outcome.MODEL_MISSING}
    assert application.liveness.load() == {}


async def test_when_all_were_skipped_the_best_is_tried_all_the_same(
    application: Application, fleet: Fleet, duo: SimulatedFleet, first: SimulatedInstance
) -> None:
    for instance in duo:
        instance.fault("error_500", count=2)
    await routed(application, fleet)
    await routed(application, fleet)
    assert len(application.liveness.load()) == 2
    route = await routed(application, fleet)
    assert route.outcomes == [(first.id, Outcome.OK)]


async def test_before_giving_up_those_that_were_left_alone_are_tried_as_well(
    application: Application,
    fleet: Fleet,
    first: SimulatedInstance,
    second: SimulatedInstance,
) -> None:
    await fails_twice(application, fleet, first)
    second.fault("error_500")
    route = await routed(application, fleet)
    assert route.outcomes == [(second.id, Outcome.HTTP_ERROR), (first.id, Outcome.OK)]


async def test_one_that_failed_in_this_route_is_not_tried_once_more(
    application: Application,
    fleet: Fleet,
    first: SimulatedInstance,
    second: SimulatedInstance,
) -> None:
    first.fault("error_500", count=3)
    await routed(application, fleet, instance=first.id)
    second.fault("error_500")
    route = await routed(application, fleet)
    assert route.outcomes == [(first.id, Outcome.HTTP_ERROR), (second.id, Outcome.HTTP_ERROR)]
    assert first.id in application.liveness.load()


async def test_when_all_looked_down_the_best_is_tried_all_the_same(
    application: Application, fleet: Fleet, first: SimulatedInstance
) -> None:
    down = replace(fleet, instances=tuple(replace(i, status=Status.DOWN) for i in fleet))
    route = await routed(application, down)
    assert route.outcomes == [(first.id, Outcome.OK)]


async def test_an_explanation_knows_no_panic_and_sends_nothing(
    application: Application, fleet: Fleet, duo: SimulatedFleet
) -> None:
    down = replace(fleet, instances=tuple(replace(i, status=Status.DOWN) for i in fleet))
    served = [i.state()["served"] for i in duo]
    decision = await application.route_service().explain(request(), down, print)
    assert decision.chosen is None
    assert [i.state()["served"] for i in duo] == served


async def test_a_model_that_a_dead_instance_has_is_tried_on_the_living_only(
    application: Application,
    fleet: Fleet,
    first: SimulatedInstance,
    second: SimulatedInstance,
) -> None:
    first.stop()
    route = await routed(application, fleet, model=None)
    assert route.outcomes == [(first.id, Outcome.CONNECT_ERROR), (second.id, Outcome.OK)]


async def test_a_cancelled_route_ends_the_generation(
    application: Application, fleet: Fleet, first: SimulatedInstance
) -> None:
    first.fault("hang_generate", count=None)
    begun = asyncio.Event()

    class Listener(Recorder):
        def started(self, attempt: Attempt, candidate: Candidate) -> None:
            begun.set()

    async def find() -> Fleet:
        return fleet

    run = application.route_service().begin(request())
    task = asyncio.ensure_future(run.complete(find, Listener(), Recorder()))
    async with asyncio.timeout(PATIENCE_S):
        await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [a.outcome for a in run.so_far().attempts] == [Outcome.CANCELLED]


async def test_a_missing_model_is_downloaded_where_the_person_wants_it(
    application: Application, fleet: Fleet, second: SimulatedInstance
) -> None:
    route = await routed(
        application, fleet, model="qwen3:8b", instance=second.id, pull=True, think=False
    )
    assert route.error is None
    assert route.recorder.places == [second.id]
    assert route.outcomes == [(second.id, Outcome.OK)]


async def test_a_model_that_came_since_the_lists_were_read_is_found(
    application: Application, fleet: Fleet, first: SimulatedInstance
) -> None:
    before = tuple(
        replace(i, models=tuple(m for m in i.models if m.name.name != "qwen3")) for i in fleet
    )
    endpoint = fleet.find(first.id).endpoint
    async with aclosing(application.ollama.pull(endpoint, "qwen3:8b")) as lines:
        async for _ in lines:
            pass
    known = replace(fleet, instances=before)
    route = await routed(application, known, model="qwen3:8b", think=False)
    assert route.error is None
    assert route.result.model == "qwen3:8b"


def test_a_pipe_gets_the_whole_answer_of_the_other_instance(
    duo: SimulatedFleet, tmp_path: Path
) -> None:
    for instance in duo:
        instance.fault("truncate_stream")
    done = run("route", "hello", env=home_for(duo, tmp_path / "h"))
    assert done.code == 0
    assert done.out.count("[simulated]") == 1


def test_a_pipe_gets_nothing_when_all_broke_off_and_stderr_says_how_much_came(
    duo: SimulatedFleet, tmp_path: Path
) -> None:
    for instance in duo:
        instance.fault("truncate_stream", count=None)
    done = run("route", "hello", "-m", MODEL, env=home_for(duo, tmp_path / "h"))
    assert (done.code, done.out) == (ExitCode.ALL_FAILED, "")
    assert "characters of an answer had come" in done.err
    assert "stream_broken" in done.err


def test_a_shown_stream_starts_anew_after_a_blank_line_and_stderr_names_both(
    duo: SimulatedFleet, tmp_path: Path
) -> None:
    for instance in duo:
        instance.fault("truncate_stream")
    done = run("route", "hello", "--stream", env=home_for(duo, tmp_path / "h"))
    assert done.code == 0
    assert "\n\n[simulated]" in done.out
    assert re.search(r"\S+ on \S+ broke off \(.+\); starting anew with \S+ on \S+", done.err)


def test_the_attempts_are_in_the_json(duo: SimulatedFleet, tmp_path: Path) -> None:
    for instance in duo:
        instance.fault("garbage", count=None)
    done = run("route", "hello", "-m", MODEL, "--json", env=home_for(duo, tmp_path / "h"))
    assert done.code == ExitCode.ALL_FAILED
    assert [a["outcome"] for a in done.data["attempts"]] == ["bad_response"] * 2
    assert done.envelope["errors"][0]["code"] == "all_failed"
    assert done.envelope["status"] == "error"
