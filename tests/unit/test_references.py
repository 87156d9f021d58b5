"""References in a workflow: what is one, what it gives, and that data never becomes one."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.domain.references import (
    Face,
    Given,
    MissingDataError,
    NoReferenceError,
    Reference,
    Root,
    Scope,
    fill_tree,
    is_empty,
    read_reference,
    read_template,
    read_tree,
)

SCOPE = Scope(
    inputs={"topic": "tides", "count": 3, "chapters": ["one", "two"]},
    steps={
        "digest": Given("short", {"verdict": True, "list": [{"name": "a"}]}, "phi4:latest", "a:1"),
        "skipped": Given(),
    },
    item={"title": "moon"},
)


def names() -> st.SearchStrategy[str]:
    return st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,10}", fullmatch=True)


def references() -> st.SearchStrategy[Reference]:
    parts = st.lists(st.from_regex(r"[^\s.{}]{1,8}", fullmatch=True), max_size=3).map(tuple)
    return st.one_of(
        st.builds(Reference, st.just(Root.INPUTS), names()),
        st.builds(Reference, st.just(Root.ITEM), path=parts),
        st.builds(Reference, st.just(Root.STEPS), names(), st.just(Face.DATA), parts),
        st.builds(Reference, st.just(Root.STEPS), names(), st.sampled_from(Face)),
    )


@given(references())
def test_a_reference_reads_back_as_it_is_written(reference: Reference) -> None:
    assert read_reference(f" {reference} ") == reference


@given(st.text())
def test_every_text_is_a_template_or_refused(text: str) -> None:
    with suppress(NoReferenceError):
        assert read_template(text).parts


@given(st.text(alphabet="ab {}\n"))
def test_a_text_without_double_braces_stays_as_it_is(text: str) -> None:
    if "{{" not in text:
        assert read_template(text).fill(SCOPE) == text


@given(st.text())
def test_what_is_put_in_is_never_read_as_a_reference(answer: str) -> None:
    scope = Scope({}, {"model": Given(answer + "{{ inputs.secret }}")})
    filled = read_template("It said: {{ steps.model.text }}").fill(scope)
    assert filled == f"It said: {answer}{{{{ inputs.secret }}}}"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("about {{ inputs.topic }}", "about tides"),
        ("{{inputs.count}}", 3),
        ("{{ inputs.count }} of them", "3 of them"),
        ("{{ inputs.chapters }}", ["one", "two"]),
        ("all: {{ inputs.chapters }}", 'all: ["one", "two"]'),
        ("{{ steps.digest.data.verdict }}", True),
        ("{{ steps.digest.data.list.0.name }}", "a"),
        ("{{ steps.digest.model }} on {{ steps.digest.instance }}", "phi4:latest on a:1"),
        ("{{ item.title }}", "moon"),
        ("{{ item }}", {"title": "moon"}),
        ("{{ steps.skipped.text }}", ""),
        ("{{ steps.skipped.data }}", None),
        ("{{{{ inputs.topic }}", "{{ inputs.topic }}"),
        ("a } b }} c", "a } b }} c"),
    ],
)
def test_a_template_gives(text: str, value: object) -> None:
    assert read_template(text).fill(SCOPE) == value


@pytest.mark.parametrize(
    "text",
    [
        "{{ }}",
        "{{ topic }}",
        "{{ inputs }}",
        "{{ inputs.a.b }}",
        "{{ steps.a }}",
        "{{ steps.a.answer }}",
        "{{ steps.a.text.0 }}",
        "{{ steps.a.data..b }}",
        "{{ inputs.topic",
        "{{ 1 + 1 }}",
        "{{ steps.a.data.{x} }}",
        "{{{ inputs.topic }}}",
    ],
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(NoReferenceError):
        read_template(text)


@pytest.mark.parametrize(
    "text",
    [
        "{{ steps.digest.data.nothing }}",
        "{{ steps.digest.data.list.1 }}",
        "{{ steps.digest.data.list.-1 }}",
        "{{ steps.skipped.data.field }}",
        "{{ item.name }}",
        "{{ steps.digest.data.list." + "9" * 5000 + " }}",
    ],
)
def test_a_path_that_is_not_in_the_data_is_missing(text: str) -> None:
    with pytest.raises(MissingDataError):
        read_template(text).fill(SCOPE)


def test_a_tree_keeps_its_shape_and_fills_its_texts() -> None:
    tree = {"entities": [{"name": "{{ inputs.topic }}", "seen": 2, "of": ["{{ inputs.count }}"]}]}
    assert fill_tree(read_tree(tree), SCOPE) == {
        "entities": [{"name": "tides", "seen": 2, "of": [3]}]
    }


@pytest.mark.parametrize("value", [False, None, 0, "", [], {}, "false", " False ", 0.0, "  "])
def test_a_step_is_skipped_when_it_depends_on(value: object) -> None:
    assert is_empty(value)


@pytest.mark.parametrize("value", [True, 1, "yes", [0], {"a": 0}, "0", "no"])
def test_a_step_runs_when_it_depends_on(value: object) -> None:
    assert not is_empty(value)
