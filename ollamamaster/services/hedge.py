"""The first token is late: may a second attempt start elsewhere, and which one is heard?"""

from __future__ import annotations

import asyncio  # noqa: TID253 (imported only by commands that wait for instances)
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollamamaster.domain.options import options_of
from ollamamaster.domain.tickets import Priority
from ollamamaster.services.line import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ollamamaster.domain.selection import Candidate
    from ollamamaster.errors import AttemptError
    from ollamamaster.services.answering import Answering
    from ollamamaster.services.deciding import Deciding
    from ollamamaster.services.route_listener import RouteListener
    from ollamamaster.services.trial import Trial

# A model and an instance.
Key = tuple[str, str]

# A load that is given up starts again from nothing, so while one may be under way nothing else is
# tried: three times what it likely takes, and a minute where the estimate is short or wrong.
LOAD_TIMES = 3.0
LOAD_AT_LEAST_S = 60.0
# A second attempt takes another machine's time; a person hardly notices less than this.
LATE_AT_LEAST_S = 1.0
# When nobody is idle now, somebody may be soon.
LOOK_EVERY_S = 1.0


@dataclass
class Hedge:
    """An attempt, and perhaps another one beside it; the first to speak goes on alone.

    `tried` is the candidate of the second attempt, once there is one.
    """

    deciding: Deciding
    answering: Answering
    line: Line
    listener: RouteListener
    trial_of: Callable[[Candidate, Line], Trial]
    tried: Candidate | None = None

    async def attempt(self, trial: Trial, open_: Collection[Key]) -> AttemptError | None:
        """As Answering.attempt. `open_` are the candidates that were not tried yet.

        When both fail, the failure is the one of the attempt that spoke last.
        """
        main = asyncio.create_task(self.answering.attempt(trial, self.listener))
        beside = asyncio.create_task(self._beside(trial, open_))
        tasks = (main, beside)

        def silence_the_other(_speaker: Trial) -> None:
            for task in tasks:
                if task is not asyncio.current_task():
                    task.cancel()

        self.answering.on_speech = silence_the_other
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if self.tried is None and main.done():
                beside.cancel()
            elif main.done():
                # The second one has a ticket of its own; the first place is free.
                self.line.leave()
            await asyncio.wait(tasks)
        finally:
            self.answering.on_speech = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if beside.cancelled() or self.tried is None:
            return main.result()
        if main.cancelled():
            return beside.result()
        failure = main.result()
        return failure if failure is None else beside.result() and failure

    async def _beside(self, late: Trial, open_: Collection[Key]) -> AttemptError | None:
        """Wait until the first token is late and another instance is idle, and try that one."""
        clock = self.deciding.means.clock
        await clock.sleep(late_after_s(late))
        while True:
            candidate = await self._idle(late, open_)
            if candidate is not None:
                line = Line(self.line.tickets, clock, f"{self.line.id}+")
                try:
                    if self._alone(line, candidate):
                        self.tried = candidate
                        self.listener.hedged(late.attempt, candidate)
                        trial = self.trial_of(candidate, line)
                        return await self.answering.attempt(trial, self.listener, beside=True)
                finally:
                    line.leave()
            await clock.sleep(LOOK_EVERY_S)

    async def _idle(self, late: Trial, open_: Collection[Key]) -> Candidate | None:
        """The best other place where the same model is in memory and nobody is served."""
        deciding, model = self.deciding, late.candidate.model
        places = {c.instance for c in deciding.latest.ranked if c.model == model}
        ranked = (await deciding.look(places, None)).ranked
        here = next((i for i in deciding.fleet if i.id == late.candidate.instance), None)
        loads = here is None or here.loaded_model(model) is None
        elapsed_s = deciding.means.clock.monotonic() - late.began
        if loads and elapsed_s < load_limit_s(late.candidate):
            return None
        taken = {t.on.instance for t in self.line.others() if t.on is not None}
        for candidate in ranked:
            machine = deciding.machines.get(candidate.instance)
            if (
                candidate.model == model
                and candidate.pair.key in open_
                and candidate.instance not in taken
                and candidate.resident
                and candidate.pair.loaded is not None
                and (machine is None or machine.foreign_s == 0)
            ):
                return candidate
        return None

    def _alone(self, line: Line, candidate: Candidate) -> bool:
        """Take the place, unless somebody just did."""
        [option] = options_of(self.deciding.latest, [candidate])
        line.enter([option], price=0.0, priority=Priority.LOW)
        return line.take_alone(option)


def late_after_s(trial: Trial) -> float:
    """Seconds into an attempt after which its first token is late."""
    candidate = trial.candidate
    late_s = candidate.prospect._replace(estimate=trial.estimate).first_token_p95_s
    return max(LATE_AT_LEAST_S if candidate.resident else load_limit_s(candidate), late_s)


def load_limit_s(candidate: Candidate) -> float:
    """For how long a load counts as under way."""
    load = candidate.prospect.rates.load_s
    return max(LOAD_AT_LEAST_S, LOAD_TIMES * load.median * load.spread)
