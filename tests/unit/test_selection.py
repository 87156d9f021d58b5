"""A decision: invariants over generated fleets and tasks, and the rules that are exact."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import all_settings, demands, faster_twin, fleets, tasks

from ollamamaster.domain.candidates import Reason, Wish
from ollamamaster.domain.instances import (
    Gpu,
    GpuSource,
    Instance,
    InstanceAddress,
    InstanceSettings,
    Locality,
    Status,
)
from ollamamaster.domain.models import GB, LoadedModel, Model, ModelName
from ollamamaster.domain.selection import Decision, Demand, decide
from ollamamaster.domain.settings import (
    CloudUse,
    Performance,
    PolicySettings,
    RouteSettings,
    Settings,
)
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.domain.task import Question, Task, analyse

NO_WISH = Wish()
# A fleet with its models costs milliseconds to make up; more examples have never found more.
FEWER = settings(max_examples=30)


def chosen_names(decision: Decision) -> list[tuple[str, str]]:
    return [(c.model, c.instance) for c in decision.ranked]


def wishes() -> st.SearchStrategy[Wish]:
    return st.builds(
        Wish,
        model=st.sampled_from((None, None, "llava:7b", "gpt-oss:120b-cloud")),
        instance=st.sampled_from((None, None, "127.0.0.1:11434")),
        local_only=st.booleans(),
    )


@FEWER
@given(fleets(), tasks(), all_settings(), wishes(), demands())
def test_every_pair_is_either_ranked_or_rejected_with_a_reason(
    fleet: Fleet, task: Task, config: Settings, wish: Wish, demand: Demand
) -> None:
    decision = decide(task, fleet, config, wish, demand)
    judged = sorted([*chosen_names(decision), *((r.model, r.instance) for r in decision.rejected)])
    pairs = [(str(m.name), i.id) for i in fleet for m in i.models]
    missing = [(wish.model, i.id) for i in fleet if wish.model and i.model(wish.model) is None]
    assert judged == sorted([*pairs, *missing])
    assert all(r.detail and r.reason in Reason for r in decision.rejected)


@FEWER
@given(fleets(), tasks(), all_settings(), demands())
def test_the_terms_add_up_to_the_score(
    fleet: Fleet, task: Task, config: Settings, demand: Demand
) -> None:
    for candidate in decide(task, fleet, config, NO_WISH, demand).ranked:
        assert candidate.score == pytest.approx(sum(candidate.terms.values()))
        assert 0 < candidate.terms["quality"] < 1
        assert candidate.terms["locality"] <= 0


@FEWER
@given(fleets(), tasks(), all_settings(), demands())
def test_an_estimate_is_finite_and_its_quantiles_are_in_order(
    fleet: Fleet, task: Task, config: Settings, demand: Demand
) -> None:
    for candidate in decide(task, fleet, config, NO_WISH, demand).ranked:
        estimate = candidate.estimate
        assert 0 <= estimate.p20_s <= estimate.p50_s <= estimate.p80_s < math.inf
        parts = estimate.wait_s + estimate.load_s + estimate.prompt_s + estimate.generation_s
        assert parts <= estimate.p50_s + 1e-9
        assert candidate.resident == (estimate.load_s == 0) or candidate.pair.model.size_bytes in {
            None,
            0,
        }


@FEWER
@given(fleets(), tasks(), all_settings(), demands(limited=False))
def test_without_a_limit_the_best_score_is_first(
    fleet: Fleet, task: Task, config: Settings, demand: Demand
) -> None:
    scores = [c.score for c in decide(task, fleet, config, NO_WISH, demand).ranked]
    assert scores == sorted(scores, reverse=True)


@FEWER
@given(fleets(), tasks(), st.sampled_from(Performance), st.sampled_from(Performance))
def test_the_levels_differ_only_by_what_a_doubling_of_the_time_must_buy(
    fleet: Fleet, task: Task, one: Performance, other: Performance
) -> None:
    config = Settings(policy=PolicySettings(weights={"locality": 0.0}))
    prices = config.route.price_per_doubling
    seen = [
        {
            (c.model, c.instance): (c.terms["quality"], c.estimate, c.terms["time"] / prices[level])
            for c in decide(task, fleet, config, NO_WISH, Demand(level)).ranked
        }
        for level in (one, other)
    ]
    assert seen[0].keys() == seen[1].keys()
    for pair, (right, estimate, doublings) in seen[0].items():
        assert (right, estimate) == seen[1][pair][:2]
        assert doublings == pytest.approx(seen[1][pair][2])


@FEWER
@given(fleets(least=1), tasks(), all_settings(), wishes(), demands(), st.data())
def test_the_order_does_not_depend_on_the_order_of_the_fleet(
    fleet: Fleet, task: Task, config: Settings, wish: Wish, demand: Demand, data: st.DataObject
) -> None:
    mixed = replace(fleet, instances=tuple(data.draw(st.permutations(fleet.instances))))
    one = decide(task, fleet, config, wish, demand)
    assert chosen_names(decide(task, mixed, config, wish, demand)) == chosen_names(one)


@FEWER
@given(fleets(least=1), tasks(), all_settings(), demands(limited=False), st.data())
def test_a_faster_idle_instance_never_lowers_the_best_score(
    fleet: Fleet, task: Task, config: Settings, demand: Demand, data: st.DataObject
) -> None:
    slower = data.draw(st.sampled_from(fleet.instances))
    twin = faster_twin(slower, port=11500)
    before = decide(task, fleet, config, NO_WISH, demand).ranked
    more = replace(fleet, instances=(*fleet, twin))
    after = decide(task, more, config, NO_WISH, demand).ranked
    assume(before)
    assert after[0].score >= before[0].score


@FEWER
@given(fleets(least=1), tasks(), demands(limited=False))
def test_a_faster_idle_twin_is_never_ranked_behind(
    fleet: Fleet, task: Task, demand: Demand
) -> None:
    slower = replace(fleet.instances[0], status=Status.UP, settings=InstanceSettings())
    twin = faster_twin(slower, port=11500)
    decision = decide(task, Fleet((slower, twin)), Settings(), NO_WISH, demand)
    scores = {(c.model, c.instance): c.score for c in decision.ranked}
    for (model, instance), score in scores.items():
        if instance == slower.id:
            assert scores[model, twin.id] >= score - 1e-9


@FEWER
@given(fleets(), all_settings(), st.integers(1, 4))
def test_an_image_task_never_ranks_a_model_without_vision(
    fleet: Fleet, config: Settings, images: int
) -> None:
    task = analyse(Question("What is on this picture?", images=images))
    for candidate in decide(task, fleet, config, NO_WISH, Demand()).ranked:
        assert "vision" in (candidate.pair.model.capabilities or ())


@FEWER
@given(fleets(), tasks(), all_settings(), st.sampled_from((None, "gpt-oss:120b-cloud")))
def test_local_only_never_ranks_a_remote_instance_or_a_cloud_model(
    fleet: Fleet, task: Task, config: Settings, model: str | None
) -> None:
    decision = decide(task, fleet, config, Wish(model, local_only=True), Demand())
    for candidate in decision.ranked:
        assert candidate.pair.instance.locality is not Locality.REMOTE
        assert not candidate.pair.model.cloud


@FEWER
@given(fleets(), tasks(), st.sampled_from((CloudUse.BY_NAME, CloudUse.NEVER)))
def test_a_cloud_model_that_nobody_named_is_never_ranked(
    fleet: Fleet, task: Task, cloud: CloudUse
) -> None:
    config = Settings(route=RouteSettings(cloud=cloud))
    assert not any(
        c.pair.model.cloud for c in decide(task, fleet, config, NO_WISH, Demand()).ranked
    )


@FEWER
@given(fleets(), tasks(), demands(), wishes())
def test_only_what_was_asked_for_is_ranked(
    fleet: Fleet, task: Task, demand: Demand, wish: Wish
) -> None:
    for candidate in decide(task, fleet, Settings(), wish, demand).ranked:
        assert wish.model in {None, candidate.model}
        assert wish.instance in {None, candidate.instance}


@FEWER
@given(fleets(), tasks(), demands(limited=True), wishes())
def test_under_a_limit_all_fit_or_none_does(
    fleet: Fleet, task: Task, demand: Demand, wish: Wish
) -> None:
    decision = decide(task, fleet, Settings(), wish, demand)
    limit_s = demand.max_time_s or 0.0
    slow = [c.estimate.p80_s > limit_s for c in decision.ranked]
    assert all(slow) if decision.late else not any(slow)
    if decision.late:
        times = [c.estimate.p80_s for c in decision.ranked]
        assert times == sorted(times)


@FEWER
@given(fleets(), tasks(), demands(limited=True))
def test_without_insisting_a_limit_refuses_nothing_outright(
    fleet: Fleet, task: Task, demand: Demand
) -> None:
    free = decide(task, fleet, Settings(), NO_WISH, Demand(demand.performance))
    limited = decide(task, fleet, Settings(), NO_WISH, demand)
    assert not limited.refused
    assert bool(limited.ranked) == bool(free.ranked)


def instance(port: int, *, bandwidth: float | None = None, **known: object) -> Instance:
    model = Model(
        ModelName("m", "8b"),
        size_bytes=5 * GB,
        parameter_size="8B",
        capabilities=frozenset({"completion"}),
        context_length=8192,
    )
    plain = Instance(
        InstanceAddress("127.0.0.1", port),
        locality=Locality.LOCAL,
        status=Status.UP,
        latency_ms=1.0,
        models=(model,),
        settings=InstanceSettings(bandwidth_gb_s=bandwidth),
    )
    return replace(plain, **known)  # type: ignore[arg-type]


HELLO = analyse(Question("hello"))
HURRY = Demand(max_time_s=0.001)


def test_the_fastest_is_used_late_when_nothing_fits_the_limit() -> None:
    fleet = Fleet((instance(1, bandwidth=50), instance(2, bandwidth=900)))
    decision = decide(HELLO, fleet, Settings(), NO_WISH, HURRY)
    assert decision.late
    assert chosen_names(decision)[0] == ("m:8b", "127.0.0.1:2")


@pytest.mark.parametrize("wish", [Wish("m:8b"), Wish(instance="127.0.0.1:1")])
def test_who_insists_on_what_is_known_to_be_too_slow_is_refused(wish: Wish) -> None:
    decision = decide(HELLO, Fleet((instance(1, bandwidth=50),)), Settings(), wish, HURRY)
    assert decision.refused
    assert decision.chosen is None
    assert [r.reason for r in decision.rejected] == [Reason.OVER_TIME_LIMIT]


def test_a_slower_place_of_which_less_is_known_saves_nobody_who_insists() -> None:
    fleet = Fleet((instance(1, bandwidth=900), instance(2)))
    known, unknown = decide(HELLO, fleet, Settings(), Wish("m:8b"), Demand()).ranked
    assert known.estimate.p80_s < unknown.estimate.p80_s
    assert decide(HELLO, fleet, Settings(), Wish("m:8b"), HURRY).refused


def test_who_insists_on_what_is_not_known_to_be_slow_is_served() -> None:
    decision = decide(HELLO, Fleet((instance(1),)), Settings(), Wish("m:8b"), HURRY)
    assert decision.late
    assert decision.chosen is not None


def test_one_that_is_too_slow_is_rejected_where_another_is_not() -> None:
    fleet = Fleet((instance(1, bandwidth=1), instance(2, bandwidth=900)))
    decision = decide(HELLO, fleet, Settings(), NO_WISH, Demand(max_time_s=60))
    assert chosen_names(decision) == [("m:8b", "127.0.0.1:2")]
    assert [(r.instance, r.reason) for r in decision.rejected] == [
        ("127.0.0.1:1", Reason.OVER_TIME_LIMIT)
    ]


def test_a_resident_model_goes_before_one_that_must_be_loaded() -> None:
    loaded = LoadedModel(ModelName("m", "8b"), context_length=4096)
    fleet = Fleet((instance(1), instance(2, loaded=(loaded,))))
    assert chosen_names(decide(HELLO, fleet, Settings(), NO_WISH, Demand()))[0][1] == "127.0.0.1:2"


def test_a_resident_model_with_too_little_context_must_be_loaded() -> None:
    loaded = LoadedModel(ModelName("m", "8b"), context_length=64)
    decision = decide(HELLO, Fleet((instance(1, loaded=(loaded,)),)), Settings(), NO_WISH, Demand())
    assert not decision.ranked[0].resident


def test_a_model_that_thinks_is_resident_only_with_room_for_its_thoughts() -> None:
    thinker = replace(instance(1).models[0], capabilities=frozenset({"completion", "thinking"}))
    loaded = LoadedModel(thinker.name, context_length=HELLO.context_tokens)
    fleet = Fleet((instance(1, models=(thinker,), loaded=(loaded,)),))
    assert not decide(HELLO, fleet, Settings(), NO_WISH, Demand()).ranked[0].resident


def test_a_load_that_evicts_counts_for_more_than_one_that_fits() -> None:
    gpu = Gpu(1, GpuSource.CONFIG, 12 * GB)
    other = LoadedModel(ModelName("other"), size=10 * GB, size_vram=10 * GB)
    full, free = instance(1, gpu=gpu, loaded=(other,)), instance(2, gpu=gpu)
    ranked = decide(HELLO, Fleet((full, free)), Settings(), NO_WISH, Demand()).ranked
    assert [c.instance for c in ranked] == [free.id, full.id]
    assert ranked[0].estimate == ranked[1].estimate


def test_on_an_easy_task_powerful_takes_the_able_model_and_fast_the_quick_one() -> None:
    small = Model(ModelName("small"), size_bytes=GB, parameter_size="1B", context_length=8192)
    large = Model(ModelName("large"), size_bytes=20 * GB, parameter_size="32B", context_length=8192)
    fleet = Fleet((instance(1, models=(small, large)),))
    easy = analyse(Question("Name the capital of France"))
    chosen = {
        level: decide(easy, fleet, Settings(), NO_WISH, Demand(level)).ranked[0].model
        for level in Performance
    }
    assert chosen[Performance.POWERFUL] == "large:latest"
    assert chosen[Performance.FAST] == "small:latest"
