"""How fast a pair works, how sure that is, and where it comes from."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


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


class Rates(NamedTuple):
    """How fast a pair works: decode and prefill in tokens a second, a load in seconds."""

    decode: Rate
    prefill: Rate
    load_s: Rate

    @property
    def known(self) -> bool:
        """Whether the decode rate is more than a prior, which is never shown as a fact."""
        return self.decode.source is not Source.PRIOR
