"""Expected completion time with residency: when would a model's turn come on an instance?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ollamamaster.domain.context import is_enough

if TYPE_CHECKING:
    from ollamamaster.domain.candidates import Pair


class Residency(StrEnum):
    """What must happen on the instance before the first token."""

    RESIDENT = "resident"
    FITS = "fits"
    EVICTS = "evicts"


# Loading a model that pushes another out costs the next request a load too. Four is where the
# mean waiting time stopped falling in simulations on the Azure 2023 conversation trace.
LOAD_WEIGHT = {Residency.RESIDENT: 0.0, Residency.FITS: 1.0, Residency.EVICTS: 4.0}


# Below half a second nobody notices a difference.
_NOTICED_S = 0.5


def time_term(price: float, seconds: float) -> float:
    """What so many seconds take from the score, in p(success): `price` a doubling."""
    return -price * math.log2(max(seconds, _NOTICED_S))


@dataclass(frozen=True, slots=True)
class Turn:
    """When a request would begin on an instance, and what must happen before its first token."""

    wait_s: float
    residency: Residency


@dataclass(frozen=True, slots=True)
class Queues:
    """What is ahead on every instance."""

    def turn(self, pair: Pair, context_tokens: int) -> Turn:
        """The turn of a request for this pair that needs so much context."""
        loaded = pair.loaded
        if pair.model.cloud or (loaded is not None and is_enough(loaded, context_tokens)):
            return Turn(0.0, Residency.RESIDENT)
        total = pair.instance.gpu.vram_total
        used = sum(m.size or 0 for m in pair.instance.loaded if m is not loaded)
        if total and used and used + (pair.model.size_bytes or 0) > total:
            return Turn(0.0, Residency.EVICTS)
        return Turn(0.0, Residency.FITS)
