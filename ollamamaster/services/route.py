"""Answer a prompt: decide, wait for a turn, try, fail over, and tell everything that happened."""

from __future__ import annotations

import asyncio  # noqa: TID253 (imported only by commands that wait for instances)
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ollamamaster.domain.candidates import Reason
from ollamamaster.domain.records import RouteRecord
from ollamamaster.domain.request_ids import request_id
from ollamamaster.errors import ModelUnknownError, OllamaMasterError, Outcome
from ollamamaster.services.answering import Answering
from ollamamaster.services.deciding import Deciding
from ollamamaster.services.line import Line
from ollamamaster.services.route_errors import (
    deadline_error,
    everything_failed,
    no_candidate,
    over_limit,
)
from ollamamaster.services.trying import Trying

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ollamamaster.domain.estimate import Estimate
    from ollamamaster.domain.routing import RouteRequest, RouteResult
    from ollamamaster.domain.selection import Decision
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.services.means import Means
    from ollamamaster.services.pull import PullListener, PullService
    from ollamamaster.services.route_listener import RouteListener


@dataclass
class RouteService:
    """Sends a prompt to the model and instance that will answer it best."""

    means: Means
    pulls: Callable[[], PullService]

    async def explain(
        self, request: RouteRequest, fleet: Fleet, note: Callable[[str], None]
    ) -> Decision:
        """What would be done now; nothing is sent. Raises UsageError.

        A model that nobody has is a rejection everywhere, and `note` is told of near misses.
        """
        return await self.begin(request).decide(fleet, note, trying=False)

    def begin(self, request: RouteRequest) -> RouteRun:
        """A route that has read its prompt; its clock runs from here."""
        return RouteRun(self, request)


@dataclass
class RouteRun:
    """One route under way. `so_far` may be asked at any time, also after a failure."""

    service: RouteService
    request: RouteRequest
    id: str = field(init=False)
    _answering: Answering = field(init=False)
    _line: Line = field(init=False)
    _deciding: Deciding = field(init=False)
    _outcome: str | None = None

    def __post_init__(self) -> None:
        means = self.service.means
        self._answering = Answering(self.request, means)
        chance = int.from_bytes(os.urandom(4), "big")
        self.id = request_id(self._answering.began_at, chance)
        self._line = Line(means.tickets, means.clock, self.id)
        self._deciding = Deciding(means, self.request, self._line, self._answering.health)

    @property
    def decision(self) -> Decision | None:
        """The latest one; None before the first."""
        return self._deciding.decision

    @property
    def fleet(self) -> Fleet:
        """The fleet as it was asked last; empty before the first decision."""
        return self._deciding.fleet

    @property
    def characters(self) -> int:
        """How much of an answer has come."""
        return self._answering.characters

    def so_far(self) -> RouteResult:
        """The route as far as it is known now."""
        waited_s = self._line.waited_s
        return self._answering.so_far(self.decision, self._promised(), waited_s)

    async def decide(
        self, fleet: Fleet, note: Callable[[str], None], *, trying: bool = True
    ) -> Decision:
        """Ask who has what in memory, and rank; see Deciding."""
        return await self._deciding.decide(fleet, note, trying=trying)

    async def complete(
        self,
        find: Callable[[], Awaitable[Fleet]],
        listener: RouteListener,
        pulling: PullListener,
    ) -> RouteResult:
        """Answer the prompt on the fleet that `find` gives; the deadline is for all of it.

        Raises BadRequestError, NoInstanceError, NoCandidateError, AllFailedError,
        TimeLimitError, UsageError; what came until then stays in `so_far`.
        """
        limit = self.request.max_time_s
        left = None if limit is None else max(0.0, limit - self._answering.elapsed_s())
        try:
            async with asyncio.timeout(left) as deadline:
                await self._complete(await find(), listener, pulling)
            self._outcome = str(Outcome.OK)
        except TimeoutError:
            if not deadline.expired():
                raise
            late = deadline_error(limit or 0.0, self.so_far(), self.request.who)
            self._outcome = str(late.code)
            raise late from None
        except OllamaMasterError as error:
            self._outcome = str(error.code)
            raise
        except asyncio.CancelledError:
            self._outcome = str(Outcome.CANCELLED)
            raise
        finally:
            # In this order: who sees no ticket any more is told by history that it was ours, and
            # does not take what moved on the instance for somebody else's use.
            self._record()
            self._line.leave()
        return self.so_far()

    def _record(self) -> None:
        """Remember the route and learn from its attempts. Raises nothing."""
        outcome, decision = self._outcome, self._deciding.first
        if outcome is None or decision is None:
            return
        means, request = self.service.means, self.request
        result, chosen = self.so_far(), decision.chosen
        with_text = means.settings.history.store_text and request.keep_text
        means.history.record(
            RouteRecord(
                id=self.id,
                at=self._answering.began_at,
                who=request.who,
                task_type=decision.task.type,
                seconds=result.timing.total_s or 0.0,
                waited_s=self._line.waited_s,
                outcome=outcome,
                attempts=self._answering.records,
                decision=decision,
                estimate=chosen.estimate if chosen is not None else None,
                prompt=request.full_prompt if with_text else None,
                answer=result.response if with_text else None,
            )
        )

    def _promised(self) -> Estimate | None:
        """What was expected of the one that answers when the route began."""
        trial, first = self._answering.trial, self._deciding.first
        if trial is None:
            return None
        ranked = first.ranked if first is not None else ()
        key = trial.candidate.pair.key
        return next((c.estimate for c in ranked if c.pair.key == key), trial.estimate)

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
                model, self.request.instance, self._deciding.fleet, pulling
            )
            decision = None
        if decision is None:
            decision = await self.decide(fleet, listener.note)
        listener.decided(decision)
        if decision.refused:
            raise over_limit(decision, self._deciding.fleet)
        if not decision.ranked:
            raise no_candidate(decision, self._deciding.fleet, decision.wish)
        if decision.late:
            likely = decision.ranked[0].estimate.p80_s
            listener.note(
                f"nothing is likely to be that fast; using the fastest, up to {likely:.1f} s"
            )
        await self._trying(listener).answer()

    def _trying(self, listener: RouteListener) -> Trying:
        return Trying(
            self.service.means,
            self.request,
            self._deciding,
            self._answering,
            self._line,
            listener,
            lambda: everything_failed(self.so_far()),
        )


def _is_only_missing(decision: Decision) -> bool:
    """Whether a download is all that lacks where the person wants the model."""
    reasons = {r.reason for r in decision.rejected} - {Reason.NOT_REQUESTED}
    return not decision.ranked and reasons == {Reason.MODEL_MISSING}
