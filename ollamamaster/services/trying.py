"""Try the candidates of a route, each when its turn has come, until one has answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import TYPE_CHECKING

from ollamamaster.domain.candidates import Reason
from ollamamaster.domain.context import context_to_ask, may_truncate_silently, next_context
from ollamamaster.domain.memory_fit import context_room
from ollamamaster.domain.options import at_once, options_of
from ollamamaster.domain.schedule import keep_alive_for
from ollamamaster.errors import BadRequestError, Outcome
from ollamamaster.services.hedge import Hedge
from ollamamaster.services.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ollamamaster.domain.estimate import Estimate
    from ollamamaster.domain.routing import RouteRequest
    from ollamamaster.domain.selection import Candidate
    from ollamamaster.errors import AttemptError, OllamaMasterError
    from ollamamaster.services.answering import Answering
    from ollamamaster.services.deciding import Deciding
    from ollamamaster.services.line import Line
    from ollamamaster.services.means import Means
    from ollamamaster.services.route_listener import RouteListener

# When all say that they are busy: tried again after these seconds, the last one repeatedly.
BUSY_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
BUSY_LIMIT_S = 600.0

# A waiting route decides again this often, also when none of ours began or ended anywhere:
# others use the instances too.
DECIDE_EVERY_S = 1.0
# A turn that is expected at once, or is overdue, is asked for this often.
_ASK_EVERY_S = 0.1

# Failures after which the other models of the same instance would fail the same way.
_OF_THE_INSTANCE = frozenset({Outcome.CONNECT_ERROR, Outcome.TIMEOUT, Outcome.BAD_RESPONSE})


@dataclass
class Trying:
    """One route's tries. `failed` makes the error when nothing is left to try."""

    means: Means
    request: RouteRequest
    deciding: Deciding
    answering: Answering
    line: Line
    listener: RouteListener
    failed: Callable[[], OllamaMasterError]
    _open: dict[tuple[str, str], Candidate] = field(default_factory=dict)
    _met: set[str] = field(default_factory=set)

    async def answer(self) -> None:
        """Return when there is an answer. Raises BadRequestError, or what `failed` makes."""
        busy: dict[tuple[str, str], Candidate] = {}
        pauses, busy_since = _pauses(), None
        while True:
            candidate = await self._turn()
            outcome = await self._try(candidate)
            if outcome is Outcome.OK:
                return
            if outcome is Outcome.BUSY:
                busy[candidate.pair.key] = candidate
            if outcome is Outcome.BUSY or outcome in _OF_THE_INSTANCE:
                # Busy is said of loads that wait, so another model there would wait as well.
                self._close_instance(candidate.instance)
            self.line.wait()
            if not self._open:
                self.deciding.forgive(self._left_s())
                self._meet()
            if self._open:
                continue
            now = self.means.clock.monotonic()
            busy_since = now if busy_since is None else busy_since
            if not busy or not self._may_pause(pause := next(pauses), now - busy_since):
                raise self.failed()
            self.listener.note(f"all are busy; trying again in {pause:g} s")
            places = {instance for _, instance in busy}
            await self.line.freed(places, pause)
            await self.deciding.again(places | self.deciding.down, self._left_s())
            self._open, busy = busy, {}

    def _may_pause(self, pause_s: float, waited_s: float) -> bool:
        return self.request.max_time_s is not None or waited_s + pause_s <= BUSY_LIMIT_S

    def _close_instance(self, instance: str) -> None:
        self._open = {key: c for key, c in self._open.items() if c.instance != instance}

    def _meet(self) -> None:
        """Open what is on instances that were down, or left alone, until now."""
        new = [c for c in self.deciding.latest.ranked if c.instance not in self._met]
        self._met |= {c.instance for c in new}
        self._open |= {c.pair.key: c for c in new}

    # ---- whose turn it is

    async def _turn(self) -> Candidate:
        """Wait until one of the open candidates has room, and take the place."""
        price = self.means.settings.route.price_per_doubling[self.request.performance]
        clock = self.means.clock
        decided_at = clock.monotonic()
        while True:
            decision = self.deciding.latest
            self._meet()
            # What is down by now is ranked no more; if all are, the ones known before are tried.
            fresh = {c.pair.key: c for c in decision.ranked if c.pair.key in self._open}
            self._open |= fresh
            candidates = list(fresh.values()) or list(self._open.values())
            options = options_of(decision, candidates)
            self.line.enter(options, price, self.request.priority)
            choice = self.line.take(self.deciding.machines)
            chosen = choice.option or options[0]
            key = (chosen.model, chosen.instance)
            candidate = next(c for c in candidates if c.pair.key == key)
            if choice.begins:
                self.deciding.prefer(candidate)
                return candidate
            name = candidate.pair.instance.name
            self.listener.waiting(name, choice.position, choice.wait_s)
            bound = max(_ASK_EVERY_S, choice.wait_s)
            changed = await self.line.change(min(DECIDE_EVERY_S, bound))
            # What ran where it was in memory already changed nothing there: whoever is next
            # takes the place at once, and the others do not ask everybody because of it.
            places = {i for model, i in changed if not self.deciding.holds(model, i)}
            if clock.monotonic() - decided_at >= DECIDE_EVERY_S:
                places |= {c.instance for c in candidates} | self.deciding.down
                decided_at = clock.monotonic()
            if places:
                await self.deciding.again(places, self._left_s())

    def _left_s(self) -> float | None:
        limit = self.request.max_time_s
        return None if limit is None else max(0.0, limit - self.answering.elapsed_s())

    # ---- one candidate

    async def _try(self, candidate: Candidate) -> Outcome:
        """One candidate: one attempt, and one more when it asked for more context."""
        del self._open[candidate.pair.key]
        machine = self.deciding.machines.get(candidate.instance)
        # Where the slots are known there is one; elsewhere it may have to wait over there.
        free = machine is None or machine.slots_known
        estimate = at_once(candidate.prospect) if free else candidate.estimate
        self.deciding.ran.add(candidate.pair.key)
        for num_ctx in self._contexts(candidate):
            trial = self._trial(candidate, self.line, num_ctx, estimate)
            failure = await self._attempt(trial)
            if failure is None:
                self._warn_of_truncation()
                return Outcome.OK
            if failure.callers_fault and not failure.context_exceeded:
                raise BadRequestError(
                    f"{candidate.instance} refused the request: {failure.message}",
                    instance=candidate.instance,
                ) from failure
            if not failure.context_exceeded:
                return failure.outcome
        self.deciding.refuse(
            candidate,
            Reason.CONTEXT_TOO_SMALL,
            "the instance says that the prompt is longer than the context",
        )
        return Outcome.BAD_REQUEST

    async def _attempt(self, trial: Trial) -> AttemptError | None:
        if not self._may_hedge(trial.candidate):
            return await self.answering.attempt(trial, self.listener)
        hedge = Hedge(self.deciding, self.answering, self.line, self.listener, self._beside)
        failure = await hedge.attempt(trial, self._open)
        if hedge.tried is not None:
            self._open.pop(hedge.tried.pair.key, None)
        return failure

    def _may_hedge(self, candidate: Candidate) -> bool:
        wanted = self.request.hedge and self.means.settings.route.hedge
        return (
            wanted
            and not candidate.pair.model.cloud
            and any(model == candidate.model for model, _ in self._open)
        )

    def _beside(self, candidate: Candidate, line: Line) -> Trial:
        """The trial of a second attempt, which begins at once with what is in memory."""
        self.deciding.ran.add(candidate.pair.key)
        estimate = at_once(candidate.prospect)
        return self._trial(candidate, line, self._contexts(candidate)[0], estimate)

    def _trial(
        self, candidate: Candidate, line: Line, num_ctx: int | None, estimate: Estimate
    ) -> Trial:
        keep_alive = self._keep_alive(candidate)
        return Trial(candidate, estimate, num_ctx, keep_alive, line.most_others)

    def _keep_alive(self, candidate: Candidate) -> str | int | None:
        """As the person says, else as the others of ours need it."""
        said = self.means.settings.models.get(candidate.model)
        if self.request.keep_alive is not None:
            return self.request.keep_alive
        if said is not None and said.keep_alive is not None:
            return said.keep_alive
        [option] = options_of(self.deciding.latest, [candidate])
        now = self.means.clock.now().timestamp()
        return keep_alive_for(option, self.line.others(), self.deciding.machines, now)

    def _contexts(self, candidate: Candidate) -> tuple[int | None, ...]:
        """The `num_ctx` to send and the one to try after a refusal; None if the person set it."""
        if "num_ctx" in self.request.options:
            return (None,)
        model, loaded = candidate.pair.model, candidate.pair.loaded
        needed, machine = candidate.prospect.context_tokens, self.deciding.machines
        slots = machine[candidate.instance].slots if candidate.instance in machine else 1
        room = context_room(candidate.pair, needed, slots)
        first = context_to_ask(needed, model, loaded, room)
        larger = next_context(first, model.context_length)
        return (first,) if larger is None else (first, larger)

    def _warn_of_truncation(self) -> None:
        answering = self.answering
        trial = answering.trial
        assert trial is not None  # noqa: S101 (it has answered)
        instance = trial.candidate.pair.instance
        context = self.request.options.get("num_ctx") if trial.num_ctx is None else trial.num_ctx
        if not isinstance(context, int):
            return
        filled = (trial.usage.prompt_tokens or 0) >= context
        if filled and may_truncate_silently(instance.version):
            self.listener.note(
                f"{instance.name} runs Ollama {instance.version}, which cuts long prompts in "
                f"silence, and this one filled its context of {context} tokens; 0.12.6 refuses"
            )
        if trial.done_reason == "length" and "num_predict" not in self.request.options:
            self.listener.note(
                f"the answer was cut at its length limit (context: {context} tokens)"
            )


def _pauses() -> Iterator[float]:
    return chain(BUSY_PAUSES_S, repeat(BUSY_PAUSES_S[-1]))
