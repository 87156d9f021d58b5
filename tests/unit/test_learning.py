"""What an answer teaches, and what it must not: every trap of Ollama's own figures."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from taught import (
    ID,
    NAME,
    NOW,
    SIZE,
    attempt,
    machine,
    pair,
    profiles,
    recorded,
    route,
    taught,
    usage,
)

from ollamamaster.domain.answers import Usage
from ollamamaster.domain.learning import keys_of, learnt
from ollamamaster.domain.models import GB, LoadedModel, ModelName
from ollamamaster.domain.profile_rows import instance_key, measured, pair_key
from ollamamaster.domain.profiles import Profiles
from ollamamaster.domain.rates import Source
from ollamamaster.domain.task import TaskType
from ollamamaster.errors import Outcome

if TYPE_CHECKING:
    from ollamamaster.domain.attempt_record import AttemptRecord

# The small model of the recordings, on a CPU.
SMALL: dict[str, Any] = {"size_bytes": 172_000_000, "in_vram": 0.0}


def learnt_rate(name: str, *records: AttemptRecord) -> float | None:
    found = measured(taught(records).get(pair_key(ID, NAME), {}), name)
    return None if found is None else found.median


def test_a_rate_is_what_the_steps_after_the_first_token_took() -> None:
    assert learnt_rate("decode", attempt(usage(decode=42.0))) == pytest.approx(42.0)


def test_recorded_answers_of_different_length_give_the_same_decode_rate() -> None:
    rates = [
        learnt_rate("decode", attempt(recorded(name), **SMALL))
        for name in ("generate-cold", "generate-warm", "generate-warm-same-prompt")
    ]
    assert all(rate is not None and 26 < rate < 32 for rate in rates)


def test_a_recorded_answer_of_two_tokens_says_nothing_of_the_decode_rate() -> None:
    assert learnt_rate("decode", attempt(recorded("generate-num-ctx-reload"), **SMALL)) is None


def test_one_token_says_nothing_of_the_decode_rate() -> None:
    assert learnt_rate("decode", attempt(usage(tokens=1))) is None


def test_a_recorded_cache_hit_does_not_raise_a_known_prefill_rate() -> None:
    cold, warm, hit = (
        attempt(recorded(f"generate-{name}"), **SMALL)
        for name in ("cold", "warm", "warm-same-prompt")
    )
    before = learnt_rate("prefill", cold, warm)
    after = learnt_rate("prefill", cold, warm, hit)
    assert before is not None
    assert after is not None
    assert after < 1.2 * before


def test_cache_hits_that_are_as_frequent_as_misses_do_not_raise_the_prefill_rate() -> None:
    hits = [attempt(usage(prefill=10_000.0 if n % 2 else 1000.0)) for n in range(8)]
    assert learnt_rate("prefill", *hits) == pytest.approx(1000.0, rel=0.1)


def test_an_absurd_prefill_rate_is_not_learnt() -> None:
    assert learnt_rate("prefill", attempt(usage(decode=50.0, prefill=40_000.0))) is None


def test_a_short_prompt_counts_little_for_the_prefill_rate() -> None:
    short, long = attempt(usage(prompt=16, prefill=200.0)), attempt(usage(prompt=4000))
    assert learnt_rate("prefill", long, short) == pytest.approx(1000.0, rel=0.05)


def test_a_recorded_load_of_a_resident_model_is_no_load() -> None:
    warm = attempt(recorded("generate-warm"), resident=False, **SMALL)
    assert learnt_rate("load", warm) is None


def test_a_recorded_load_is_learnt() -> None:
    cold = attempt(recorded("generate-cold"), resident=False, **SMALL)
    assert learnt_rate("load", cold) == pytest.approx(0.286, abs=0.001)


def test_a_load_that_waited_for_a_generation_does_not_raise_the_load_time() -> None:
    # Measured on the same server: 3.9 s for a load of 0.28 s.
    loads = [attempt(usage(load_s=s), resident=False) for s in (0.28, 3.9, 0.29, 0.28, 3.9)]
    assert learnt_rate("load", *loads) == pytest.approx(0.28, rel=0.1)


def test_a_load_beside_others_of_ours_is_not_learnt() -> None:
    assert learnt_rate("load", attempt(usage(load_s=3.9), resident=False, others=1)) is None


def test_no_bus_is_so_fast_as_to_make_a_glance_at_memory_a_load() -> None:
    assert learnt_rate("load", attempt(usage(load_s=0.03), resident=False)) is None


def test_a_rate_shared_with_others_does_not_move_one_that_was_measured_alone() -> None:
    alone = attempt(usage(decode=60.0))
    shared = attempt(usage(decode=30.0), others=1)
    assert learnt_rate("decode", alone, shared, shared, shared) == pytest.approx(60.0)


def test_a_rate_measured_alone_replaces_those_that_were_shared() -> None:
    shared = attempt(usage(decode=15.0), others=3)
    alone = attempt(usage(decode=60.0))
    assert learnt_rate("decode", shared, shared, alone) == pytest.approx(60.0, rel=0.05)


def test_a_rate_that_was_only_seen_shared_lies_between_all_of_it_and_its_share() -> None:
    rate = profiles([attempt(usage(decode=30.0), others=1)] * 5).rates(pair()).decode
    assert 30.0 < rate.median < 60.0 * 1.1
    assert rate.spread > 1.3


def test_prefill_beside_others_is_not_learnt() -> None:
    assert learnt_rate("prefill", attempt(others=1)) is None


@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.OK])
def test_a_failure_teaches_no_rate_and_no_length(outcome: Outcome) -> None:
    rows = taught([attempt(outcome=outcome)])
    assert not any("decode" in row or "answers" in row for row in rows.values())


def test_a_cancelled_attempt_is_a_use_and_no_failure() -> None:
    known = profiles([attempt(outcome=Outcome.CANCELLED)])
    assert known.last_used(ID, NAME) == pytest.approx(NOW + attempt().seconds)
    assert known.failures(ID, NAME) == (0, 0)


def test_an_instance_that_was_not_reached_was_not_used() -> None:
    assert profiles([attempt(outcome=Outcome.CONNECT_ERROR)]).last_used(ID, NAME) is None


def test_the_last_use_is_the_latest_whatever_the_order_of_the_records() -> None:
    late, early = attempt(started_at=NOW + 100), attempt()
    assert profiles([late, early]).last_used(ID, NAME) == NOW + 100 + late.seconds


def test_failures_are_counted_among_the_last_requests() -> None:
    broken = attempt(outcome=Outcome.STREAM_BROKEN)
    assert profiles([attempt(), broken, attempt(), attempt()]).failures(ID, NAME) == (1, 4)


ABSURD = (0.0, -1.0, math.nan, math.inf, 1e300, 1e-300)


@pytest.mark.parametrize("seconds", ABSURD)
@pytest.mark.parametrize("part", ["total_s", "load_s", "prompt_s", "generation_s"])
def test_absurd_durations_never_make_an_absurd_rate(part: str, seconds: float) -> None:
    changed: dict[str, Any] = {part: seconds}
    said = replace(usage(), **changed)
    rates = profiles([attempt(said, resident=False, seconds=6.0)] * 3).rates(pair())
    for rate in (rates.decode, rates.prefill, rates.load_s):
        assert 0 < rate.median < 1e6
        assert 1 <= rate.spread < 100


def test_a_server_that_says_it_took_longer_than_we_waited_is_not_believed() -> None:
    assert learnt_rate("decode", attempt(usage(decode=1.0), seconds=2.0)) is None


def test_a_server_without_durations_teaches_the_length_only() -> None:
    rows = taught([attempt(Usage(prompt_tokens=9, output_tokens=80))])
    assert rows["length", "chat", NAME]["answers"] == [[80.0, False]]
    assert "decode" not in rows[pair_key(ID, NAME)]


def test_one_outlier_does_not_move_a_rate() -> None:
    steady = [attempt(usage(decode=50.0))] * 5
    slow = attempt(usage(decode=5.0))
    assert learnt_rate("decode", *steady, slow) == pytest.approx(50.0, rel=0.02)


def test_an_upgrade_shows_after_three_requests() -> None:
    before, after = [attempt(usage(decode=20.0))] * 8, [attempt(usage(decode=80.0))] * 3
    assert learnt_rate("decode", *before, *after) == pytest.approx(80.0, rel=0.05)


def spilled_instance(share: float) -> LoadedModel:
    return LoadedModel(ModelName.parse(NAME), size=SIZE, size_vram=round(SIZE * share))


def test_a_spilled_model_is_another_thing_than_the_same_one_in_graphics_memory() -> None:
    known = profiles([*[attempt(usage(decode=90.0))] * 5, attempt(usage(decode=6.0), in_vram=0.6)])
    spilled = pair(instance=machine(loaded=(spilled_instance(0.6),)))
    assert known.rates(spilled).decode.median == pytest.approx(6.0, rel=0.2)


def test_a_spilled_model_says_nothing_of_the_instances_other_models() -> None:
    rows = taught([attempt(usage(decode=6.0), in_vram=0.6)] * 5)
    assert not rows[instance_key(ID)]["models"]


def test_a_rate_of_another_share_in_graphics_memory_is_not_used() -> None:
    known = profiles([attempt(usage(decode=6.0), in_vram=0.6)] * 5)
    resident = pair(instance=machine(loaded=(spilled_instance(1.0),)))
    assert known.rates(resident).decode.source is Source.PRIOR


def test_what_is_learnt_of_one_model_tells_of_another_on_the_same_machine() -> None:
    rows = taught([attempt()] * 3)
    assert rows[instance_key(ID)]["models"][NAME]["decode"] == pytest.approx(50.0)


def test_the_overhead_is_what_we_waited_beyond_the_servers_total() -> None:
    said = usage()
    known = profiles([attempt(said, seconds=(said.total_s or 0) + 0.2)] * 3)
    assert known.overhead(machine()).median == pytest.approx(0.2, rel=0.01)


def test_our_own_asking_and_deciding_is_overhead_and_our_own_waiting_is_not() -> None:
    said = usage()
    slow = replace(route(attempt(said), seconds=(said.total_s or 0) + 10.3), waited_s=10.0)
    assert profiles([slow] * 3).overhead(machine()).median == pytest.approx(0.3, rel=0.01)


def test_a_download_before_one_answer_does_not_stay_in_the_overhead() -> None:
    pulled = route(attempt(), seconds=600.0)
    known = profiles([attempt(), attempt(), pulled, attempt()])
    assert known.overhead(machine()).median < 0.05


def test_every_attempt_of_a_route_teaches_its_own_pair() -> None:
    failed = attempt(outcome=Outcome.STREAM_BROKEN, instance="10.0.0.9:11434")
    rows = taught([route(failed, attempt())])
    assert rows[pair_key("10.0.0.9:11434", NAME)]["ended"] == "x"
    assert rows[pair_key(ID, NAME)]["ended"] == "."


def test_embeddings_have_no_length() -> None:
    rows = taught([route(attempt(), kind=TaskType.EMBEDDING)])
    assert not any(kind in {"length", "quiet"} for kind, _, _ in rows)


_any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
_FIELDS = (
    *("decode", "prefill", "load", "overhead", "models", "answers", "runs", "slots", "above"),
    *("below", "ratio", "used_at", "ended", "samples", "median", "sigma", "count"),
)
_damaged = st.dictionaries(st.sampled_from(_FIELDS), _any_json)


@given(st.data())
def test_a_damaged_row_is_as_good_as_none(data: st.DataObject) -> None:
    record = route(attempt())
    rows: Any = {key: data.draw(_damaged | _any_json) for key in sorted(keys_of(record))}
    known = Profiles.from_rows(rows)
    assert known.slots(machine()).count >= 1
    assert known.overhead(machine()).median > 0
    assert known.rates(pair()).decode.median > 0
    known.failures(ID, NAME)
    known.last_used(ID, NAME)
    after = learnt(rows, record)
    assert Profiles.from_rows(after).rates(pair()).decode.median > 0


def test_a_model_that_grew_teaches_with_its_new_size() -> None:
    rows = taught([attempt(), attempt(size_bytes=9 * GB)])
    assert rows[instance_key(ID)]["models"][NAME]["bytes"] == 9 * GB


def test_a_cold_start_of_a_model_that_cannot_fit_says_nothing_of_the_others() -> None:
    huge = attempt(usage(decode=2.0), size_bytes=40 * GB, in_vram=None, resident=False)
    rate = profiles([huge] * 3).rates(pair("other:8b")).decode
    assert rate.source is Source.PRIOR


def test_a_model_that_turns_out_to_be_spilled_no_longer_tells_of_the_others() -> None:
    cold = attempt(usage(decode=5.0), in_vram=None, resident=False)
    rows = taught([cold, attempt(usage(decode=5.0), in_vram=0.7)])
    assert not rows[instance_key(ID)]["models"]


def test_a_recorded_load_so_short_that_it_may_be_none_is_not_learnt() -> None:
    glance = attempt(recorded("generate-keep-alive-forever"), resident=False, **SMALL)
    assert learnt_rate("load", glance) is None
