"""How fast a pair works, how sure that is, and where it comes from."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

# A source that accounts for less of a time does not make it uncertain.
_MATTERS = 0.1


class Source(StrEnum):
    """Where a figure comes from, the surest first."""

    MEASURED = "measured"
    DERIVED = "derived"
    CONFIGURED = "configured"
    PRIOR = "prior"


class Rate(NamedTuple):
    """A quantity that is not known exactly: its median, and the factor to its 80% quantile.

    `samples` is how many measurements stand behind it. Here and elsewhere: of what a decision
    makes thousands is a tuple, which is made in half the time of a frozen dataclass.
    """

    median: float
    spread: float
    source: Source
    samples: int = 0


def bearing(parts: Sequence[tuple[float, Rate]]) -> tuple[Rate, ...]:
    """The rates that a time rests on, of all its parts: how large, and the rate it came of.

    All of one source count together: ten machines that do a tenth each are not nothing.
    """
    whole = sum(size for size, _ in parts)
    return tuple(
        rate
        for _, rate in parts
        if sum(size for size, other in parts if other.source is rate.source) >= _MATTERS * whole
    )


class Rates(NamedTuple):
    """How fast a pair works: decode and prefill in tokens a second, a load in seconds."""

    decode: Rate
    prefill: Rate
    load_s: Rate

    @property
    def known(self) -> bool:
        """Whether the decode rate is more than a prior, which is never shown as a fact."""
        return self.decode.source is not Source.PRIOR
