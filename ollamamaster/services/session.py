"""The next turn of a conversation: wait for it, fit it into a context, answer, keep it."""

from __future__ import annotations

import asyncio  # noqa: TID253 (imported only by commands that wait for instances)
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ollamamaster.domain.answers import Usage
from ollamamaster.domain.conversation import (
    Conversation,
    Turn,
    room_beside,
    to_summarise,
)
from ollamamaster.domain.long_reading import smallest_reading
from ollamamaster.domain.plain_text import one_line
from ollamamaster.domain.routing import Long, RouteResult, Timing
from ollamamaster.domain.task import analyse
from ollamamaster.errors import (
    NoCandidateError,
    NoInstanceError,
    OllamaMasterError,
    StateUnusableError,
    TooLongError,
)
from ollamamaster.services.long_document import LongDocumentService
from ollamamaster.services.overflow import alone, fitting, is_too_long, with_conversation
from ollamamaster.services.route_errors import deadline_error
from ollamamaster.services.summary import Summarising

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from ollamamaster.domain.long_reading import ReadingPlan
    from ollamamaster.domain.routing import RouteRequest
    from ollamamaster.domain.selection import Decision
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.ports import SessionStore, TurnStore
    from ollamamaster.services.long_document import LongRun
    from ollamamaster.services.pull import PullListener
    from ollamamaster.services.route import RouteRun, RouteService
    from ollamamaster.services.summary import SessionListener

# How often it is asked whether the turn before is over: a tenth of what a person notices.
_ASK_EVERY_S = 0.02
# Shorter waits are not taken from the time limit, so that errors tell the limit as it was given.
_AT_ONCE_S = 0.1
# So much of a summary is shown; the session has all of it.
_SHOWN = 400

_WOULD_SUMMARISE = "the conversation fits no context any more: older turns would be summarised"


@dataclass
class SessionService:
    """Conversations that go on from one command, or one call, to the next."""

    routes: RouteService
    store: SessionStore
    turns: TurnStore

    def begin(self, name: str, request: RouteRequest, *, summarise: bool = True) -> SessionTurn:
        """The next turn of this session; its clock runs from here.

        `name` is as it is kept (`own_name`, `mcp_name`). Without `summarise`, or where the config
        says so, a conversation that fits no context any more is a NoCandidateError.
        """
        wanted = summarise and self.routes.means.settings.sessions.summarise
        return SessionTurn(self, name, replace(request, keep_text=False), wanted)

    async def explain(
        self, name: str, request: RouteRequest, fleet: Fleet, note: Callable[[str], None]
    ) -> tuple[Decision, ReadingPlan | None]:
        """What would be done now, and how in parts where what is attached is too long by itself.

        Nothing is sent, and nothing waited for.
        """
        conversation = self.store.load(name) or Conversation(name)
        asked = with_conversation(request, conversation)
        decision = await self.routes.explain(asked, fleet, note)
        if decision.ranked or not is_too_long(decision):
            return decision, None
        if fitting(self.routes, request, conversation, fleet, decision):
            note(_WOULD_SUMMARISE)
            return decision, None
        decision, plan = await LongDocumentService(self.routes).explain(asked, fleet, note)
        if plan is None and request.long is Long.SPLIT:
            least = smallest_reading(request)
            if fitting(self.routes, least, conversation, fleet, decision):
                note(_WOULD_SUMMARISE)
        return decision, plan


