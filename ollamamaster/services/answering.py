"""One prompt's answer: the attempts to get it, and what has come so far."""

from __future__ import annotations

import asyncio  # noqa: TID253 (imported only by commands that wait for instances)
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from io import StringIO
from typing import TYPE_CHECKING

from ollamamaster.domain.answers import AnswerRequest, Message, Usage
from ollamamaster.domain.liveness import HEALTHY, Health
from ollamamaster.domain.routing import Attempt, RouteResult, Timing
from ollamamaster.errors import AttemptError, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollamamaster.domain.attempt_record import AttemptRecord
    from ollamamaster.domain.estimate import Estimate
    from ollamamaster.domain.routing import RouteRequest
    from ollamamaster.domain.selection import Candidate, Decision
    from ollamamaster.services.means import Means
    from ollamamaster.services.route_listener import RouteListener
    from ollamamaster.services.trial import Trial

# The probe of an instance that was left alone for a while.
PROBE_TIMEOUT_S = 2.0


@dataclass
class Answering:
    """The answer to one request as it comes, and every attempt to get it.

    Several trials may run at once; the first that speaks has the floor, and what another one
    brings is not heard. One that fails voids what it had brought; whether the instance is to
    blame is learnt. `on_speech` is told, in the task of the trial that takes the floor.
    `trial` is the one whose answer this is; `began_at` is seconds since the epoch.
    """

    request: RouteRequest
    means: Means
    health: dict[str, Health] = field(default_factory=dict)
    on_speech: Callable[[Trial], None] | None = None
    trial: Trial | None = None
    _speaker: Trial | None = None
    _over: list[tuple[Trial, Attempt]] = field(default_factory=list)
    _text: StringIO = field(default_factory=StringIO)
    _thinking: StringIO = field(default_factory=StringIO)
    _first_token_s: float | None = None
    _total_s: float | None = None
    began_at: float = field(init=False)
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self.means.clock.monotonic()
        self.began_at = self.means.clock.now().timestamp()

    @property
    def characters(self) -> int:
        """How much of an answer has come."""
        return self._text.tell()

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Those that are over, in the order in which they began."""
        return tuple(attempt for _, attempt in self._over)

    @property
    def records(self) -> tuple[AttemptRecord, ...]:
        """What is to be remembered of them."""
        return tuple(t.record(attempt, self.request) for t, attempt in self._over)

    def elapsed_s(self) -> float:
        """Seconds since the prompt had been read."""
        return self.means.clock.monotonic() - self._began

    def so_far(
        self, decision: Decision | None, estimate: Estimate | None, waited_s: float
    ) -> RouteResult:
        """The route as far as it is known now; `estimate` was made when it began."""
        trial = self.trial
        usage = Usage() if trial is None else trial.usage
        slot_wait = usage.slot_wait_s
        known = slot_wait is not None or waited_s > 0
        return RouteResult(
            response=self._text.getvalue(),
            thinking=self._thinking.getvalue() or None,
            model=trial.candidate.model if trial else None,
            instance=trial.candidate.instance if trial else None,
            done_reason=trial.done_reason if trial else None,
            decision=decision,
            attempts=self.attempts,
            usage=usage,
            timing=Timing(
                total_s=self.elapsed_s() if self._total_s is None else self._total_s,
                first_token_s=self._first_token_s,
                queue_s=waited_s + (slot_wait or 0.0) if known else None,
                load_s=usage.load_s,
                prompt_s=usage.prompt_s,
                generation_s=usage.generation_s,
                tokens_per_s=usage.tokens_per_s,
            ),
            estimate=estimate,
        )

    async def attempt(
        self, trial: Trial, listener: RouteListener, *, beside: bool = False
    ) -> AttemptError | None:
        """One attempt; None when it answered, else why not.

        One that runs `beside` another is nobody's answer until it speaks; when another one was
        faster, it is cancelled.
        """
        trial.began = self.means.clock.monotonic()
        trial.started_at = self.means.clock.now().timestamp()
        if not beside:
            self._forget_answer(trial)
        listener.started(trial.attempt, trial.candidate)
        try:
            await self._probe(trial.candidate)
            await self._stream(trial, listener)
        except AttemptError as failure:
            attempt = replace(trial.attempt, connected=failure.connected)
            attempt = self._ended(trial, attempt, failure.outcome, failure.message)
            self._learn_health(trial.candidate.instance, failure)
            if self._speaker is trial:
                self._speaker = None
                listener.restarted(attempt)
            listener.ended(attempt)
            return failure
        except asyncio.CancelledError:
            listener.ended(self._ended(trial, trial.attempt, Outcome.CANCELLED, None))
            raise
        self._learn_health(trial.candidate.instance, None)
        self._total_s = self.elapsed_s()
        listener.ended(self._ended(trial, trial.attempt, Outcome.OK, None))
        return None

    async def _probe(self, candidate: Candidate) -> None:
        """Ask an instance that was left alone for a sign of life before it is used again."""
        means = self.means
        health = self.health.get(candidate.instance, HEALTHY)
        if health.needs_probe(means.clock.now().timestamp()):
            endpoint = candidate.pair.instance.endpoint
            await means.ollama.version(endpoint, timeout_s=PROBE_TIMEOUT_S)

    async def _stream(self, trial: Trial, listener: RouteListener) -> None:
        endpoint = trial.candidate.pair.instance.endpoint
        request = self._answer_request(trial)
        async with aclosing(self.means.ollama.answer(endpoint, request)) as chunks:
            async for chunk in chunks:
                if chunk.text or chunk.thinking:
                    self._take_floor(trial)
                    self._hear(trial, chunk.text, chunk.thinking)
                    listener.token(chunk.text, chunk.thinking)
                if chunk.done:
                    self._take_floor(trial)
                    trial.done_reason = chunk.done_reason or "stop"
                    trial.usage = chunk.usage

    def _take_floor(self, trial: Trial) -> None:
        if self._speaker is trial:
            return
        if self._speaker is not None:
            # The other one spoke while this token was on its way.
            raise asyncio.CancelledError
        if self.trial is not trial:
            self._forget_answer(trial)
        self._speaker = trial
        if self.on_speech is not None:
            self.on_speech(trial)

    def _hear(self, trial: Trial, text: str, thinking: str) -> None:
        if trial.first_token_s is None:
            trial.first_token_s = self.means.clock.monotonic() - trial.began
            self._first_token_s = self.elapsed_s()
        trial.thought = trial.thought or bool(thinking)
        self._text.write(text)
        self._thinking.write(thinking)

    def _answer_request(self, trial: Trial) -> AnswerRequest:
        request, candidate = self.request, trial.candidate
        fitted = AnswerRequest(
            model=candidate.model,
            system=request.system,
            format=request.format,
            options=request.options,
            think=request.think,
            keep_alive=trial.keep_alive,
            num_ctx=None if candidate.pair.model.cloud else trial.num_ctx,
        )
        if request.messages is None:
            return replace(fitted, prompt=request.full_prompt, images=request.images)
        turn = Message("user", request.full_prompt, request.images)
        return replace(fitted, messages=(*request.messages, turn))

    def _forget_answer(self, trial: Trial) -> None:
        self.trial, self._speaker = trial, None
        self._text, self._thinking = StringIO(), StringIO()
        self._first_token_s = None

    def _ended(
        self, trial: Trial, attempt: Attempt, outcome: Outcome, error: str | None
    ) -> Attempt:
        seconds = self.means.clock.monotonic() - trial.began
        ended = replace(attempt, outcome=outcome, error=error, seconds=seconds)
        trial.others = trial.most_others()
        self._over.append((trial, ended))
        self._over.sort(key=lambda over: over[0].began)
        return ended

    def _learn_health(self, instance: str, failure: AttemptError | None) -> None:
        liveness = self.means.liveness
        if failure is not None and failure.instances_fault:
            now = self.means.clock.now().timestamp()
            self.health[instance] = liveness.update(instance, lambda health: health.failed(now))
        elif instance in self.health and (failure is None or failure.connected):
            del self.health[instance]
            liveness.update(instance, lambda health: health.succeeded())
