"""Routes of one user find their places together, in one process and in many."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from fleets import MODEL, load
from program import PATIENCE_S, ended, run, running, wait_until
from routes import asked, begin, hold, outcomes, request

from ollamamaster.domain.tickets import Option, Priority, ProcessId, Ticket
from ollamamaster.errors import AllFailedError, ExitCode, Outcome, TimeLimitError
from ollamamaster.services import line
from ollamamaster.simulator.sandbox import SimulatedFleet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollamamaster.bootstrap import Application
    from ollamamaster.domain.records import RouteRecord
    from ollamamaster.simulator.sandbox import SimulatedInstance

pytestmark = pytest.mark.anyio

LARGE = "llama3.1:8b"


@pytest.fixture(scope="module")
def fleet() -> Iterator[SimulatedFleet]:
    """Of which commands know nothing, so that they ask: what is in memory changes all the time."""
    with SimulatedFleet.start("duo", speed=50.0) as found:
        yield found


def requests(instance: SimulatedInstance) -> int:
    """How many prompts it was given."""
    state = instance.state()
    return int(state["served"]) + int(state["cancelled"]) + int(state["running"])


def places(env: dict[str, str]) -> list[str | None]:
    """Where the tickets in the file run; None for one that waits."""
    with closing(sqlite3.connect(f"{env['OLLAMAMASTER_HOME']}/history.db")) as database:
        try:
            rows = database.execute("SELECT instance FROM tickets ORDER BY number").fetchall()
        except sqlite3.OperationalError:
            # No command came so far yet.
            return []
    return [instance for (instance,) in rows]


def _append(order: list[Any], name: object, _task: asyncio.Task[Any]) -> None:
    order.append(name)


# ---- where to


async def test_two_at_once_go_to_different_instances(
    application: Application, a: SimulatedInstance, b: SimulatedInstance
) -> None:
    load(a)
    load(b)
    fleet = await asked(application)
    long = {"num_predict": 1000}
    routes = [begin(application, fleet, options=long) for _ in range(2)]
    results = [await route.result() for route in routes]
    assert {result.instance for result in results} == {a.id, b.id}


def test_two_commands_at_once_go_to_different_instances(
    a: SimulatedInstance, b: SimulatedInstance, env: dict[str, str]
) -> None:
    # The first is still there when the second begins, however long that takes.
    for instance in (a, b):
        load(instance)
        instance.fault("hang_generate", count=None)
    long = ("route", "hello", "-m", MODEL, "--option", "num_predict=100000", "--no-hedge")
    with running(*long, env=env), running(*long, env=env):
        wait_until(lambda: set(places(env)) == {a.id, b.id}, "each has a place")


async def test_nothing_is_sent_to_where_the_model_must_be_loaded_while_another_has_it(
    application: Application, a: SimulatedInstance, b: SimulatedInstance
) -> None:
    load(b)
    before = requests(a)
    fleet = await asked(application)
    for _ in range(3):
        assert (await begin(application, fleet).result()).instance == b.id
    assert requests(a) == before


async def test_what_was_loaded_since_the_fleet_was_asked_is_known(
    application: Application, b: SimulatedInstance
) -> None:
    fleet = await asked(application)
    await begin(application, fleet, instance=b.id).result()
    assert (await begin(application, fleet, age_s=2.0).result()).instance == b.id


async def test_an_instance_that_somebody_else_uses_is_left_to_them(
    application: Application, a: SimulatedInstance, b: SimulatedInstance
) -> None:
    load(a)
    load(b)
    fleet = await asked(application)
    # Another computer sends a prompt to the one that would be chosen.
    load(a, LARGE)
    assert (await begin(application, fleet, age_s=2.0).result()).instance == b.id


async def test_our_own_line_is_no_better_than_where_somebody_else_was_lately(
    application: Application, a: SimulatedInstance, b: SimulatedInstance
) -> None:
    fleet = await asked(application)
    # Another computer warms both, and the first of ours begins on one of them.
    load(a)
    load(b)
    hold(application, a.id, work_s=0.4)
    assert (await begin(application, fleet, age_s=2.0).result()).instance == b.id


async def test_an_idle_instance_is_better_than_one_that_should_be_free_by_now(
    application: Application, a: SimulatedInstance, b: SimulatedInstance
) -> None:
    load(a)
    load(b)
    # It takes longer than was expected, for the rest of this test.
    hold(application, a.id, work_s=0.0)
    route = begin(application, await asked(application))
    assert (await route.result()).instance == b.id


async def test_a_load_is_better_than_to_wait_for_one_that_takes_longer(
    application: Application, a: SimulatedInstance, b: SimulatedInstance
) -> None:
    hold(application, a.id, work_s=8.0, model=LARGE)
    route = begin(application, await asked(application), model=LARGE)
    assert (await route.result()).instance == b.id


async def test_a_load_is_better_than_a_long_line(
    application: Application, a: SimulatedInstance, b: SimulatedInstance
) -> None:
    load(b, LARGE)
    hold(application, b.id, work_s=30.0, model=LARGE)
    route = begin(application, await asked(application), model=LARGE)
    assert (await route.result()).instance == a.id


async def test_a_short_line_is_better_than_a_load(
    application: Application, b: SimulatedInstance
) -> None:
    load(b, LARGE)
    holder = hold(application, b.id, work_s=0.5, model=LARGE)
    route = begin(application, await asked(application), model=LARGE)
    await route.waits()
    application.tickets.leave(holder)
    assert (await route.result()).instance == b.id


async def test_it_goes_where_a_place_is_free_first_not_where_it_was_expected(
    application: Application, a: SimulatedInstance, b: SimulatedInstance
) -> None:
    load(a)
    load(b)
    hold(application, a.id, work_s=5.0)
    late = hold(application, b.id, work_s=20.0)
    route = begin(application, await asked(application))
    await route.waits()
    assert route.heard.waits[0][0] == a.name
    application.tickets.leave(late)
    assert (await route.result()).instance == b.id


async def test_an_instance_that_comes_up_is_used_by_those_who_wait(
    application: Application, a: SimulatedInstance, b: SimulatedInstance
) -> None:
    hold(application, a.id, work_s=30.0)
    fleet = await asked(application)
    b.stop()
    residency = application.route_service().means.residency
    route = begin(application, await residency.again(fleet))
    await route.waits()
    b.restart()
    assert (await route.result()).instance == b.id


async def test_a_named_instance_is_waited_for_while_others_are_idle(
    application: Application, a: SimulatedInstance, b: SimulatedInstance
) -> None:
    before = requests(a), requests(b)
    holder = hold(application, b.id, work_s=30.0)
    route = begin(application, await asked(application), instance=b.id)
    await route.waits()
    assert (requests(a), requests(b)) == before
    application.tickets.leave(holder)
    assert (await route.result()).instance == b.id


# ---- in line


async def test_those_who_wait_are_served_as_they_came(
    application: Application, b: SimulatedInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing is learnt, so all of them are expected to take equally long.
    monkeypatch.setattr(application.past, "record", lambda _: None)
    fleet = await asked(application)
    holder = hold(application, b.id, work_s=5.0)
    order: list[int] = []
    routes = []
    for number in range(3):
        route = begin(application, fleet, instance=b.id)
        route.task.add_done_callback(partial(_append, order, number))
        await route.waits()
        routes.append(route)
    assert [route.heard.waits[0][1] for route in routes] == [1, 2, 3]
    application.tickets.leave(holder)
    for route in routes:
        await route.result()
    assert order == [0, 1, 2]


async def test_a_higher_priority_goes_first(application: Application, b: SimulatedInstance) -> None:
    holder = hold(application, b.id, work_s=5.0)
    fleet = await asked(application)
    order: list[str] = []
    routes = []
    for priority in (Priority.LOW, Priority.HIGH):
        route = begin(application, fleet, instance=b.id, priority=priority)
        route.task.add_done_callback(partial(_append, order, priority.name))
        await route.waits()
        routes.append(route)
    application.tickets.leave(holder)
    for route in routes:
        await route.result()
    assert order == ["HIGH", "LOW"]


async def test_those_who_wait_are_served_though_what_is_known_changes_meanwhile(
    application: Application, b: SimulatedInstance
) -> None:
    fleet = await asked(application)
    holder = hold(application, b.id, work_s=5.0)
    # Each was estimated with other rates than those before it, and after the first answer all
    # are known to be far shorter than that.
    routes = []
    for tokens in (4000, 2000, 1000, 500, 20):
        route = begin(application, fleet, instance=b.id, options={"num_predict": tokens})
        await route.waits()
        routes.append(route)
    application.tickets.leave(holder)
    for route in routes:
        assert (await route.result()).instance == b.id


async def test_one_that_stands_in_line_and_does_not_move_is_not_waited_for(
    application: Application, b: SimulatedInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "STUCK_S", 0.3)
    option = Option(MODEL, b.id, fixed=1.0, work_s=1.0, load_s=0.0, context=4096)
    at = application.clock.now().timestamp()
    application.tickets.enter(Ticket("stopped", at, (option,), ProcessId(0, 0.0)))
    route = begin(application, await asked(application), instance=b.id)
    await route.waits()
    assert (await route.result()).instance == b.id
    assert [t.id for t in application.tickets.others("")] == ["stopped"]


async def test_the_others_are_told_when_a_place_is_no_option_any_more(
    application: Application, a: SimulatedInstance, b: SimulatedInstance
) -> None:
    load(a)
    load(b)
    a.fault("error_500", count=None)
    hold(application, b.id, work_s=500.0)
    fleet = await asked(application)
    route = begin(application, fleet)
    await route.hears(ends=1)
    await route.waits()
    [mine] = [t for t in application.tickets.others("") if t.on is None]
    assert {option.instance for option in mine.options} == {b.id}
    route.task.cancel()
    await asyncio.wait([route.task])


async def test_the_others_are_told_when_a_place_is_worth_something_else(
    application: Application, b: SimulatedInstance
) -> None:
    place = line.Line(application.tickets, application.clock, "mine")
    option = Option(MODEL, b.id, fixed=0.9, work_s=1.0, load_s=0.0, context=4096)
    place.enter([option], 0.03, Priority.NORMAL)
    less = replace(option, fixed=0.83)
    place.enter([less], 0.03, Priority.NORMAL)
    [told] = application.tickets.others("")
    assert told.options == (less,)
    # The same sum in another order is no news.
    place.enter([replace(less, fixed=0.83 + 1e-12)], 0.03, Priority.NORMAL)
    assert application.tickets.others("") == [told]
    place.leave()


async def test_the_wait_is_in_queue_s(application: Application, b: SimulatedInstance) -> None:
    holder = hold(application, b.id, work_s=5.0)
    route = begin(application, await asked(application), instance=b.id)
    await route.waits()
    application.tickets.leave(holder)
    timing = (await route.result()).timing
    assert timing.queue_s is not None
    assert 0 < timing.queue_s <= (timing.total_s or 0)


async def test_a_deadline_while_waiting_ends_the_route_and_its_ticket(
    application: Application, b: SimulatedInstance
) -> None:
    hold(application, b.id, work_s=500.0)
    route = begin(application, await asked(application), instance=b.id, max_time_s=0.3)
    with pytest.raises(TimeLimitError) as caught:
        await route.result()
    assert caught.value.exit_code == ExitCode.TIME_LIMIT
    assert route.run.so_far().attempts == ()
    assert len(application.tickets.others("")) == 1


async def test_no_ticket_is_left_after_any_end(
    application: Application, a: SimulatedInstance, b: SimulatedInstance
) -> None:
    fleet = await asked(application)
    await begin(application, fleet).result()
    for instance in (a, b):
        instance.fault("error_500", count=None)
    with pytest.raises(AllFailedError):
        await begin(application, fleet).result()
    for instance in (a, b):
        instance.restart()
        instance.fault("hang_generate", count=None)
    # Connections that the restart has reset are let go by whoever asks next; httpcore loses all but
    # the first of them when that is the one that is cancelled.
    route = begin(application, await asked(application))
    await route.started()
    route.task.cancel()
    await asyncio.wait([route.task])
    assert application.tickets.others("") == []


@pytest.mark.skipif(os.name == "nt", reason="signals are a POSIX matter")
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGTERM, ExitCode.TERMINATED)],
)
def test_a_signal_while_waiting_leaves_no_ticket(
    number: signal.Signals, code: int, a: SimulatedInstance, env: dict[str, str]
) -> None:
    a.fault("hang_generate", count=None)
    asked_for = ("route", "hello", "-m", MODEL, "--instance", a.id)
    with running(*asked_for, env=env):
        wait_until(lambda: places(env) == [a.id], "the first is sent")
        with running(*asked_for, env=env) as waiting:
            wait_until(lambda: places(env) == [a.id, None], "the second stands in line")
            waiting.send_signal(number)
            done = ended(waiting)
        assert (done.code, done.out) == (code, "")
        assert places(env) == [a.id]


def test_a_command_that_was_killed_holds_no_place(
    a: SimulatedInstance, env: dict[str, str]
) -> None:
    a.fault("hang_generate", count=None)
    asked_for = ("route", "hello", "-m", MODEL, "--instance", a.id)
    with running(*asked_for, env=env) as process:
        wait_until(lambda: places(env) == [a.id], "it is sent")
        process.kill()
        process.wait(PATIENCE_S)
    assert places(env) == [a.id]
    a.clear_faults()
    assert run(*asked_for, env=env).code == 0
    assert places(env) == []


def test_the_next_in_line_begins_when_the_one_before_is_killed(
    a: SimulatedInstance, env: dict[str, str]
) -> None:
    a.fault("hang_generate", count=None)
    asked_for = ("route", "hello", "-m", MODEL, "--instance", a.id)
    with running(*asked_for, env=env) as first:
        wait_until(lambda: places(env) == [a.id], "the first is sent")
        with running(*asked_for, env=env) as second:
            wait_until(lambda: places(env) == [a.id, None], "the second stands in line")
            a.clear_faults()
            first.kill()
            assert ended(second).code == 0


# ---- busy


async def test_a_pause_for_busy_instances_ends_when_one_of_ours_ends_there(
    application: Application, a: SimulatedInstance, b: SimulatedInstance
) -> None:
    here = hold(application, a.id, work_s=60.0)
    elsewhere = hold(application, b.id, work_s=60.0)
    place = line.Line(application.tickets, application.clock, "waiting")
    place.notice()
    pause = asyncio.ensure_future(place.freed({a.id}, 3600.0))
    application.tickets.leave(elsewhere)
    done, _ = await asyncio.wait([pause], timeout=0.2)
    assert not done
    application.tickets.leave(here)
    await asyncio.wait_for(pause, PATIENCE_S)


async def test_a_full_instance_that_says_busy_is_left_for_one_that_does_not(
    application: Application, a: SimulatedInstance, b: SimulatedInstance
) -> None:
    load(a)
    a.fault("busy_503", count=None)
    result = await begin(application, await asked(application)).result()
    assert outcomes(result.attempts) == [(a.id, Outcome.BUSY), (b.id, Outcome.OK)]


# ---- what is remembered


class Kept:
    """A history that keeps what it is given."""

    def __init__(self, application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
        self.records: list[RouteRecord] = []
        monkeypatch.setattr(application.past, "record", self.records.append)


async def test_an_answer_is_remembered_with_its_circumstances(
    application: Application, a: SimulatedInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Kept(application, monkeypatch)
    load(a)
    holder = hold(application, a.id, work_s=5.0)
    route = begin(application, await asked(application), instance=a.id)
    await route.waits()
    application.tickets.leave(holder)
    await route.result()
    [record] = kept.records
    [attempt] = record.attempts
    assert (record.outcome, attempt.outcome) == ("ok", Outcome.OK)
    assert record.waited_s > 0
    assert attempt.resident
    assert attempt.usage.output_tokens == 20
    assert attempt.limited
    assert attempt.first_token_s is not None
    assert attempt.first_token_s <= attempt.seconds
    assert attempt.estimate is not None
    assert record.prompt is None


async def test_failures_cancellations_and_deadlines_are_remembered(
    application: Application, a: SimulatedInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Kept(application, monkeypatch)
    fleet = await asked(application)
    a.fault("error_500")
    with pytest.raises(AllFailedError):
        await begin(application, fleet, instance=a.id).result()
    a.fault("hang_generate", count=None)
    with pytest.raises(TimeLimitError):
        await begin(application, fleet, instance=a.id, max_time_s=1.0).result()
    route = begin(application, fleet, instance=a.id)
    await route.started()
    route.task.cancel()
    await asyncio.wait([route.task])
    told = [(r.outcome, [t.outcome for t in r.attempts]) for r in kept.records]
    assert told == [
        ("all_failed", [Outcome.HTTP_ERROR]),
        ("time_limit", [Outcome.CANCELLED]),
        ("cancelled", [Outcome.CANCELLED]),
    ]


async def test_what_was_measured_is_used_by_the_next_route(
    application: Application, a: SimulatedInstance
) -> None:
    fleet = await asked(application)
    for _ in range(4):
        await begin(application, fleet, instance=a.id).result()
    run = application.route_service().begin(request(instance=a.id))
    decision = await run.decide(fleet, lambda _: None)
    assert decision.chosen is not None
    assert decision.chosen.prospect.rates.known
