"""How long will an answer take?"""

from __future__ import annotations

from typing import NamedTuple


class Estimate(NamedTuple):
    """Predicted seconds. The parts are medians; the whole has its 20, 50 and 80% quantiles."""

    p20_s: float
    p50_s: float
    p80_s: float
    wait_s: float
    load_s: float
    prompt_s: float
    generation_s: float
