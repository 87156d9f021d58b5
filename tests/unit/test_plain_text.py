"""What may reach a terminal, and what a cell."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.domain.plain_text import cell, cleaned, one_line

# Every character there is, lone surrogates among them, and more of those that could do harm.
ANY = st.text(alphabet=st.characters() | st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp"]))


def controls(text: str) -> set[str]:
    return {c for c in text if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}}


@given(ANY)
def test_cleaned_text_has_no_control_but_newlines_and_tabs(text: str) -> None:
    assert controls(cleaned(text)) <= {"\n", "\t"}


@given(ANY)
def test_a_cell_has_no_control_no_tab_and_no_newline(text: str) -> None:
    assert not controls(cell(text))


@given(ANY, st.none() | st.integers(1, 50))
def test_one_line_is_one_line_within_its_limit(text: str, limit: int | None) -> None:
    line = one_line(text, limit)
    assert not controls(line)
    assert limit is None or len(line) <= limit


@given(ANY)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert cleaned(cleaned(text)) == cleaned(text)
    assert cell(cell(text)) == cell(text)


@given(ANY)
def test_what_is_left_can_be_encoded(text: str) -> None:
    assert cleaned(text).encode().decode() == cleaned(text)
    assert cell(text).encode().decode() == cell(text)


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert cleaned(text) == text
    assert cell(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("\x1b]0;title\x07", "]0;title"),
        ("\x9b2J", "2J"),
        ("a\u202eb", "ab"),
        ("a\rb", "ab"),
        ("a\u2028b", "ab"),
        ("[bold red]x[/]", "[bold red]x[/]"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("tab\there\n", "tab\there\n"),
    ],
)
def test_what_acts_goes_and_what_is_seen_stays(text: str, expected: str) -> None:
    assert cleaned(text) == expected


def test_tabs_and_newlines_become_a_space_in_a_cell() -> None:
    assert cell("a\tb\nc\r\nd") == "a b c d"
