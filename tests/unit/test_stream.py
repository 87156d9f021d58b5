from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.ollama.stream import (
    MAX_BRACKETS,
    MAX_DEPTH,
    TAGS,
    LineReader,
    WireError,
    parse,
    parse_object,
)


@given(
    lines=st.lists(st.text(alphabet="ab {}é", min_size=1, max_size=9).map(str.strip)),
    cuts=st.lists(st.integers(0, 200), max_size=8),
)
def test_lines_come_out_whole_however_the_bytes_are_cut(lines: list[str], cuts: list[int]) -> None:
    data = "".join(f"{line}\n" for line in lines).encode()
    reader = LineReader()
    places = sorted({0, len(data), *(min(c, len(data)) for c in cuts)})
    found = [line for a, b in pairwise(places) for line in reader.feed(data[a:b])]
    assert found == [line.encode() for line in lines if line]


def test_carriage_returns_and_empty_lines_are_no_content() -> None:
    assert LineReader().feed(b"\r\n\n  \n{}\r\n") == [b"{}"]


def test_the_rest_is_what_has_no_newline_yet() -> None:
    reader = LineReader()
    reader.feed(b'{"a":1}\n{"b"')
    assert reader.rest() == b'{"b"'


def test_a_line_that_never_ends_is_refused_at_the_limit() -> None:
    reader = LineReader(max_line_bytes=10)
    reader.feed(b"12345678")
    with pytest.raises(WireError):
        reader.feed(b"901")


def test_a_finished_line_over_the_limit_is_refused() -> None:
    with pytest.raises(WireError):
        LineReader(max_line_bytes=10).feed(b"12345678901\n")


def test_nesting_up_to_the_limit_is_read() -> None:
    data = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert json.dumps(parse(data)).encode() == data


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_deeper_nesting_is_refused_however_deep(opening: bytes) -> None:
    with pytest.raises(WireError, match="nested"):
        parse(opening * 50_000)


@pytest.mark.parametrize("part", [b"[],", b"{},", b'{"a":[]},'])
def test_more_lists_and_objects_than_any_answer_has_are_refused(part: bytes) -> None:
    with pytest.raises(WireError, match="more than"):
        parse(b"[" + part * MAX_BRACKETS + b"[]]")


def test_a_document_has_no_more_values_than_its_kind_may_have() -> None:
    data = b'{"x":[' + b"1," * TAGS.commas + b"1]}"
    assert len(parse(data)["x"]) == TAGS.commas + 1
    parse(data.replace(b"1,", b"", 1), TAGS)
    with pytest.raises(WireError, match="too large"):
        parse(data.replace(b"1]", b"1,1]"), TAGS)


def test_the_last_line_may_hold_the_context_of_two_million_tokens() -> None:
    line = b'{"done":true,"context":[' + b"128000," * 2_000_000 + b"1]}"
    assert len(parse(line)["context"]) == 2_000_001


@given(st.recursive(st.text('[]{}\\",') | st.integers(), st.lists, max_leaves=200))
def test_whatever_nests_little_is_read(value: object) -> None:
    padded = [value, [[]] * MAX_DEPTH]
    assert parse(json.dumps(padded).encode()) == padded


def test_brackets_inside_texts_do_not_nest() -> None:
    text = '[{"\\' * 1000
    assert parse(json.dumps([text]).encode()) == [text]


def test_many_lists_side_by_side_do_not_nest() -> None:
    assert len(parse(b"[" + b",".join([b"[1]"] * 1000) + b"]")) == 1000


@pytest.mark.parametrize("data", [b'"\\"' * 2_000_000 + b"[" * 65, b'"' + b"\\[" * 2_000_000])
def test_texts_without_an_end_are_refused_in_one_pass(data: bytes) -> None:
    with pytest.raises(WireError):
        parse(data)


@pytest.mark.parametrize("data", [b"", b"<html>", b"NaN", b"[1", b"\xff\xfe\x00", b"9" * 5000])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        parse(data)


@pytest.mark.parametrize("value", [[], "x", 5, None, True, 1.5])
def test_a_document_that_is_no_object_is_refused(value: Any) -> None:
    with pytest.raises(WireError, match="object was expected"):
        parse_object(json.dumps(value).encode())
