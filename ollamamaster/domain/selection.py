"""Which candidate is best, and in which order come the others?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from ollamamaster.domain.ability import judged_by, quality
from ollamamaster.domain.candidates import Reason, Rejection, Wish, sift
from ollamamaster.domain.instances import Locality
from ollamamaster.domain.judged import Moved
from ollamamaster.domain.knowledge import Knowledge
from ollamamaster.domain.machines import Residency
from ollamamaster.domain.outlook import Outlook, Prospect
from ollamamaster.domain.policy import locality_term
from ollamamaster.domain.rates import Source
from ollamamaster.domain.settings import Performance
from ollamamaster.domain.time_price import time_term

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from ollamamaster.domain.estimate import Estimate
    from ollamamaster.domain.models import Model
    from ollamamaster.domain.pair import Pair
    from ollamamaster.domain.queues import Queues
    from ollamamaster.domain.settings import Settings
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.domain.task import Task

_NOTHING = Knowledge()


@dataclass(frozen=True, slots=True)
class Demand:
    """How much time matters: the performance level, and the limit if there is one."""

    performance: Performance = Performance.BALANCED
    max_time_s: float | None = None


class Candidate(NamedTuple):
    """A pair with its score; `terms` add up to it. All are fractions of p(success).

    `judged` is what the `quality` among them rests on, None where that was not kept; `moved` is
    what judged comparisons changed in it. A `member` is of the team that many requests wanted
    together are for.
    """

    prospect: Prospect
    score: float
    terms: Mapping[str, float]
    judged: Source | None = None
    moved: Moved | None = None
    member: bool = False

    @property
    def pair(self) -> Pair:
        return self.prospect.pair

    @property
    def model(self) -> str:
        return self.prospect.pair.model.name.text

    @property
    def instance(self) -> str:
        return self.prospect.pair.instance.id

    @property
    def estimate(self) -> Estimate:
        return self.prospect.estimate

    @property
    def resident(self) -> bool:
        return self.prospect.residency is Residency.RESIDENT


@dataclass(frozen=True, slots=True)
class Decision:
    """The ranked candidates, the rejections, and the one chosen.

    `late` says that no candidate fits the time limit and the fastest is used all the same;
    `refused` that none fits and the person insisted, so nothing is sent. `wish` is what they
    insisted on.
    """

    task: Task
    demand: Demand
    ranked: tuple[Candidate, ...]
    rejected: tuple[Rejection, ...]
    late: bool = False
    refused: bool = False
    wish: Wish = field(default_factory=Wish)

    @property
    def chosen(self) -> Candidate | None:
        return self.ranked[0] if self.ranked and not self.refused else None


def decide(
    task: Task,
    fleet: Fleet,
    settings: Settings,
    wish: Wish,
    demand: Demand,
    skipped: Collection[str] = (),
    known: Knowledge = _NOTHING,
) -> Decision:
    """Rank what could do the task. Every pair of the fleet is either ranked or rejected."""
    sifted = sift(task, fleet, settings, wish, skipped)
    likely, outlook = _Likely(task, settings, known), Outlook(task, known)
    price = settings.route.price_per_doubling[demand.performance]
    here = _room_here(sifted.fit, known.queues)
    nearness = {at: locality_term(settings.policy, at, price, here=here) for at in Locality}
    scored = [_score(outlook(pair), price, nearness, likely) for pair in sifted.fit]
    ranked = tuple(sorted(scored, key=_order))
    decision = Decision(task, demand, ranked, sifted.rejected, wish=wish)
    if demand.max_time_s is None:
        return decision
    return _within(decision, demand.max_time_s, wish)


def _room_here(fit: Sequence[Pair], queues: Queues) -> bool:
    """Whether none of ours has or waits for a place on this machine, if it can do the task."""
    here = {p.instance.id for p in fit if p.instance.locality is Locality.LOCAL}
    return not here or any(id_ not in queues.lanes or queues.lanes[id_].open for id_ in here)


class _Likely:
    """How likely each model is to be right, and by what: once for all instances that have it."""

    def __init__(self, task: Task, settings: Settings, known: Knowledge) -> None:
        self._known = (task, settings, known.abilities)
        self._profiles = known.profiles
        self._told: dict[object, tuple[float, Source, Moved | None]] = {}

    def __call__(self, model: Model) -> tuple[float, Source, Moved | None]:
        # All that it depends on; builds of one name may differ between instances.
        build = (
            # The text of a name is hashed once, the name each time.
            model.name.text,
            model.quantization,
            model.parameter_size,
            model.shape,
            model.family,
            model.capabilities,
            model.context_length,
        )
        found = self._told.get(build)
        if found is None:
            found = self._told[build] = self._likely(model)
        return found

    def _likely(self, model: Model) -> tuple[float, Source, Moved | None]:
        right, rests_on = quality(model, *self._known), judged_by(model, *self._known)
        judged = self._profiles.judged(self._known[0].type, str(model.name))
        if judged is None or rests_on is Source.CONFIGURED:
            # what the person says of a model is not for others to correct
            return right, rests_on, None
        after = quality(model, *self._known, judged.shift)
        return after, rests_on, Moved(judged, after - right)


def _score(
    expected: Prospect, price: float, nearness: Mapping[Locality, float], likely: _Likely
) -> Candidate:
    model, instance = expected.pair
    right, judged, moved = likely(model)
    time, near = time_term(price, expected.weighted_p80_s), nearness[instance.locality]
    terms = {"quality": right, "time": time, "locality": near, "cost": 0.0, "region": 0.0}
    return Candidate(expected, right + time + near, terms, judged, moved)


def for_a_team(decision: Decision, team: Collection[tuple[str, str]]) -> Decision:
    """The same candidates, those of the team first and by their time alone.

    When many requests are wanted together, whoever waits for a somewhat better place holds up
    all of them.
    """
    ranked = (_as_member(c) if c.pair.key in team else c for c in decision.ranked)
    return replace(decision, ranked=tuple(sorted(ranked, key=_order)))


def _as_member(candidate: Candidate) -> Candidate:
    """Above every score there is, which are probabilities."""
    time = candidate.terms["time"]
    own = sum(candidate.terms.values()) - time
    terms = {**candidate.terms, "team": 2.0 - own}
    return candidate._replace(score=2.0 + time, terms=terms, member=True)


def _order(candidate: Candidate) -> tuple[float, float, str, str]:
    expected = candidate.prospect
    model, instance = expected.pair
    return -candidate.score, expected.estimate.p50_s, instance.address.id, model.name.text


def _within(decision: Decision, limit_s: float, wish: Wish) -> Decision:
    """The decision under a time limit.

    When nothing fits, the fastest is used, unless the person insisted on a model or an instance
    and its speed is known; where it is not known, trying is the only honest answer.
    """
    in_time = tuple(c for c in decision.ranked if c.estimate.p80_s <= limit_s)
    if in_time or not decision.ranked:
        rejected = [_too_slow(c, limit_s) for c in decision.ranked if c.estimate.p80_s > limit_s]
        return replace(decision, ranked=in_time, rejected=(*decision.rejected, *rejected))
    by_speed = sorted(decision.ranked, key=lambda c: c.estimate.p80_s)
    insisted = wish.model is not None or wish.instance is not None
    if insisted and by_speed[0].prospect.rates.known:
        rejected = [_too_slow(c, limit_s) for c in by_speed]
        return replace(decision, ranked=(), rejected=(*decision.rejected, *rejected), refused=True)
    return replace(decision, ranked=tuple(by_speed), late=True)


def _too_slow(candidate: Candidate, limit_s: float) -> Rejection:
    return Rejection(
        candidate.model,
        candidate.instance,
        Reason.OVER_TIME_LIMIT,
        f"likely to take up to {candidate.estimate.p80_s:.0f} s, the limit is {limit_s:g} s",
    )
