"""Let a model score the answers of others, in both orders and without their names."""

from __future__ import annotations

import asyncio  # noqa: TID253 (imported only by commands that wait for instances)
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ollamamaster.domain.verdict import (
    Judgement,
    Round,
    both_orders,
    judge_format,
    judge_prompt,
    read_scores,
)
from ollamamaster.errors import OllamaMasterError
from ollamamaster.services.route_listener import Unheard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollamamaster.domain.comparing import CompareRequest
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.services.compare_listener import CompareListener
    from ollamamaster.services.route import RouteService

# Two rounds are to differ by the order alone.
_STEADY = {"temperature": 0}


@dataclass
class Judge:
    """One judging. `error` is why a round failed."""

    routes: RouteService
    request: CompareRequest
    model: str
    fleet: Fleet
    listener: CompareListener
    error: OllamaMasterError | None = None

    async def judgement(
        self, answers: Mapping[int, str], count: int, left_s: float | None, chance: int
    ) -> Judgement:
        """The scores of these answers, by their index among `count` results.

        A round that fails has no scores. `chance` is a random number for the order.
        """
        orders = both_orders(list(answers), chance)
        async with asyncio.TaskGroup() as group:
            rounds = [
                group.create_task(self._round(number, order, answers, count, left_s))
                for number, order in enumerate(orders, 1)
            ]
        return Judgement(self.model, self.request.criteria, tuple(r.result() for r in rounds))

    async def _round(
        self,
        number: int,
        order: tuple[int, ...],
        answers: Mapping[int, str],
        count: int,
        left_s: float | None,
    ) -> Round:
        asked = self.request.asked
        shown = [answers[index] for index in order]
        request = replace(
            asked,
            prompt=judge_prompt(asked.full_prompt, self.request.criteria, shown),
            system=None,
            documents=(),
            images=(),
            model=self.model,
            instance=None,
            max_time_s=left_s,
            format=judge_format(len(order)),
            options=_STEADY,
            think=None,
            pull=False,
        )
        run = self.routes.begin(request)
        listener = self.listener.judging(self.model, number)
        none = (None,) * count
        try:
            told = await run.complete(self._found, listener, Unheard())
        except OllamaMasterError as error:
            self.error = self.error or error
            return Round(order, none, error=error.message)
        read, reason = read_scores(told.response, len(order))
        by_index = dict(zip(order, read, strict=True))
        return Round(
            order,
            tuple(by_index.get(index) for index in range(count)),
            reason,
            None if any(s is not None for s in read) else "no scores in the judge's answer",
            told.instance,
            told.timing.total_s,
        )

    async def _found(self) -> Fleet:
        return self.fleet
