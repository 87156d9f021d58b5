"""Which JSON is taken from models, tools and people."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.domain.json_values import MAX_DEPTH, is_deep, is_json, read_json
from ollamamaster.domain.tools import data_of

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(_VALUES)
def test_what_is_taken_can_be_written_and_what_cannot_is_refused(value: object) -> None:
    text = json.dumps(value)
    if is_json(value):
        assert json.loads(json.dumps(read_json(text), allow_nan=False)) == value
    else:
        with pytest.raises(ValueError, match="Out of range"):
            json.dumps(value, allow_nan=False)
        with pytest.raises(ValueError, match=r"no JSON|float"):
            read_json(text)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 900, 100_000])
@pytest.mark.parametrize(("opens", "closes"), [("[", "]"), ('{"a":', "}")])
def test_what_is_too_deep_is_refused(depth: int, opens: str, closes: str) -> None:
    text = opens * depth + "1" + closes * depth
    with pytest.raises(ValueError, match="deep"):
        read_json(text)
    assert data_of(text) is None


def test_what_people_write_is_not_deep() -> None:
    value: object = 1
    for _ in range(MAX_DEPTH - 1):
        value = [value]
    assert is_json(value)
    assert not is_deep(value)
    assert is_deep([[value]])


@pytest.mark.parametrize("text", ['{"x": 1e999}', "[NaN]", "[-Infinity]", "[1,]", "plain"])
def test_text_that_is_no_json_has_no_data(text: str) -> None:
    assert data_of(text) is None
