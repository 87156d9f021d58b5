"""What history taught: whom a rate comes from, how long answers are, how many at once."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from taught import ID, NAME, NOW, SIZE, attempt, machine, pair, profiles, route, usage

from ollamamaster.domain.candidates import Wish
from ollamamaster.domain.concurrency import Slots
from ollamamaster.domain.hardware_prior import prior_rates
from ollamamaster.domain.instances import Gpu, GpuSource, InstanceSettings
from ollamamaster.domain.models import GB
from ollamamaster.domain.profiles import Profiles
from ollamamaster.domain.rates import Source
from ollamamaster.domain.selection import Demand, decide
from ollamamaster.domain.settings import Settings
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.domain.task import OUTPUT_TOKENS, Question, Range, TaskType, analyse

if TYPE_CHECKING:
    from ollamamaster.domain.attempt_record import AttemptRecord
    from ollamamaster.domain.records import RouteRecord

HELLO = analyse(Question("hello"))
THINKER = frozenset({"completion", "thinking"})


def test_nothing_learnt_is_the_prior() -> None:
    assert Profiles().rates(pair()) == prior_rates(pair().model, machine())
    assert not Profiles().rates(pair()).known


def test_one_measurement_outweighs_a_prior_that_is_far_off() -> None:
    rate = profiles([attempt(usage(decode=2.0))]).rates(pair()).decode
    assert rate.source is Source.MEASURED
    assert rate.median == pytest.approx(2.0, rel=0.1)


def test_more_measurements_make_a_rate_surer() -> None:
    spreads = [profiles([attempt()] * n).rates(pair()).decode.spread for n in range(6)]
    assert spreads == sorted(spreads, reverse=True)
    assert spreads[5] < 1.15


# Published llama-bench results for models of 2.0, 4.9 and 9.0 GB.
PUBLISHED = {
    "RTX 4090": (24, (237, 148, 92)),
    "RTX 3060": (12, (123, 52, 30)),
    "M1 Max": (44, (59, 45, 25)),
    "M4": (22, (41, 21, 12)),
}
SIZES = (2.0, 4.9, 9.0)


@pytest.mark.parametrize("hardware", PUBLISHED)
@pytest.mark.parametrize("measured", range(3))
@pytest.mark.parametrize("asked", range(3))
def test_a_rate_derived_from_another_size_is_within_its_spread(
    hardware: str, measured: int, asked: int
) -> None:
    vram, rates = PUBLISHED[hardware]
    there = machine(gpu=replace(machine().gpu, vram_total=vram * GB))
    shown = attempt(usage(decode=rates[measured]), size_bytes=round(SIZES[measured] * GB))
    other = pair("other:1b", round(SIZES[asked] * GB), there)
    rate = profiles([shown] * 3).rates(other).decode
    assert rate.source is Source.DERIVED
    assert abs(math.log(rate.median / rates[asked])) <= math.log(rate.spread) * 1.5


def test_a_mixture_of_experts_tells_by_what_it_reads() -> None:
    small = attempt(usage(decode=150.0), size_bytes=14 * GB, active_fraction=0.125)
    known = profiles([small] * 3)
    dense = known.rates(pair("dense:14b", 14 * GB)).decode.median
    light = known.rates(pair("light:2b", round(14 * GB * 0.125))).decode.median
    assert light == pytest.approx(150.0)
    assert dense < 60


def test_a_load_is_derived_from_what_other_models_took() -> None:
    load = attempt(usage(load_s=40.0), size_bytes=20 * GB, resident=False)
    rate = profiles([load] * 3).rates(pair("other:8b", 5 * GB)).load_s
    assert rate.source is Source.DERIVED
    assert 9 < rate.median < 12


def test_another_instance_teaches_nothing_of_this_one() -> None:
    known = profiles([attempt(instance="10.0.0.9:11434")] * 5)
    assert known.rates(pair("other:8b", 5 * GB)).decode.source is Source.PRIOR


def test_what_the_config_says_of_the_bandwidth_is_no_measurement() -> None:
    told = machine(settings=InstanceSettings(bandwidth_gb_s=100.0))
    assert Profiles().rates(pair(instance=told)).decode.source is Source.CONFIGURED


def test_a_cloud_model_is_learnt_without_a_size() -> None:
    said = attempt(usage(decode=120.0), size_bytes=None, in_vram=None)
    cloud = pair(size_bytes=None, remote_host="https://ollama.com:443")
    assert profiles([said] * 5).rates(cloud).decode.median == pytest.approx(120.0, rel=0.01)


@given(st.floats(0.02, 50), st.integers(4, 12))
def test_rates_are_scale_free(factor: float, count: int) -> None:
    """A machine that is so many times as fast is so many times as fast in what is learnt."""

    def decode_and_prefill(speed: float) -> tuple[float, float]:
        said = usage(decode=40.0 * speed, prefill=900.0 * speed)
        rates = profiles([attempt(said)] * count).rates(pair())
        return rates.decode.median, rates.prefill.median

    decode, prefill = decode_and_prefill(1.0)
    assert decode_and_prefill(factor) == pytest.approx((decode * factor, prefill * factor))


@given(st.floats(0.1, 10))
def test_derived_rates_are_scale_free(factor: float) -> None:
    def decode(speed: float) -> float:
        known = profiles([attempt(usage(decode=40.0 * speed))] * 4)
        return known.rates(pair("other:3b", 2 * GB)).decode.median

    assert decode(factor) == pytest.approx(decode(1.0) * factor)


def lengths(*tokens: int, **more: object) -> list[AttemptRecord]:
    return [attempt(usage(tokens=n), **more) for n in tokens]


def test_lengths_begin_as_the_prior_of_the_type() -> None:
    assert Profiles().output(pair(), HELLO) == OUTPUT_TOKENS[TaskType.CHAT]


def test_lengths_are_learnt_for_each_type_and_model() -> None:
    known = profiles([*lengths(*[400] * 30), *lengths(*[30] * 30, model="other:8b")])
    assert known.output(pair("other:8b"), HELLO).p50 < 40
    assert known.output(pair(), HELLO).p50 > 300


def test_a_model_without_answers_takes_the_lengths_of_the_others() -> None:
    known = profiles(lengths(*[400] * 30))
    assert known.output(pair("other:8b"), HELLO).p50 == pytest.approx(400, rel=0.2)


def test_another_type_keeps_its_own_lengths() -> None:
    known = profiles(lengths(*[400] * 30))
    story = analyse(Question("Write a story about the sea"))
    assert known.output(pair(), story) == OUTPUT_TOKENS[story.type]


def test_an_answer_that_was_cut_would_have_been_longer() -> None:
    cut = profiles((lengths(50, limited=True) + lengths(300)) * 10)
    whole = profiles((lengths(50) + lengths(300)) * 10)
    assert cut.output(pair(), HELLO).p20 > 3 * whole.output(pair(), HELLO).p20


def test_answers_that_were_all_cut_do_not_shorten_the_expectation() -> None:
    known = profiles(lengths(*[20] * 30, limited=True))
    assert known.output(pair(), HELLO).p50 == OUTPUT_TOKENS[TaskType.CHAT].p50


def test_a_limit_of_the_person_caps_the_lengths() -> None:
    known = profiles(lengths(*[400] * 30))
    limited = analyse(Question("hello", options={"num_predict": 20}))
    assert known.output(pair(), limited).p80 <= 20


def test_a_length_that_a_person_told_is_not_learnt_away() -> None:
    known = profiles(lengths(*[400] * 30))
    told = replace(HELLO, output_tokens=Range(80, 100, 120), length_said=True)
    assert known.output(pair(), told) == told.output_tokens
    limited = replace(told, output_limit=150)
    assert known.output(pair(capabilities=THINKER), limited).p80 == 150


def test_a_model_that_thinks_writes_twice_as_much_until_it_was_measured() -> None:
    thinker = pair(capabilities=THINKER)
    assert Profiles().output(thinker, HELLO) == OUTPUT_TOKENS[TaskType.CHAT].times(2)
    measured = profiles(lengths(*[300] * 30, thought=True)).output(thinker, HELLO)
    assert measured.p50 == pytest.approx(300, rel=0.2)


def test_answers_without_thoughts_are_kept_apart() -> None:
    quiet = analyse(Question("hello", think=False))
    known = profiles(lengths(*[900] * 20, thought=True))
    thinker = pair(capabilities=THINKER)
    assert known.output(thinker, quiet) == OUTPUT_TOKENS[TaskType.CHAT]


def test_thoughts_do_not_lengthen_the_answers_of_other_models() -> None:
    known = profiles(lengths(*[900] * 20, thought=True))
    assert known.output(pair("other:8b"), HELLO) == OUTPUT_TOKENS[TaskType.CHAT]


@given(st.lists(st.tuples(st.integers(1, 100_000), st.booleans()), max_size=50))
def test_learnt_lengths_are_positive_and_in_order(answers: list[tuple[int, bool]]) -> None:
    known = profiles([attempt(usage(tokens=n), limited=cut) for n, cut in answers])
    output = known.output(pair(), HELLO)
    assert 0 < output.p20 <= output.p50 <= output.p80 <= 100_000


# ---- several at once


def run(began: float, ended: float, *, waited: float = 0.0, others: int = 1) -> AttemptRecord:
    """A request that waited from `began` on and was read and written until `ended`."""
    work = ended - began - waited
    said = usage(tokens=101, decode=100 / (work * 0.9), prefill=200 / (work * 0.1), wait_s=waited)
    return attempt(said, started_at=NOW + began, seconds=ended - began, others=others)


def slots(*attempts: AttemptRecord) -> Slots:
    return profiles(attempts).slots(machine())


def test_one_slot_is_believed() -> None:
    assert slots() == Slots(1, known=False)


def test_the_config_knows_the_slots() -> None:
    told = machine(settings=InstanceSettings(slots=4))
    assert Profiles().slots(told) == Slots(4, known=True)


def test_two_that_both_progressed_prove_two() -> None:
    assert slots(run(0, 4), run(1, 5)) == Slots(2, known=False)


def test_three_that_progressed_prove_three() -> None:
    assert slots(run(0, 4), run(1, 5, others=2), run(1.5, 6, others=2)).count == 3


def test_one_that_began_as_the_other_ended_proves_nothing() -> None:
    assert slots(run(0, 4), run(3.98, 8)) == Slots(1, known=False)


def test_an_end_that_was_heard_of_late_proves_nothing() -> None:
    late = run(0, 4)
    assert slots(replace(late, seconds=late.seconds + 2), run(4, 8)) == Slots(1, known=False)


def test_a_wait_with_one_ahead_proves_one() -> None:
    assert slots(run(0, 4), run(1, 7, waited=3.0)) == Slots(1, known=True)


def test_the_recorded_three_in_a_row_prove_one() -> None:
    # Three of 2.2 s each on one slot took 2.3, 5.3 and 8.4 s, of which waits of 5, 2292 and
    # 5319 ms; the third had two others, of which one ran, so it alone would prove nothing.
    runs = (
        run(0.0, 2.3, waited=0.005, others=1),
        run(0.0, 4.6, waited=2.292, others=1),
        run(0.0, 7.6, waited=5.319, others=2),
    )
    assert slots(*runs) == Slots(1, known=True)


def test_a_wait_whose_cause_is_not_all_known_proves_nothing() -> None:
    assert slots(run(0, 4, others=2), run(1, 7, waited=3.0, others=2)) == Slots(1, known=False)


def test_requests_to_different_models_prove_nothing() -> None:
    assert slots(run(0, 4), replace(run(1, 5), model="other:8b")) == Slots(1, known=False)


def test_a_wait_behind_somebody_else_does_not_undo_two() -> None:
    both = (run(0, 4), run(1, 5))
    assert slots(*both, run(10, 14), run(11, 17, waited=3.0)) == Slots(2, known=False)


def test_a_server_started_anew_with_one_slot_shows_it_by_three_waits() -> None:
    both = (run(0, 4), run(1, 5))
    waits = [r for t in (10, 30, 50) for r in (run(t, t + 4), run(t + 1, t + 7, waited=3.0))]
    assert slots(*both, *waits) == Slots(1, known=True)


def test_two_and_a_wait_for_a_third_prove_the_limit_of_two() -> None:
    both = (run(0, 4, others=2), run(1, 5, others=2))
    assert slots(*both, run(1.2, 8, waited=3.0, others=2)) == Slots(2, known=True)


# ---- tokens of a prompt


def counted(said: int, text: str, **more: object) -> list[RouteRecord]:
    fleet = Fleet((machine(models=(pair().model,)),))
    decision = decide(analyse(Question(text)), fleet, Settings(), Wish(), Demand())
    return [route(attempt(usage(prompt=said), **more), decision=decision)]


LONG = "The quick brown fox jumps over the lazy dog. " * 40


def test_a_tokenizer_that_makes_more_of_a_prompt_is_learnt() -> None:
    task = analyse(Question(LONG))
    known = profiles(counted(round(task.prompt_tokens * 1.5), LONG) * 6)
    assert known.prompt_factor(pair(), task) == pytest.approx(1.5, rel=0.1)


def test_a_short_prompt_says_nothing_of_the_tokenizer() -> None:
    known = profiles(counted(60, "hello") * 6)
    assert known.prompt_factor(pair(), HELLO) == 1.0


def test_a_prompt_cut_to_its_context_says_nothing_of_the_tokenizer() -> None:
    known = profiles(counted(128, LONG, num_ctx=128) * 6)
    assert known.prompt_factor(pair(), analyse(Question(LONG))) == 1.0


def test_images_are_counted_apart() -> None:
    task = analyse(Question(LONG))
    known = profiles(counted(round(task.prompt_tokens * 2), LONG) * 6)
    seen = analyse(Question(LONG, images=1))
    assert known.prompt_factor(pair(), seen) == 1.0


def test_no_server_can_make_a_prompt_a_hundred_times_as_long() -> None:
    task = analyse(Question(LONG))
    known = profiles(counted(task.prompt_tokens * 100, LONG) * 20)
    assert known.prompt_factor(pair(), task) <= 5.0


def test_profiles_of_other_names_are_untouched() -> None:
    known = profiles([attempt()])
    assert known.last_used(ID, "other:8b") is None
    assert known.failures("10.0.0.9:11434", NAME) == (0, 0)


def test_a_range_of_nothing_stays_nothing() -> None:
    task = replace(HELLO, type=TaskType.EMBEDDING, output_tokens=Range(0, 0, 0))
    assert profiles(lengths(1, 1)).output(pair(), task) == Range(0, 0, 0)


def test_what_an_instance_says_anew_counts_for_rates_worked_out_before() -> None:
    known = profiles([attempt(model="other:8b")])
    whole = known.rates(pair())
    smaller = machine(gpu=Gpu(1, GpuSource.CONFIG, SIZE // 2))
    assert known.rates(pair(instance=smaller)).decode.median < whole.decode.median
    assert known.rates(pair()) == whole
