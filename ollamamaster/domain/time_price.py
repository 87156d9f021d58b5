"""What is time worth? Each doubling of it has a price, in p(success)."""

from __future__ import annotations

import math

# Below half a second nobody notices a difference.
_NOTICED_S = 0.5


def noticed(seconds: float) -> float:
    """The time as far as anybody notices it."""
    return max(seconds, _NOTICED_S)


def doublings(seconds: float) -> float:
    """How many times a second is doubled in it; negative below a second."""
    return math.log2(max(seconds, _NOTICED_S))


def time_term(price: float, seconds: float) -> float:
    """What so many seconds take from the score, in p(success): `price` a doubling."""
    return -price * math.log2(max(seconds, _NOTICED_S))
