"""About how many tokens a text has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.domain.tokens import estimate_tokens, looks_like_code

PROSE = "The quick brown fox jumps over the lazy dog and runs away into the wood. "
CODE = "for (i = 0; i < n; i++) { sum[i] += a[i] * (b[i] - c[i]); }\n"


def test_no_text_has_no_tokens() -> None:
    assert estimate_tokens("") == 0


@pytest.mark.parametrize(
    ("text", "characters_a_token"),
    [
        (PROSE * 20, 4),
        (CODE * 20, 3),
        ("東京は日本の首都です" * 50, 1.25),
        ("Москва столица России " * 50, 2.2),
    ],
)
def test_the_script_tells_how_many_characters_a_token_has(
    text: str, characters_a_token: float
) -> None:
    assert estimate_tokens(text) == pytest.approx(len(text) / characters_a_token, rel=0.1)


def test_prose_is_no_code() -> None:
    assert not looks_like_code(PROSE)
    assert looks_like_code(CODE)


def test_a_long_text_is_judged_by_all_its_parts() -> None:
    half_and_half = "a word " * 20_000 + "漢字" * 70_000
    tokens = estimate_tokens(half_and_half)
    assert len(half_and_half) / 4 < tokens < len(half_and_half) / 1.25


@given(st.text(min_size=1))
def test_any_text_has_a_token_and_no_more_than_one_a_character(text: str) -> None:
    assert 1 <= estimate_tokens(text) <= len(text)


@given(st.text(alphabet="abc déf漢", max_size=200), st.integers(1, 20))
def test_repeating_a_text_never_lowers_its_tokens(text: str, times: int) -> None:
    assert estimate_tokens(text * times) >= estimate_tokens(text)
