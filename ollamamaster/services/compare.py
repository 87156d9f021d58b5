"""Let several models answer one prompt at once, each where the scheduler puts it."""

from __future__ import annotations

import asyncio  # noqa: TID253 (imported only by commands that wait for instances)
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ollamamaster.domain.ability import ability
from ollamamaster.domain.comparing import (
    Answer,
    CompareResult,
    Entrant,
    Planned,
    Spread,
    common_failure,
    outcome_of,
)
from ollamamaster.domain.comparison import Agreement, Method, agreement, gist, majority
from ollamamaster.domain.judged import Verdict, bouts_of
from ollamamaster.domain.lineup import entrants, in_best_order, seconds_of
from ollamamaster.domain.machines import machines
from ollamamaster.domain.names import meant_model
from ollamamaster.domain.options import options_of
from ollamamaster.errors import (
    AllFailedError,
    FailedError,
    ModelUnknownError,
    OllamaMasterError,
    Outcome,
    TimeLimitError,
    UsageError,
)
from ollamamaster.services.compare_listener import Unheard
from ollamamaster.services.judge import Judge
from ollamamaster.services.likeness import likeness
from ollamamaster.services.route_errors import no_candidate, none_up

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from ollamamaster.domain.comparing import CompareRequest
    from ollamamaster.domain.routing import RouteRequest
    from ollamamaster.domain.selection import Decision
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.domain.verdict import Judgement
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
    _seconds: float | None = None
    _entrants: tuple[Entrant, ...] = ()
    _fleet: Fleet | None = None
    _plan: tuple[Planned, ...] = ()
    _runs: dict[int, RouteRun] = field(default_factory=dict)
    _answers: dict[int, Answer] = field(default_factory=dict)
    _agreement: Agreement = _NOTHING
    _judgement: Judgement | None = None
    _judge_error: OllamaMasterError | None = None

    def __post_init__(self) -> None:
        self._began = self._means.clock.monotonic()

    @property
    def _means(self) -> Means:
        return self.service.means

    def so_far(self) -> CompareResult:
        """The comparison as far as it is known now."""
        answers = tuple(self._answer(index) for index in range(len(self._entrants)))
        elapsed_s = self._means.clock.monotonic() - self._began
        return CompareResult(
            self.request.asked.full_prompt,
            answers,
            self._agreement,
            self._judgement,
            majority(self._agreement, self._trust) if self.request.vote else None,
            elapsed_s if self._seconds is None else self._seconds,
            self._plan,
            self._judge_error,
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
        await self._judged(listener)
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

    # ---- who, and in which order

    async def _prepared(
        self, find: Callable[[], Awaitable[Fleet]], listener: CompareListener
    ) -> None:
        limit_s = self.request.asked.max_time_s
        try:
            async with asyncio.timeout(self._left_s()) as deadline:
                fleet = await self._means.residency.current(await find())
                fleet = await self._enter(fleet, listener)
                # What is in memory was just asked, and each of the routes need not ask again.
                self._fleet = replace(fleet, checked_at=self._means.clock.now())
                listener.entered(self._entrants)
                await self._line_up(self._fleet)
        except TimeoutError:
            if not deadline.expired():
                raise
            raise TimeLimitError(
                f"the time limit of {limit_s:g} s passed before anything was sent"
            ) from None
        listener.planned(self._plan)

    async def _enter(self, fleet: Fleet, listener: CompareListener) -> Fleet:
        """Who takes part; the fleet is asked anew for models that it does not know."""
        request = self.request
        typed = [name.strip() for name in request.models]
        if not all(typed):
            raise UsageError("the name of a model is missing")
        if request.spread is Spread.INSTANCES and len(typed) > 1:
            raise UsageError("one model is compared on several instances, not several models")
        named = [self._named(name, fleet, listener) for name in typed]
        judged = request.judge is None or _is_known(request.judge, fleet)
        if not judged or not all(entrant.known for entrant in named):
            # It may have been downloaded since the lists were read.
            fleet = await self._means.residency.again(fleet)
            named = [self._named(name, fleet, listener) for name in typed]
        self._entrants = tuple(named)
        if named and not any(entrant.known for entrant in named):
            self._unknown(fleet)
            if not fleet.up:
                raise none_up(fleet)
            raise self._all_unknown()
        if not named or request.spread is Spread.INSTANCES:
            model = named[0].model if named else None
            self._entrants = await self._chosen(model, fleet, listener)
        self._unknown(fleet)
        return fleet

    def _named(self, typed: str, fleet: Fleet, listener: CompareListener) -> Entrant:
        try:
            meant = meant_model(typed, fleet)
        except ModelUnknownError:
            return Entrant(typed, known=False)
        if meant.note:
            listener.note(meant.note)
        return Entrant(meant.name)

    async def _chosen(
        self, model: str | None, fleet: Fleet, listener: CompareListener
    ) -> tuple[Entrant, ...]:
        spread = self.request.spread
        asked = replace(self._asked(Entrant(model or "")), model=model, max_time_s=None)
        decision = await self.service.routes.explain(asked, fleet, listener.note)
        if not decision.ranked:
            raise no_candidate(decision, fleet, decision.wish)
        chosen = entrants(decision, spread, self._means.settings)
        if len(chosen) == 1:
            where = "one instance" if spread is Spread.INSTANCES else "one model"
            listener.note(f"only {where} can do this, so there is nothing to compare it with")
        return chosen

    def _unknown(self, fleet: Fleet) -> None:
        """The answers of those that nobody has."""
        for index, entrant in enumerate(self._entrants):
            if entrant.known:
                continue
            try:
                meant_model(entrant.model, fleet)
            except ModelUnknownError as error:
                missing = str(Outcome.MODEL_MISSING)
                self._answers[index] = Answer(entrant.model, None, missing, error=error)

    def _all_unknown(self) -> ModelUnknownError:
        errors = [a.error for a in self._answers.values() if a.error is not None]
        if len(errors) == 1:
            return ModelUnknownError(errors[0].message, hint=errors[0].hint)
        lines = dict.fromkeys(": ".join(filter(None, [e.message, e.hint])) for e in errors)
        return ModelUnknownError("no instance has any of these models", hint="\n".join(lines))

    async def _line_up(self, fleet: Fleet) -> None:
        """Plan which gets in line first, so that no machine is fought for."""
        means = self._means
        able = [index for index, entrant in enumerate(self._entrants) if entrant.known]
        decisions = {i: await self._foreseen(self._entrants[i], fleet) for i in able}
        now = means.clock.now().timestamp()
        there = machines(fleet, means.history.profiles(), {})
        asked = self.request.asked
        ordered = in_best_order(
            [options_of(decisions[i], decisions[i].ranked) for i in able],
            means.tickets.others(""),
            there,
            means.settings.route.price_per_doubling[asked.performance],
            asked.priority,
            now,
        )
        names = {instance.id: instance.name for instance in fleet}
        before: dict[str, list[int]] = {}
        plan = []
        for place, choice in ordered:
            if choice.option is None:
                continue
            index, at = able[place], choice.option.instance
            behind = before.setdefault(at, [])
            waits = () if choice.begins else tuple(behind)
            plan.append(
                Planned(
                    index,
                    choice.option.model,
                    at,
                    names.get(at, at),
                    0.0 if choice.begins else choice.wait_s,
                    seconds_of(choice),
                    waits,
                )
            )
            behind.append(index)
        self._plan = tuple(plan)

    async def _foreseen(self, entrant: Entrant, fleet: Fleet) -> Decision:
        return await self.service.routes.explain(self._asked(entrant), fleet, lambda _: None)

    def _asked(self, entrant: Entrant) -> RouteRequest:
        """What this one is asked. A second try elsewhere would take a machine from the others."""
        return replace(
            self.request.asked,
            model=entrant.model,
            instance=entrant.instance or self.request.asked.instance,
            max_time_s=self._left_s(),
            hedge=False,
            pull=False,
        )

    # ---- the answers

    async def _answered(self, listener: CompareListener) -> None:
        able = [index for index, entrant in enumerate(self._entrants) if entrant.known]
        planned = [each.index for each in self._plan]
        order = [*planned, *(index for index in able if index not in planned)]
        async with asyncio.TaskGroup() as group:
            for index in order:
                run = self.service.routes.begin(self._asked(self._entrants[index]))
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
        answer, run = self._answers.get(index), self._runs.get(index)
        if answer is not None:
            return answer
        if run is not None:
            return self._told(index, run, None, str(Outcome.CANCELLED))
        entrant = self._entrants[index]
        return Answer(entrant.model, entrant.instance, str(Outcome.CANCELLED))

    def _told(
        self,
        index: int,
        run: RouteRun,
        error: OllamaMasterError | None,
        outcome: str = str(Outcome.OK),
    ) -> Answer:
        route, entrant = run.so_far(), self._entrants[index]
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
        raise type(common)(f"every model failed: {common.message}", hint="\n".join(lines))

    # ---- side by side

    async def _compared(self) -> None:
        answers = self.so_far().answers
        texts = [answer.text if answer.ok else None for answer in answers]
        given = [index for index, text in enumerate(texts) if text is not None]
        near = None
        prose = [index for index in given if gist(texts[index] or "") is None]
        if len(given) > 1 and prose and self._fleet is not None:
            places = {index: place for place, index in enumerate(given)}
            told = await self._near([texts[index] or "" for index in given], self._fleet)
            if told is not None:

                def near(one: int, other: int) -> float:
                    return told(places[one], places[other])

        self._agreement = agreement(texts, near)

    async def _near(self, texts: Sequence[str], fleet: Fleet) -> Callable[[int, int], float] | None:
        left_s = self._left_s()
        if left_s == 0:
            return None
        try:
            async with asyncio.timeout(left_s):
                fleet = await self._means.residency.memory(fleet, [i.id for i in fleet.up])
                local_only = self.request.asked.local_only
                chance = _chance()
                return await likeness(
                    self._means, texts, fleet, local_only=local_only, chance=chance
                )
        except TimeoutError:
            return None

    def _trust(self, index: int) -> float:
        """How likely an answer is right: as judged, else by what is known of its model."""
        if self._judgement is not None and self._judgement.told:
            return self._judgement.scores[index] or 0.0
        run = self._runs.get(index)
        ranked = run.decision.ranked if run is not None and run.decision is not None else ()
        return ranked[0].terms["quality"] if ranked else 0.0

    async def _judged(self, listener: CompareListener) -> None:
        request = self.request
        if request.judge is None or self._fleet is None:
            return
        result = self.so_far()
        answers = {
            index: answer.text or "" for index, answer in enumerate(result.answers) if answer.ok
        }
        if len(answers) < 2:
            listener.note("there is only one answer, so there is nothing to judge")
            return
        try:
            meant = meant_model(request.judge, self._fleet)
        except ModelUnknownError as error:
            self._judge_error = error
            listener.note(f"the judge is missing: {error.message}")
            return
        if any(entrant.model == meant.name for entrant in self._entrants):
            listener.note(f"{meant.name} judges an answer of its own")
        if request.asked.images:
            listener.note("the judge reads the answers and does not see the images")
        self._judge = judge = Judge(self.service.routes, request, meant.name, self._fleet, listener)
        self._judgement = await judge.judgement(
            answers, len(result.answers), self._left_s(), _chance()
        )
        self._judge_error = judge.error
        if judge.error is None and not self._judgement.told:
            self._judge_error = FailedError(
                f"{meant.name} gave no scores", hint="another model may judge better: --judge"
            )
        self._learn(self._judgement)

    def _learn(self, judgement: Judgement) -> None:
        means = self._means
        told = [run.decision for run in self._runs.values() if run.decision is not None]
        ranked = {c.model: c for decision in told for c in decision.ranked}
        if not ranked:
            return
        task = told[0].task
        able = {
            name: ability(c.pair.model, task, means.settings, means.abilities)
            for name, c in ranked.items()
        }
        bouts = bouts_of(judgement, [e.model for e in self._entrants], able)
        means.history.judge(Verdict(means.clock.now().timestamp(), str(task.type), bouts))

    def _left_s(self) -> float | None:
        limit_s = self.request.asked.max_time_s
        if limit_s is None:
            return None
        return max(0.0, limit_s - (self._means.clock.monotonic() - self._began))


def _is_known(typed: str, fleet: Fleet) -> bool:
    try:
        meant_model(typed, fleet)
    except ModelUnknownError:
        return False
    return True


def _chance() -> int:
    return int.from_bytes(os.urandom(4), "big")
