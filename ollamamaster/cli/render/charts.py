"""Figures as small charts of characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_BAR = "█"
# An eighth of a cell more each.
_ENDS = " ▏▎▍▌▋▊▉"
_HEIGHTS = "▁▂▃▄▅▆▇█"


def bar(value: float | None, longest: float, width: int) -> str:
    """A bar of `width` cells for `longest`; empty when the value is unknown."""
    if not value or longest <= 0:
        return ""
    eighths = round(8 * width * min(1.0, value / longest))
    # what is there at all is seen
    whole, rest = divmod(max(1, eighths), 8)
    return _BAR * whole + (_ENDS[rest] if rest else "")


def sparkline(values: Sequence[float]) -> str:
    """One character a value, from nothing up to the highest."""
    highest = max(values, default=0.0)
    if highest <= 0:
        return ""
    top = len(_HEIGHTS) - 1
    return "".join(_HEIGHTS[round(top * max(0.0, value) / highest)] for value in values)
