"""Do the estimates come true? Mixed requests on the simulated home fleet, from nothing learnt.

python tests/benchmarks/estimates.py 101 102 103 --speed 10

Every request takes the real way: route service, tickets, sockets, history. The constants were
tuned on seeds 1 to 4, so other seeds tell. A seed decides the prompts, who is asked, and how long
the simulated answers are (log-normal around a median for what the words ask for, which is not
how the task analysis sorts them). The true rates are those of the fleet's own file.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import time
from contextlib import aclosing, suppress
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

from ollamamaster.bootstrap import Application
from ollamamaster.domain.models import Capability
from ollamamaster.domain.routing import RouteRequest
from ollamamaster.domain.settings import Performance
from ollamamaster.errors import OllamaMasterError
from ollamamaster.simulator.sandbox import SimulatedFleet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ollamamaster.domain.estimate import Estimate
    from ollamamaster.domain.selection import Candidate

REQUESTS = 400
# A pair is known after so many requests.
KNOWN_AFTER = 5
# The share of requests that find their machine disturbed: all its work takes ten times as long,
# as when a game runs there. Without, the simulated rates would be the same each time.
DISTURBED = 0.05

# The share of requests for which the person names the model or the instance; else the best is
# taken, and few pairs would ever be used.
INSISTS = 0.4

_THINGS = (
    "a bicycle repair shop",
    "the tides",
    "compound interest",
    "a chess clock",
    "sourdough bread",
    "volcanoes",
    "a public library",
    "honey bees",
    "railway timetables",
    "a weather station",
    "old maps",
    "the printing press",
    "rain barrels",
    "a lighthouse",
    "migrating birds",
)
_KINDS = (
    "Write a Python function that models {thing} and returns a dictionary.",
    "Fix the bug in this code:\n```python\ndef f(x):\n    return x + '{thing}'\n```",
    "Write a short story about {thing}.",
    "Write a polite letter to the owner of {thing}.",
    "Explain step by step why {thing} matters, and prove your point.",
    "Solve the equation 3x + {number} = 7 and tell how it is about {thing}.",
    "Summarize this text:\n{text}",
    "Translate this into French:\n{text}",
    "Who invented {thing}?",
    "What is the capital of the country best known for {thing}?",
    "Hello, how are you today? I was thinking of {thing}.",
    "Tell me something about {thing}.",
)
_WORDS = (
    "the morning train was late and nobody on the platform knew why until a man with a lamp came "
    "along the rails and told them that the bridge had moved in the night by the width of a hand"
)


@dataclass(frozen=True)
class Outcome:
    """What was expected, what came, and the rate of the pair once it was known."""

    kind: str
    expected: Estimate
    seconds: float
    rate_error: float | None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", type=int, nargs="+")
    parser.add_argument("--speed", type=float, default=10.0)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--disturbed", type=float, default=DISTURBED)
    arguments = parser.parse_args()
    for seed in arguments.seeds:
        began = time.perf_counter()
        outcomes = measured(
            seed, arguments.speed, arguments.requests, arguments.at_once, arguments.disturbed
        )
        print(f"seed {seed} ({time.perf_counter() - began:.0f} s)")
        tell(outcomes)


def measured(
    seed: int, speed: float, count: int, at_once: int, disturbed: float = DISTURBED
) -> list[Outcome]:
    """The outcomes of so many requests, from nothing learnt, so many of them at once."""
    with SimulatedFleet.start("home", speed=speed, seed=seed) as fleet:
        os.environ.clear()
        os.environ.update(fleet.environment())
        rng = random.Random(seed)  # noqa: S311 (a simulation, no secret)
        return asyncio.run(_asked(fleet, rng, count, at_once, disturbed))


async def _asked(
    fleet: SimulatedFleet, rng: random.Random, count: int, at_once: int, disturbed: float
) -> list[Outcome]:
    application = Application()
    outcomes: list[Outcome] = []
    used: dict[tuple[str, str], int] = {}
    waiting = iter(list(requests(fleet, rng, count)))

    async def ask_all() -> None:
        for request in waiting:
            if rng.random() < disturbed:
                rng.choice(list(fleet)).fault("slow")
            outcome = await _asked_once(application, fleet, request, used)
            if outcome is not None:
                outcomes.append(outcome)

    async with aclosing(application.ollama), asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(ask_all())
    return outcomes


async def _asked_once(
    application: Application,
    fleet: SimulatedFleet,
    request: RouteRequest,
    used: dict[tuple[str, str], int],
) -> Outcome | None:
    run = application.route_service().begin(request)
    quiet: Any = Mock()
    with suppress(OllamaMasterError):
        result = await run.complete(application.fleet_service().first, quiet, quiet)
        decision = run.decision
        if decision is None or decision.chosen is None or result.estimate is None:
            return None
        candidate = decision.chosen
        key = candidate.pair.key
        used[key] = used.get(key, 0) + 1
        error = _rate_error(application, fleet, candidate) if used[key] == KNOWN_AFTER else None
        seconds = result.timing.total_s or 0.0
        return Outcome(str(decision.task.type), result.estimate, seconds, error)
    return None


def _rate_error(application: Application, fleet: SimulatedFleet, candidate: Candidate) -> float:
    learnt = application.past.profiles().rates(candidate.pair).decode.median
    place = next(i for i in fleet if i.id == candidate.instance)
    hardware = next(p.hardware for p in fleet.plan.instances if p.name == place.name)
    model = fleet.plan.models[candidate.model].served()
    context = hardware.context_for(model, candidate.prospect.context_tokens)
    truth = fleet.speed / hardware.token_s(model, hardware.placement(model, context))
    return abs(learnt / truth - 1)


def requests(fleet: SimulatedFleet, rng: random.Random, count: int) -> Iterator[RouteRequest]:
    """Prompts of all kinds and lengths; some for a model or an instance of the fleet."""
    words = _WORDS.split()
    places = {plan.name: plan.models for plan in fleet.plan.instances}
    for _ in range(count):
        text = " ".join(rng.choice(words) for _ in range(round(rng.lognormvariate(5.5, 1.0))))
        thing = f"{rng.choice(_THINGS)} no. {rng.randrange(1000)}"
        prompt = rng.choice(_KINDS).format(thing=thing, number=rng.randrange(100), text=text)
        model = instance = None
        if rng.random() < INSISTS:
            instance = rng.choice(list(places))
            able = [
                name
                for name in places[instance]
                if Capability.COMPLETION in fleet.plan.models[fleet_name(name)].capabilities
            ]
            model = rng.choice(able)
        yield RouteRequest(
            prompt, model=model, instance=instance, performance=rng.choice(list(Performance))
        )


def fleet_name(model: str) -> str:
    """The full name, as the fleet's plan has it."""
    return model if ":" in model else f"{model}:latest"


