"""The model of one Ollama instance."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ollamamaster.domain.engine import Engine
from ollamamaster.domain.hardware import Eviction, Hardware, Placement, ServedModel
from ollamamaster.domain.models import GB
from ollamamaster.domain.serving import (
    Job,
    ModelTooLargeError,
    Phase,
    QueueFullError,
    Request,
)


def model(name: str, size_gb: float, *, context: int = 131072, kv: int = 131072) -> ServedModel:
    parameters = size_gb / 0.6 * 1e9
    return ServedModel(name, round(size_gb * GB), parameters, parameters, context, kv)


SMALL, MIDDLE, LARGE = model("small", 2.0), model("middle", 4.9), model("large", 9.0)
MODELS = (SMALL, MIDDLE, LARGE)
CARD = Hardware(12 * GB, 32 * GB, 360 * GB, 1800, 1.5 * GB)


def run_out(engine: Engine, until: float = math.inf) -> None:
    """Let everything happen that happens by itself."""
    while (event := engine.next_event()) <= until and event < math.inf:
        engine.advance(event)


def ask(of: ServedModel, *, words: int = 10, **more: object) -> Request:
    return replace(Request(of, prompt_tokens=20, output_tokens=words), **more)  # type: ignore[arg-type]


def warm(of: ServedModel, hardware: Hardware = CARD) -> tuple[Engine, float]:
    """An engine with this model in memory, and the time then."""
    engine = Engine(hardware)
    engine.submit(Request(of, load_only=True), 0.0)
    at = engine.next_event()
    engine.advance(at)
    return engine, at


# ---- speeds


def test_a_token_takes_what_the_fitted_formula_says() -> None:
    place = CARD.placement(MIDDLE, 4096)
    assert CARD.token_s(MIDDLE, place) == pytest.approx(1.23 * 4.9 / 360 + 0.00167)


def test_a_model_that_spills_into_ram_falls_off_a_cliff() -> None:
    fits = CARD.token_s(LARGE, CARD.placement(LARGE, 4096))
    huge = model("huge", 18.0)
    spills = CARD.token_s(huge, CARD.placement(huge, 4096))
    assert spills > 4 * fits


def test_a_mixture_of_experts_reads_only_its_active_share() -> None:
    dense = model("dense", 14.0)
    sparse = replace(dense, active_parameters=dense.parameters / 5)
    place = CARD.placement(dense, 4096)
    assert CARD.token_s(sparse, place) < CARD.token_s(dense, place) / 3


def test_a_load_takes_its_bytes_and_half_a_second() -> None:
    assert warm(MIDDLE)[1] == pytest.approx(4.9 / 1.5 + 0.5)


# ---- one request


def test_a_cold_request_takes_load_prompt_and_tokens() -> None:
    engine = Engine(CARD)
    job = engine.submit(ask(MIDDLE, words=11), 0.0)
    run_out(engine, 60)
    place = CARD.placement(MIDDLE, 4096)
    alone = CARD.prefill_s(MIDDLE, place, 20) + 10 * CARD.token_s(MIDDLE, place)
    assert job.finished_at == pytest.approx(CARD.load_s(MIDDLE) + alone)


def test_a_resident_model_is_not_loaded_again() -> None:
    engine, at = warm(SMALL)
    job = engine.submit(ask(SMALL), at + 1)
    assert (job.phase, job.load_s, engine.loads) == (Phase.READING, 0.0, 1)


def test_the_first_token_comes_when_the_prompt_is_read() -> None:
    engine, at = warm(SMALL)
    job = engine.submit(ask(SMALL), at)
    engine.advance(engine.next_event())
    assert job.read_at == engine.now
    assert engine.tokens(job) == 1


def test_a_token_is_there_when_it_is_due() -> None:
    engine, at = warm(SMALL)
    job = engine.submit(ask(SMALL, words=100), at)
    engine.advance(engine.next_event())
    for number in range(2, 101):
        engine.advance(engine.token_due(job, number))
        assert engine.tokens(job) == number
        if number == 50:
            # one more generation, which slows this one down from here on
            engine.submit(ask(SMALL, words=5), engine.now)


def test_the_same_prompt_again_is_read_in_a_tenth() -> None:
    engine, at = warm(SMALL)
    times = []
    for _ in range(2):
        job = engine.submit(ask(SMALL, prompt="once upon a time"), at)
        run_out(engine, at + 10)
        assert job.read_at is not None
        assert job.started_at is not None
        times.append(job.read_at - job.started_at)
        at += 10
    assert times[1] == pytest.approx(times[0] / 10)


def test_a_prompt_that_begins_alike_is_partly_cached() -> None:
    engine, at = warm(SMALL)
    engine.submit(ask(SMALL, prompt="a" * 50), at)
    run_out(engine, at + 10)
    job = engine.submit(ask(SMALL, prompt="a" * 50 + "b" * 50), at + 10)
    run_out(engine, at + 20)
    assert job.read_at is not None
    place = CARD.placement(SMALL, 4096)
    whole = CARD.prefill_s(SMALL, place, 20)
    assert job.read_at - (at + 10) == pytest.approx(whole * 0.55)


# ---- several requests


def test_two_slots_each_write_at_half_the_speed() -> None:
    engine, at = warm(SMALL, replace(CARD, slots=2))
    jobs = [engine.submit(ask(SMALL, words=101), at) for _ in range(2)]
    run_out(engine, at + 100)
    alone, at = warm(SMALL)
    single = alone.submit(ask(SMALL, words=101), at)
    run_out(alone, at + 100)
    assert single.finished_at is not None
    for job in jobs:
        assert job.finished_at == pytest.approx(at + 2 * (single.finished_at - at))


def test_a_second_request_waits_for_the_only_slot() -> None:
    engine, at = warm(SMALL)
    first, second = engine.submit(ask(SMALL), at), engine.submit(ask(SMALL), at)
    assert (first.phase, second.phase) == (Phase.READING, Phase.WAITING)
    run_out(engine, at + 100)
    assert second.started_at == first.finished_at


def test_cancelling_frees_the_slot_at_once() -> None:
    engine, at = warm(SMALL)
    first, second = engine.submit(ask(SMALL, words=9999), at), engine.submit(ask(SMALL), at)
    engine.cancel(first, at + 1)
    assert second.started_at == at + 1


def test_cancelling_a_load_throws_it_away() -> None:
    engine = Engine(CARD)
    engine.cancel(engine.submit(ask(MIDDLE), 0.0), 1.0)
    assert (engine.loading, engine.loads, engine.next_event()) == (None, 0, math.inf)


def test_who_waits_for_a_load_that_is_thrown_away_starts_it_anew() -> None:
    engine = Engine(CARD)
    first, second = engine.submit(ask(MIDDLE), 0.0), engine.submit(ask(MIDDLE), 0.5)
    engine.cancel(first, 2.0)
    run_out(engine, 100)
    assert second.ready_at == pytest.approx(2.0 + CARD.load_s(MIDDLE))


def test_loads_come_one_after_the_other() -> None:
    engine = Engine(CARD)
    first, second = engine.submit(ask(SMALL), 0.0), engine.submit(ask(MIDDLE), 0.0)
    run_out(engine, 100)
    assert first.ready_at == pytest.approx(CARD.load_s(SMALL))
    assert second.ready_at == pytest.approx(CARD.load_s(SMALL) + CARD.load_s(MIDDLE))


def test_a_load_without_room_waits_for_the_running_generation() -> None:
    engine, at = warm(MIDDLE)
    running = engine.submit(ask(MIDDLE, words=200), at)
    large = engine.submit(ask(LARGE), at)
    run_out(engine, at + 200)
    assert running.finished_at is not None
    assert large.ready_at == pytest.approx(running.finished_at + CARD.load_s(LARGE))
    assert engine.evictions == 1


def test_a_resident_model_overtakes_those_that_wait_for_a_load() -> None:
    engine, at = warm(MIDDLE)
    engine.submit(ask(MIDDLE, words=200), at)
    engine.submit(ask(LARGE), at)
    later = engine.submit(ask(MIDDLE), at + 0.1)
    assert later.phase is Phase.WAITING


# ---- memory


def test_the_idle_model_with_the_shortest_keep_alive_leaves() -> None:
    engine = Engine(CARD)
    engine.submit(ask(SMALL, keep_alive_s=600.0), 0.0)
    run_out(engine, 20)
    engine.submit(ask(MIDDLE, keep_alive_s=60.0), 20.0)
    run_out(engine, 30)
    engine.submit(ask(model("other", 4.0)), 30.0)
    assert list(engine.residents) == ["small"]


def test_the_least_recent_model_leaves_when_it_is_set_so() -> None:
    engine = Engine(replace(CARD, eviction=Eviction.LEAST_RECENT))
    engine.submit(ask(SMALL, keep_alive_s=600.0), 0.0)
    run_out(engine, 20)
    engine.submit(ask(MIDDLE, keep_alive_s=60.0), 20.0)
    run_out(engine, 30)
    engine.submit(ask(model("other", 4.0)), 30.0)
    assert list(engine.residents) == ["middle"]


def test_no_more_models_are_loaded_than_allowed() -> None:
    engine = Engine(replace(CARD, max_loaded=1))
    engine.submit(ask(SMALL), 0.0)
    run_out(engine, 20)
    engine.submit(ask(model("other", 1.0)), 20.0)
    run_out(engine, 40)
    assert list(engine.residents) == ["other"]


def test_a_model_larger_than_all_memory_is_refused() -> None:
    with pytest.raises(ModelTooLargeError) as caught:
        Engine(CARD).submit(ask(model("huge", 50.0)), 0.0)
    assert caught.value.available == 44 * GB


def test_a_model_expires_after_its_keep_alive() -> None:
    engine, at = warm(SMALL)
    engine.advance(at + 299.9)
    assert list(engine.residents) == ["small"]
    engine.advance(at + 300)
    assert not engine.residents


def test_expiry_moves_only_when_a_request_ends() -> None:
    engine, at = warm(SMALL)
    engine.submit(ask(SMALL, words=2000), at + 100)
    assert engine.residents["small"].expires_at == at + 300
    run_out(engine, at + 200)
    assert engine.residents["small"].expires_at == pytest.approx(engine.now + 300, abs=100)
    assert engine.residents["small"].expires_at > at + 400


def test_a_busy_model_does_not_expire() -> None:
    engine, at = warm(SMALL)
    job = engine.submit(ask(SMALL, words=10**6), at + 299)
    engine.advance(at + 1000)
    assert (job.phase, list(engine.residents)) == (Phase.WRITING, ["small"])


def test_keep_alive_zero_unloads_at_the_end() -> None:
    engine = Engine(CARD)
    job = engine.submit(ask(SMALL, keep_alive_s=0.0), 0.0)
    run_out(engine)
    assert (job.phase, engine.residents, engine.evictions) == (Phase.DONE, {}, 0)


def test_keep_alive_below_zero_is_for_ever() -> None:
    engine = Engine(CARD)
    engine.submit(ask(SMALL, keep_alive_s=-1.0), 0.0)
    engine.advance(1e9)
    assert engine.residents["small"].expires_at == math.inf


def test_another_context_reloads_and_leaving_it_out_goes_back() -> None:
    engine, at = warm(SMALL)
    for context, expected in ((8192, 8192), (None, 4096), (10**6, 131072)):
        at += 50
        engine.submit(ask(SMALL, context=context), at)
        run_out(engine, at + 40)
        assert engine.residents["small"].context == expected
    assert (engine.loads, engine.evictions) == (4, 0)


def test_the_queue_counts_only_requests_that_must_load() -> None:
    engine, at = warm(MIDDLE, replace(CARD, max_queue=1))
    for _ in range(5):
        engine.submit(ask(MIDDLE, words=500), at)
    engine.submit(ask(LARGE), at)
    engine.submit(ask(LARGE), at)
    with pytest.raises(QueueFullError):
        engine.submit(ask(LARGE), at)
    assert engine.submit(ask(MIDDLE), at).phase is Phase.WAITING


# ---- what always holds


@dataclass(frozen=True)
class Step:
    gap: float
    request: Request
    cancel_after: float | None


REQUESTS = st.builds(
    Request,
    model=st.sampled_from(MODELS),
    prompt_tokens=st.integers(0, 4000),
    output_tokens=st.integers(0, 300),
    context=st.sampled_from([None, None, 2048, 8192]),
    keep_alive_s=st.sampled_from([None, None, 0.0, 5.0, -1.0]),
    prompt=st.sampled_from(["", "once upon", "once upon a time"]),
    load_only=st.booleans(),
)
STEPS = st.lists(
    st.builds(
        Step,
        gap=st.floats(0, 20),
        request=REQUESTS,
        cancel_after=st.one_of(st.none(), st.floats(0, 20)),
    ),
    max_size=25,
)
MACHINES = st.builds(
    replace,
    st.just(CARD),
    slots=st.integers(1, 3),
    max_loaded=st.integers(1, 3),
    max_queue=st.integers(0, 5),
    eviction=st.sampled_from(Eviction),
    vram_bytes=st.sampled_from([0, 5 * GB, 12 * GB, 24 * GB]),
)


def fits(engine: Engine) -> bool:
    places = [runner.place for runner in engine.residents.values()]
    if engine.loading is not None and engine._load is not None:
        places.append(engine._load.runner.place)
    return engine.hardware.holds(places) if places else True


def play(steps: list[Step], hardware: Hardware) -> tuple[Engine, list[Job], int]:
    """Play the steps, looking at every event; ends when nothing happens any more."""
    engine, now, jobs, refused = Engine(hardware), 0.0, list[Job](), 0
    cancels: list[tuple[float, int, Job]] = []
    for step in steps:
        now += step.gap
        while cancels and cancels[0][0] <= now:
            at, _, job = cancels.pop(0)
            watch(engine, at)
            engine.cancel(job, at)
            check(engine)
        watch(engine, now)
        try:
            job = engine.submit(step.request, now)
        except QueueFullError:
            refused += 1
            continue
        jobs.append(job)
        check(engine)
        if step.cancel_after is not None:
            cancels.append((now + step.cancel_after, len(jobs), job))
            cancels.sort(key=lambda item: item[:2])
    for at, _, job in cancels:
        watch(engine, at)
        engine.cancel(job, at)
        check(engine)
    watch(engine, math.inf)
    return engine, jobs, refused


def watch(engine: Engine, until: float) -> None:
    while (event := engine.next_event()) <= until and event < math.inf:
        assert event >= engine.now
        engine.advance(event)
        check(engine)


def check(engine: Engine) -> None:
    assert fits(engine)
    assert len(engine.residents) + (engine.loading is not None) <= engine.hardware.max_loaded
    running = sum(runner.running for runner in engine.residents.values())
    assert engine.running == running
    for runner in engine.residents.values():
        assert 0 <= runner.running <= engine.hardware.slots
        assert runner.running + len(runner.free) == engine.hardware.slots
        assert not (runner.free and runner.waiting)


@settings(deadline=None)
@given(steps=STEPS, hardware=MACHINES)
def test_memory_slots_and_loads_never_go_over_their_limits(
    steps: list[Step], hardware: Hardware
) -> None:
    play(steps, hardware)


@settings(deadline=None)
@given(steps=STEPS, hardware=MACHINES)
def test_every_request_is_answered_cancelled_or_refused(
    steps: list[Step], hardware: Hardware
) -> None:
    engine, jobs, refused = play(steps, hardware)
    assert all(job.ended for job in jobs)
    assert engine.finished + engine.cancelled + refused == len(steps)
    assert (engine.running, engine.waiting) == (0, 0)


@settings(deadline=None)
@given(steps=STEPS, hardware=MACHINES)
def test_the_moments_of_a_request_come_in_order(steps: list[Step], hardware: Hardware) -> None:
    for job in play(steps, hardware)[1]:
        moments = [job.submitted_at, job.ready_at, job.started_at, job.read_at, job.finished_at]
        known = [moment for moment in moments if moment is not None]
        assert known == sorted(known)


@settings(deadline=None)
@given(steps=STEPS, hardware=MACHINES)
def test_one_model_is_served_in_the_order_of_arrival(steps: list[Step], hardware: Hardware) -> None:
    same = [
        replace(s, request=replace(s.request, model=SMALL, context=None, load_only=False))
        for s in steps
    ]
    started = [job for job in play(same, hardware)[1] if job.started_at is not None]
    assert started == sorted(started, key=lambda job: (job.started_at, job.order))


def test_those_who_waited_for_a_load_that_was_given_up_stay_ahead_of_who_comes_later() -> None:
    engine = Engine(replace(CARD, slots=1, max_queue=5))
    given_up, second, third = (engine.submit(ask(SMALL), 0.0) for _ in range(3))
    engine.cancel(given_up, 0.1)
    last = engine.submit(ask(SMALL), 0.2)
    run_out(engine, 1e6)
    assert (second.started_at or 0) < (third.started_at or 0) < (last.started_at or 0)


@settings(deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=20), st.integers(1, 4))
def test_no_work_is_lost_or_made_however_it_is_shared(words: list[int], slots: int) -> None:
    hardware = replace(CARD, slots=slots)
    engine, at = warm(SMALL, hardware)
    jobs = [engine.submit(ask(SMALL, words=n), at) for n in words]
    run_out(engine, at + 1e6)
    place = hardware.placement(SMALL, 4096)
    work = sum(
        hardware.prefill_s(SMALL, place, 20) + (n - 1) * hardware.token_s(SMALL, place)
        for n in words
    )
    assert max(job.finished_at or 0.0 for job in jobs) == pytest.approx(at + work)


@settings(deadline=None)
@given(steps=STEPS, hardware=MACHINES, tick=st.floats(0.05, 7))
def test_how_often_one_looks_changes_nothing(
    steps: list[Step], hardware: Hardware, tick: float
) -> None:
    patient = [replace(step, cancel_after=None) for step in steps]
    expected = play(patient, hardware)[1]
    engine, now, jobs, looked = Engine(hardware), 0.0, list[Job](), 0.0
    for step in patient:
        now += step.gap
        while looked + tick < now:
            looked += tick
            engine.advance(looked)
        try:
            jobs.append(engine.submit(step.request, now))
        except QueueFullError:
            continue
    run_out(engine)
    ends = [job.finished_at for job in expected]
    assert [job.finished_at for job in jobs] == pytest.approx(ends)


@settings(deadline=None)
@given(st.integers(1, 10**6), st.integers(0, 10**6))
def test_a_placement_holds_no_more_than_the_card(size: int, vram: int) -> None:
    hardware = replace(CARD, vram_bytes=vram, ram_bytes=10**6)
    place = hardware.placement(ServedModel("m", size, 1.0, 1.0, 8), 8)
    assert place == Placement(size, min(size, vram))
