"""How long will an answer still take, given what has come of it?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollamamaster.domain.measures import Z80

if TYPE_CHECKING:
    from ollamamaster.domain.outlook import Prospect
    from ollamamaster.domain.rates import Rate

# Steps after which the rate of this stream is surer than any profile: the first ones come in
# bursts, as lines are read together.
_STEPS_TO_TRUST = 16

# A spread of nothing would make a late answer infinitely surprising.
_LEAST_SIGMA = 0.05


@dataclass(frozen=True, slots=True)
class Remaining:
    """Seconds until the answer is complete, and the rate observed until now, if any."""

    p50_s: float
    p80_s: float
    tokens_per_s: float | None


def re_estimate(
    prospect: Prospect, elapsed_s: float, tokens: int, first_token_s: float | None
) -> Remaining:
    """What is left after `elapsed_s` seconds of an attempt, of which the first token took some.

    Each piece of a stream counts as one token. What has been seen rules out the shorter cases:
    the quantiles are those of the answers that take at least this long, or are at least so long.
    """
    parts, output = prospect.parts, prospect.output_tokens
    if first_token_s is None or tokens < 1:
        first50, first80 = _left(parts.first_token.p50, parts.first_token.p80, elapsed_s)
        above = math.hypot(first80 - first50, parts.generation.p80 - parts.generation.p50)
        p50 = first50 + parts.generation.p50
        return Remaining(p50, p50 + above, None)
    rate, observed = _rate(prospect.rates.decode, tokens, elapsed_s - first_token_s)
    left50, left80 = _left(output.p50, output.p80, tokens)
    return Remaining(left50 / rate, left80 / rate, observed)


def _rate(decode: Rate, tokens: int, writing_s: float) -> tuple[float, float | None]:
    """Tokens a second from now on, and as observed."""
    steps = tokens - 1
    if steps < 1 or writing_s <= 0:
        return decode.median, None
    observed = steps / writing_s
    share = steps / (steps + _STEPS_TO_TRUST)
    return decode.median * (observed / decode.median) ** share, observed


def _left(p50: float, p80: float, passed: float) -> tuple[float, float]:
    """Median and 80% quantile of what is left of a log-normal quantity that exceeds `passed`."""
    if p50 <= 0:
        return 0.0, 0.0
    sigma = max(_LEAST_SIGMA, math.log(max(p80 / p50, 1.0)) / Z80)
    if passed <= 0:
        return p50, p80
    at = (math.log(passed) - math.log(p50)) / sigma
    beyond = _beyond(at)
    median, late = (
        max(0.0, p50 * math.exp(sigma * _where_beyond(beyond * share)) - passed)
        for share in (0.5, 0.2)
    )
    return median, late


def _beyond(z: float) -> float:
    """The share of a normal distribution that lies beyond z."""
    return 0.5 * math.erfc(z / math.sqrt(2))


def _where_beyond(share: float) -> float:
    """The z beyond which this share lies."""
    low, high = -8.0, 38.0
    for _ in range(60):
        middle = (low + high) / 2
        if _beyond(middle) > share:
            low = middle
        else:
            high = middle
    return low
