"""What is read of JSON can be passed on to other programs."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.domain.json_values import read_json
from ollamamaster.domain.sendable import sendable
from ollamamaster.domain.tools import data_of

ANY_TEXT = st.text(st.characters())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | ANY_TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner),
    max_leaves=20,
)


@given(JSON)
def test_what_is_read_of_json_can_be_written_in_every_encoding(value: object) -> None:
    read = read_json(json.dumps(value))
    assert json.dumps(read, ensure_ascii=False).encode()
    assert read == sendable(value)


def test_half_of_a_character_is_a_question_mark() -> None:
    assert data_of('{"\\ud800": ["a\\udfffb"]}') == {"?": ["a?b"]}
    assert sendable(("plain", 1, None)) == ["plain", 1, None]
