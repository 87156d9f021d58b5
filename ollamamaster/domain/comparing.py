"""What is asked of a comparison of models, and what came of it?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from ollamamaster.errors import ModelUnknownError, OllamaMasterError, Outcome, TimeLimitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollamamaster.domain.comparison import Agreement
    from ollamamaster.domain.routing import RouteRequest, RouteResult
    from ollamamaster.domain.verdict import Judgement

# What most people mean by the better answer.
CRITERIA = "correct first of all, then complete, clear, and no longer than the task needs"


class Spread(StrEnum):
    """Who is compared when no models are named, and what with."""

    # one of each tier, and at least two where the fleet has two
    GOOD = "good"
    # one of each tier, however few that are
    TIERS = "tiers"
    # one model on every instance that has it
    INSTANCES = "instances"


@dataclass(frozen=True, slots=True)
class Entrant:
    """One that takes part. `instance` is the id of the only one it may run on, None for any.

    `known` is False for a model that no instance has; `model` is then what was typed.
    """

    model: str
    instance: str | None = None
    known: bool = True


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """One prompt for several models. `asked` is what each of them gets; its own model is not used.

    `models` are names as typed; with `Spread.INSTANCES` at most one. `judge` is the name of the
    model that scores the answers by `criteria`; with `vote` the answer of most is told.
    """

    asked: RouteRequest
    models: tuple[str, ...] = ()
    spread: Spread = Spread.GOOD
    judge: str | None = None
    criteria: str = CRITERIA
    vote: bool = False

    def of(self, entrant: Entrant, left_s: float | None) -> RouteRequest:
        """What this one is asked. A second try elsewhere would take a machine from the others."""
        return replace(
            self.asked,
            model=entrant.model,
            instance=entrant.instance or self.asked.instance,
            max_time_s=left_s,
            hedge=False,
            pull=False,
        )


@dataclass(frozen=True, slots=True)
class Planned:
    """Where one of them is likely to run: at once, or behind others after `wait_s` seconds.

    `index` is its place in the results; `behind` are those of this comparison before it there.
    """

    index: int
    model: str
    instance: str
    instance_name: str
    wait_s: float
    seconds: float
    behind: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What one of them came to; `route` is None where nothing began.

    `outcome` is a word of Outcome, or of ErrorCode where nothing was tried or the time was up.
    """

    model: str
    instance: str | None
    outcome: str
    route: RouteResult | None = None
    error: OllamaMasterError | None = None
    instance_name: str | None = None

    @property
    def ok(self) -> bool:
        return self.outcome == Outcome.OK

    @property
    def text(self) -> str | None:
        """All that came of the answer, which is not all of it unless `ok`."""
        return None if self.route is None else self.route.response or ("" if self.ok else None)

    @property
    def own_s(self) -> float | None:
        """Seconds from its turn to its end: its own, without what it waited for others."""
        if not self.ok or self.route is None or self.route.timing.total_s is None:
            return None
        return self.route.timing.total_s - (self.route.timing.queue_s or 0.0)


@dataclass(frozen=True, slots=True)
class CompareResult:
    """What is known of a comparison: the whole of a finished one, or as much as came.

    `answers` are in the order in which the models were named. `vote` is the index of the answer
    of most, None unless it was asked for; `fastest` that of the one which took the least time.
    """

    prompt: str
    answers: tuple[Answer, ...]
    agreement: Agreement
    judgement: Judgement | None
    vote: int | None
    seconds: float
    plan: tuple[Planned, ...] = ()
    judge_error: OllamaMasterError | None = field(default=None)

    @property
    def fastest(self) -> int | None:
        took = [(s, i) for i, a in enumerate(self.answers) if (s := a.own_s) is not None]
        return min(took)[1] if len(took) > 1 else None

    @property
    def soonest(self) -> int | None:
        """The index of the one that was there first, what it waited for others included."""
        took = [
            (a.route.timing.total_s, i)
            for i, a in enumerate(self.answers)
            if a.own_s is not None and a.route is not None and a.route.timing.total_s is not None
        ]
        return min(took)[1] if took else None

    @property
    def errors(self) -> tuple[OllamaMasterError, ...]:
        """All that went wrong, in the order of the answers, the judge last."""
        found = [a.error for a in self.answers if a.error is not None]
        return (*found, *([self.judge_error] if self.judge_error is not None else []))

    @property
    def answered(self) -> bool:
        return any(a.ok for a in self.answers)

    @property
    def complete(self) -> bool:
        """Whether every one answered, and the judge, if there was to be one, judged."""
        return not self.errors and all(a.ok for a in self.answers)


def outcome_of(error: OllamaMasterError, route: RouteResult | None) -> str:
    """The word for how an answer failed: what the last try said, else what ended the route."""
    if isinstance(error, ModelUnknownError):
        return str(Outcome.MODEL_MISSING)
    if not isinstance(error, TimeLimitError) and route is not None:
        said = [a.outcome for a in route.attempts if a.outcome not in {None, Outcome.OK}]
        if said:
            return str(said[-1])
    return str(error.code)


def common_failure(errors: Sequence[OllamaMasterError]) -> OllamaMasterError | None:
    """The error that stands for all of them, when they are all of one kind."""
    kinds = {error.exit_code for error in errors}
    return errors[0] if len(kinds) == 1 else None