@dataclass
class SessionTurn:
    """One turn under way, for a caller as a RouteRun. `so_far` may be asked at any time."""

    service: SessionService
    name: str
    request: RouteRequest
    summarise: bool
    _run: LongRun | None = None
    _queued_s: float = 0.0
    _before_s: float = 0.0
    _began: float = field(init=False)
    _asked_at: float = field(init=False)

    def __post_init__(self) -> None:
        clock = self.service.routes.means.clock
        self._began, self._asked_at = clock.monotonic(), clock.now().timestamp()

    @property
    def decision(self) -> Decision | None:
        """The latest one; None before the first."""
        return None if self._run is None else self._run.decision

    @property
    def characters(self) -> int:
        """How much of an answer has come."""
        return 0 if self._run is None else self._run.characters

    def so_far(self) -> RouteResult:
        """The turn as far as it is known now, its own waiting included."""
        if self._run is None:
            timing = Timing(total_s=self._elapsed_s(), queue_s=self._elapsed_s())
            return RouteResult("", None, None, None, None, None, (), Usage(), timing, None)
        result = self._run.so_far()
        timing = result.timing
        first_token_s, queue_s = timing.first_token_s, timing.queue_s
        timing = replace(
            timing,
            total_s=(timing.total_s or 0.0) + self._before_s,
            first_token_s=None if first_token_s is None else first_token_s + self._before_s,
            queue_s=queue_s if not self._queued_s else (queue_s or 0.0) + self._queued_s,
        )
        return replace(result, timing=timing)

    async def complete(
        self,
        find: Callable[[], Awaitable[Fleet]],
        listener: SessionListener,
        pulling: PullListener,
    ) -> RouteResult:
        """Wait for the turn, answer it and keep it; the deadline is for all of it.

        Raises what RouteRun.complete raises, and StateUnusableError. What is not answered is not
        kept.
        """
        limit = self.request.max_time_s
        try:
            async with asyncio.timeout(limit) as deadline, self._turn(listener):
                await self._complete(find, listener, pulling)
        except TimeoutError:
            if not deadline.expired():
                raise
            raise deadline_error(limit or 0.0, self.so_far()) from None
        return self.so_far()

    def _elapsed_s(self) -> float:
        return self.service.routes.means.clock.monotonic() - self._began

    @asynccontextmanager
    async def _turn(self, listener: SessionListener) -> AsyncIterator[None]:
        """Hold the turn of this session; whoever came first goes first."""
        turns, clock = self.service.turns, self.service.routes.means.clock
        number = turns.enter(self.name)
        try:
            if not turns.is_next(self.name, number):
                listener.note(f"another turn of the session {self.name} is under way; waiting")
                while not turns.is_next(self.name, number):
                    await clock.sleep(_ASK_EVERY_S)
                self._queued_s = self._elapsed_s()
            yield
        finally:
            turns.leave(number)

    async def _complete(
        self,
        find: Callable[[], Awaitable[Fleet]],
        listener: SessionListener,
        pulling: PullListener,
    ) -> None:
        fleet = await find()
        conversation = self.service.store.load(self.name) or Conversation(self.name)
        if self.request.system is not None:
            conversation = replace(conversation, system=self.request.system, cached_tokens=None)
        conversation = await self._within_num_ctx(conversation, fleet, listener)
        # what is attached is read whole while older turns can make room for it
        long = Long.FAIL
        while True:
            run = self._run = self._begun(conversation, long)

            async def known(fleet: Fleet = fleet) -> Fleet:
                return fleet

            try:
                await run.complete(known, listener, pulling)
                break
            except (NoCandidateError, NoInstanceError) as error:
                # also when the one that was long enough is gone
                if run.decision is None:
                    raise
                if not isinstance(error, TooLongError) and not is_too_long(run.decision):
                    raise
                fleet = run.fleet
                fits = None
                if not run.in_parts:
                    asked = self._least(long)
                    fits = fitting(self.service.routes, asked, conversation, fleet, run.decision)
                if fits is not None and self.summarise:
                    conversation = await self._shortened(conversation, *fits, fleet, listener)
                elif long is not Long.SPLIT and self.request.long is Long.SPLIT:
                    long = Long.SPLIT
                elif fits is not None:
                    raise _not_summarised(error) from error
                else:
                    raise
        self._keep(conversation, run.last, listener)

    def _begun(self, conversation: Conversation, long: Long) -> LongRun:
        """The route of this turn, which has what is left of the time."""
        asked = replace(with_conversation(self.request, conversation), long=long)
        self._before_s, limit = self._elapsed_s(), self.request.max_time_s
        if limit is not None and self._before_s > _AT_ONCE_S:
            # what is exactly zero would be no limit
            asked = replace(asked, max_time_s=max(1e-3, limit - self._before_s))
        return LongDocumentService(self.service.routes).begin(asked)

    # ---- what no longer fits

    def _least(self, long: Long) -> RouteRequest:
        """What must fit beside the conversation: all of it, or a part of the texts."""
        return smallest_reading(self.request) if long is Long.SPLIT else self.request

    async def _within_num_ctx(
        self, conversation: Conversation, fleet: Fleet, listener: SessionListener
    ) -> Conversation:
        """The conversation, shortened to the context that the person set."""
        limit = self.request.options.get("num_ctx")
        if not self.summarise or not isinstance(limit, int):
            return conversation
        while conversation.current:
            task = analyse(with_conversation(self.request, conversation).question)
            bare = analyse(alone(self.request, conversation).question)
            room = room_beside(limit, bare)
            count = to_summarise(conversation.current, room)
            if task.context_tokens <= limit or not count:
                break
            conversation = await self._shortened(conversation, count, room, limit, fleet, listener)
        return conversation

    async def _shortened(
        self,
        conversation: Conversation,
        count: int,
        room: int,
        context: int,
        fleet: Fleet,
        listener: SessionListener,
    ) -> Conversation:
        """The conversation with a summary of its oldest turns, kept at once where it can be."""
        turns = conversation.current[:count]
        first = len(conversation.turns) - len(conversation.current) + 1
        which = f"turn {first}" if count == 1 else f"turns {first} to {first + count - 1}"
        listener.note(f"the conversation no longer fits its context: summarising {which}")
        before = None if conversation.summary is None else conversation.summary.text
        making = Summarising(self.service.routes, self.request, fleet, listener)
        made = await making.summary(before, turns, room=room, context=context)
        now = self.service.routes.means.clock.now().timestamp()
        shorter = conversation.summarised(made.text, count, made.model, now)
        assert shorter.summary is not None  # noqa: S101 (it was just made)
        try:
            self.service.store.add_summary(self.name, shorter.summary)
        except StateUnusableError as error:
            listener.note(f"this summary is not kept: {error.message}")
        listener.note(f"summary by {made.model}: {one_line(made.text, _SHOWN)}")
        if images := sum(len(turn.images) for turn in turns):
            listener.note(f"images of these turns are no longer sent: {images}")
        return shorter

    # ---- what is kept

    def _keep(self, conversation: Conversation, run: RouteRun, listener: SessionListener) -> None:
        """Keep the turn as it was sent: of what was read in parts, the notes."""
        result = run.so_far()
        now = self.service.routes.means.clock.now().timestamp()
        turn = Turn(
            run.request.full_prompt,
            result.response,
            result.model or "",
            result.instance or "",
            self._asked_at,
            now,
            self.request.images,
        )
        try:
            self.service.store.append(
                self.name, turn, system=conversation.system, cached_tokens=_cached(result)
            )
        except StateUnusableError as error:
            # the answer is there, and is worth more than an error
            listener.note(f"this turn is not kept: {error.message}")


def _not_summarised(error: OllamaMasterError) -> NoCandidateError:
    lines = [
        error.hint,
        "let older turns be summarised: leave out --no-summary, set sessions.summarise = true",
        "or begin a new session",
    ]
    return NoCandidateError(
        "the conversation no longer fits any context, and is not to be summarised",
        hint="\n".join(filter(None, lines)),
    )


def _cached(result: RouteResult) -> int | None:
    """What the instance holds of the conversation now; thoughts are not sent again."""
    read, written = result.usage.prompt_tokens, result.usage.output_tokens
    if read is None:
        return None
    return read + (written or 0 if result.thinking is None else 0)
