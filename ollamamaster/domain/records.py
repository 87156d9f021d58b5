"""What is remembered of a route: its attempts, the estimate before it, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ollamamaster.errors import Outcome

if TYPE_CHECKING:
    from ollamamaster.domain.attempt_record import AttemptRecord
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
