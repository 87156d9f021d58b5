"""Changing one entry of a JSON text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.storage.json_text import JsonTextError, value_of, with_entry, without_entry

SERVER = {"command": "/bin/x", "args": ["serve-mcp"]}
SETTINGS = """\
{
    // the person's own words
    "theme": "dark", /* and more */
    "servers": {
        "other": { "command": "y" }, // keep me
    },
    "last": [1, 2, 3,],
}
"""

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.text(), values, max_size=4)


def test_comments_and_everything_else_stay() -> None:
    after = with_entry(SETTINGS, ("servers", "ours"), SERVER)
    assert after == SETTINGS.replace(
        "// keep me\n",
        "// keep me\n"
        '        "ours": {\n'
        '            "command": "/bin/x",\n'
        '            "args": [\n'
        '                "serve-mcp"\n'
        "            ]\n"
        "        }\n",
    )


def test_a_comment_behind_the_last_entry_stays_with_it() -> None:
    text = '{\n  "a": 1 // one\n}\n'
    assert with_entry(text, ("b",), 2) == '{\n  "a": 1, // one\n  "b": 2\n}\n'


def test_a_text_on_one_line_is_still_the_same_but_for_the_entry() -> None:
    assert value_of(with_entry('{"a": 1}', ("b", "c"), 2)) == {"a": 1, "b": {"c": 2}}


def test_tabs_and_line_ends_are_those_of_the_text() -> None:
    after = with_entry('{\r\n\t"a": 1\r\n}\r\n', ("b",), {"c": 2})
    assert after == '{\r\n\t"a": 1,\r\n\t"b": {\r\n\t\t"c": 2\r\n\t}\r\n}\r\n'


def test_a_mark_at_the_beginning_stays() -> None:
    after = with_entry('\ufeff{"a": 1}', ("a",), 2)
    assert after == '\ufeff{"a": 2}'


@pytest.mark.parametrize("text", ["", " \n", "\ufeff"])
def test_an_empty_text_becomes_an_object(text: str) -> None:
    assert value_of(with_entry(text, ("a", "b"), 1)) == {"a": {"b": 1}}


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[1",
        '{"a" 1}',
        '{"a": }',
        '{"a": 1} x',
        '{"a": 01}',
        "{a: 1}",
        '{"a": "\\x"}',
        '{"a": 1 "b": 2}',
        "{,}",
        "/*",
        "[" * 1000,
    ],
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(JsonTextError, match="line 1"):
        with_entry(text, ("a",), 1)


def test_a_way_through_something_else_than_an_object_is_refused() -> None:
    with pytest.raises(JsonTextError, match="servers is no object"):
        with_entry('{"servers": []}', ("servers", "a"), 1)


@pytest.mark.parametrize(
    ("text", "path", "after"),
    [
        ('{"a": 1, "b": 2}', ("a",), '{"b": 2}'),
        ('{"a": 1, "b": 2}', ("b",), '{"a": 1}'),
        ('{"a": 1}', ("a",), "{}"),
        ('{\n  "a": 1,\n  "b": 2\n}', ("a",), '{\n  "b": 2\n}'),
        ('{\n  "a": 1,\n  "b": 2\n}', ("b",), '{\n  "a": 1\n}'),
        ('{\n  "a": 1, // one\n  "b": 2\n}', ("b",), '{\n  "a": 1 // one\n}'),
        ('{\n  "a": 1,\n  "b": 2,\n}', ("b",), '{\n  "a": 1,\n}'),
        ('{"a": 1}', ("b",), '{"a": 1}'),
    ],
)
def test_an_entry_is_taken_out_with_its_comma(text: str, path: tuple[str, ...], after: str) -> None:
    assert without_entry(text, path) == after


@given(objects)
def test_json_is_read_as_python_reads_it(document: dict[str, object]) -> None:
    assert value_of(json.dumps(document)) == document


@given(objects, st.text(), st.text(), values, st.sampled_from([None, 2, "\t"]))
def test_only_the_entry_changes(
    document: dict[str, object], table: str, name: str, value: object, indent: int | str | None
) -> None:
    document.pop(table, None)
    with_table = {**document, table: {"other": 1}}
    after = value_of(with_entry(json.dumps(with_table, indent=indent), (table, name), value))
    assert after == {**document, table: {"other": 1, name: value}}


@given(objects, st.text(), values, st.sampled_from([None, 2, "\t"]))
def test_putting_in_and_taking_out_is_as_if_nothing_was(
    document: dict[str, object], name: str, value: object, indent: int | str | None
) -> None:
    document.pop(name, None)
    document["other"] = 1
    if name == "other":
        return
    text = json.dumps(document, indent=indent)
    assert without_entry(with_entry(text, (name,), value), (name,)).split() == text.split()
