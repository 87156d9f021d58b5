"""How much context is asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.domain.context import (
    SMALLEST_CONTEXT,
    context_step,
    context_to_ask,
    may_truncate_silently,
    next_context,
)
from ollamamaster.domain.models import LoadedModel, Model, ModelName

NAME = ModelName("m")


@pytest.mark.parametrize(
    ("tokens", "limit", "expected"),
    [
        (1, None, 4096),
        (4096, None, 4096),
        (4097, None, 8192),
        (20_000, None, 32_768),
        (20_000, 24_000, 24_000),
        (1, 2048, 2048),
    ],
)
def test_a_step_is_a_power_of_two_up_to_the_models_own_limit(
    tokens: int, limit: int | None, expected: int
) -> None:
    assert context_step(tokens, limit) == expected


@given(st.integers(0, 2_000_000), st.none() | st.integers(1, 1_000_000))
def test_a_step_holds_what_is_needed_unless_the_model_cannot(
    tokens: int, limit: int | None
) -> None:
    step = context_step(tokens, limit)
    assert step >= tokens or step == limit
    assert limit is None or step <= limit


def test_a_resident_context_that_is_enough_is_kept() -> None:
    loaded = LoadedModel(NAME, context_length=10_000)
    assert context_to_ask(9_000, Model(NAME, context_length=131_072), loaded) == 10_000


@pytest.mark.parametrize("resident", [None, 2048])
def test_a_resident_context_that_is_unknown_or_too_small_is_not(resident: int | None) -> None:
    loaded = LoadedModel(NAME, context_length=resident)
    assert context_to_ask(5_000, Model(NAME), loaded) == 8192


@pytest.mark.parametrize(
    ("room", "asked"),
    [(None, 32_768), (40_000, 32_768), (30_000, 29_696), (20_100, 20_000), (19_000, 32_768)],
)
def test_a_step_that_memory_has_no_room_for_becomes_what_it_has_room_for(
    room: int | None, asked: int
) -> None:
    assert context_to_ask(20_000, Model(NAME), None, room) == asked


@given(st.integers(1, 1_000_000), st.integers(-1000, 1_000_000))
def test_room_never_makes_the_context_too_small(needed: int, room: int) -> None:
    assert context_to_ask(needed, Model(NAME), None, room) >= needed


@given(st.integers(1, 1_000_000), st.none() | st.integers(1, 1_000_000))
def test_the_next_step_is_larger_or_there_is_none(asked: int, limit: int | None) -> None:
    larger = next_context(asked, limit)
    assert larger is None or asked < larger <= (limit or larger)
    if larger is None:
        assert limit is not None
        assert asked >= min(limit, SMALLEST_CONTEXT) or asked >= limit


@pytest.mark.parametrize(
    ("version", "silent"),
    [
        ("0.12.5", True),
        ("0.1.48", True),
        ("0.12.5-rc1", True),
        ("0.12.6", False),
        ("0.24.0-sandbox", False),
        ("1.0.0", False),
        (None, False),
        ("", False),
        ("main", False),
        ("0.0.0.1", False),
    ],
)
def test_only_servers_before_0_12_6_truncate_in_silence(version: str | None, silent: bool) -> None:
    assert may_truncate_silently(version) is silent
