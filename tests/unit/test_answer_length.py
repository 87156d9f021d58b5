"""Whether a prompt says how long its answer is to be."""

from __future__ import annotations

import pytest

from ollamamaster.domain.answer_length import is_small_sum, said_length
from ollamamaster.domain.task import Question, analyse


@pytest.mark.parametrize(
    ("prompt", "least", "most"),
    [
        ("Explain gravity in one sentence", 10, 60),
        ("Summarise the plot in 200 words", 180, 400),
        ("Is a tomato a fruit? Yes or no", 1, 30),
        ("Write a haiku about rain", 10, 60),
        ("Erkläre die Schwerkraft in zwei Sätzen", 30, 90),
        ("Explique la gravité en une phrase", 10, 60),
        ("Write three paragraphs about tides", 250, 600),
        ("Translate 'good morning' to French", 3, 30),
        ("Give me just the number", 1, 30),
        ("Write a 500-word essay about tides", 600, 800),
        ("Write me a short 300 word blog post on Rust", 350, 500),
        ("Write an essay of about 2,000 words on tides", 2400, 3000),
        ("Draft a cover letter with 250 words", 300, 400),
        ("Write a novel chapter of 3000 words", 3500, 4500),
        ("Describe tides in 1,000 words", 1200, 1500),
        ("Write a 2-page report on tides", 900, 1100),
        ("Schreibe einen Aufsatz von 500 Wörtern", 600, 800),
    ],
)
def test_a_length_that_is_asked_for_is_understood(prompt: str, least: float, most: float) -> None:
    said = said_length(prompt)
    assert said is not None
    assert least <= said[1] <= most
    assert said[0] < said[1] < said[2]


@pytest.mark.parametrize(
    "prompt",
    [
        "Why is the sky blue?",
        "Summarise this book of 90,000 words",
        "My essay has 500 words; how do I begin it?",
        "Write a Python function that counts words",
        "Write a story about three lines of trains",
        "What does translate mean?",
        "I have two words for you",
        "Write a summary of this article of 3000 words",
        "Write a review of the 300-page novel",
        "Write code that splits a text of 500 words",
        "How do I write a 500-word essay?",
    ],
)
def test_what_does_not_ask_for_a_length_is_left_alone(prompt: str) -> None:
    assert said_length(prompt) is None


def test_a_translation_is_as_long_as_its_text() -> None:
    short = said_length("Translate to German: " + "the river is wide. " * 10)
    long = said_length("Translate to German: " + "the river is wide. " * 100)
    assert short is not None
    assert long is not None
    assert long[1] > 5 * short[1]


@pytest.mark.parametrize("prompt", ["What is 2+2?", "12 * 7", "how much is 9 minus 4", "3 x 5 ="])
def test_one_sum_of_small_numbers_is_easy_and_short(prompt: str) -> None:
    assert is_small_sum(prompt)
    task = analyse(Question(prompt))
    if task.type == "math":
        assert task.complexity <= 0.25
        assert task.output_tokens.p50 <= 20


@pytest.mark.parametrize(
    "prompt",
    ["What is 2+2*3-1?", "What is 123456*98765?", "Solve 2x + 3 = 7", "2+2 is 5, prove it"],
)
def test_a_harder_sum_is_not(prompt: str) -> None:
    assert not is_small_sum(prompt)


def test_an_answer_is_not_longer_than_num_predict_allows() -> None:
    asked = Question("Write a story in 500 words", options={"num_predict": 50})
    assert analyse(asked).output_tokens.p80 == 50
