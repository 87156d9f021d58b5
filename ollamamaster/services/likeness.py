"""How near are texts in meaning, as an embedding model of the fleet sees it?"""

from __future__ import annotations

import asyncio  # noqa: TID253 (imported only by commands that wait for instances)
from dataclasses import replace
from typing import TYPE_CHECKING

from ollamamaster.domain.candidates import Wish
from ollamamaster.domain.comparison import agreement, cosine, gist
from ollamamaster.domain.knowledge import Knowledge
from ollamamaster.domain.machines import machines
from ollamamaster.domain.models import Capability
from ollamamaster.domain.options import options_of
from ollamamaster.domain.request_ids import request_id
from ollamamaster.domain.schedule import queues
from ollamamaster.domain.selection import Demand, decide
from ollamamaster.domain.settings import Performance
from ollamamaster.domain.task import Question, Range, TaskType, analyse
from ollamamaster.domain.tickets import Priority
from ollamamaster.errors import AttemptError
from ollamamaster.services.line import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ollamamaster.domain.comparison import Agreement
    from ollamamaster.domain.selection import Candidate, Decision
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.services.means import Means

# The usual embedding models read 512 to 8,192 tokens; what an answer says is said by then.
_READ_CHARACTERS = 6000
# Agreement is a figure beside the answers, which are there: nobody waits longer for it, and one
# that must be loaded from a slow disk is left alone.
_WITHIN_S = 10.0


async def agreed(
    means: Means, texts: Sequence[str | None], fleet: Fleet, *, local_only: bool, chance: int
) -> Agreement:
    """How alike the texts are; None is one that is missing. `chance` is for the ticket.

    By their meaning where what they come to cannot be compared as such, and the fleet can tell.
    """
    given = [index for index, text in enumerate(texts) if text is not None]
    told = None
    if len(given) > 1 and any(gist(texts[index] or "") is None for index in given):
        asked = await means.residency.memory(fleet, [i.id for i in fleet.up])
        read = [texts[index] or "" for index in given]
        told = await likeness(means, read, asked, local_only=local_only, chance=chance)
    if told is None:
        return agreement(texts)
    near, places = told, {index: place for place, index in enumerate(given)}
    return agreement(texts, lambda one, other: near(places[one], places[other]))


async def likeness(
    means: Means, texts: Sequence[str], fleet: Fleet, *, local_only: bool, chance: int
) -> Callable[[int, int], float] | None:
    """The cosine of two of the texts, by their places.

    None where no embedding model is there, none has room now, or none answers in time. `chance`
    is a random number for the ticket.
    """
    read = [text[:_READ_CHARACTERS] for text in texts]
    decision = _decision(means, read, fleet, local_only=local_only)
    ready = [c for c in decision.ranked if c.estimate.p80_s <= _WITHIN_S]
    if not ready:
        return None
    now = means.clock.now().timestamp()
    line = Line(means.tickets, means.clock, request_id(now, chance))
    options = options_of(decision, ready)
    price = means.settings.route.price_per_doubling[Performance.FAST]
    line.enter(options, price, Priority.NORMAL)
    try:
        choice = line.take(machines(fleet, means.history.profiles(), {}))
        place = choice.option
        if not choice.begins or place is None:
            return None
        key = (place.model, place.instance)
        candidate = next(c for c in ready if c.pair.key == key)
        return await _cosines(means, candidate, read)
    finally:
        line.leave()


async def _cosines(
    means: Means, candidate: Candidate, texts: Sequence[str]
) -> Callable[[int, int], float] | None:
    endpoint = candidate.pair.instance.endpoint
    try:
        async with asyncio.timeout(_WITHIN_S):
            told = await means.ollama.embed(endpoint, candidate.model, texts)
    except (AttemptError, TimeoutError):
        return None
    vectors = told.vectors
    if len({len(vector) for vector in vectors}) != 1:
        return None
    return lambda one, other: cosine(vectors[one], vectors[other])


def _decision(means: Means, texts: Sequence[str], fleet: Fleet, *, local_only: bool) -> Decision:
    task = replace(
        analyse(Question("", documents=tuple(texts))),
        type=TaskType.EMBEDDING,
        needs=frozenset({Capability.EMBEDDING}),
        output_tokens=Range(0, 0, 0),
        # each text is read alone, and cut where the model's context ends
        context_tokens=0,
    )
    now = means.clock.now().timestamp()
    health = means.liveness.load()
    profiles = means.history.profiles()
    ahead = queues(machines(fleet, profiles, {}), means.tickets.others(""), None, now)
    return decide(
        task,
        fleet,
        means.settings,
        Wish(local_only=local_only),
        Demand(Performance.FAST),
        {i for i, known in health.items() if known.skipped(now)},
        Knowledge(means.abilities, profiles, ahead),
    )
