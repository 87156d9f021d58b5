"""The rules for types of prompts, against prompts that a person labelled."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled import TYPES, confusion, labelled_prompts, macro_f1, scores

from ollamamaster.domain.prompt_rule import Prompt, Rule
from ollamamaster.domain.task import Question, TaskType, analyse

PROMPTS = labelled_prompts()
TUNING = [p for p in PROMPTS if not p.held_out]

# Measured: 0.978. Two more prompts taken wrongly are a regression to look at.
FLOOR = 0.96


def test_the_rules_agree_with_a_person_on_the_half_they_were_tuned_on() -> None:
    assert macro_f1(scores(confusion(TUNING))) >= FLOOR


def test_at_least_300_prompts_are_labelled() -> None:
    assert len(PROMPTS) >= 300


def test_every_type_that_words_can_tell_has_as_many_prompts() -> None:
    counts = Counter(p.type for p in PROMPTS)
    assert set(counts) == set(TYPES)
    assert len(set(counts.values())) == 1


def test_no_prompt_is_labelled_twice() -> None:
    plain = Counter(" ".join(p.prompt.lower().split()) for p in PROMPTS)
    assert [prompt for prompt, times in plain.items() if times > 1] == []


def test_each_half_has_enough_prompts_of_each_type() -> None:
    counts = Counter((p.type, p.held_out) for p in PROMPTS)
    assert min(counts[kind, half] for kind in TYPES for half in (False, True)) >= 12


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Send an email to Bob", TaskType.TOOLS),
        ("Write an email to Bob", TaskType.WRITING),
        ("Write a python script that sends an email", TaskType.CODE),
        ("could you please search the web for tomato prices", TaskType.TOOLS),
        ("Does the web have a centre?", TaskType.QA),
        ("How does the internet work?", TaskType.QA),
        ("Is it ok to eat raw eggs?", TaskType.QA),
        ("Compile a list of birds", TaskType.QA),
        ("the rest is silence, who said that?", TaskType.QA),
    ],
)
def test_words_count_by_where_they_stand(prompt: str, expected: TaskType) -> None:
    assert analyse(Question(prompt)).type is expected


def test_words_never_make_tools_a_need() -> None:
    task = analyse(Question("Send an email to Bob"))
    assert task.type is TaskType.TOOLS
    assert task.needs == {"completion"}


@pytest.mark.parametrize("polite", ["please ", "Can you please ", "Hey, could you ", "Bitte "])
def test_politeness_before_a_wish_changes_nothing(polite: str) -> None:
    assert Prompt(f"{polite}book a table").wish == " book a table "


def test_a_star_stands_for_any_ending_and_an_underscore_for_a_space() -> None:
    rule = Rule("test", "summari* key_points")
    assert rule.count(Prompt("Summarizing the key points")) == 2
    assert rule.count(Prompt("a key, but no points; in summary")) == 0


def test_an_opening_counts_at_the_beginning_only() -> None:
    rule = Rule("test", openings="open_the")
    assert rule.count(Prompt("Please open the door")) == 1
    assert rule.count(Prompt("Did he open the door")) == 0


def test_a_rule_for_numbers_is_silent_where_there_are_too_few() -> None:
    rule = Rule("test", "how_many", numbers=2)
    assert rule.count(Prompt("how many are 3 and half of 4")) == 1
    assert rule.count(Prompt("how many moons has Mars")) == 0


def test_a_rule_for_short_prompts_is_silent_on_long_ones() -> None:
    rule = Rule("test", "hi", at_most=3)
    assert rule.count(Prompt("hi you there")) == 1
    assert rule.count(Prompt("hi you over there")) == 0


@given(st.text(max_size=300))
def test_case_and_outer_space_change_no_type(text: str) -> None:
    plain = text.lower().strip()
    assert Prompt(f"\n {plain} \n").words == Prompt(plain).words
    assert Prompt(f"\n {plain} \n").spaced == Prompt(plain).spaced
