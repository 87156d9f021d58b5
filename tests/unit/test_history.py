from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from past import ATTEMPT, record

from ollamamaster.cli.history_export import _csv_cell
from ollamamaster.cli.moments import moment
from ollamamaster.cli.render.charts import bar, sparkline
from ollamamaster.cli.render.history import _price_then
from ollamamaster.contract.history import EXPORT_COLUMNS, export_rows
from ollamamaster.contract.times import rfc3339_of
from ollamamaster.domain.history import (
    RECENT,
    LearntRates,
    PastAttempt,
    Promise,
    pair_histories,
    promises_kept,
)
from ollamamaster.domain.settings import PRICE_PER_DOUBLING
from ollamamaster.errors import Outcome, UsageError

NOW = 1_795_348_800.0

outcomes = st.sampled_from([str(each) for each in Outcome])
figures = st.none() | st.floats(0.001, 1e6)
attempts = st.lists(
    st.builds(
        PastAttempt,
        st.sampled_from(["m:1", "n:1"]),
        st.sampled_from(["a:1", "b:1"]),
        outcomes,
        figures,
        figures,
    )
)


@given(tried=attempts)
def test_every_attempt_counts_for_one_pair_and_only_some_fail(tried: list[PastAttempt]) -> None:
    pairs = pair_histories(tried, {})
    assert sum(pair.requests for pair in pairs) == len(tried)
    assert len({(pair.instance, pair.model) for pair in pairs}) == len(pairs)
    stopped = {"ok", "cancelled"}
    assert sum(p.failures for p in pairs) == sum(a.outcome not in stopped for a in tried)
    assert all(len(pair.recent) <= RECENT for pair in pairs)


def test_what_failed_tells_nothing_of_the_speed() -> None:
    slow = PastAttempt("m:1", "a:1", "stream_broken", 99.0, 0.1)
    quick = [PastAttempt("m:1", "a:1", "ok", each, 10 * each) for each in (1.0, 2.0, 3.0)]
    learnt = LearntRates(decode_tokens_per_s=50.0)
    [pair] = pair_histories([slow, *quick], {("m:1", "a:1"): learnt})
    assert (pair.first_token_s, pair.recent, pair.learnt) == (2.0, (10.0, 20.0, 30.0), learnt)


promises = st.lists(
    st.builds(Promise, st.floats(0.01, 100), st.floats(0.01, 100), st.floats(0.01, 100))
)


@given(made=promises)
def test_coverage_is_a_share_and_an_error_not_negative(made: list[Promise]) -> None:
    kept = promises_kept(made)
    assert kept.count == len(made)
    if made:
        assert kept.p80_coverage is not None
        assert kept.median_error is not None
        assert 0 <= kept.p80_coverage <= 1
        assert kept.median_error >= 0
    else:
        assert (kept.p80_coverage, kept.median_error) == (None, None)


def test_coverage_and_error_are_those_of_the_outcomes() -> None:
    made = [Promise(1.0, 2.0, 2.0), Promise(1.0, 2.0, 2.5), Promise(4.0, 5.0, 2.0)]
    kept = promises_kept(made)
    assert kept.p80_coverage == pytest.approx(2 / 3)
    assert kept.median_error == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("text", "age"),
    [("30s", 30), ("5m", 300), ("5 min", 300), ("1.5h", 5400), ("7D", 604_800), ("4w", 2_419_200)],
)
def test_an_age_is_that_long_ago(text: str, age: float) -> None:
    assert moment(text, NOW, option="--since") == NOW - age


def test_a_date_is_of_this_machines_clock_unless_it_names_a_zone() -> None:
    local = datetime(2026, 11, 1, 18, 30).astimezone().timestamp()
    assert moment("2026-11-01T18:30", NOW, option="--since") == local
    assert moment("2026-11-22T12:00:00Z", NOW, option="--since") == NOW


@pytest.mark.parametrize("text", ["", "soon", "7", "-7d", "7y", "2026-02-30", "nan", "1e9d"])
def test_what_is_no_moment_is_refused_with_the_options_name(text: str) -> None:
    with pytest.raises(UsageError, match="--before"):
        moment(text, NOW, option="--before")


@given(value=st.floats(0, 1e9), longest=st.floats(0.001, 1e9), width=st.integers(1, 40))
def test_a_bar_is_no_longer_than_its_place(value: float, longest: float, width: int) -> None:
    drawn = bar(value, longest, width)
    assert len(drawn) <= width
    assert bool(drawn) == (value > 0)


def test_the_longest_bar_fills_its_place_and_what_is_unknown_has_none() -> None:
    assert bar(3.0, 3.0, 5) == "█████"
    assert bar(1.5, 3.0, 5) == "██▌"
    assert bar(None, 3.0, 5) == ""


@given(values=st.lists(st.floats(0, 1e9)))
def test_a_sparkline_has_a_character_a_value(values: list[float]) -> None:
    assert len(sparkline(values)) == (len(values) if any(values) else 0)


def test_a_sparkline_begins_at_nothing() -> None:
    assert sparkline([0.0, 5.0, 10.0]) == "▁▅█"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_text_of_an_export_is_a_formula(text: str) -> None:
    assert _csv_cell(text) == f"'{text}"
    assert _csv_cell(-1.5) == -1.5


def test_every_row_of_an_export_has_exactly_its_columns() -> None:
    for made in (record(), record(attempts=()), record(attempts=(ATTEMPT, ATTEMPT))):
        for row in export_rows(made):
            assert set(row) == set(EXPORT_COLUMNS)


def test_a_moment_that_no_calendar_has_is_null() -> None:
    assert rfc3339_of(NOW) == "2026-11-22T12:00:00Z"
    assert rfc3339_of(1e300) is None


def test_the_price_of_a_past_decision_is_told_by_its_terms() -> None:
    decision = record().decision
    assert decision is not None
    price = _price_then(decision)
    assert price == pytest.approx(PRICE_PER_DOUBLING[decision.demand.performance], rel=0.01)
