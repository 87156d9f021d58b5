"""Which candidates do a task as it is wanted, and which is nearest to it?"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from ollamamaster.domain.ability import Abilities
from ollamamaster.domain.candidates import Reason, Rejection, Wish
from ollamamaster.domain.findings import Finding, Verdict, Weighed, findings
from ollamamaster.domain.instances import Locality
from ollamamaster.domain.knowledge import Knowledge
from ollamamaster.domain.machines import machines
from ollamamaster.domain.models import LoadedModel
from ollamamaster.domain.pair import Pair
from ollamamaster.domain.profiles import Profiles
from ollamamaster.domain.requirements import Privacy, Requirements
from ollamamaster.domain.schedule import queues
from ollamamaster.domain.selection import Candidate, Decision, Demand, decide
from ollamamaster.domain.settings import Performance, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ollamamaster.domain.instances import Instance
    from ollamamaster.domain.others import Use
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.domain.task import Task
    from ollamamaster.domain.tickets import Ticket

# Both answers are wrong as often as right below it.
_EVEN = 0.5

# Of large fleets so many candidates are weighed: whoever is behind them is neither the best nor
# among the fastest.
_BEST, _FASTEST = 150, 50

# Findings that rest on the same rates fall together: the surest of them is not surer than the
# least sure, and they are not multiplied.
_OF_TIME = frozenset({"latency", "max_time", "tokens_per_s", "count"})


class Run(StrEnum):
    """Where the task would run."""

    LOCAL = "local"
    LAN = "lan"
    REMOTE = "remote"
    CLOUD = "cloud"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A task with what must hold for it."""

    task: Task
    requirements: Requirements


@dataclass(frozen=True, slots=True)
class World:
    """The fleet with everything that is known of it, as it is or as it might be.

    `tickets` are the routes of this user at the moment `now`, `skipped` the ids of instances that
    failed lately, `foreign` how others use instances.
    """

    fleet: Fleet
    settings: Settings = field(default_factory=Settings)
    abilities: Abilities = field(default_factory=Abilities)
    profiles: Profiles = field(default_factory=Profiles)
    tickets: Sequence[Ticket] = ()
    skipped: frozenset[str] = frozenset()
    foreign: Mapping[str, Use] = field(default_factory=dict)
    now: float = 0.0

    @property
    def performance(self) -> Performance:
        return self.settings.route.performance

    def wish(self, wanted: Wanted) -> Wish:
        """What a route would insist on."""
        private = wanted.requirements.privacy in {Privacy.LOCAL, Privacy.LAN}
        return Wish(local_only=private or self.settings.route.local_only)

    @property
    def knowledge(self) -> Knowledge:
        """What is ahead on these machines, with what they have in memory."""
        here = machines(self.fleet, self.profiles, self.foreign)
        ahead = queues(here, self.tickets, None, self.now)
        return Knowledge(self.abilities, self.profiles, ahead)


@dataclass(frozen=True, slots=True)
class Assessed:
    """A candidate against every requirement."""

    candidate: Candidate
    weighed: Weighed
    findings: tuple[Finding, ...]

    @property
    def chance(self) -> float:
        """Probability that everything holds."""
        return joint(self.findings)

    @property
    def fits(self) -> bool:
        """Whether nothing is missed, and all together is likelier than not."""
        missed = any(f.verdict is Verdict.NOT_MET for f in self.findings)
        return not missed and self.chance >= _EVEN

    @property
    def run(self) -> Run:
        pair = self.candidate.pair
        return Run.CLOUD if pair.model.cloud else Run(str(pair.instance.locality))


def joint(found: Sequence[Finding]) -> float:
    """Probability that all hold: the least of those about time, times each of the others."""
    of_time = [f.chance for f in found if f.key in _OF_TIME]
    others = [f.chance for f in found if f.key not in _OF_TIME]
    return min(of_time, default=1.0) * math.prod(others)


@dataclass(frozen=True, slots=True)
class Weighing:
    """What came of weighing a world: the decision, and its candidates, the preferred first.

    `longest_context` is that of any model that can do the task otherwise.
    """

    decision: Decision
    assessed: tuple[Assessed, ...]
    longest_context: int = 0

    @property
    def best(self) -> Assessed | None:
        """The first that fits, else the one that is nearest to it."""
        fit = next((each for each in self.assessed if each.fits), None)
        if fit is not None or not self.assessed:
            return fit
        return max(self.assessed, key=_nearness)


