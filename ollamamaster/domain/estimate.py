"""When would this candidate answer? Seconds by part, as ranges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ollamamaster.domain.context import is_enough
from ollamamaster.domain.hardware_prior import Rates, prior_rates
from ollamamaster.domain.models import Capability
from ollamamaster.domain.task import Range

if TYPE_CHECKING:
    from ollamamaster.domain.candidates import Pair
    from ollamamaster.domain.task import Task

# A model that thinks writes its thoughts too: twice the tokens until it was measured.
_THINKING_FACTOR = 2.0

# A round trip when none was measured, seconds.
_UNKNOWN_ROUND_TRIP_S = 0.05


class Residency(StrEnum):
    """What must happen on the instance before the first token."""

    RESIDENT = "resident"
    FITS = "fits"
    EVICTS = "evicts"


# Loading a model that pushes another out costs the next request a load too. Four is where the
# mean waiting time stopped falling in simulations on the Azure 2023 conversation trace.
LOAD_WEIGHT = {Residency.RESIDENT: 0.0, Residency.FITS: 1.0, Residency.EVICTS: 4.0}


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


def prospect(pair: Pair, task: Task) -> Prospect:
    """What is expected of this pair for this task, from what is known without any history."""
    rates = prior_rates(pair.model, pair.instance)
    residency = residency_of(pair, task)
    output = expected_output(pair, task)
    load_s = 0.0 if residency is Residency.RESIDENT else rates.load_s
    load = _spread(load_s, rates.spread)
    prompt = _spread(task.prompt_tokens / rates.prefill, rates.spread)
    generation = _generation(output, rates)
    latency_ms = pair.instance.latency_ms
    round_trip = _UNKNOWN_ROUND_TRIP_S if latency_ms is None else latency_ms / 1000
    parts = (load, prompt, generation)
    p50 = sum(part.p50 for part in parts) + round_trip
    above = math.hypot(*(part.p80 - part.p50 for part in parts))
    below = math.hypot(*(part.p50 - part.p20 for part in parts))
    return Prospect(
        pair,
        rates,
        residency,
        output,
        Estimate(
            p20_s=max(round_trip, p50 - below),
            p50_s=p50,
            p80_s=p50 + above,
            wait_s=0.0,
            load_s=load_s,
            prompt_s=prompt.p50,
            generation_s=generation.p50,
        ),
    )


def residency_of(pair: Pair, task: Task) -> Residency:
    """Whether the model is in memory with enough context, fits beside the others, or evicts.

    Only where the graphics memory is known can an eviction be foreseen; else it fits.
    """
    loaded = pair.loaded
    if pair.model.cloud:
        return Residency.RESIDENT
    if loaded is not None and is_enough(loaded, context_needed(pair, task)):
        return Residency.RESIDENT
    total = pair.instance.gpu.vram_total
    used = sum(m.size or 0 for m in pair.instance.loaded if m is not loaded)
    if total and used and used + (pair.model.size_bytes or 0) > total:
        return Residency.EVICTS
    return Residency.FITS


def context_needed(pair: Pair, task: Task) -> int:
    """Tokens of context: what the task needs, and room for the thoughts of a model that thinks."""
    thoughts = expected_output(pair, task).p80 - task.output_tokens.p80
    return task.context_tokens + max(0, round(thoughts))


def expected_output(pair: Pair, task: Task) -> Range:
    """Tokens the model will write; more when it thinks."""
    thinks = Capability.THINKING in (pair.model.capabilities or ())
    if not thinks or task.no_thinking:
        return task.output_tokens
    output = task.output_tokens.times(_THINKING_FACTOR)
    return output if task.output_limit is None else output.at_most(task.output_limit)


def _spread(median: float, factor: float) -> Range:
    return Range(median / factor, median, median * factor)


def _generation(output: Range, rates: Rates) -> Range:
    """Seconds of writing: two uncertain factors, whose spreads add in the logarithm."""
    median = output.p50 / rates.decode
    if median == 0:
        return Range(0.0, 0.0, 0.0)
    speed = math.log(rates.spread)
    up = math.exp(math.hypot(math.log(output.p80 / output.p50), speed))
    down = math.exp(math.hypot(math.log(output.p50 / max(output.p20, 1.0)), speed))
    return Range(median / down, median, median * up)
