"""Answer a prompt: decide, try, fail over, and tell everything that happened."""

from __future__ import annotations

import asyncio  # noqa: TID253 (imported only by commands that wait for instances)
from dataclasses import dataclass, field, replace
from itertools import chain, repeat
from typing import TYPE_CHECKING

from ollamamaster.domain.candidates import Reason, Rejection, Wish
from ollamamaster.domain.context import context_to_ask, may_truncate_silently, next_context
from ollamamaster.domain.estimate import context_needed
from ollamamaster.domain.instances import Status
from ollamamaster.domain.knowledge import Knowledge
from ollamamaster.domain.models import ModelName
from ollamamaster.domain.names import MeantModel, meant_model
from ollamamaster.domain.selection import Decision, Demand, decide
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.domain.task import analyse
from ollamamaster.errors import BadRequestError, ModelUnknownError, Outcome
from ollamamaster.services.answering import Answering
from ollamamaster.services.route_errors import (
    deadline_error,
    everything_failed,
    no_candidate,
    none_up,
    over_limit,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from ollamamaster.domain.ability import Abilities
    from ollamamaster.domain.routing import RouteRequest, RouteResult
    from ollamamaster.domain.selection import Candidate
    from ollamamaster.domain.settings import Settings
    from ollamamaster.domain.task import Task
    from ollamamaster.ports import Clock, LivenessStore, OllamaAPI
    from ollamamaster.services.answering import RouteListener
    from ollamamaster.services.pull import PullListener, PullService
    from ollamamaster.services.residency import Residency

# When all say that they are busy: tried again after these seconds, the last one repeatedly.
BUSY_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
BUSY_LIMIT_S = 600.0

# Failures after which the other models of the same instance would fail the same way.
_OF_THE_INSTANCE = frozenset({Outcome.CONNECT_ERROR, Outcome.TIMEOUT, Outcome.BAD_RESPONSE})


@dataclass
class RouteService:
    """Sends a prompt to the model and instance that will answer it best."""

    settings: Settings
    ollama: OllamaAPI
    liveness: LivenessStore
    clock: Clock
    residency: Residency
    pulls: Callable[[], PullService]
    abilities: Abilities

    async def explain(
        self, request: RouteRequest, fleet: Fleet, note: Callable[[str], None]
    ) -> Decision:
        """What would be done now; nothing is sent. Raises UsageError.

        A model that nobody has is a rejection everywhere, and `note` is told of near misses.
        """
        return await RouteRun(self, request).decide(fleet, note, trying=False)

    def begin(self, request: RouteRequest) -> RouteRun:
        """A route that has read its prompt; its clock runs from here."""
        return RouteRun(self, request)


@dataclass
class RouteRun:
    """One route under way. `so_far` may be asked at any time, also after a failure."""

    service: RouteService
    request: RouteRequest
    decision: Decision | None = None
    _answering: Answering = field(init=False)
    _fleet: Fleet = field(default_factory=Fleet)
    _wanted: Wish = field(default_factory=Wish)

    def __post_init__(self) -> None:
        of = self.service
        self._answering = Answering(self.request, of.settings, of.ollama, of.liveness, of.clock)

    @property
    def characters(self) -> int:
        """How much of an answer has come."""
        return self._answering.characters

    def so_far(self) -> RouteResult:
        """The route as far as it is known now."""
        return self._answering.so_far(self.decision)

    async def complete(
        self,
        find: Callable[[], Awaitable[Fleet]],
        listener: RouteListener,
        pulling: PullListener,
    ) -> RouteResult:
        """Answer the prompt on the fleet that `find` gives; the deadline is for both.

        Raises BadRequestError, NoInstanceError, NoCandidateError, AllFailedError,
        TimeLimitError, UsageError; what came until then stays in `so_far`.
        """
        limit = self.request.max_time_s
        left = None if limit is None else max(0.0, limit - self._answering.elapsed_s())
        try:
            async with asyncio.timeout(left) as deadline:
                await self._complete(await find(), listener, pulling)
        except TimeoutError:
            if not deadline.expired():
                raise
            raise deadline_error(limit or 0.0, self.so_far()) from None
        return self.so_far()

    async def _complete(self, fleet: Fleet, listener: RouteListener, pulling: PullListener) -> None:
        decision: Decision | None = None
        model = self.request.model if self.request.pull else None
        try:
            decision = await self.decide(fleet, listener.note)
        except ModelUnknownError:
            if model is None:
                raise
        if model is not None and (decision is None or _is_only_missing(decision)):
            fleet = await self.service.pulls().pulled(
                model, self.request.instance, self._fleet, pulling
            )
            decision = None
        if decision is None:
            decision = await self.decide(fleet, listener.note)
        listener.decided(decision)
        if decision.refused:
            raise over_limit(decision)
        if not decision.ranked:
            raise no_candidate(decision, self._fleet, self._wanted)
        if decision.late:
            likely = decision.ranked[0].estimate.p80_s
            listener.note(
                f"nothing is likely to be that fast; using the fastest, up to {likely:.1f} s"
            )
        await self._try_all(decision, listener)

    async def decide(
        self, fleet: Fleet, note: Callable[[str], None], *, trying: bool = True
    ) -> Decision:
        """Ask who has what in memory, and rank.

        With `trying`, the best one is tried when all look down, and a model that nobody has is
        a ModelUnknownError.
        """
        service, request = self.service, self.request
        fleet = self._fleet = await service.residency.current(fleet)
        try:
            wish = self._wish(fleet, note)
        except ModelUnknownError:
            # It may have been downloaded since the lists were read.
            fleet = self._fleet = await service.residency.again(fleet)
            if trying and not fleet.up:
                raise none_up(fleet) from None
            wish = self._wish(fleet, note, trying=trying)
        self._wanted = wish
        self._answering.health = dict(service.liveness.load())
        now = service.clock.now().timestamp()
        skipped = {i for i, health in self._answering.health.items() if health.skipped(now)}
        task = analyse(request.question)
        decision = self._decide(task, fleet, wish, skipped)
        if trying and not decision.ranked and _only_down(decision):
            # Panic mode: the health may be out of date, and trying costs less than giving up.
            decision = self._decide(task, _as_if_up(fleet), wish, set())
        self.decision = decision
        return decision

    def _decide(self, task: Task, fleet: Fleet, wish: Wish, skipped: set[str]) -> Decision:
        demand = Demand(self.request.performance, self.request.max_time_s)
        of = self.service
        return decide(task, fleet, of.settings, wish, demand, skipped, Knowledge(of.abilities))

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

    async def _try_all(self, decision: Decision, listener: RouteListener) -> None:
        left: Sequence[Candidate] = decision.ranked
        limit = BUSY_LIMIT_S if self.request.max_time_s is None else float("inf")
        began = self.service.clock.monotonic()
        for pause in _pauses():
            left = await self._try_each(left, listener)
            if self._answering.done_reason is not None:
                return
            waited = self.service.clock.monotonic() - began
            if not left or waited + pause > limit:
                raise everything_failed(self.so_far())
            listener.note(f"all are busy; trying again in {pause:g} s")
            await self.service.clock.sleep(pause)
            self._answering.waited_s += pause

    async def _try_each(
        self, candidates: Sequence[Candidate], listener: RouteListener
    ) -> list[Candidate]:
        """Try in order until one answers; returns the candidates that were only busy."""
        busy: list[Candidate] = []
        dead: set[str] = set()
        for candidate in candidates:
            if candidate.instance in dead:
                continue
            outcome = await self._try(candidate, listener)
            if outcome is Outcome.OK:
                return []
            if outcome is Outcome.BUSY:
                busy.append(candidate)
                # Busy is said of loads that wait, so another model there would wait as well.
                dead.add(candidate.instance)
            elif outcome in _OF_THE_INSTANCE:
                dead.add(candidate.instance)
        return busy

    async def _try(self, candidate: Candidate, listener: RouteListener) -> Outcome:
        """One candidate: one attempt, and one more when it asked for more context."""
        for num_ctx in self._contexts(candidate):
            failure = await self._answering.attempt(candidate, num_ctx, listener)
            if failure is None:
                self._warn_of_truncation(candidate, num_ctx, listener)
                return Outcome.OK
            if failure.callers_fault and not failure.context_exceeded:
                raise BadRequestError(
                    f"{candidate.instance} refused the request: {failure.message}",
                    instance=candidate.instance,
                ) from failure
            if not failure.context_exceeded:
                return failure.outcome
        self._reject_as_too_small(candidate)
        return Outcome.BAD_REQUEST

    def _contexts(self, candidate: Candidate) -> tuple[int | None, ...]:
        """The `num_ctx` to send and the one to try after a refusal; None if the person set it."""
        if "num_ctx" in self.request.options:
            return (None,)
        model, loaded = candidate.pair.model, candidate.pair.loaded
        needed = context_needed(self._task, candidate.prospect.output_tokens)
        first = context_to_ask(needed, model, loaded)
        larger = next_context(first, model.context_length)
        return (first,) if larger is None else (first, larger)

    @property
    def _task(self) -> Task:
        assert self.decision is not None  # noqa: S101 (nothing is tried before it is decided)
        return self.decision.task

    def _reject_as_too_small(self, candidate: Candidate) -> None:
        assert self.decision is not None  # noqa: S101 (nothing is tried before it is decided)
        rejection = Rejection(
            candidate.model,
            candidate.instance,
            Reason.CONTEXT_TOO_SMALL,
            "the instance says that the prompt is longer than the context",
        )
        self.decision = replace(
            self.decision,
            ranked=tuple(c for c in self.decision.ranked if c is not candidate),
            rejected=(*self.decision.rejected, rejection),
        )

    def _warn_of_truncation(
        self, candidate: Candidate, num_ctx: int | None, listener: RouteListener
    ) -> None:
        instance, answering = candidate.pair.instance, self._answering
        context = self.request.options.get("num_ctx") if num_ctx is None else num_ctx
        if not isinstance(context, int):
            return
        filled = (answering.usage.prompt_tokens or 0) >= context
        if filled and may_truncate_silently(instance.version):
            listener.note(
                f"{instance.name} runs Ollama {instance.version}, which cuts long prompts in "
                f"silence, and this one filled its context of {context} tokens; 0.12.6 refuses"
            )
        if answering.done_reason == "length" and "num_predict" not in self.request.options:
            listener.note(f"the answer was cut at its length limit (context: {context} tokens)")


def _pauses() -> Iterator[float]:
    return chain(BUSY_PAUSES_S, repeat(BUSY_PAUSES_S[-1]))


def _is_only_missing(decision: Decision) -> bool:
    """Whether a download is all that lacks where the person wants the model."""
    reasons = {r.reason for r in decision.rejected} - {Reason.NOT_REQUESTED}
    return not decision.ranked and reasons == {Reason.MODEL_MISSING}


def _only_down(decision: Decision) -> bool:
    return any(r.reason is Reason.INSTANCE_DOWN for r in decision.rejected)


def _as_if_up(fleet: Fleet) -> Fleet:
    return Fleet(tuple(replace(i, status=Status.UP) for i in fleet), fleet.checked_at)
