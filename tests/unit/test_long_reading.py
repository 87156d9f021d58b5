"""How a text is read in parts: which requests, how large the parts, how many at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import fleets

from ollamamaster.domain.candidates import Wish
from ollamamaster.domain.long_reading import (
    NOTE_WORDS,
    beginnings,
    concluding,
    contexts,
    expected_notes,
    merging,
    note_of,
    overlap_of,
    part_limit,
    planned,
    reading,
)
from ollamamaster.domain.options import options_of
from ollamamaster.domain.profiles import Profiles
from ollamamaster.domain.routing import Document, Long, RouteRequest
from ollamamaster.domain.selection import Demand, decide, for_a_team
from ollamamaster.domain.settings import Settings
from ollamamaster.domain.splitting import parts_of
from ollamamaster.domain.task import analyse
from ollamamaster.domain.tokens import estimate_tokens

if TYPE_CHECKING:
    from ollamamaster.domain.snapshot import Fleet

QUESTION = RouteRequest(
    "Which risks?",
    system="Answer in German.",
    images=(b"x",),
    format="json",
    options={"num_predict": 50, "seed": 1},
    max_time_s=60,
    long=Long.SPLIT,
)
TEXT = Document("a.txt", "The tide comes twice a day. " * 4_000)


@pytest.mark.parametrize("made", [reading(QUESTION, (TEXT,), 3, 9), merging(QUESTION, (TEXT,))])
def test_a_note_has_no_form_no_images_and_no_limit_of_the_answer(made: RouteRequest) -> None:
    assert (made.format, made.images, made.max_time_s) == (None, (), None)
    assert made.options == {"seed": 1}
    assert made.system == QUESTION.system


def test_the_answer_has_the_form_and_the_limits_that_were_asked_for() -> None:
    made = concluding(QUESTION, (TEXT,))
    assert (made.format, made.images, made.options) == ("json", (b"x",), QUESTION.options)


def test_the_answer_is_asked_to_say_what_is_missing() -> None:
    assert "a.txt, page 3" in concluding(QUESTION, (), ["a.txt, page 3"]).prompt
    assert "could not be read" not in concluding(QUESTION, ()).prompt


def test_the_length_of_a_note_is_said_so_that_it_is_expected() -> None:
    task = analyse(reading(QUESTION, (TEXT,), 1, 2).question)
    assert task.length_said
    assert task.output_tokens.p50 == pytest.approx(NOTE_WORDS * 1.33)


def test_a_note_is_named_by_what_it_is_about() -> None:
    assert note_of("a.pdf, page 1", " text\n") == Document("notes on a.pdf, page 1", "text")


def test_of_a_long_note_the_beginning_is_left_and_a_short_one_is_left_whole() -> None:
    short = Document("b.txt", "Twice a day.")
    cut, whole = beginnings([TEXT, short], 100)
    assert TEXT.text.startswith(cut.text)
    assert 40 <= estimate_tokens(cut.text) <= 100
    assert whole == short


@given(st.integers(1, 2_000_000))
def test_contexts_are_steps_from_the_longest_down(longest: int) -> None:
    steps = list(contexts(longest))
    assert steps == sorted(steps, reverse=True)
    assert steps[-1] == 4096
    assert all(step <= max(longest, 4096) for step in steps)


@pytest.mark.parametrize("context", [4096, 8192, 32_768, 131_072])
def test_a_part_of_the_limit_fits_its_context_with_question_and_note(context: int) -> None:
    limit = part_limit(QUESTION, context)
    largest = max(parts_of([TEXT], limit, overlap_of(limit)), key=lambda part: part.tokens)
    task = analyse(reading(QUESTION, largest.documents, 99, 99).question)
    assert task.context_tokens <= context


def test_a_long_question_leaves_less_room_for_the_part() -> None:
    long = replace(QUESTION, prompt="Which risks? " * 200)
    assert part_limit(long, 4096) < part_limit(QUESTION, 4096) - 400


def test_what_is_repeated_is_little() -> None:
    assert overlap_of(1000) == 50
    assert overlap_of(1_000_000) == 150


@given(fleets(), st.integers(1, 60))
def test_a_plan_has_at_least_one_and_at_most_all_parts_under_way(fleet: Fleet, count: int) -> None:
    decision = decide(analyse(QUESTION.question), fleet, Settings(), Wish(), Demand())
    if not decision.ranked:
        return
    parts = parts_of([Document("a", "word " * 2_000)], 1_000) * count
    plan = planned(parts, 1_000, decision, None, Profiles(), 0.03)
    assert 1 <= plan.under_way <= len(parts)
    assert sum(plan.together.shares) == len(parts)
    assert {w.candidate.pair.key for w in plan.together.workers} <= plan.team


@given(fleets())
def test_the_team_goes_first_and_by_time_alone(fleet: Fleet) -> None:
    decision = decide(analyse(QUESTION.question), fleet, Settings(), Wish(), Demand())
    team = {candidate.pair.key for candidate in decision.ranked[1::2]}
    ranked = for_a_team(decision, team).ranked
    assert {c.pair.key for c in ranked} == {c.pair.key for c in decision.ranked}
    assert all(c.member for c in ranked[: len(team)])
    assert not any(c.member for c in ranked[len(team) :])
    times = [c.terms["time"] for c in ranked[: len(team)]]
    assert times == sorted(times, reverse=True)
    for candidate in ranked:
        assert candidate.score == pytest.approx(sum(candidate.terms.values()))


@given(fleets())
def test_a_member_is_weighed_by_its_median(fleet: Fleet) -> None:
    decision = decide(analyse(QUESTION.question), fleet, Settings(), Wish(), Demand())
    team = [candidate.pair.key for candidate in decision.ranked]
    ranked = for_a_team(decision, team)
    assert all(option.above_s == 0.0 for option in options_of(ranked, ranked.ranked))


def test_notes_are_expected_to_be_as_long_as_they_are_asked_to_be() -> None:
    assert len(expected_notes(7)) == 7
