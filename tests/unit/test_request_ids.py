from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.domain.request_ids import CHANCE_BITS, as_typed, request_id

moments = st.floats(1_577_836_800, 4_900_000_000)
chances = st.integers(0, 2**CHANCE_BITS - 1)


@given(one=moments, other=moments, chance=chances)
def test_ids_sort_as_their_times_do(one: float, other: float, chance: int) -> None:
    if abs(one - other) > 0.2:
        assert (request_id(one, chance) < request_id(other, chance)) == (one < other)


@given(at=moments, one=chances, other=chances)
def test_another_chance_is_another_id(at: float, one: int, other: int) -> None:
    assert (request_id(at, one) == request_id(at, other)) == (one == other)


@given(at=moments, chance=chances)
def test_an_id_is_twelve_characters_that_need_no_quotes(at: float, chance: int) -> None:
    made = request_id(at, chance)
    assert len(made) == 12
    assert made.isascii()
    assert made.isalnum()
    assert as_typed(f" {made.upper()}\n") == made


def test_no_id_is_the_word_last() -> None:
    assert not set("last") <= set("0123456789abcdefghjkmnpqrstvwxyz")
