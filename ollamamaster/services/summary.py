"""Have older turns of a conversation summarised by a fast model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from ollamamaster.domain.conversation import batches, summary_prompt, summary_tokens
from ollamamaster.domain.routing import RouteRequest
from ollamamaster.domain.settings import Performance
from ollamamaster.errors import FailedError, NoCandidateError
from ollamamaster.services.part_reading import LongListener
from ollamamaster.services.route_listener import Unheard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollamamaster.domain.conversation import Turn
    from ollamamaster.domain.routing import Attempt, RouteResult
    from ollamamaster.domain.selection import Candidate, Decision
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.services.route import RouteService

# What is read at once, of the longest context there is: the rest is for the instructions, the
# summary before and the one to be written.
_READ_SHARE = 0.5


class SessionListener(LongListener, Protocol):
    """Is also told who summarises."""

    def summarises(self, candidate: Candidate) -> None:
        """A model begins to summarise older turns."""


@dataclass(frozen=True, slots=True)
class Summarised:
    """A summary, and who made it."""

    text: str
    model: str
    instance: str


@dataclass
class Summarising:
    """Summarises for the sake of one request, on the fleet that it may use.

    The listener is told who does it; the summary's own tokens are nobody's answer.
    """

    routes: RouteService
    request: RouteRequest
    fleet: Fleet
    listener: SessionListener

    async def summary(
        self, before: str | None, turns: Sequence[Turn], *, room: int, context: int
    ) -> Summarised:
        """One summary of what was summarised before and of these turns.

        Raises FailedError when a model says nothing, else as RouteRun.complete.
        """
        made: Summarised | None = None
        length = summary_tokens(room)
        for batch in batches(turns, max(1, int(context * _READ_SHARE))):
            said = made.text if made is not None else before
            made = await self._answered(summary_prompt(said, batch, length), length)
        assert made is not None  # noqa: S101 (there is at least one turn)
        return made

    async def _answered(self, prompt: str, length: int) -> Summarised:
        """What a fast model makes of it; the one that was asked for where no other can or will."""
        fast = RouteRequest(
            prompt,
            instance=self.request.instance,
            local_only=self.request.local_only,
            performance=Performance.FAST,
            options={"num_predict": length},
            think=False,
            priority=self.request.priority,
            hedge=self.request.hedge,
            who=self.request.who,
            keep_text=False,
        )
        result: RouteResult | None = None
        try:
            result = await self._complete(fast)
        except NoCandidateError:
            if self.request.model is None:
                raise
        if result is None or not result.response.strip():
            own, level = self.request.model, self.request.performance
            result = await self._complete(replace(fast, model=own, performance=level))
        if not result.response.strip():
            raise FailedError(
                "the summary of the older turns came out empty",
                hint="nothing is lost; try again, or another model: --model",
            )
        return Summarised(result.response.strip(), result.model or "?", result.instance or "?")

    async def _complete(self, asked: RouteRequest) -> RouteResult:
        async def fleet() -> Fleet:
            return self.fleet

        silent = _Silent(self.listener)
        return await self.routes.begin(asked).complete(fleet, silent, silent)


@dataclass
class _Silent(Unheard):
    """Hears of a route, and passes on what is not about an answer."""

    listener: SessionListener

    def note(self, text: str) -> None:
        self.listener.note(text)

    def decided(self, decision: Decision) -> None:
        self.listener.decided(decision)

    def waiting(self, instance_name: str, position: int, wait_s: float) -> None:
        self.listener.waiting(instance_name, position, wait_s)

    def started(self, attempt: Attempt, candidate: Candidate) -> None:  # noqa: ARG002 (the candidate says it)
        self.listener.summarises(candidate)