def _nearness(assessed: Assessed) -> tuple[int, float, float]:
    """Few requirements missed, none of them by far, and a good candidate otherwise."""
    missed = [f for f in assessed.findings if f.verdict is Verdict.NOT_MET]
    lacking = sum(f.shortfall for f in assessed.findings)
    return -len(missed), assessed.chance / (1 + lacking), assessed.candidate.score


def weigh(wanted: Wanted, world: World, *, warm: bool = False) -> Weighing:
    """Weigh the candidates of a world against what is wanted.

    With `warm`, and for a conversation, each model is timed as if it were in memory.
    """
    warm = warm or wanted.requirements.conversation
    demand = Demand(_performance(wanted, world))
    decision = _decided(wanted, world, demand)
    timed = decision
    if warm:
        timed = _decided(wanted, replace(world, fleet=_warm(world.fleet, wanted.task)), demand)
    now = {candidate.pair.key: candidate for candidate in decision.ranked}
    price = world.settings.route.price_per_doubling[demand.performance]
    known = world.knowledge
    # No option of a route means all machines of this place and no other: one is named.
    alone = wanted.requirements.privacy is Privacy.LOCAL and any(
        i.locality is not Locality.LOCAL for i in world.fleet
    )
    best_there: dict[str, Candidate] = {}
    for candidate in timed.ranked:
        best_there.setdefault(candidate.instance, candidate)
    assessed = []
    for candidate in _promising(timed.ranked):
        rivals = () if alone else tuple(best_there.values())
        weighed = Weighed(now[candidate.pair.key], candidate, rivals, price, warm)
        found = findings(weighed, wanted.task, wanted.requirements, world.settings, known)
        assessed.append(Assessed(weighed.candidate, weighed, found))
    return Weighing(decision, tuple(assessed), _longest_context(decision, world.fleet))


def _promising(ranked: tuple[Candidate, ...]) -> Sequence[Candidate]:
    """The candidates of large fleets that may be the answer: the best and the fastest."""
    if len(ranked) <= _BEST + _FASTEST:
        return ranked
    by_time = sorted(ranked[_BEST:], key=lambda c: c.estimate.p80_s)
    fastest = {c.pair.key for c in by_time[:_FASTEST]}
    return [c for i, c in enumerate(ranked) if i < _BEST or c.pair.key in fastest]


def _longest_context(decision: Decision, fleet: Fleet) -> int:
    short = {
        (r.model, r.instance) for r in decision.rejected if r.reason is Reason.CONTEXT_TOO_SMALL
    }
    return max(
        (m.context_length or 0 for i in fleet for m in i.models if (str(m.name), i.id) in short),
        default=0,
    )


def _performance(wanted: Wanted, world: World) -> Performance:
    said = wanted.requirements.performance
    if said is not None:
        return said
    return Performance.FAST if wanted.requirements.conversation else world.performance


def _decided(wanted: Wanted, world: World, demand: Demand) -> Decision:
    """The ranking of a fleet; for `local`, machines elsewhere are out."""
    fleet = world.fleet
    away: tuple[Rejection, ...] = ()
    if wanted.requirements.privacy is Privacy.LOCAL:
        here = tuple(i for i in fleet if i.locality is Locality.LOCAL)
        away = tuple(
            Rejection(str(m.name), i.id, Reason.LOCALITY_EXCLUDED, "it is not on this machine")
            for i in fleet
            if i not in here
            for m in i.models
        )
        fleet = replace(fleet, instances=here)
    decision = decide(
        wanted.task,
        fleet,
        world.settings,
        world.wish(wanted),
        demand,
        world.skipped,
        world.knowledge,
    )
    return replace(decision, rejected=(*decision.rejected, *away))


def _warm(fleet: Fleet, task: Task) -> Fleet:
    """The fleet as each model finds it that was brought into memory before."""
    return replace(
        fleet,
        instances=tuple(
            replace(
                instance,
                loaded=tuple(_kept(Pair(model, instance), task) for model in instance.models),
            )
            for instance in fleet
        ),
    )


def _kept(pair: Pair, task: Task) -> LoadedModel:
    loaded = pair.loaded
    # Room for a model's thoughts, too.
    context = max(4 * task.context_tokens, (loaded.context_length or 0) if loaded else 0)
    if loaded is not None:
        return replace(loaded, context_length=context)
    return LoadedModel(pair.model.name, size=pair.model.size_bytes, context_length=context)


def with_instance(world: World, changed: Instance) -> World:
    """The world with this instance in place of the one of its id, or beside the others."""
    fleet = world.fleet
    others = [i for i in fleet if i.id != changed.id]
    instances = (*others, changed)
    return replace(world, fleet=replace(fleet, instances=instances))
