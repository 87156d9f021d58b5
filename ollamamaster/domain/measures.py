"""What do a few recent measurements say of a quantity? Robust, and the newest count most."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

# So many measurements are kept, and each is worth this much of the one after it. With these, one
# outlier has a quarter of the weight and cannot move a median; the third of a new kind does.
KEPT = 8
FADE = 0.8

# Lengths of answers spread widely and change slowly: the last twenty or so count.
FADE_LENGTH = 0.95

# The normal distribution's 80% quantile, and its sigma for each unit of median deviation.
Z80 = 0.8416
_SIGMA_OF_DEVIATION = 1.4826

# The usual noise of a quantity counts like so many measurements of it, as the spread of two or
# three values says little.
_NOISE_WORTH = 3.0


@dataclass(frozen=True, slots=True)
class Measure:
    """A positive quantity as measured lately.

    `sigma` is the standard deviation of one measurement's logarithm; `count` how many full
    measurements stand behind the median, where weak ones count for less than one.
    """

    median: float
    sigma: float
    count: float

    @property
    def precision(self) -> float:
        """How much the median is worth: the inverse of its variance, in the logarithm."""
        return self.count / self.sigma**2


def measure(
    samples: Sequence[tuple[float, float]], *, noise: float, quantile: float = 0.5
) -> Measure:
    """What samples of (value, trust from 0 to 1), the newest last, say together.

    `noise` is the usual sigma of such a quantity. Another `quantile` than the middle is for
    what is only ever disturbed in one direction.
    """
    faded = [
        (math.log(value), trust * FADE**age) for age, (value, trust) in enumerate(reversed(samples))
    ]
    middle = weighted_quantile(faded, quantile)
    deviation = weighted_quantile([(abs(log - middle), weight) for log, weight in faded], 0.5)
    count = sum(trust for _, trust in samples)
    spread = _SIGMA_OF_DEVIATION * deviation
    sigma = math.sqrt((count * spread**2 + _NOISE_WORTH * noise**2) / (count + _NOISE_WORTH))
    return Measure(math.exp(middle), sigma, count)


def weighted_quantile(values: Sequence[tuple[float, float]], quantile: float) -> float:
    """The quantile of (value, weight).

    Each value stands for its weight; from one to the next it goes evenly, over half of the
    smaller weight to both sides, so that a slight value moves little.
    """
    ordered = sorted(values)
    wanted = quantile * sum(weight for _, weight in ordered)
    passed = 0.0
    for (value, weight), (following, next_weight) in pairwise(ordered):
        passed += weight
        half = min(weight, next_weight) / 2
        if wanted <= passed - half:
            return value
        if wanted < passed + half:
            return value + (following - value) * (wanted - passed + half) / (2 * half)
    return ordered[-1][0]


def surviving_quantiles(
    values: Sequence[tuple[float, bool, float]], quantiles: Sequence[float]
) -> list[float | None]:
    """Quantiles of (value, cut short, weight), where what was cut short would have been longer.

    The product-limit estimator (Kaplan and Meier 1958). None where too few were seen whole.
    """
    ordered = sorted(values)
    left = sum(weight for _, _, weight in ordered)
    survival = 1.0
    steps: list[tuple[float, float]] = []
    for value, cut, weight in ordered:
        if not cut:
            after = survival * max(0.0, 1 - weight / left)
            # The middle of the step stands for the value.
            steps.append((1 - (survival + after) / 2, value))
            survival = after
        left = max(left - weight, 1e-12)
    all_whole = not any(cut for _, cut, _ in ordered)
    if steps and all_whole:
        steps.append((1.0, steps[-1][1]))
    return [_between(steps, quantile) for quantile in quantiles]


def _between(steps: Sequence[tuple[float, float]], wanted: float) -> float | None:
    before: tuple[float, float] | None = None
    for share, value in steps:
        if share >= wanted:
            if before is None:
                return value
            return before[1] + (value - before[1]) * (wanted - before[0]) / (share - before[0])
        before = share, value
    return None


def number(value: Any, low: float, high: float) -> float | None:
    """A number as a server or a file gave it, or None if it is none or cannot be."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if low <= value <= high else None
