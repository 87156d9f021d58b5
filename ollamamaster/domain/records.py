"""What is remembered of a route: every attempt, the estimate before it, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from ollamamaster.domain.answers import Usage
from ollamamaster.errors import Outcome

if TYPE_CHECKING:
    from ollamamaster.domain.estimate import Estimate
    from ollamamaster.domain.selection import Decision
    from ollamamaster.domain.task import TaskType


class Who(StrEnum):
    """Which face a request came from."""

    COMMAND = "command"
    API = "api"
    MCP = "mcp"
    WORKFLOW = "workflow"


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


@dataclass(frozen=True, slots=True)
class PastRequest:
    """One request of the past, without its details. `at` is seconds since the epoch.

    `model` and `instance` are those that answered, or were tried last; None when nothing was.
    """

    id: str
    at: float
    who: str
    task_type: str
    model: str | None
    instance: str | None
    outcome: str
    seconds: float


@dataclass(frozen=True, slots=True)
class RouteRecord:
    """One finished route. `seconds` is the whole of it, our own waiting `waited_s` included.

    `prompt` and `answer` are only kept where the person configured `history.store_text`.
    """

    id: str
    at: float
    who: Who
    task_type: TaskType
    seconds: float
    waited_s: float
    outcome: str
    attempts: tuple[AttemptRecord, ...]
    decision: Decision | None
    estimate: Estimate | None = None
    prompt: str | None = None
    answer: str | None = None

    @property
    def used(self) -> AttemptRecord | None:
        """The attempt that answered, else the last one; None when nothing was tried."""
        answered = (each for each in self.attempts if each.outcome is Outcome.OK)
        return next(answered, self.attempts[-1] if self.attempts else None)

    @property
    def summary(self) -> PastRequest:
        """The request without its details."""
        used = self.used
        return PastRequest(
            self.id,
            self.at,
            str(self.who),
            str(self.task_type),
            None if used is None else used.model,
            None if used is None else used.instance,
            self.outcome,
            self.seconds,
        )
