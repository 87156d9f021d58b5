"""Who takes part in a comparison, and which of them gets in line first?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ollamamaster.domain.comparing import Answer, Entrant, Planned, Spread
from ollamamaster.domain.lineup import entrants, in_best_order, seconds_of
from ollamamaster.domain.machines import machines
from ollamamaster.domain.names import is_known, meant_model
from ollamamaster.domain.options import options_of
from ollamamaster.errors import ModelUnknownError, Outcome, UsageError
from ollamamaster.services.route_errors import no_candidate, none_up

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollamamaster.domain.comparing import CompareRequest
    from ollamamaster.domain.selection import Decision
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.services.compare_listener import CompareListener
    from ollamamaster.services.means import Means
    from ollamamaster.services.route import RouteService


@dataclass
class Lineup:
    """The lineup of one comparison; `left_s` tells what is left of its time.

    `entrants` are those who take part, also when entering failed; `missing` are the answers of
    those that nobody has, by their places. `plan` is where the others are likely to run, the first
    in line first.
    """

    routes: RouteService
    request: CompareRequest
    left_s: Callable[[], float | None]
    entrants: tuple[Entrant, ...] = ()
    missing: dict[int, Answer] = field(default_factory=dict)
    plan: tuple[Planned, ...] = ()

    @property
    def _means(self) -> Means:
        return self.routes.means

    @property
    def able(self) -> list[int]:
        """The places of those that some instance has."""
        return [index for index, entrant in enumerate(self.entrants) if entrant.known]

    @property
    def order(self) -> list[int]:
        """The same as they get in line; last those that nothing can run, to be told why."""
        planned = [each.index for each in self.plan]
        return [*planned, *(index for index in self.able if index not in planned)]

    # ---- who

    async def enter(self, fleet: Fleet, listener: CompareListener) -> Fleet:
        """Find who takes part; the fleet is asked anew for models that it does not know.

        Raises UsageError, ModelUnknownError when nobody has any of those named, NoInstanceError,
        NoCandidateError.
        """
        request = self.request
        typed = [name.strip() for name in request.models]
        if not all(typed):
            raise UsageError("the name of a model is missing")
        if request.spread is Spread.INSTANCES and len(typed) > 1:
            raise UsageError("one model is compared on several instances, not several models")
        named = [_named(name, fleet, listener) for name in typed]
        judged = request.judge is None or is_known(request.judge, fleet)
        if not judged or not all(entrant.known for entrant in named):
            # It may have been downloaded since the lists were read.
            fleet = await self._means.residency.again(fleet)
            named = [_named(name, fleet, listener) for name in typed]
        self.entrants = tuple(named)
        if named and not any(entrant.known for entrant in named):
            self._miss(fleet)
            if not fleet.up:
                raise none_up(fleet)
            raise self._all_unknown()
        if not named or request.spread is Spread.INSTANCES:
            model = named[0].model if named else None
            self.entrants = await self._chosen(model, fleet, listener)
        self._miss(fleet)
        return fleet

    async def _chosen(
        self, model: str | None, fleet: Fleet, listener: CompareListener
    ) -> tuple[Entrant, ...]:
        spread = self.request.spread
        asked = replace(self.request.of(Entrant(""), None), model=model)
        decision = await self.routes.explain(asked, fleet, listener.note)
        if not decision.ranked:
            raise no_candidate(decision, fleet, decision.wish)
        chosen = entrants(decision, spread, self._means.settings)
        if len(chosen) == 1:
            where = "one instance" if spread is Spread.INSTANCES else "one model"
            listener.note(f"only {where} can do this, so there is nothing to compare it with")
        return chosen

    def _miss(self, fleet: Fleet) -> None:
        """The answers of those that nobody has."""
        for index, entrant in enumerate(self.entrants):
            if entrant.known:
                continue
            try:
                meant_model(entrant.model, fleet)
            except ModelUnknownError as error:
                missing = str(Outcome.MODEL_MISSING)
                self.missing[index] = Answer(entrant.model, None, missing, error=error)

    def _all_unknown(self) -> ModelUnknownError:
        errors = [a.error for a in self.missing.values() if a.error is not None]
        if len(errors) == 1:
            return ModelUnknownError(errors[0].message, hint=errors[0].hint)
        lines = dict.fromkeys(": ".join(filter(None, [e.message, e.hint])) for e in errors)
        return ModelUnknownError("no instance has any of these models", hint="\n".join(lines))

    # ---- in which order

    async def line_up(self, fleet: Fleet) -> None:
        """Plan which gets in line first, so that no machine is fought for."""
        means, able = self._means, self.able
        decisions = {i: await self._foreseen(self.entrants[i], fleet) for i in able}
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
        self.plan = tuple(plan)

    async def _foreseen(self, entrant: Entrant, fleet: Fleet) -> Decision:
        asked = self.request.of(entrant, self.left_s())
        return await self.routes.explain(asked, fleet, lambda _: None)


def _named(typed: str, fleet: Fleet, listener: CompareListener) -> Entrant:
    try:
        meant = meant_model(typed, fleet)
    except ModelUnknownError:
        return Entrant(typed, known=False)
    if meant.note:
        listener.note(meant.note)
    return Entrant(meant.name)
