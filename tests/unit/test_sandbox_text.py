"""What a simulated model says."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ollamamaster.simulator.text import MARK, compose, count_tokens, document_for, seeded


def said(prompt: str, **more: Any) -> str:
    return "".join(compose(prompt, seeded(prompt), **more).text)


@settings(deadline=None)
@given(st.text())
def test_every_answer_begins_with_the_mark(prompt: str) -> None:
    assert said(prompt).startswith(MARK)


@settings(deadline=None)
@given(st.text(), st.integers(1, 50))
def test_no_answer_is_longer_than_its_limit(prompt: str, limit: int) -> None:
    answer = compose(prompt, seeded(prompt), limit=limit, think=True)
    assert answer.tokens <= limit
    assert answer.done_reason == ("length" if answer.tokens == limit else "stop")


def test_the_same_parts_give_the_same_randomness() -> None:
    assert seeded(0, "a").random() == seeded(0, "a").random()
    assert seeded(0, "a").random() != seeded(1, "a").random()


def test_code_is_longer_than_a_fact() -> None:
    def mean(prompt: str) -> float:
        return sum(compose(prompt, random.Random(n)).tokens for n in range(200)) / 200  # noqa: S311

    assert mean("Write a Python function that sorts") > 3 * mean("What is the capital of France?")


def test_json_without_a_schema_is_an_object_with_the_mark() -> None:
    assert json.loads(said("x", form="json")) == {"answer": MARK}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, f"{MARK} text"),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "number"}, 1.0),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"enum": ["a", "b"]}, "a"),
        ({"const": 7}, 7),
        ({"type": ["string", "null"]}, f"{MARK} text"),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, 1),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 3}, [1, 1, 1]),
        ({"type": "array", "items": {"type": "string"}, "maxItems": 0}, []),
        (
            {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}},
            {"a": f"{MARK} text", "b": "text"},
        ),
        ({"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}}, 1),
    ],
)
def test_a_schema_is_kept_and_marked_once(schema: Any, value: Any) -> None:
    assert document_for(schema) == value


def test_a_schema_that_holds_itself_comes_to_an_end() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#"}, "name": {"type": "string"}}}
    assert json.dumps(document_for(node)).count(MARK) == 1


@settings(deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.text() | st.integers(), st.lists))
def test_a_schema_that_is_none_makes_no_error(schema: Any) -> None:
    document_for({"type": "object", "properties": {"x": schema, "y": {"type": schema}}})


def test_other_scripts_take_more_tokens_than_latin() -> None:
    assert count_tokens("海" * 30) > 2 * count_tokens("a" * 30)
