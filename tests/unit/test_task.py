"""What a prompt is taken for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import questions

from ollamamaster.domain.task import Question, TaskType, analyse


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("hi there", TaskType.CHAT),
        ("What is the capital of France?", TaskType.QA),
        ("Fix this python function: it never returns", TaskType.CODE),
        ("def area(r):\n    return 3.14 * r ** 2", TaskType.CODE),
        ("SELECT name FROM users WHERE id = 3", TaskType.CODE),
        ("Prove that there are infinitely many primes", TaskType.MATH),
        ("A train leaves at 3 and takes 4 + 5 hours", TaskType.MATH),
        ("Summarise this report", TaskType.DOCUMENT),
        ("Key insights of the 50-page report, please", TaskType.DOCUMENT),
        ("Write a poem about the sea", TaskType.WRITING),
        ("Translate 'good evening' into German", TaskType.WRITING),
        ("Compare cats with dogs", TaskType.REASONING),
        ("Should I buy a house or rent one?", TaskType.REASONING),
        ("Thanks!", TaskType.CHAT),
    ],
)
def test_a_prompt_has_the_type_a_person_would_say(prompt: str, expected: TaskType) -> None:
    assert analyse(Question(prompt)).type is expected


def test_images_make_it_vision_whatever_the_words() -> None:
    task = analyse(Question("Write python code", images=2))
    assert task.type is TaskType.VISION
    assert "vision" in task.needs
    assert "2 images" in task.evidence


def test_no_images_need_no_vision() -> None:
    assert analyse(Question("What is on this picture?")).needs == {"completion"}


def test_thinking_is_needed_only_when_it_is_asked_for() -> None:
    assert "thinking" in analyse(Question("hi", think=True)).needs
    assert "thinking" not in analyse(Question("hi", think=False)).needs
    assert "thinking" not in analyse(Question("hi")).needs


def test_a_long_attachment_makes_it_a_document() -> None:
    report = "The quarter went well. " * 2000
    assert analyse(Question("insights?", documents=(report,))).type is TaskType.DOCUMENT


def test_attached_source_code_stays_code() -> None:
    source = "def f(x):\n    return {'a': [x, (x + 1)]}\n" * 1000
    task = analyse(Question("Refactor this function", documents=(source,)))
    assert task.type is TaskType.CODE


def test_a_longer_prompt_is_no_less_complex() -> None:
    assert (
        analyse(Question("Explain this. " * 400)).complexity
        >= analyse(Question("Explain this.")).complexity
    )


def test_hard_words_are_more_complex_than_easy_ones() -> None:
    hard = analyse(Question("Explain rigorously and in depth why the sky is blue"))
    easy = analyse(Question("Explain briefly, in one sentence, why the sky is blue"))
    assert hard.complexity > easy.complexity


def test_the_attachments_count_as_prompt() -> None:
    bare = analyse(Question("insights?"))
    with_file = analyse(Question("insights?", documents=("a" * 4000,)))
    assert with_file.prompt_tokens == pytest.approx(bare.prompt_tokens + 1000, abs=2)


@pytest.mark.parametrize("limit", [1, 10, 100])
def test_num_predict_bounds_the_expected_answer(limit: int) -> None:
    task = analyse(Question("Write a story", options={"num_predict": limit}))
    assert task.output_tokens.p80 == limit


@pytest.mark.parametrize("limit", [-1, -2, 0, "many", None])
def test_a_num_predict_that_is_no_limit_bounds_nothing(limit: object) -> None:
    task = analyse(Question("Write a story", options={"num_predict": limit}))
    assert task.output_tokens == analyse(Question("Write a story")).output_tokens


@given(questions())
def test_every_question_has_a_task_in_its_bounds(question: Question) -> None:
    task = analyse(question)
    output = task.output_tokens
    assert 0 <= task.complexity <= 1
    assert 0 <= output.p20 <= output.p50 <= output.p80
    assert task.context_tokens >= task.prompt_tokens + output.p80 - 1
    assert task.evidence


@given(st.text(alphabet=st.characters(categories=["L"]), min_size=12, max_size=40))
def test_the_evidence_never_has_words_of_the_prompt(secret: str) -> None:
    task = analyse(Question(f"Summarise what {secret} said", documents=(secret * 300,)))
    assert not any(secret in line for line in task.evidence)
