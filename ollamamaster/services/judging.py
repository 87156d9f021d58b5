"""Have the answers of a comparison judged, and learn from the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollamamaster.domain.ability import ability
from ollamamaster.domain.judged import Verdict, bouts_of
from ollamamaster.domain.names import meant_model
from ollamamaster.errors import FailedError, ModelUnknownError, OllamaMasterError
from ollamamaster.services.judge import Judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollamamaster.domain.comparing import CompareRequest, CompareResult
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.domain.verdict import Judgement
    from ollamamaster.services.compare_listener import CompareListener
    from ollamamaster.services.route import RouteService

# One answer has nothing to be better than.
_AT_LEAST = 2


@dataclass
class Judging:
    """The judging of one comparison; `left_s` tells what is left of its time.

    `judgement` is what the judge said, `error` why it did not say it, or not in both orders.
    """

    routes: RouteService
    request: CompareRequest
    left_s: Callable[[], float | None]
    judgement: Judgement | None = None
    error: OllamaMasterError | None = None

    async def judge(
        self, result: CompareResult, fleet: Fleet, listener: CompareListener, chance: int
    ) -> None:
        """Let the judge read the answers, if there is to be one. A failure of it raises nothing.

        `chance` is a random number for the order.
        """
        request = self.request
        if request.judge is None:
            return
        answers = {i: answer.text or "" for i, answer in enumerate(result.answers) if answer.ok}
        if len(answers) < _AT_LEAST:
            listener.note("there is only one answer, so there is nothing to judge")
            return
        try:
            meant = meant_model(request.judge, fleet)
        except ModelUnknownError as error:
            self.error = error
            return
        if any(answer.model == meant.name for answer in result.answers):
            listener.note(f"{meant.name} judges an answer of its own")
        if request.asked.images:
            listener.note("the judge reads the answers and does not see the images")
        judge = Judge(self.routes, request, meant.name, fleet, listener)
        self.judgement = await judge.judgement(answers, len(result.answers), self.left_s(), chance)
        self.error = judge.error
        if judge.error is None and not self.judgement.told:
            self.error = FailedError(
                f"{meant.name} gave no scores", hint="another model may judge better: --judge"
            )
        self._learn(self.judgement, result)

    def _learn(self, judgement: Judgement, result: CompareResult) -> None:
        """Remember which model did better than its ability, and that of the others, let expect."""
        means = self.routes.means
        routes = [answer.route for answer in result.answers if answer.route is not None]
        told = [route.decision for route in routes if route.decision is not None]
        ranked = {c.model: c for decision in told for c in decision.ranked}
        if not ranked:
            return
        task = told[0].task
        able = {
            name: ability(c.pair.model, task, means.settings, means.abilities)
            for name, c in ranked.items()
        }
        bouts = bouts_of(judgement, [answer.model for answer in result.answers], able)
        means.history.judge(Verdict(means.clock.now().timestamp(), str(task.type), bouts))
