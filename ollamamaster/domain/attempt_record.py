"""What is remembered of one attempt?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ollamamaster.domain.answers import Usage

if TYPE_CHECKING:
    from ollamamaster.domain.estimate import Estimate
    from ollamamaster.errors import Outcome


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One try of one candidate, with all that learning needs to know of its circumstances.

    Times in seconds, `started_at` since the epoch; `first_token_s` from the start of the attempt.
    `size_bytes` and `active_fraction` are the model's, `in_vram` the share of it in graphics
    memory (None where unknown); `resident` says that it was in memory with enough context when
    the attempt began. `others` is the most requests of ours that ran on the instance during it,
    this one left out. `limited` says that the answer was cut at a length limit, `thought` that
    thoughts came. `num_ctx` is what was asked for. `read_before` says that the pair had read some
    of the prompt in an earlier turn.
    """

    model: str
    instance: str
    outcome: Outcome
    error: str | None
    started_at: float
    seconds: float
    usage: Usage = field(default_factory=Usage)
    first_token_s: float | None = None
    estimate: Estimate | None = None
    size_bytes: int | None = None
    active_fraction: float = 1.0
    in_vram: float | None = None
    resident: bool = False
    others: int = 0
    limited: bool = False
    thought: bool = False
    num_ctx: int | None = None
    read_before: bool = False
