"""One prompt's answer: the attempts to get it, and what has come so far."""

from __future__ import annotations

import asyncio  # noqa: TID253 (imported only by commands that wait for instances)
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from io import StringIO
from typing import TYPE_CHECKING, Protocol

from ollamamaster.domain.answers import AnswerRequest, Usage
from ollamamaster.domain.liveness import HEALTHY, Health
from ollamamaster.domain.routing import Attempt, RouteRequest, RouteResult, Timing
from ollamamaster.errors import AttemptError, Outcome

if TYPE_CHECKING:
    from ollamamaster.domain.selection import Candidate, Decision
    from ollamamaster.domain.settings import Settings
    from ollamamaster.ports import Clock, LivenessStore, OllamaAPI

# The probe of an instance that was left alone for a while.
PROBE_TIMEOUT_S = 2.0


class RouteListener(Protocol):
    """Is told what happens while a route runs."""

    def decided(self, decision: Decision) -> None:
        """The order of the candidates is known."""

    def started(self, attempt: Attempt, candidate: Candidate) -> None:
        """An attempt begins."""

    def token(self, text: str, thinking: str) -> None:
        """Some of the answer, or of the thoughts before it, has come."""

    def restarted(self, attempt: Attempt) -> None:
        """The attempt that had begun to answer failed: its tokens are void."""

    def ended(self, attempt: Attempt) -> None:
        """An attempt is over, well or not."""

    def note(self, text: str) -> None:
        """Something worth knowing."""


@dataclass
class Answering:
    """The answer to one request as it comes, and every attempt to get it.

    An attempt that fails voids what it had brought; whether the instance is to blame is learnt.
    """

    request: RouteRequest
    settings: Settings
    ollama: OllamaAPI
    liveness: LivenessStore
    clock: Clock
    attempts: list[Attempt] = field(default_factory=list)
    health: dict[str, Health] = field(default_factory=dict)
    done_reason: str | None = None
    usage: Usage = field(default_factory=Usage)
    waited_s: float = 0.0
    _text: StringIO = field(default_factory=StringIO)
    _thinking: StringIO = field(default_factory=StringIO)
    _candidate: Candidate | None = None
    _first_token_s: float | None = None
    _total_s: float | None = None
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self.clock.monotonic()

    @property
    def characters(self) -> int:
        """How much of an answer has come."""
        return self._text.tell()

    def elapsed_s(self) -> float:
        """Seconds since the prompt had been read."""
        return self.clock.monotonic() - self._began

    def so_far(self, decision: Decision | None) -> RouteResult:
        """The route as far as it is known now."""
        candidate, usage = self._candidate, self.usage
        slot_wait = usage.slot_wait_s
        return RouteResult(
            response=self._text.getvalue(),
            thinking=self._thinking.getvalue() or None,
            model=candidate.model if candidate else None,
            instance=candidate.instance if candidate else None,
            done_reason=self.done_reason,
            decision=decision,
            attempts=tuple(self.attempts),
            usage=usage,
            timing=Timing(
                total_s=self.elapsed_s() if self._total_s is None else self._total_s,
                first_token_s=self._first_token_s,
                queue_s=None if slot_wait is None else self.waited_s + slot_wait,
                load_s=usage.load_s,
                prompt_s=usage.prompt_s,
                generation_s=usage.generation_s,
                tokens_per_s=usage.tokens_per_s,
            ),
            estimate=candidate.estimate if candidate else None,
        )

    async def attempt(
        self, candidate: Candidate, num_ctx: int | None, listener: RouteListener
    ) -> AttemptError | None:
        """One attempt; None when it answered, else why not."""
        self._forget_answer(candidate)
        attempt = Attempt(candidate.model, candidate.instance)
        began = self.clock.monotonic()
        listener.started(attempt, candidate)
        try:
            await self._probe(candidate)
            await self._stream(candidate, num_ctx, listener)
        except AttemptError as failure:
            attempt = replace(attempt, connected=failure.connected)
            attempt = self._record(attempt, failure.outcome, began, failure.message)
            self._learn_health(candidate.instance, failure)
            if self._first_token_s is not None:
                listener.restarted(attempt)
            listener.ended(attempt)
            return failure
        except asyncio.CancelledError:
            listener.ended(self._record(attempt, Outcome.CANCELLED, began, None))
            raise
        self._learn_health(candidate.instance, None)
        self._total_s = self.elapsed_s()
        listener.ended(self._record(attempt, Outcome.OK, began, None))
        return None

    async def _probe(self, candidate: Candidate) -> None:
        """Ask an instance that was left alone for a sign of life before it is used again."""
        health = self.health.get(candidate.instance, HEALTHY)
        if health.needs_probe(self.clock.now().timestamp()):
            endpoint = candidate.pair.instance.endpoint
            await self.ollama.version(endpoint, timeout_s=PROBE_TIMEOUT_S)

    async def _stream(
        self, candidate: Candidate, num_ctx: int | None, listener: RouteListener
    ) -> None:
        request = self._answer_request(candidate, num_ctx)
        endpoint = candidate.pair.instance.endpoint
        async with aclosing(self.ollama.answer(endpoint, request)) as chunks:
            async for chunk in chunks:
                if self._first_token_s is None and (chunk.text or chunk.thinking):
                    self._first_token_s = self.elapsed_s()
                if chunk.text or chunk.thinking:
                    self._text.write(chunk.text)
                    self._thinking.write(chunk.thinking)
                    listener.token(chunk.text, chunk.thinking)
                if chunk.done:
                    self.done_reason = chunk.done_reason or "stop"
                    self.usage = chunk.usage

    def _answer_request(self, candidate: Candidate, num_ctx: int | None) -> AnswerRequest:
        request = self.request
        said = self.settings.models.get(candidate.model)
        keep_alive = request.keep_alive
        if keep_alive is None and said is not None:
            keep_alive = said.keep_alive
        return AnswerRequest(
            model=candidate.model,
            prompt=request.full_prompt,
            system=request.system,
            images=request.images,
            format=request.format,
            options=request.options,
            think=request.think,
            keep_alive=keep_alive,
            num_ctx=None if candidate.pair.model.cloud else num_ctx,
        )

    def _forget_answer(self, candidate: Candidate) -> None:
        self._candidate = candidate
        self._text, self._thinking = StringIO(), StringIO()
        self._first_token_s = None
        self.usage = Usage()

    def _record(
        self, attempt: Attempt, outcome: Outcome, began: float, error: str | None
    ) -> Attempt:
        seconds = self.clock.monotonic() - began
        ended = replace(attempt, outcome=outcome, error=error, seconds=seconds)
        self.attempts.append(ended)
        return ended

    def _learn_health(self, instance: str, failure: AttemptError | None) -> None:
        liveness = self.liveness
        if failure is not None and failure.instances_fault:
            now = self.clock.now().timestamp()
            self.health[instance] = liveness.update(instance, lambda health: health.failed(now))
        elif instance in self.health and (failure is None or failure.connected):
            del self.health[instance]
            liveness.update(instance, lambda health: health.succeeded())
