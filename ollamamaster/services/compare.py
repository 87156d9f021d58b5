"""Let several models answer one prompt at once, each where the scheduler puts it."""

from __future__ import annotations

import asyncio  # noqa: TID253 (imported only by commands that wait for instances)
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ollamamaster.domain.comparing import Answer, CompareResult, common_failure, outcome_of
from ollamamaster.domain.comparison import Agreement, Method, agreement, majority
from ollamamaster.errors import AllFailedError, OllamaMasterError, Outcome, TimeLimitError
from ollamamaster.services.judging import Judging
from ollamamaster.services.likeness import agreed
from ollamamaster.services.lineup import Lineup
from ollamamaster.services.route_listener import Unheard

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ollamamaster.domain.comparing import CompareRequest
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.services.compare_listener import CompareListener
    from ollamamaster.services.means import Means
    from ollamamaster.services.route import RouteRun, RouteService

_NOTHING = Agreement((), None, Method.OVERLAP)


@dataclass
class CompareService:
    """Several models side by side."""

    means: Means
    routes: RouteService

    def begin(self, request: CompareRequest) -> CompareRun:
        """A comparison that has read its prompt; its clock runs from here."""
        return CompareRun(self, request)


@dataclass
class CompareRun:
    """One comparison under way. `so_far` may be asked at any time, also after a failure."""

    service: CompareService
    request: CompareRequest
    _began: float = field(init=False)
    _lineup: Lineup = field(init=False)
    _judging: Judging = field(init=False)
    _seconds: float | None = None
    _fleet: Fleet | None = None
    _runs: dict[int, RouteRun] = field(default_factory=dict)
    _answers: dict[int, Answer] = field(default_factory=dict)
    _agreement: Agreement = _NOTHING

    def __post_init__(self) -> None:
        self._began = self._means.clock.monotonic()
        self._lineup = Lineup(self.service.routes, self.request, self._left_s)
        self._judging = Judging(self.service.routes, self.request, self._left_s)

    @property
    def _means(self) -> Means:
        return self.service.means

    def so_far(self) -> CompareResult:
        """The comparison as far as it is known now."""
        answers = tuple(self._answer(index) for index in range(len(self._lineup.entrants)))
        elapsed_s = self._means.clock.monotonic() - self._began
        return CompareResult(
            self.request.asked.full_prompt,
            answers,
            self._agreement,
            self._judging.judgement,
            majority(self._agreement, self._trust) if self.request.vote else None,
            elapsed_s if self._seconds is None else self._seconds,
            self._lineup.plan,
            self._judging.error,
        )

    async def complete(
        self,
        find: Callable[[], Awaitable[Fleet]],
        listener: CompareListener,
    ) -> CompareResult:
        """Let them answer on the fleet that `find` gives; the deadline is for all of it.

        One that fails is a result like the others. Every route is remembered as soon as it ends,
        so that those behind it do not take it for somebody else's; a verdict is learnt from.

        Raises ModelUnknownError when no model that was named is known, NoInstanceError,
        NoCandidateError, TimeLimitError or BadRequestError when all failed so, AllFailedError when
        all failed otherwise, and UsageError; what came until then stays in `so_far`.
        """
        await self.answers(find, listener)
        await self._compared()
        await self._judging.judge(self.so_far(), await self._found(), listener, _chance())
        self._seconds = self._means.clock.monotonic() - self._began
        return self.so_far()

    async def answers(
        self, find: Callable[[], Awaitable[Fleet]], listener: CompareListener
    ) -> tuple[Answer, ...]:
        """Only the answers: nobody looks how alike they are, and nobody judges. Raises as above."""
        await self._prepared(find, listener)
        await self._answered(listener)
        self._check_answers()
        return self.so_far().answers

    async def _prepared(
        self, find: Callable[[], Awaitable[Fleet]], listener: CompareListener
    ) -> None:
        limit_s = self.request.asked.max_time_s
        try:
            async with asyncio.timeout(self._left_s()) as deadline:
                fleet = await self._means.residency.current(await find())
                fleet = await self._lineup.enter(fleet, listener)
                # What is in memory was just asked, and each of the routes need not ask again.
                self._fleet = replace(fleet, checked_at=self._means.clock.now())
                listener.entered(self._lineup.entrants)
                await self._lineup.line_up(self._fleet)
        except TimeoutError:
            if not deadline.expired():
                raise
            raise TimeLimitError(
                f"the time limit of {limit_s:g} s passed before anything was sent"
            ) from None
        listener.planned(self._lineup.plan)

    # ---- the answers

    async def _answered(self, listener: CompareListener) -> None:
        async with asyncio.TaskGroup() as group:
            for index in self._lineup.order:
                asked = self.request.of(self._lineup.entrants[index], self._left_s())
                run = self.service.routes.begin(asked)
                self._runs[index] = run
                group.create_task(self._one(index, run, listener))

    async def _one(self, index: int, run: RouteRun, listener: CompareListener) -> None:
        try:
            await run.complete(self._found, listener.route(index), Unheard())
        except OllamaMasterError as error:
            self._answers[index] = self._told(index, run, error)
        else:
            self._answers[index] = self._told(index, run, None)
        listener.answered(index, self._answers[index])

    async def _found(self) -> Fleet:
        assert self._fleet is not None  # noqa: S101 (found before anything is asked)
        return self._fleet

    def _answer(self, index: int) -> Answer:
        missing = self._lineup.missing.get(index)
        answer, run = self._answers.get(index, missing), self._runs.get(index)
        if answer is not None:
            return answer
        if run is not None:
            return self._told(index, run, None, str(Outcome.CANCELLED))
        entrant = self._lineup.entrants[index]
        return Answer(entrant.model, entrant.instance, str(Outcome.CANCELLED))

    def _told(
        self,
        index: int,
        run: RouteRun,
        error: OllamaMasterError | None,
        outcome: str = str(Outcome.OK),
    ) -> Answer:
        route, entrant = run.so_far(), self._lineup.entrants[index]
        at = route.instance or entrant.instance
        names = {i.id: i.name for i in self._fleet or ()}
        return Answer(
            entrant.model,
            at,
            outcome if error is None else outcome_of(error, route),
            route,
            error,
            names.get(at or "", at),
        )

    def _check_answers(self) -> None:
        """Raise what stands for all failures when nobody answered."""
        answers = self.so_far().answers
        if any(answer.ok for answer in answers):
            return
        errors = [answer.error for answer in answers if answer.error is not None]
        lines = [f"{a.model}: {a.error.message}" for a in answers if a.error is not None]
        common = common_failure(errors)
        if common is None or isinstance(common, AllFailedError):
            raise AllFailedError("every model failed", hint="\n".join(lines))
        if len({error.message for error in errors}) == 1:
            raise common
        raise type(common)("every model failed", hint="\n".join(lines))

    # ---- side by side

    async def _compared(self) -> None:
        answers = self.so_far().answers
        texts = [answer.text if answer.ok else None for answer in answers]
        try:
            async with asyncio.timeout(self._left_s()):
                self._agreement = await agreed(
                    self._means,
                    texts,
                    await self._found(),
                    local_only=self.request.asked.local_only,
                    chance=_chance(),
                )
        except TimeoutError:
            self._agreement = agreement(texts)

    def _trust(self, index: int) -> float:
        """How likely an answer is right: as judged, else by what is known of its model."""
        judgement = self._judging.judgement
        if judgement is not None and judgement.told:
            return judgement.scores[index] or 0.0
        run = self._runs.get(index)
        ranked = run.decision.ranked if run is not None and run.decision is not None else ()
        return ranked[0].terms["quality"] if ranked else 0.0

    def _left_s(self) -> float | None:
        limit_s = self.request.asked.max_time_s
        if limit_s is None:
            return None
        return max(0.0, limit_s - (self._means.clock.monotonic() - self._began))


def _chance() -> int:
    return int.from_bytes(os.urandom(4), "big")
