"""When would this candidate answer? Seconds by part, as ranges."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ollamamaster.domain.estimate import Estimate
from ollamamaster.domain.machines import LOAD_WEIGHT, Residency
from ollamamaster.domain.measures import Z80
from ollamamaster.domain.rates import Rate, Source, bearing
from ollamamaster.domain.task import Range

if TYPE_CHECKING:
    from ollamamaster.domain.instances import Instance
    from ollamamaster.domain.knowledge import Knowledge
    from ollamamaster.domain.pair import Pair
    from ollamamaster.domain.rates import Rates
    from ollamamaster.domain.task import Task

# What is ahead are answers of unknown length; several together spread less than one.
WAIT_SPREAD = 1.6

_WAIT_ABOVE, _WAIT_BELOW = WAIT_SPREAD - 1, 1 - 1 / WAIT_SPREAD

# How far the count of a prompt's tokens may be off, as the factor for its 80% quantile.
_PROMPT_SPREAD = 1.15

# From the 80% to the 95% quantile of a normal distribution, in the logarithm: 1.645 / 0.8416.
_P95 = 1.6449 / Z80


# Looking a member up costs more than what is done with it for each pair.
_RESIDENT = Residency.RESIDENT

# What a load counts for beyond the time that it takes itself.
_MORE_WEIGHT = {residency: max(0.0, weight - 1.0) for residency, weight in LOAD_WEIGHT.items()}

_NO_TIME = Rate(0.0, 1.0, Source.PRIOR)


class Parts(NamedTuple):
    """Seconds of each part, as ranges, and until the first token, which is all but the last."""

    wait: Range
    load: Range
    prompt: Range
    generation: Range
    first_token: Range


class Prospect(NamedTuple):
    """A candidate with all that is expected of it.

    `prompt_tokens` is what this model's tokenizer is expected to make of the prompt,
    `context_tokens` what prompt and answer need together, with a margin, `overhead` the
    seconds beyond the parts.
    """

    pair: Pair
    rates: Rates
    residency: Residency
    output_tokens: Range
    estimate: Estimate
    prompt_tokens: float = 0.0
    context_tokens: int = 0
    overhead: Rate = _NO_TIME

    @property
    def overhead_s(self) -> float:
        """Seconds beyond the parts: the way there and back."""
        return self.overhead.median

    @property
    def weighted_p80_s(self) -> float:
        """The 80% quantile with the load weighted by what it costs others."""
        said = self.estimate
        return said.p80_s + _MORE_WEIGHT[self.residency] * said.load_s

    @property
    def bearing_rates(self) -> tuple[Rate, ...]:
        """The rates that the time rests on; a part that takes hardly any makes it no less sure."""
        said, rates = self.estimate, self.rates
        return bearing(
            (
                (said.generation_s, rates.decode),
                (said.prompt_s, rates.prefill),
                (said.load_s, rates.load_s),
            )
        )

    @property
    def parts(self) -> Parts:
        """The parts with their uncertainty, before the correction of the whole."""
        said, rates = self.estimate, self.rates
        wait = _around(said.wait_s, WAIT_SPREAD)
        load = _around(said.load_s, rates.load_s.spread)
        prompt = _around(said.prompt_s, _prompt_spread(rates.prefill))
        down, up = _generation_spread(self.output_tokens, rates.decode)
        written = said.generation_s
        before = (wait, load, prompt, _around(self.overhead.median, self.overhead.spread))
        p50 = sum(part.p50 for part in before)
        first = Range(
            p50 - math.hypot(*(part.p50 - part.p20 for part in before)),
            p50,
            p50 + math.hypot(*(part.p80 - part.p50 for part in before)),
        )
        return Parts(wait, load, prompt, Range(written / down, written, written * up), first)

    @property
    def first_token_p95_s(self) -> float:
        """By when the first token has come in 95 of 100 cases."""
        first = self.parts.first_token
        return float(first.p50 * (first.p80 / first.p50) ** _P95) if first.p50 else 0.0


class Outlook:
    """What is expected for a task of any pair; what pairs share is worked out once."""

    def __init__(self, task: Task, known: Knowledge) -> None:
        self._task = task
        self._profiles = known.profiles
        self._queues = known.queues
        self._calibration = known.profiles.calibration(task.type)
        self._work: dict[object, _Work] = {}
        self._ways: dict[str, _Way] = {}

    def __call__(self, pair: Pair) -> Prospect:
        """What is expected of this pair.

        The parts are independent: their distances from the median add as squares. Then the
        spread is corrected by how the last estimates came true.
        """
        work, way = self._work_of(pair), self._way_to(pair.instance)
        rates = self._profiles.rates(pair)
        decode, prefill, load = rates
        prompt_s = work.prompt_tokens / prefill.median
        generation_s = work.steps / decode.median
        saved_s = self._saved_tokens(pair, work) / prefill.median if self._task.prefix else 0.0
        work_s = prompt_s - saved_s + generation_s
        turn = self._queues.turn(pair, work.context_tokens, load.median, work_s)
        if saved_s:
            if turn.residency is _RESIDENT and not turn.wait_s:
                prompt_s -= saved_s
            else:
                # whoever is ahead leaves another prompt behind
                work_s = prompt_s + generation_s
                turn = self._queues.turn(pair, work.context_tokens, load.median, work_s)
        wait_s, residency = turn.wait_s, turn.residency
        load_s = 0.0 if residency is _RESIDENT else load.median
        prompt_spread = _added(_PROMPT_SPREAD, prefill.spread)
        above = math.hypot(
            wait_s * _WAIT_ABOVE,
            load_s * (load.spread - 1),
            prompt_s * (prompt_spread - 1),
            generation_s * (_added(work.up, decode.spread) - 1),
            way.above_s,
        )
        below = math.hypot(
            wait_s * _WAIT_BELOW,
            load_s * (1 - 1 / load.spread),
            prompt_s * (1 - 1 / prompt_spread),
            generation_s * (1 - 1 / _added(work.down, decode.spread)),
            way.below_s,
        )
        p50 = way.overhead.median + wait_s + load_s + prompt_s + generation_s
        estimate = Estimate(
            max(0.0, p50 - self._calibration.below * below),
            p50,
            p50 + self._calibration.above * above,
            wait_s,
            load_s,
            prompt_s,
            generation_s,
        )
        return Prospect(
            pair,
            rates,
            residency,
            work.output,
            estimate,
            work.prompt_tokens,
            work.context_tokens,
            way.overhead,
        )

    def _saved_tokens(self, pair: Pair, work: _Work) -> float:
        """Tokens that need not be read because the last turn of the conversation ran here."""
        prefix = self._task.prefix
        if prefix is None or pair.key != prefix.pair or pair.loaded is None:
            return 0.0
        used_at = self._profiles.last_used(pair.instance.id, pair.model.name.text)
        return prefix.saves_tokens(pair.key, work.prompt_tokens, used_at)

    def _work_of(self, pair: Pair) -> _Work:
        model = pair.model
        # Whether it thinks is all that one name may mean differently here and there.
        key = model.name.text, model.capabilities
        found = self._work.get(key)
        if found is None:
            output = self._profiles.output(pair, self._task)
            factor = self._profiles.prompt_factor(pair, self._task)
            found = self._work[key] = _Work(
                output,
                self._task.prompt_tokens * factor,
                context_needed(self._task, output, factor),
                # The first token comes with the end of the prompt, each further one is a step.
                max(0.0, output.p50 - 1),
                *_length_spread(output),
            )
        return found

    def _way_to(self, instance: Instance) -> _Way:
        found = self._ways.get(instance.id)
        if found is None:
            rate = self._profiles.overhead(instance)
            above_s, below_s = rate.median * (rate.spread - 1), rate.median * (1 - 1 / rate.spread)
            found = self._ways[instance.id] = _Way(rate, above_s, below_s)
        return found


class _Way(NamedTuple):
    """What an instance takes for every request, and how far that may lie above and below."""

    overhead: Rate
    above_s: float
    below_s: float


class _Work(NamedTuple):
    """What a model has to read and write, wherever it runs.

    `down` and `up` are the factors from the median length of the answer to its 20 and 80%
    quantiles.
    """

    output: Range
    prompt_tokens: float
    context_tokens: int
    steps: float
    down: float
    up: float


def prospect(pair: Pair, task: Task, known: Knowledge) -> Prospect:
    """What is expected of this pair for this task."""
    return Outlook(task, known)(pair)


def context_needed(task: Task, output: Range, prompt_factor: float = 1.0) -> int:
    """Tokens of context: what the task needs, and room for what this model takes beyond that.

    Its thoughts, and a prompt that its tokenizer makes longer than the plain estimate.
    """
    answer = max(0.0, output.p80 - task.output_tokens.p80)
    prompt = max(0.0, prompt_factor - 1.0) * task.prompt_tokens
    return task.context_tokens + round(answer + prompt)


def _around(median: float, factor: float) -> Range:
    return Range(median / factor, median, median * factor)


def _prompt_spread(prefill: Rate) -> float:
    """The count of the tokens and the rate are uncertain, and add in the logarithm."""
    return _added(_PROMPT_SPREAD, prefill.spread)


def _generation_spread(output: Range, decode: Rate) -> tuple[float, float]:
    """The factors down to the 20% and up to the 80% quantile, of the length and the rate."""
    if output.p50 <= 1:
        return 1.0, 1.0
    down, up = _length_spread(output)
    return _added(down, decode.spread), _added(up, decode.spread)


def _length_spread(output: Range) -> tuple[float, float]:
    if output.p50 <= 1:
        return 1.0, 1.0
    return output.p50 / max(output.p20, 1.0), output.p80 / output.p50


# The pairs of a decision share most of their spreads.
@lru_cache(maxsize=4096)
def _added(one: float, other: float) -> float:
    """Two independent factors together: their logarithms add as squares."""
    return math.exp(math.hypot(math.log(one), math.log(other)))
