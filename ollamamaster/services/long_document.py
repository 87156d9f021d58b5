"""Answer a question about texts of any length: whole where that fits, else in parts."""

from __future__ import annotations

import asyncio  # noqa: TID253 (imported only by commands that wait for instances)
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ollamamaster.domain import spoken
from ollamamaster.domain.candidates import Reason
from ollamamaster.domain.context import SMALLEST_CONTEXT, SMALLEST_PART_TOKENS
from ollamamaster.domain.long_reading import (
    beginnings,
    concluding,
    contexts,
    expected_notes,
    merging,
    overlap_of,
    part_limit,
    planned,
    reading,
)
from ollamamaster.domain.routing import Long
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.domain.splitting import parts_of
from ollamamaster.domain.task import PROMPT_MARGIN
from ollamamaster.errors import FailedError, ModelUnknownError, NoCandidateError, TooLongError
from ollamamaster.services.part_reading import PartReading
from ollamamaster.services.route_errors import deadline_error

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from ollamamaster.domain.answers import Usage
    from ollamamaster.domain.long_reading import ReadingPlan
    from ollamamaster.domain.routing import RouteRequest, RouteResult
    from ollamamaster.domain.selection import Decision
    from ollamamaster.services.part_reading import LongListener
    from ollamamaster.services.pull import PullListener
    from ollamamaster.services.route import RouteRun, RouteService


@dataclass(frozen=True, slots=True)
class LongDocumentService:
    """Answers from whole texts, or from their parts."""

    routes: RouteService

    def begin(self, request: RouteRequest) -> LongRun:
        """A route that has read its prompt and files; its clock runs from here."""
        return LongRun(self.routes, request)

    async def explain(
        self, request: RouteRequest, fleet: Fleet, note: Callable[[str], None]
    ) -> tuple[Decision, ReadingPlan | None]:
        """What would be done now, and how in parts where it is too long; nothing is sent.

        With a context that the person set the servers have the last word, so there may be both.
        """
        decision = await self.routes.explain(request, fleet, note)
        is_too_long = _is_too_long(decision) or _is_over(decision, request)
        if not (request.may_be_split and is_too_long):
            return decision, None
        return decision, await self.plan(request, fleet)

    async def plan(self, request: RouteRequest, fleet: Fleet) -> ReadingPlan | None:
        """How the texts would be read in parts; None where no part of any size fits."""
        request = request.with_piped_apart
        means = self.routes.means
        profiles = means.history.profiles()
        price = means.settings.route.price_per_doubling[request.performance]
        best: ReadingPlan | None = None
        for context in contexts(_longest(request, fleet)):
            limit = part_limit(request, context)
            overlap = overlap_of(limit)
            if limit - overlap < SMALLEST_PART_TOKENS:
                break
            parts = parts_of(request.documents, limit, overlap)
            largest = max(parts, key=lambda part: part.tokens)
            asked = reading(request, largest.documents, len(parts), len(parts))
            decision = await self.routes.explain(asked, fleet, _nobody)
            if not decision.ranked:
                continue
            told = concluding(request, expected_notes(len(parts)))
            answered = await self.routes.explain(told, fleet, _nobody)
            plan = planned(
                parts, limit, decision, answered if _fits(told, answered) else None, profiles, price
            )
            if best is None or plan.score > best.score:
                best = plan
        return best


def _longest(request: RouteRequest, fleet: Fleet) -> int:
    """The longest context of any model, or the one that the person set."""
    said = request.options.get("num_ctx")
    if isinstance(said, int) and said > 0:
        return said
    known = [m.context_length for i in fleet for m in i.models if m.context_length]
    return max(known, default=SMALLEST_CONTEXT)


def _fits(request: RouteRequest, decision: Decision) -> bool:
    """Whether it can be sent as it is, also with the context that the person set."""
    return bool(decision.ranked) and not _is_over(decision, request)


def _is_over(decision: Decision, request: RouteRequest) -> bool:
    """Whether it needs more than the context that the person set."""
    said = request.options.get("num_ctx")
    return isinstance(said, int) and decision.task.context_tokens > said


def _is_far_over(decision: Decision, request: RouteRequest) -> bool:
    """Whether even a tokenizer that makes fewer tokens of it makes too many for that context.

    To ask the servers would load the model everywhere to be told so.
    """
    said = request.options.get("num_ctx")
    return isinstance(said, int) and 0 < said * PROMPT_MARGIN < decision.task.prompt_tokens


def _nobody(_note: str) -> None:
    """What is worth knowing is told when it is done, not when it is planned."""


