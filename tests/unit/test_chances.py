"""How likely a limit is kept, and a language spoken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.domain import chances
from ollamamaster.domain.languages import share_that_speak, speaks
from ollamamaster.domain.models import Model, ModelName
from ollamamaster.domain.rates import Rate, Source
from ollamamaster.domain.task import Range


def test_the_limit_at_the_80_percent_quantile_holds_in_80_percent() -> None:
    assert chances.at_most(Range(2, 4, 9), 9) == pytest.approx(0.8, abs=1e-4)
    assert chances.at_most(Range(2, 4, 9), 4) == pytest.approx(0.5)
    assert chances.at_most(Range(2, 4, 9), 2) == pytest.approx(0.2, abs=1e-4)


def test_a_rate_is_at_least_its_20_percent_quantile_in_80_percent() -> None:
    rate = Rate(50.0, 2.0, Source.MEASURED, 9)
    assert chances.at_least(rate, 25.0) == pytest.approx(0.8, abs=1e-4)


@given(st.floats(0.1, 50), st.floats(1, 600), st.floats(1.01, 4))
def test_a_later_limit_is_never_less_likely_to_be_kept(
    median: float, limit: float, more: float
) -> None:
    value = Range(median / 2, median, median * 3)
    assert chances.at_most(value, limit) <= chances.at_most(value, limit * more)


def test_the_longest_beginning_of_a_name_says_its_languages() -> None:
    assert speaks(Model(ModelName.parse("phi4-mini:3.8b")), "Polish") is True
    assert speaks(Model(ModelName.parse("phi4:14b")), "Polish") is False
    assert speaks(Model(ModelName.parse("mine:1b")), "Polish") is None
    assert 0 < share_that_speak("Polish") < share_that_speak("German") < 1
