"""Seconds by part and as a whole, before an answer and while it comes, and how they come true."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import fleets, tasks
from taught import attempt, machine, pair, profiles, route, taught, usage

from ollamamaster.domain.calibration import Calibration
from ollamamaster.domain.estimate import Estimate
from ollamamaster.domain.knowledge import Knowledge
from ollamamaster.domain.machines import Residency
from ollamamaster.domain.models import LoadedModel
from ollamamaster.domain.outlook import Outlook, Prospect, context_needed, prospect
from ollamamaster.domain.pair import Pair
from ollamamaster.domain.profiles import Profiles
from ollamamaster.domain.rates import Rate, Rates, Source
from ollamamaster.domain.remaining import re_estimate
from ollamamaster.domain.task import Question, Range, Task, analyse

if TYPE_CHECKING:
    from ollamamaster.domain.records import RouteRecord
    from ollamamaster.domain.snapshot import Fleet

STORY = analyse(Question("Write a story about the sea"))


def in_memory(of: Pair | None = None) -> Pair:
    """The pair with its model loaded."""
    cold = of or pair()
    model = cold.model
    loaded = LoadedModel(model.name, size=model.size_bytes, size_vram=model.size_bytes)
    there = replace(cold.instance, loaded=(replace(loaded, context_length=131_072),))
    return Pair(model, there)


def expected(of: Pair | None = None, task: Task = STORY, known: Profiles | None = None) -> Prospect:
    return prospect(of or in_memory(), task, Knowledge(profiles=known or Profiles()))


def rates(factor: float = 1.0, spread: float = 1.3) -> Rates:
    decode, prefill, load_s = (
        Rate(median, spread, Source.MEASURED, 5)
        for median in (50 * factor, 900 * factor, 3 / factor)
    )
    return Rates(decode, prefill, load_s)


class Told(Profiles):
    """Profiles that say these rates, and have no overhead."""

    def __init__(self, said: Rates) -> None:
        super().__init__()
        object.__setattr__(self, "said", said)

    def rates(self, pair: Pair) -> Rates:
        del pair
        said: Rates = self.said  # type: ignore[attr-defined]
        return said

    def overhead(self, instance: object) -> Rate:
        del instance
        return Rate(0.0, 1.0, Source.MEASURED)


def test_the_parts_add_up_to_the_median() -> None:
    made = expected(pair())
    said = made.estimate
    parts = said.wait_s + said.load_s + said.prompt_s + said.generation_s
    assert said.p50_s == pytest.approx(parts + made.overhead_s)


def test_a_resident_model_has_no_load() -> None:
    assert expected(in_memory()).estimate.load_s == 0
    assert expected(pair()).estimate.load_s > 0


def test_the_first_token_of_an_answer_costs_no_step() -> None:
    known = Told(rates())
    task = replace(STORY, output_tokens=Range(1, 1, 1))
    assert expected(task=task, known=known).estimate.generation_s == 0


@given(tasks(), st.floats(0.01, 100), st.booleans())
def test_times_are_scale_free(task: Task, factor: float, resident: bool) -> None:
    """A machine that is so many times as fast takes so many times less, in every quantile."""
    of = in_memory() if resident else pair()
    once, scaled = (expected(of, task, Told(said)).estimate for said in (rates(), rates(factor)))
    for name in ("p20_s", "p50_s", "p80_s", "load_s", "prompt_s", "generation_s"):
        assert getattr(scaled, name) * factor == pytest.approx(getattr(once, name))


@given(tasks(), st.floats(1.0, 20))
def test_a_faster_pair_is_never_expected_later(task: Task, factor: float) -> None:
    slow, fast = (expected(pair(), task, Told(said)).estimate for said in (rates(), rates(factor)))
    assert fast.p20_s <= slow.p20_s + 1e-9
    assert fast.p50_s <= slow.p50_s + 1e-9
    assert fast.p80_s <= slow.p80_s + 1e-9


@given(tasks(), st.integers(0, 50_000))
def test_a_longer_prompt_is_never_expected_earlier(task: Task, more: int) -> None:
    longer = replace(task, prompt_tokens=task.prompt_tokens + more)
    assert expected(task=longer).estimate.p80_s >= expected(task=task).estimate.p80_s - 1e-9


@given(st.floats(1.01, 5), st.floats(1.01, 5))
def test_a_less_certain_rate_makes_a_wider_estimate(one: float, other: float) -> None:
    assume(one * 1.01 < other)
    narrow, wide = (expected(known=Told(rates(spread=s))).estimate for s in (one, other))
    assert wide.p80_s > narrow.p80_s
    assert wide.p20_s < narrow.p20_s


@given(tasks())
def test_the_first_token_is_expected_before_the_last(task: Task) -> None:
    made = expected(pair(), task)
    first = made.parts.first_token
    assert 0 < first.p50 <= made.estimate.p50_s + 1e-9
    assert first.p20 <= first.p50 <= first.p80 <= made.first_token_p95_s


def test_the_parts_have_quantiles_in_order() -> None:
    parts = expected(pair()).parts
    for part in (parts.load, parts.prompt, parts.generation, parts.first_token):
        assert 0 < part.p20 < part.p50 < part.p80


def test_a_prompt_that_the_tokenizer_makes_longer_needs_more_context_and_time() -> None:
    plain = context_needed(STORY, STORY.output_tokens)
    assert context_needed(STORY, STORY.output_tokens, 2.0) == plain + STORY.prompt_tokens
    assert context_needed(STORY, STORY.output_tokens, 0.5) == plain


# ---- while it comes


def test_before_the_first_token_the_whole_is_left() -> None:
    made = expected()
    left = re_estimate(made, 0.0, 0, None)
    assert left.p50_s == pytest.approx(made.parts.first_token.p50 + made.parts.generation.p50)
    assert left.tokens_per_s is None


def test_half_an_answer_at_a_known_rate_leaves_half_the_time() -> None:
    known = Told(rates()._replace(decode=Rate(50.0, 1.1, Source.MEASURED, 8)))
    task = replace(STORY, output_tokens=Range(400, 401, 402))
    left = re_estimate(expected(task=task, known=known), 5.0, 200, 1.0)
    assert left.p50_s == pytest.approx(4.02, rel=0.05)
    assert left.tokens_per_s == pytest.approx(199 / 4)


def test_a_stream_that_is_slower_than_expected_takes_longer() -> None:
    made = expected(known=Told(rates()))
    fast, slow = (re_estimate(made, 1 + s, 100, 1.0) for s in (2.0, 20.0))
    assert slow.p50_s > 4 * fast.p50_s


@given(st.floats(0, 1e4), st.integers(0, 100_000), st.none() | st.floats(0, 1e4), tasks())
def test_what_is_left_is_finite_positive_and_in_order(
    elapsed: float, tokens: int, first: float | None, task: Task
) -> None:
    left = re_estimate(expected(pair(), task), elapsed, tokens, first)
    assert 0 <= left.p50_s <= left.p80_s < math.inf


@given(st.integers(2, 5000))
def test_the_length_that_is_expected_never_shrinks_as_tokens_come(tokens: int) -> None:
    made = expected(known=Told(rates()))
    rate = 50.0
    before, after = (
        re_estimate(made, 1 + (n - 1) / rate, n, 1.0).p50_s * rate + n
        for n in (tokens, tokens + 50)
    )
    assert after >= before - 1e-6


# ---- how they come true


def estimates_of(outcomes: list[float], spread: float) -> tuple[float, float, Calibration]:
    """Shares above the p80 and below the p20, of a median of 1 and this spread around it."""
    calibration, above, below = Calibration(), 0, 0
    for seconds in outcomes:
        up, down = (spread - 1) * calibration.above, (1 - 1 / spread) * calibration.below
        said = Estimate(1 - down, 1.0, 1 + up, 0, 0, 0, 1.0)
        above += seconds > said.p80_s
        below += seconds < said.p20_s
        calibration = calibration.after(said, seconds)
    return above / len(outcomes), below / len(outcomes), calibration


def log_normal(seed: int) -> list[float]:
    rng = random.Random(seed)  # noqa: S311 (a simulation, no secret)
    return [math.exp(rng.gauss(0, 0.5)) for _ in range(400)]


@pytest.mark.parametrize("spread", [1.2, 1.6, 2.5])
@pytest.mark.parametrize("seed", range(3))
def test_the_p80_covers_80_of_100_in_the_long_run_whatever_the_spread(
    spread: float, seed: int
) -> None:
    outcomes = log_normal(seed)
    above, below, _ = estimates_of(outcomes, spread)
    assert above == pytest.approx(0.2, abs=0.05)
    assert below == pytest.approx(0.2, abs=0.07)


def test_a_correct_spread_stays_about_as_it_is() -> None:
    _, _, after = estimates_of(log_normal(1), math.exp(0.84 * 0.5))
    assert 0.6 < after.above < 1.6


def test_one_outlier_hardly_moves_the_spread() -> None:
    _, _, after = estimates_of([1e6], 1.5)
    assert after.above < 1.1


@given(st.lists(st.floats(0, 1e6), max_size=300).filter(bool), st.floats(1.1, 5))
def test_the_correction_is_bounded(outcomes: list[float], spread: float) -> None:
    _, _, after = estimates_of(outcomes, spread)
    assert 0.25 <= after.above <= 4
    assert 0.25 <= after.below <= 4


def late(seconds: float) -> RouteRecord:
    return route(attempt(), estimate=Estimate(1, 2, 3, 0, 0, 0, 2), seconds=seconds)


def test_a_late_answer_widens_the_next_estimate_of_its_kind() -> None:
    assert profiles([late(9.0)]).calibration("chat").above > 1
    assert profiles([late(2.0)]).calibration("chat").above < 1
    assert profiles([late(9.0)]).calibration("math") == Calibration()


def test_a_failed_route_does_not_count_as_late() -> None:
    failed = replace(late(9.0), outcome="all_failed")
    assert not any(kind == "calibration" for kind, _, _ in taught([failed]))


def test_a_correction_widens_the_whole_and_no_part() -> None:
    plain = expected(task=replace(STORY, type=late(1).task_type))
    wide = expected(
        task=replace(STORY, type=late(1).task_type),
        known=Profiles.from_rows({("calibration", "chat", ""): {"above": 2.0, "below": 1.0}}),
    )
    assert wide.estimate.p80_s - wide.estimate.p50_s == pytest.approx(
        2 * (plain.estimate.p80_s - plain.estimate.p50_s)
    )
    assert wide.parts == plain.parts


def test_after_five_requests_the_time_of_the_sixth_is_known() -> None:
    task = replace(STORY, output_tokens=Range(200, 201, 202), prompt_tokens=200)
    said = usage(decode=7.0, prefill=60.0)
    made = expected(in_memory(), task, profiles([attempt(said)] * 5))
    assert made.residency is Residency.RESIDENT
    assert made.estimate.generation_s + made.estimate.prompt_s == pytest.approx(
        (said.generation_s or 0) + (said.prompt_s or 0), rel=0.05
    )


def test_the_overhead_is_in_the_whole() -> None:
    known = profiles([attempt(seconds=(usage().total_s or 0) + 1.0)] * 5)
    assert expected(known=known).overhead_s == pytest.approx(1.0, rel=0.01)
    assert machine().latency_ms is None


@given(fleets(least=1), tasks())
def test_what_is_expected_of_a_pair_does_not_depend_on_those_looked_at_before(
    fleet: Fleet, task: Task
) -> None:
    rows = taught([attempt(instance=i.id, model=str(m.name)) for i in fleet for m in i.models[:1]])
    outlook = Outlook(task, Knowledge(profiles=Profiles.from_rows(rows)))
    pairs = [Pair(model, instance) for instance in fleet for model in instance.models]
    for each in (*pairs, *reversed(pairs)):
        assert outlook(each) == expected(each, task, Profiles.from_rows(rows))