@dataclass
class LongRun:
    """One question about texts under way. `so_far` may be asked at any time, as of a route."""

    routes: RouteService
    request: RouteRequest
    _whole: RouteRun = field(init=False)
    _run: RouteRun = field(init=False)
    _fleet: Fleet = field(default_factory=Fleet)
    _reading: PartReading | None = None
    _before_s: float = 0.0
    _total_s: float | None = None

    def __post_init__(self) -> None:
        self._whole = self._run = self.routes.begin(self.request)

    @property
    def decision(self) -> Decision | None:
        return self._run.decision or self._whole.decision

    @property
    def characters(self) -> int:
        """How much of the answer has come."""
        return self._run.characters

    @property
    def in_parts(self) -> bool:
        """Whether the texts are read in parts."""
        return self._reading is not None

    @property
    def fleet(self) -> Fleet:
        """The fleet as it was asked last; empty before the first decision."""
        return self._run.fleet if len(self._run.fleet) else self._whole.fleet

    @property
    def last(self) -> RouteRun:
        """The route that writes the answer: from the whole texts, or from the notes on them."""
        return self._run

    def so_far(self) -> RouteResult:
        """The route as far as it is known now; with parts, what all of them took."""
        result = self._run.so_far()
        if self._reading is None:
            return result
        parts = tuple(self._reading.results)
        first = result.timing.first_token_s
        return replace(
            result,
            parts=parts,
            decision=self.decision,
            usage=_sum([*(part.usage for part in parts), result.usage]),
            timing=replace(
                result.timing,
                total_s=self._elapsed_s() if self._total_s is None else self._total_s,
                first_token_s=None if first is None else self._before_s + first,
            ),
        )

    def _elapsed_s(self) -> float:
        return self._whole.so_far().timing.total_s or 0.0

    async def complete(
        self,
        find: Callable[[], Awaitable[Fleet]],
        listener: LongListener,
        pulling: PullListener,
    ) -> RouteResult:
        """Answer on the fleet that `find` gives; the deadline is for all of it.

        Raises TooLongError where the texts do not fit whole and nobody said that they may be
        split, else what a route raises. A part that nobody could read is in the result's
        `parts`, with its error, and the answer was written without it.
        """
        limit = self.request.max_time_s
        try:
            async with asyncio.timeout(limit) as deadline:
                return await self._complete(find, listener, pulling)
        except TimeoutError:
            if not deadline.expired():
                raise
            raise deadline_error(limit or 0.0, self.so_far()) from None
        finally:
            self._total_s = self._elapsed_s()

    async def _complete(
        self,
        find: Callable[[], Awaitable[Fleet]],
        listener: LongListener,
        pulling: PullListener,
    ) -> RouteResult:
        fleet = self._fleet = await find()
        whole = self._whole
        if not self.request.may_be_split:
            return await whole.complete(self._found, listener, pulling)
        try:
            decision = await whole.decide(fleet, _nobody)
        except ModelUnknownError:
            # it may be downloaded
            return await whole.complete(self._found, listener, pulling)
        if not _is_too_long(decision) and not _is_far_over(decision, self.request):
            try:
                return await whole.complete(self._found, listener, pulling)
            except NoCandidateError:
                # unless every server said that its context is too small
                if not whole.so_far().attempts:
                    raise
        plan = await LongDocumentService(self.routes).plan(self.request, fleet)
        if plan is None:
            return await whole.complete(self._found, listener, pulling)
        if self.request.long is not Long.SPLIT:
            raise too_long(self.request, decision, plan)
        listener.planned(plan)
        return await self._in_parts(plan, listener, pulling)

    async def _in_parts(
        self, plan: ReadingPlan, listener: LongListener, pulling: PullListener
    ) -> RouteResult:
        request, count = self.request.with_piped_apart, len(plan.parts)
        parts = self._reading = PartReading(self.routes, plan, await self._found(), listener)
        notes = await parts.notes(
            [
                (part.name, reading(request, part.documents, number, count))
                for number, part in enumerate(plan.parts, 1)
            ]
        )
        level = 0
        while not await self._fits(concluding(request, notes, parts.missing)):
            level += 1
            groups = parts_of(notes, plan.limit_tokens)
            if len(groups) >= len(notes):
                # Of two that fit together each is still longer than it was asked to be.
                most = plan.limit_tokens // 3
                notes = beginnings(notes, most)
                groups = parts_of(notes, plan.limit_tokens)
                listener.note(
                    "the notes on the parts are longer than they were asked to be: of each at most "
                    f"the first {most} tokens are used"
                )
            if len(groups) >= len(notes):
                raise FailedError("the notes on the parts are too long to be put together")
            asked = [(group.name, merging(request, group.documents)) for group in groups]
            notes = await parts.notes(asked, level)
        self._before_s = self._elapsed_s()
        self._run = self.routes.begin(concluding(request, notes, parts.missing))
        await self._run.complete(self._found, listener, pulling)
        return self.so_far()

    async def _fits(self, request: RouteRequest) -> bool:
        return _fits(request, await self.routes.explain(request, await self._found(), _nobody))

    async def _found(self) -> Fleet:
        return self._fleet if self._reading is None else self._reading.fleet


def too_long(request: RouteRequest, decision: Decision, plan: ReadingPlan) -> TooLongError:
    """Nothing fits whole, and what may be done about it."""
    names = [document.name for document in request.with_piped_apart.documents]
    what = names[0] if len(names) == 1 else f"{len(names)} files"
    machines = spoken.number_of(plan.machines, "machine")
    parts = spoken.number_of(len(plan.parts), "part")
    offer = f"{parts} on {machines}, about {spoken.duration(plan.seconds)}"
    reasons = Counter(r.detail for r in decision.rejected if r.reason in _LENGTH)
    lines = [f"read it in parts: add --long split ({offer})"]
    lines += [f"as it is: {detail}" for detail, _ in reasons.most_common(2)]
    verb = "is" if len(names) == 1 else "are"
    return TooLongError(
        f"{what} {verb} too long for every model here: about "
        f"{decision.task.prompt_tokens:,} tokens",
        hint="\n".join(lines),
        offer=offer,
    )


_LENGTH = frozenset({Reason.CONTEXT_TOO_SMALL, Reason.TOO_LARGE})


def _is_too_long(decision: Decision) -> bool:
    """Whether nothing can do it, and something could if the text were shorter."""
    if decision.ranked or decision.refused:
        return False
    return any(rejection.reason in _LENGTH for rejection in decision.rejected)


def _sum(usages: Sequence[Usage]) -> Usage:
    """The tokens of all; the durations are those of the last."""
    read = [u.prompt_tokens for u in usages if u.prompt_tokens is not None]
    written = [u.output_tokens for u in usages if u.output_tokens is not None]
    return replace(
        usages[-1],
        prompt_tokens=sum(read) if read else None,
        output_tokens=sum(written) if written else None,
    )
