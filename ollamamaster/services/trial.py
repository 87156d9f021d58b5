"""One try of one candidate, as it goes and as it is remembered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ollamamaster.domain.answers import Usage
from ollamamaster.domain.attempt_record import AttemptRecord
from ollamamaster.domain.routing import Attempt

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollamamaster.domain.estimate import Estimate
    from ollamamaster.domain.models import LoadedModel
    from ollamamaster.domain.routing import RouteRequest
    from ollamamaster.domain.selection import Candidate

# How Ollama says that an answer was cut.
_CUT = "length"


@dataclass(eq=False)
class Trial:
    """One try of one candidate, as it goes. `estimate` is for this try alone.

    `most_others` tells how many requests of ours ran beside it; at its end that is `others`.
    `began` is of the monotonic clock, `started_at` seconds since the epoch, and `first_token_s`
    counts from the start of the try.
    """

    candidate: Candidate
    estimate: Estimate
    num_ctx: int | None
    keep_alive: str | int | None
    most_others: Callable[[], int]
    began: float = 0.0
    started_at: float = 0.0
    first_token_s: float | None = None
    thought: bool = False
    done_reason: str | None = None
    usage: Usage = field(default_factory=Usage)
    others: int = 0

    @property
    def attempt(self) -> Attempt:
        """What it looks like while it runs."""
        return Attempt(self.candidate.model, self.candidate.instance)

    def record(self, ended: Attempt, request: RouteRequest) -> AttemptRecord:
        """What is remembered of it once it is over, with its circumstances."""
        pair = self.candidate.pair
        num_ctx = request.options.get("num_ctx") if self.num_ctx is None else self.num_ctx
        assert ended.outcome is not None  # noqa: S101 (it is over)
        return AttemptRecord(
            model=ended.model,
            instance=ended.instance,
            outcome=ended.outcome,
            error=ended.error,
            started_at=self.started_at,
            seconds=ended.seconds or 0.0,
            usage=self.usage,
            first_token_s=self.first_token_s,
            estimate=self.estimate,
            size_bytes=pair.model.size_bytes,
            active_fraction=pair.model.active_fraction,
            in_vram=_in_vram(pair.loaded),
            resident=self.candidate.resident,
            others=self.others,
            limited=self.done_reason == _CUT,
            thought=self.thought,
            num_ctx=num_ctx if isinstance(num_ctx, int) else None,
            read_before=request.prefix is not None and pair.key in request.prefix.read_by,
        )


def _in_vram(loaded: LoadedModel | None) -> float | None:
    if loaded is None or not loaded.size or loaded.size_vram is None:
        return None
    return loaded.size_vram / loaded.size
