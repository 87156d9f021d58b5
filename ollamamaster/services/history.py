"""What did past requests come to, and where would they go today?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ollamamaster.domain.history import (
    Changed,
    HistoryStats,
    LearntRates,
    Replay,
    pair_histories,
    promises_kept,
)
from ollamamaster.domain.instances import Instance, InstanceAddress
from ollamamaster.domain.models import Model, ModelName
from ollamamaster.domain.pair import Pair
from ollamamaster.domain.rates import Rate, Source
from ollamamaster.domain.selection import decide
from ollamamaster.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ollamamaster.domain.knowledge import Knowledge
    from ollamamaster.domain.profiles import Profiles
    from ollamamaster.domain.records import RouteRecord
    from ollamamaster.domain.selection import Candidate, Decision
    from ollamamaster.domain.settings import Settings
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.ports import PastRequests


class HistoryService:
    """Statistics and second thoughts. Raises StateUnusableError."""

    def __init__(self, past: PastRequests) -> None:
        self._past = past

    def stats(self, profiles: Profiles) -> HistoryStats:
        """Every pair that was tried, with the rates that decisions rest on, and the estimates."""
        attempts = list(self._past.attempts())
        pairs = {(each.model, each.instance) for each in attempts}
        learnt = {(m, i): _learnt(profiles, m, i) for m, i in pairs}
        return HistoryStats(pair_histories(attempts, learnt), promises_kept(self._past.promises()))

    def replay(self, limit: int, fleet: Fleet, settings: Settings, known: Knowledge) -> Replay:
        """Decide the latest requests again, each as it was asked, as if nothing else ran.

        A request whose decision was not kept is left out.
        """
        replayed, changed = 0, []
        for record in self._past.newest(limit):
            if record.decision is None:
                continue
            replayed += 1
            difference = _again(record, record.decision, fleet, settings, known)
            if difference is not None:
                changed.append(difference)
        return Replay(replayed, tuple(changed))


def _again(
    record: RouteRecord, before: Decision, fleet: Fleet, settings: Settings, known: Knowledge
) -> Changed | None:
    """What is different today, None when the same pair would be chosen.

    Both sides are today's estimates, so that what the machines have become is no difference
    between the two; only a pair that is not possible any more has the estimate of then.
    """
    wish = replace(before.wish, local_only=before.wish.local_only or settings.route.local_only)
    today = decide(before.task, fleet, settings, wish, before.demand, (), known)
    used = record.used
    pair = None if used is None else (used.model, used.instance)
    now = today.chosen
    if (None if now is None else now.pair.key) == pair:
        return None
    then = None if pair is None else _find(pair, (*today.ranked, *before.ranked))
    if then is None or now is None:
        return Changed(record.id, then, now, None)
    return Changed(record.id, then, now, now.estimate.p50_s - then.estimate.p50_s)


def _find(pair: tuple[str, str], candidates: Iterable[Candidate]) -> Candidate | None:
    return next((each for each in candidates if each.pair.key == pair), None)


def _learnt(profiles: Profiles, model: str, instance: str) -> LearntRates:
    """What was measured of a pair, also when the instance is not there any more."""
    try:
        place = Instance(InstanceAddress.from_id(instance))
    except UsageError:
        return LearntRates()
    rates = profiles.rates(Pair(Model(ModelName.parse(model)), place))
    return LearntRates(_measured(rates.decode), _measured(rates.prefill), _measured(rates.load_s))


def _measured(rate: Rate) -> float | None:
    return rate.median if rate.source is Source.MEASURED else None
