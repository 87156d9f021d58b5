"""Do the estimates come true as often as they say? If not, their spread is corrected.

Adaptive conformal inference (Gibbs and Candès 2021): after each outcome the spread grows a little
if it lay outside and shrinks a little if not, in such a proportion that the share outside comes
to 20% on each side in the long run, whatever the outcomes are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.measures import number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollamamaster.domain.estimate import Estimate

# The share of outcomes that may lie outside on each side.
_OUTSIDE = 0.2

# A step in the logarithm: a miss widens by 6.6%, a hit narrows by 1.6%, so that ten outcomes of
# which two lie outside leave it as it was. Over 400 outcomes the coverage is then off by no more
# than log(MOST) / (400 x step), 4 points.
_STEP = 0.08

# A spread that is wrong by more than this has other reasons than noise.
_MOST = 4.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """Factors for the spread above and below the median; 1 is the spread as it was computed."""

    above: float = 1.0
    below: float = 1.0

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Calibration:
        """As stored; what is damaged is 1."""
        above, below = (number(row.get(name), 1 / _MOST, _MOST) for name in ("above", "below"))
        return cls(above or 1.0, below or 1.0)

    def after(self, estimate: Estimate, seconds: float) -> Calibration:
        """What an outcome makes of it."""
        return Calibration(
            _moved(self.above, missed=seconds > estimate.p80_s),
            _moved(self.below, missed=seconds < estimate.p20_s),
        )

    def row(self) -> Mapping[str, Any]:
        return {"above": self.above, "below": self.below}


def _moved(factor: float, *, missed: bool) -> float:
    moved = factor * math.exp(_STEP * (missed - _OUTSIDE))
    return min(_MOST, max(1 / _MOST, moved))
