"""How likely is it that a figure that is not known exactly keeps a limit?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ollamamaster.domain.measures import Z80

if TYPE_CHECKING:
    from ollamamaster.domain.rates import Rate
    from ollamamaster.domain.task import Range

# Estimates of ability miss published scores by 5.3 points in the median where a whole family was
# held out; a normal distribution with that median error has this sigma.
ABILITY_SIGMA = 0.053 / 0.6745

# Nothing is certain, and nothing that was only estimated impossible.
LEAST, MOST = 0.01, 0.99


def normal(z: float) -> float:
    """Cumulative probability of the standard normal distribution."""
    return 0.5 * (1 + math.erf(z / math.sqrt(2)))


def at_most(value: Range, limit: float) -> float:
    """Probability that the value is no more than the limit.

    The value is log-normal on each side of its median, with the spread of that side.
    """
    if limit <= 0:
        return LEAST
    if value.p50 <= 0:
        return MOST
    outer = value.p80 if limit >= value.p50 else value.p20
    spread = abs(math.log(max(outer, 1e-9) / value.p50))
    if spread < 1e-9:
        return MOST if limit >= value.p50 else LEAST
    return bounded(normal(math.log(limit / value.p50) / spread * Z80))


def at_least(rate: Rate, limit: float) -> float:
    """Probability that a rate is no less than the limit."""
    spread = math.log(rate.spread)
    if spread < 1e-9:
        return MOST if rate.median >= limit else LEAST
    return bounded(normal(math.log(rate.median / limit) / spread * Z80))


def able(success: float, wanted: float) -> float:
    """Probability that p(success) really is no less than wanted."""
    return bounded(normal((success - wanted) / ABILITY_SIGMA))


def bounded(chance: float) -> float:
    """A chance that leaves room for being wrong."""
    return min(MOST, max(LEAST, chance))
