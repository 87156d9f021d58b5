"""What do past requests tell, taken together?"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from ollamamaster.errors import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ollamamaster.domain.selection import Candidate

# How many of the latest rates a sparkline shows; more than fit beside the figures say no more.
RECENT = 12


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """Which past requests; the newest `limit` of those that match. None matches all."""

    limit: int | None = None
    model: str | None = None
    instance: str | None = None
    outcome: str | None = None
    since: float | None = None


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """What statistics look at of one attempt. `tokens_per_s` is its decode rate as Ollama said."""

    model: str
    instance: str
    outcome: str
    first_token_s: float | None
    tokens_per_s: float | None


@dataclass(frozen=True, slots=True)
class Promise:
    """What was expected of a request that was answered, and what came; seconds."""

    p50_s: float
    p80_s: float
    seconds: float


@dataclass(frozen=True, slots=True)
class LearntRates:
    """What is known of a pair by measurement; None where nothing was measured yet."""

    decode_tokens_per_s: float | None = None
    prefill_tokens_per_s: float | None = None
    load_s: float | None = None


@dataclass(frozen=True, slots=True)
class PairHistory:
    """One model on one instance: attempts, how many failed, and how fast it is.

    `first_token_s` is the median of what was answered; `recent` are its latest decode rates,
    the oldest first.
    """

    instance: str
    model: str
    requests: int
    failures: int
    first_token_s: float | None
    recent: tuple[float, ...]
    learnt: LearntRates


@dataclass(frozen=True, slots=True)
class PromisesKept:
    """How well estimates came true, over `count` answered requests; None when there were none.

    `p80_coverage` is the share that took no longer than the p80; `median_error` the median of how
    far the p50 was off, as a share of what it took.
    """

    count: int
    p80_coverage: float | None
    median_error: float | None


@dataclass(frozen=True, slots=True)
class HistoryStats:
    """Every pair that was ever tried, and the estimates."""

    pairs: tuple[PairHistory, ...]
    estimates: PromisesKept


@dataclass(frozen=True, slots=True)
class Changed:
    """A past request that would go elsewhere today. `then` was used, `now` would be chosen.

    Either is None where there was, or is, none. `delta_s` is the p50 of `now` minus that of
    `then`, None unless both are there.
    """

    id: str
    then: Candidate | None
    now: Candidate | None
    delta_s: float | None


@dataclass(frozen=True, slots=True)
class Replay:
    """Past requests, decided again."""

    replayed: int
    changed: tuple[Changed, ...]

    @property
    def total_delta_s(self) -> float:
        return sum(each.delta_s or 0.0 for each in self.changed)


# Nothing that the pair did wrong: it answered, or somebody stopped it.
_NO_FAILURE = frozenset({str(Outcome.OK), str(Outcome.CANCELLED)})


def pair_histories(
    attempts: Iterable[PastAttempt], learnt: Mapping[tuple[str, str], LearntRates]
) -> tuple[PairHistory, ...]:
    """Attempts, given the oldest first, by pair; `learnt` is by model and instance."""
    by_pair: dict[tuple[str, str], list[PastAttempt]] = defaultdict(list)
    for attempt in attempts:
        by_pair[attempt.instance, attempt.model].append(attempt)
    return tuple(
        _pair(instance, model, tried, learnt.get((model, instance), LearntRates()))
        for (instance, model), tried in sorted(by_pair.items())
    )


def _pair(
    instance: str, model: str, tried: Sequence[PastAttempt], learnt: LearntRates
) -> PairHistory:
    good = [each for each in tried if each.outcome == Outcome.OK]
    firsts = [each.first_token_s for each in good if each.first_token_s is not None]
    rates = [each.tokens_per_s for each in good if each.tokens_per_s is not None]
    return PairHistory(
        instance,
        model,
        requests=len(tried),
        failures=sum(each.outcome not in _NO_FAILURE for each in tried),
        first_token_s=median(firsts) if firsts else None,
        recent=tuple(rates[-RECENT:]),
        learnt=learnt,
    )


def promises_kept(promises: Iterable[Promise]) -> PromisesKept:
    """How well these estimates came true."""
    made = [each for each in promises if each.seconds > 0]
    if not made:
        return PromisesKept(0, None, None)
    kept = sum(each.seconds <= each.p80_s for each in made)
    errors = [abs(each.p50_s - each.seconds) / each.seconds for each in made]
    return PromisesKept(len(made), kept / len(made), median(errors))
