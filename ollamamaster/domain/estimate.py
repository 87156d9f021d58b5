"""When would this candidate answer? Seconds by part, as ranges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollamamaster.domain.measures import Z80
from ollamamaster.domain.schedule import LOAD_WEIGHT, Residency
from ollamamaster.domain.task import Range

if TYPE_CHECKING:
    from ollamamaster.domain.candidates import Pair
    from ollamamaster.domain.knowledge import Knowledge
    from ollamamaster.domain.rates import Rate, Rates
    from ollamamaster.domain.task import Task

_NOTHING = Range(0.0, 0.0, 0.0)

# What is ahead are answers of unknown length; several together spread less than one.
_WAIT_SPREAD = 1.6

# How far the count of a prompt's tokens may be off, as a factor for its 80% quantile.
_PROMPT_SPREAD = 1.15

# From the 80% to the 95% quantile of a normal distribution, in the logarithm: 1.645 / 0.8416.
_P95 = 1.6449 / Z80


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
class Parts:
    """Seconds of each part, as ranges, and until the first token, which is all but the last."""

    wait: Range = _NOTHING
    load: Range = _NOTHING
    prompt: Range = _NOTHING
    generation: Range = _NOTHING
    first_token: Range = _NOTHING


@dataclass(frozen=True, slots=True)
class Prospect:
    """A candidate with all that is expected of it.

    `prompt_tokens` is what this model's tokenizer is expected to make of the prompt,
    `context_tokens` what prompt and answer need together, with a margin.
    """

    pair: Pair
    rates: Rates
    residency: Residency
    output_tokens: Range
    estimate: Estimate
    parts: Parts = Parts()
    prompt_tokens: float = 0.0
    context_tokens: int = 0

    @property
    def weighted_p80_s(self) -> float:
        """The 80% quantile with the load weighted by what it costs others."""
        extra = (LOAD_WEIGHT[self.residency] - 1.0) * self.estimate.load_s
        return self.estimate.p80_s + max(0.0, extra)

    @property
    def first_token_p95_s(self) -> float:
        """By when the first token has come in 95 of 100 cases."""
        first = self.parts.first_token
        if not first.p50:
            return first.p80
        return float(first.p50 * (first.p80 / first.p50) ** _P95)


def prospect(pair: Pair, task: Task, known: Knowledge) -> Prospect:
    """What is expected of this pair for this task."""
    profiles = known.profiles
    rates = profiles.rates(pair)
    output = profiles.output(pair, task)
    factor = profiles.prompt_factor(pair, task)
    context = context_needed(task, output, factor)
    turn = known.queues.turn(pair, context)
    wait = _spread(turn.wait_s, _WAIT_SPREAD) if turn.wait_s else _NOTHING
    load = _NOTHING
    if turn.residency is not Residency.RESIDENT:
        load = _spread(rates.load_s.median, rates.load_s.spread)
    prompt_tokens = task.prompt_tokens * factor
    prompt = _spread(
        prompt_tokens / rates.prefill.median,
        math.exp(math.hypot(math.log(rates.prefill.spread), math.log(_PROMPT_SPREAD))),
    )
    generation = _generation(output, rates.decode)
    calibration = profiles.calibration
    overhead_s = profiles.overhead_s(pair.instance)
    whole = _sum(overhead_s, (wait, load, prompt, generation), calibration.above, calibration.below)
    return Prospect(
        pair,
        rates,
        turn.residency,
        output,
        Estimate(whole.p20, whole.p50, whole.p80, wait.p50, load.p50, prompt.p50, generation.p50),
        Parts(wait, load, prompt, generation, _sum(overhead_s, (wait, load, prompt))),
        prompt_tokens,
        context,
    )


def context_needed(task: Task, output: Range, prompt_factor: float = 1.0) -> int:
    """Tokens of context: what the task needs, and room for what this model takes beyond that.

    Its thoughts, and a prompt that its tokenizer makes longer than the plain estimate.
    """
    answer = max(0.0, output.p80 - task.output_tokens.p80)
    prompt = max(0.0, prompt_factor - 1.0) * task.prompt_tokens
    return task.context_tokens + round(answer + prompt)


def _spread(median: float, factor: float) -> Range:
    return Range(median / factor, median, median * factor)


def _sum(certain: float, parts: tuple[Range, ...], above: float = 1.0, below: float = 1.0) -> Range:
    """The sum of independent parts: their distances from the median add as squares.

    `above` and `below` stretch them.
    """
    p50 = certain + sum(part.p50 for part in parts)
    up = math.hypot(*[part.p80 - part.p50 for part in parts])
    down = math.hypot(*[part.p50 - part.p20 for part in parts])
    return Range(max(min(certain, p50), p50 - below * down), p50, p50 + above * up)


def _generation(output: Range, decode: Rate) -> Range:
    """Seconds of writing: two uncertain factors, whose spreads add in the logarithm.

    The first token comes with the end of the prompt, each further one is a step.
    """
    median = max(0.0, output.p50 - 1) / decode.median
    if median == 0:
        return _NOTHING
    speed = math.log(decode.spread)
    up = math.exp(math.hypot(math.log(output.p80 / output.p50), speed))
    down = math.exp(math.hypot(math.log(output.p50 / max(output.p20, 1.0)), speed))
    return Range(median / down, median, median * up)