def tell(outcomes: Sequence[Outcome]) -> None:
    """Print what came of a seed."""
    errors = [o.rate_error for o in outcomes if o.rate_error is not None]
    print(f"  requests answered                     {len(outcomes)}")
    if errors:
        print(
            f"  decode rate after {KNOWN_AFTER} requests           "
            f"{median(errors):.2%} off in the median, {max(errors):.2%} at most, "
            f"{len(errors)} pairs (must: 10%)"
        )
    for name, part in (("all", outcomes), ("first 100", outcomes[:100])):
        covered = share(o.seconds <= o.expected.p80_s for o in part)
        early = share(o.seconds < o.expected.p20_s for o in part)
        middle = share(o.seconds <= o.expected.p50_s for o in part)
        off = median(abs(o.expected.p50_s / o.seconds - 1) for o in part)
        print(
            f"  {name:<9}  p80 covers {covered:.1%} (must: 75 to 85%), below p20 {early:.1%}, "
            f"below p50 {middle:.1%}, p50 off by {off:.0%} in the median"
        )
    kinds = sorted({o.kind for o in outcomes})
    said = (
        f"{kind} {share(o.seconds <= o.expected.p80_s for o in outcomes if o.kind == kind):.0%}"
        for kind in kinds
    )
    print(f"  p80 by kind: {', '.join(said)}")


def share(hits: Iterator[bool]) -> float:
    """The share that is true."""
    counted = list(hits)
    return sum(counted) / len(counted)


if __name__ == "__main__":
    main()
