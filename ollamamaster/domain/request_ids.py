"""What is a request called? Short to type, in the order of time, not to be guessed."""

from __future__ import annotations

# Crockford's base 32: no i, l, o and u, which are mistaken for others.
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_BITS_A_DIGIT = 5
# Seven digits count tenths of a second from 2020-01-01 until 2128.
_SINCE = 1_577_836_800
_TICKS_A_SECOND = 10
_TIME_DIGITS = 7
# Two of the same tenth of a second are the same by chance once in 33 million.
CHANCE_BITS = 25


def request_id(at: float, chance: int) -> str:
    """The id of a request that began `at` (seconds since the epoch).

    Of `chance`, which is random, the lowest CHANCE_BITS count; ids sort as their times do.
    """
    ticks = max(0, round((at - _SINCE) * _TICKS_A_SECOND))
    return _digits(ticks, _TIME_DIGITS) + _digits(chance, CHANCE_BITS // _BITS_A_DIGIT)


def as_typed(text: str) -> str:
    """An id, or the beginning of one, as ids are written."""
    return text.strip().lower()


def _digits(number: int, count: int) -> str:
    shifts = range((count - 1) * _BITS_A_DIGIT, -1, -_BITS_A_DIGIT)
    return "".join(_DIGITS[(number >> shift) & (len(_DIGITS) - 1)] for shift in shifts)
