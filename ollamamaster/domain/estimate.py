"""When would this candidate answer? Seconds by part, as ranges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollamamaster.domain.schedule import LOAD_WEIGHT, Residency
from ollamamaster.domain.task import Range

if TYPE_CHECKING:
    from ollamamaster.domain.candidates import Pair
    from ollamamaster.domain.knowledge import Knowledge
    from ollamamaster.domain.rates import Rate, Rates
    from ollamamaster.domain.task import Task

# A round trip when none was measured, seconds.
_UNKNOWN_ROUND_TRIP_S = 0.05


@dataclass(frozen=True, slots=True)
class Estimate:
    """Predicted seconds. The parts are medians; the whole has its 20, 50 and 80% quantiles."""

    p20_s: float
    p50_s: float
    p80_s: float
    wait_s: float
    load_s: float
    prompt_s: float
    generation_s: float


@dataclass(frozen=True, slots=True)
class Prospect:
    """A candidate with all that is expected of it."""

    pair: Pair
    rates: Rates
    residency: Residency
    output_tokens: Range
    estimate: Estimate

    @property
    def weighted_p80_s(self) -> float:
        """The 80% quantile with the load weighted by what it costs others."""
        extra = (LOAD_WEIGHT[self.residency] - 1.0) * self.estimate.load_s
        return self.estimate.p80_s + max(0.0, extra)


def prospect(pair: Pair, task: Task, known: Knowledge) -> Prospect:
    """What is expected of this pair for this task."""
    rates = known.profiles.rates(pair)
    output = known.profiles.output(pair, task)
    turn = known.queues.turn(pair, context_needed(task, output))
    load_s = 0.0 if turn.residency is Residency.RESIDENT else rates.load_s.median
    load = _spread(load_s, rates.load_s.spread)
    prompt = _spread(task.prompt_tokens / rates.prefill.median, rates.prefill.spread)
    generation = _generation(output, rates.decode)
    latency_ms = pair.instance.latency_ms
    round_trip = _UNKNOWN_ROUND_TRIP_S if latency_ms is None else latency_ms / 1000
    parts = (load, prompt, generation)
    p50 = turn.wait_s + sum(part.p50 for part in parts) + round_trip
    above = math.hypot(*(part.p80 - part.p50 for part in parts))
    below = math.hypot(*(part.p50 - part.p20 for part in parts))
    return Prospect(
        pair,
        rates,
        turn.residency,
        output,
        Estimate(
            p20_s=max(round_trip, p50 - below),
            p50_s=p50,
            p80_s=p50 + above,
            wait_s=turn.wait_s,
            load_s=load_s,
            prompt_s=prompt.p50,
            generation_s=generation.p50,
        ),
    )


def context_needed(task: Task, output: Range) -> int:
    """Tokens of context: what the task needs, and room for the thoughts of a model that thinks."""
    return task.context_tokens + max(0, round(output.p80 - task.output_tokens.p80))


def _spread(median: float, factor: float) -> Range:
    return Range(median / factor, median, median * factor)


def _generation(output: Range, decode: Rate) -> Range:
    """Seconds of writing: two uncertain factors, whose spreads add in the logarithm."""
    median = output.p50 / decode.median
    if median == 0:
        return Range(0.0, 0.0, 0.0)
    speed = math.log(decode.spread)
    up = math.exp(math.hypot(math.log(output.p80 / output.p50), speed))
    down = math.exp(math.hypot(math.log(output.p50 / max(output.p20, 1.0)), speed))
    return Range(median / down, median, median * up)
