"""Answers that agree: numbers, choices and code as such, other text by its words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.domain.comparison import Method, agreement, cosine, gist, majority


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("42", "The answer is 42."),
        ("1,000", "1000"),
        ("Adding both gives 7 + 5 = 12", "12"),
        ("0.50", "0.5"),
        ("B", "(b)"),
        ("The answer is B.", "B)"),
        ("Yes.", "yes, it is"),
        ("True", "yes"),
        ("```python\nx = 1\n```", "Here you are:\n```\nx = 1  \n\n```"),
    ],
)
def test_the_same_thing_said_in_two_ways_agrees(one: str, other: str) -> None:
    found = agreement([one, other])
    assert found.groups == ((0, 1),)
    assert found.method is Method.EXACT
    assert found.score == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("42", "43"), ("A", "B"), ("yes", "No."), ("```\nx = 1\n```", "```\nx = 2\n```"), ("-4", "4")],
)
def test_two_things_do_not_agree(one: str, other: str) -> None:
    found = agreement([one, other])
    assert found.groups == ((0,), (1,))
    assert found.score == 0


def test_texts_agree_by_their_words() -> None:
    found = agreement(
        [
            "Paris is the capital of France.",
            "The capital of France is Paris",
            "I would bake a cake with flour and eggs.",
        ]
    )
    assert found.groups == ((0, 1), (2,))
    assert found.method is Method.OVERLAP


def test_a_long_text_with_a_year_in_it_is_not_its_year() -> None:
    assert (
        gist("The tower was built in 1889 by an engineer for a fair that many came to see.") is None
    )


def test_texts_agree_by_their_meaning_where_it_is_known() -> None:
    found = agreement(["a dog runs", "the hound is running"], lambda _a, _b: 0.93)
    assert found.groups == ((0, 1),)
    assert found.method is Method.EMBEDDING


def test_a_model_that_gave_no_answer_is_in_no_group() -> None:
    assert agreement(["42", None, "42"]).groups == ((0, 2),)


def test_one_answer_has_no_score() -> None:
    assert agreement(["42"]).score is None


def test_no_answer_at_all_has_no_majority() -> None:
    assert majority(agreement([None, None]), lambda _i: 1.0) is None


def test_the_majority_wins_over_the_most_trusted() -> None:
    trust = [0.9, 0.5, 0.6]
    assert majority(agreement(["41", "42", "42"]), trust.__getitem__) == 2


def test_a_tie_goes_to_the_most_trusted() -> None:
    trust = [0.5, 0.6]
    assert majority(agreement(["41", "42"]), trust.__getitem__) == 1


@given(st.lists(st.one_of(st.none(), st.text(), st.sampled_from(["42", "yes", "B"]))))
def test_every_answer_is_in_exactly_one_group(answers: list[str | None]) -> None:
    found = agreement(answers)
    grouped = sorted(index for group in found.groups for index in group)
    assert grouped == [index for index, answer in enumerate(answers) if answer is not None]
    assert found.score is None or 0 <= found.score <= 1


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5))
def test_a_vector_is_like_itself_or_has_no_length(vector: list[float]) -> None:
    assert cosine(vector, vector) == pytest.approx(1) or cosine(vector, vector) == 0
