"""What does a route know at this moment, and what does it decide from that?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ollamamaster.domain.candidates import Reason, Rejection, Wish
from ollamamaster.domain.instances import Status
from ollamamaster.domain.knowledge import Knowledge
from ollamamaster.domain.machines import machines
from ollamamaster.domain.models import ModelName
from ollamamaster.domain.names import MeantModel, meant_model
from ollamamaster.domain.others import Ours, uses_by_others
from ollamamaster.domain.schedule import queues
from ollamamaster.domain.selection import Decision, Demand, decide, for_a_team
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.domain.task import analyse
from ollamamaster.errors import ModelUnknownError
from ollamamaster.services.route_errors import none_up

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ollamamaster.domain.liveness import Health
    from ollamamaster.domain.machines import Machine
    from ollamamaster.domain.routing import RouteRequest
    from ollamamaster.domain.selection import Candidate
    from ollamamaster.domain.task import Task
    from ollamamaster.services.line import Line
    from ollamamaster.services.means import Means


@dataclass
class Deciding:
    """Decides, and decides again while the route waits, from what is known then.

    `first` is the decision with which the route began, `decision` the latest one. `health` is
    kept as it is known, for those who use the instances. `ran` are the (model, instance) pairs
    that ran for this user since the route began.
    """

    means: Means
    request: RouteRequest
    line: Line
    health: dict[str, Health]
    fleet: Fleet = field(default_factory=Fleet)
    first: Decision | None = None
    decision: Decision | None = None
    machines: Mapping[str, Machine] = field(default_factory=dict)
    ran: set[tuple[str, str]] = field(default_factory=set)
    _before: Fleet = field(default_factory=Fleet)
    _wanted: Wish = field(default_factory=Wish)
    _task: Task | None = None
    _panics: bool = False
    _forgives: bool = False
    _refused: dict[tuple[str, str], Rejection] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # The others of a team use its pairs all the time, so that is nobody else's use.
        self.ran |= self.request.team

    async def decide(
        self, fleet: Fleet, note: Callable[[str], None], *, trying: bool = True
    ) -> Decision:
        """Ask who has what in memory, and rank.

        With `trying`, the best one is tried when all look down, and a model that nobody has is
        a ModelUnknownError.
        """
        residency = self.means.residency
        self._before = fleet
        # Before it is asked what is in memory, and history after it: what ended in between was
        # seen here or is told there, and is not taken for somebody else's.
        self._see_who_runs()
        fleet = self.fleet = await residency.current(fleet)
        try:
            wish = self._wish(fleet, note)
        except ModelUnknownError:
            # It may have been downloaded since the lists were read.
            fleet = self.fleet = await residency.again(fleet)
            if trying and not fleet.up:
                raise none_up(fleet) from None
            wish = self._wish(fleet, note, trying=trying)
        self._wanted = wish
        self._task = analyse(self.request.question)
        decision = self._ranked(self.request.max_time_s)
        if trying and not decision.ranked and _only_down(decision):
            # Panic mode: the health may be out of date, and trying costs less than giving up.
            self._panics = True
            decision = self._ranked(self.request.max_time_s)
        self.first = self.decision = decision
        return decision

    async def again(self, ids: Collection[str], left_s: float | None) -> None:
        """Decide once more, knowing what these instances have in memory now.

        `left_s` is what is left of the time limit. A decision for nothing changes nothing.
        """
        self._take(await self.look(ids, left_s))

    def _take(self, decision: Decision) -> None:
        if decision.ranked and not decision.refused:
            self.decision = decision

    async def look(self, ids: Collection[str], left_s: float | None) -> Decision:
        """What would be decided now, which changes no decision."""
        self._see_who_runs()
        self.fleet = await self.means.residency.memory(self.fleet, ids)
        return self._ranked(left_s)

    def holds(self, model: str, instance: str) -> bool:
        """Whether an instance was seen to have the model in memory."""
        machine = self.machines.get(instance)
        return machine is not None and model in {held.model for held in machine.resident}

    @property
    def down(self) -> set[str]:
        """The ids of instances that would do if they were up."""
        return {r.instance for r in self.latest.rejected if r.reason is Reason.INSTANCE_DOWN}

    @property
    def latest(self) -> Decision:
        """The latest decision, for what only begins after one."""
        assert self.decision is not None  # noqa: S101 (see above)
        return self.decision

    def prefer(self, candidate: Candidate) -> None:
        """Say that this one is used: its turn came first."""
        ranked = self.latest.ranked
        if ranked[:1] != (candidate,):
            rest = tuple(c for c in ranked if c is not candidate)
            self.decision = replace(self.latest, ranked=(candidate, *rest))

    def forgive(self, left_s: float | None) -> None:
        """Rank those too that are left alone because they failed lately.

        When the others have failed, these are no worse than giving up.
        """
        self._forgives = True
        self._take(self._ranked(left_s))

    def refuse(self, candidate: Candidate, reason: Reason, detail: str) -> None:
        """An instance said itself that the candidate cannot; it is ranked no more."""
        rejection = Rejection(candidate.model, candidate.instance, reason, detail)
        self._refused[candidate.pair.key] = rejection
        self.decision = self._without_refused(self.latest)

    def _ranked(self, limit_s: float | None) -> Decision:
        assert self._task is not None  # noqa: S101 (analysed before anything is ranked)
        means, fleet = self.means, self.fleet
        now = means.clock.now().timestamp()
        self.health.clear()
        self.health.update(means.liveness.load())
        skipped = {i for i, health in self.health.items() if health.skipped(now)}
        if self._panics:
            fleet = _as_if_up(fleet)
        if self._panics or self._forgives:
            skipped = set()
        profiles = means.history.profiles()
        ours = Ours({(instance, model) for model, instance in self.ran}, profiles.last_used)
        foreign = uses_by_others(self._before, fleet, now, ours)
        self.machines = machines(fleet, profiles, foreign)
        ahead = queues(self.machines, self.line.others(), self.line.ticket, now)
        decision = decide(
            self._task,
            fleet,
            means.settings,
            self._wanted,
            Demand(self.request.performance, limit_s),
            skipped,
            Knowledge(means.abilities, profiles, ahead),
        )
        if self.request.team:
            decision = for_a_team(decision, self.request.team)
        return self._without_refused(decision)

    def _see_who_runs(self) -> None:
        running = [t.on for t in self.line.others() if t.on is not None]
        self.ran |= {(option.model, option.instance) for option in running}

    def _without_refused(self, decision: Decision) -> Decision:
        if not self._refused:
            return decision
        told = [r for r in decision.rejected if r not in self._refused.values()]
        return replace(
            decision,
            ranked=tuple(c for c in decision.ranked if c.pair.key not in self._refused),
            rejected=(*told, *self._refused.values()),
        )

    def _wish(self, fleet: Fleet, note: Callable[[str], None], *, trying: bool = True) -> Wish:
        request = self.request
        model = None
        if request.model is not None:
            try:
                meant = meant_model(request.model, fleet)
            except ModelUnknownError as unknown:
                if trying:
                    raise
                note("; ".join(filter(None, [unknown.message, unknown.hint])))
                meant = MeantModel(str(ModelName.parse(request.model)))
            model = meant.name
            if meant.note:
                note(meant.note)
        instance = fleet.find(request.instance).id if request.instance is not None else None
        return Wish(model, instance, request.local_only)


def _only_down(decision: Decision) -> bool:
    return any(r.reason is Reason.INSTANCE_DOWN for r in decision.rejected)


def _as_if_up(fleet: Fleet) -> Fleet:
    return Fleet(tuple(replace(i, status=Status.UP) for i in fleet), fleet.checked_at)
