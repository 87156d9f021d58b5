"""What is on its way through an instance: requests, and the models they wait for."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ollamamaster.domain.hardware import Placement, ServedModel


class QueueFullError(Exception):
    """More requests wait for a load than `max_queue` allows."""


class ModelTooLargeError(Exception):
    """The model does not fit into the machine's memory even alone."""

    def __init__(self, needed: int, available: int) -> None:
        super().__init__(needed, available)
        self.needed = needed
        self.available = available


class Phase(StrEnum):
    """Where a request is."""

    PENDING = "pending"
    LOADING = "loading"
    WAITING = "waiting"
    READING = "reading"
    WRITING = "writing"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `prompt` is only compared, for the prefix cache; empty is never cached.

    `context` and `keep_alive_s` are None where the caller left them out; a negative
    `keep_alive_s` is for ever. Without tokens to write the request ends when it is read.
    """

    model: ServedModel
    prompt_tokens: int = 0
    output_tokens: int = 0
    context: int | None = None
    keep_alive_s: float | None = None
    prompt: str = ""
    load_only: bool = False
    # Work takes this many times as long: a disturbed machine.
    slowness: float = 1.0


@dataclass(slots=True, eq=False)
class Job:
    """A request on its way. Times are None until they come."""

    request: Request
    context: int
    submitted_at: float
    order: int
    phase: Phase = Phase.PENDING
    ready_at: float | None = None
    started_at: float | None = None
    read_at: float | None = None
    finished_at: float | None = None
    runner: Runner | None = None
    slot: int = -1
    # On the clock of shared work: when the prompt is read, and what one token takes.
    read_mark: float = 0.0
    token_work: float = 0.0

    @property
    def ended(self) -> bool:
        return self.phase in {Phase.DONE, Phase.CANCELLED}

    @property
    def load_s(self) -> float:
        """Seconds until the model was ready, waiting for the load's turn included."""
        return (self.ready_at or self.submitted_at) - self.submitted_at


@dataclass(slots=True, eq=False)
class Runner:
    """A model in memory. `expires_at` is None until its first request ends."""

    model: ServedModel
    context: int
    place: Placement
    keep_alive_s: float
    used_at: float
    prompts: list[str]
    expires_at: float | None = None
    leaving: bool = False
    evicted: bool = False
    running: int = 0
    free: list[int] = field(default_factory=list)
    waiting: deque[Job] = field(default_factory=deque)

    @property
    def busy(self) -> bool:
        return self.running > 0 or bool(self.waiting)


def for_ever(keep_alive_s: float) -> float:
    """Seconds of a keep-alive, where a negative one is for ever."""
    return math.inf if keep_alive_s < 0 else keep_alive_s


def shared_beginning(cached: str, prompt: str) -> float:
    """The share of a prompt that is the beginning of what the slot read before."""
    if not cached or not prompt:
        return 0.0
    low, high = 0, min(len(cached), len(prompt))
    while low < high:
        middle = (low + high + 1) // 2
        if cached[:middle] == prompt[:middle]:
            low = middle
        else:
            high = middle - 1
    return low / len(prompt)
