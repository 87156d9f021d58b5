"""One route of this user among the others: what it may use, and whether it waits or runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Priority(IntEnum):
    """Who goes first when there is not room for all."""

    LOW = 0
    NORMAL = 1
    HIGH = 2


class TicketState(StrEnum):
    """A ticket that is done is no longer there."""

    WAITING = "waiting"
    RUNNING = "running"


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process: its number may be used again, number and start together are not."""

    pid: int
    started: float


@dataclass(frozen=True, slots=True)
class Option:
    """A pair that a ticket may run on. Medians in seconds.

    `work_s` is reading, writing and the round trip; `above_s` is how far its 80% quantile lies
    above its median. `fixed` is the score without its time term.
    `bytes` is what the model takes in memory, None where unknown; `context` the tokens it needs.
    `load_s` is that of a load also where the model is resident: it may not be any more by then.
    A `cloud` model has room for everyone. `familiar` is where the session's last turn ran.
    """

    model: str
    instance: str
    fixed: float
    work_s: float
    load_s: float
    above_s: float = 0.0
    bytes: int | None = None
    context: int = 0
    cloud: bool = False
    familiar: bool = False


@dataclass(frozen=True, slots=True)
class Ticket:
    """One route. `options` are best first; `on` is the one it runs on, None while it waits.

    Times are seconds since the epoch. `price` is what a doubling of the time costs in score.
    `overtaken_s` is the work of those that were let past it.
    """

    id: str
    entered_at: float
    options: tuple[Option, ...]
    process: ProcessId
    price: float = 0.03
    priority: Priority = Priority.NORMAL
    on: Option | None = None
    started_at: float | None = None
    overtaken_s: float = 0.0

    @property
    def state(self) -> TicketState:
        return TicketState.WAITING if self.on is None else TicketState.RUNNING


@dataclass(frozen=True, slots=True)
class Choice:
    """What a waiting ticket does now: begin on `option` if `begins`, else wait for it.

    Of an option on which it begins, `load_s` is 0 where the model is resident.
    `wait_s` is until it is expected to begin, `position` its place in that instance's line from 1.
    `passed` is by how many seconds of work which tickets are overtaken.
    """

    option: Option | None
    begins: bool
    wait_s: float = 0.0
    position: int = 1
    passed: Mapping[str, float] = field(default_factory=dict)
