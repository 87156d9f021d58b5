"""What history taught: rates of each pair and instance, lengths of answers, slots."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeGuard

from ollamamaster.domain.calibration import Calibration
from ollamamaster.domain.concurrency import Slots, slots_in
from ollamamaster.domain.judged import Judged, judged_in
from ollamamaster.domain.measures import FADE_LENGTH, Z80, Measure, number, surviving_quantiles
from ollamamaster.domain.models import Capability
from ollamamaster.domain.profile_rows import (
    Key,
    Row,
    Rows,
    calibration_key,
    failures_in,
    instance_key,
    judged_key,
    length_key,
    lengths_in,
    measured,
    pair_key,
    tokens_key,
)
from ollamamaster.domain.rates import Rate, Rates, Source
from ollamamaster.domain.site import Site
from ollamamaster.domain.task import Range

if TYPE_CHECKING:
    from ollamamaster.domain.instances import Instance
    from ollamamaster.domain.pair import Pair
    from ollamamaster.domain.task import Task

# A model that thinks writes its thoughts too: twice the tokens until it was measured.
_THINKING_FACTOR = 2.0

# So many full measurements need no fallback: they would weigh 3 to 500 times as much.
_ENOUGH = 4.0

# Lengths of other models, or those of the type before anything is learnt, count like so many
# answers of this model. On 4 x 400 simulated requests 1, 3, 6 and 12 give median errors of the
# whole of 32, 31, 32 and 34%.
_LENGTH_PRIOR_WORTH = 3.0

# Where an estimate of tokens may be off by, either way, whatever a server says.
_TOKENS_FACTOR = 0.2, 5.0

# A round trip when none was measured, seconds; a request takes some more than that.
_UNKNOWN_ROUND_TRIP_S = 0.05
_OVERHEAD_SPREAD = 3.0

_NOTHING: Row = {}


@dataclass(frozen=True, slots=True)
class Profiles:
    """All profiles. Where nothing was learnt, the prior answers."""

    _rows: Rows = field(default_factory=dict)
    _kept: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def from_rows(cls, rows: Rows) -> Profiles:
        """Profiles from stored rows; a damaged row is as if it were not there.

        A row is only looked at when it is asked for.
        """
        return cls(rows)

    def rates(self, pair: Pair) -> Rates:
        """How fast this pair works: as measured, drawn towards the fallback while that is little.

        The fallback is derived from other models of the instance, else the prior.
        """
        row = self._row(pair_key(pair.instance.id, pair.model.name.text))
        if not row:
            return self._fallback(pair)
        loaded = pair.loaded
        share = None
        if loaded is not None and loaded.size and loaded.size_vram is not None:
            share = loaded.size_vram / loaded.size
        decode, prefill = measured(row, "decode", share), measured(row, "prefill", share)
        load = measured(row, "load")
        if _is_enough(decode) and _is_enough(prefill) and _is_enough(load):
            return Rates(_alone(decode), _alone(prefill), _alone(load))
        fallback = self._fallback(pair)
        return Rates(
            _blended(decode, fallback.decode),
            _blended(prefill, fallback.prefill),
            _blended(load, fallback.load_s),
        )

    def output(self, pair: Pair, task: Task) -> Range:
        """Tokens the model will write, thoughts included."""
        model = pair.model.name.text
        thinks = Capability.THINKING in (pair.model.capabilities or ())
        quiet = thinks and task.no_thinking
        key = (
            *(model, thinks, task.no_thinking, task.type),
            *(task.output_tokens, task.output_limit, task.length_said),
        )
        output: Range | None = self._kept.get(key)
        if output is None:
            kind, output = task.type, task.output_tokens
            if not task.length_said:
                output = self._lengths(length_key(kind, ""), output)
            if thinks and not quiet:
                output = output.times(_THINKING_FACTOR)
            if not task.length_said:
                output = self._lengths(length_key(kind, model, quiet=quiet), output)
            if task.output_limit is not None:
                output = output.at_most(task.output_limit)
            self._kept[key] = output
        return output

    def prompt_factor(self, pair: Pair, task: Task) -> float:
        """What the plain estimate of the prompt's tokens is multiplied by for this model."""
        ratio = measured(self._row(tokens_key(task.type, pair.model.name.text)), "ratio")
        if ratio is None:
            return 1.0
        # A plain estimate that is off by a fifth counts like one measurement.
        factor = ratio.median ** (ratio.count / (ratio.count + 1))
        low, high = _TOKENS_FACTOR
        return float(min(max(factor, low), high))

    def overhead(self, instance: Instance) -> Rate:
        """Seconds a request takes beyond what the server counts."""
        learnt = measured(self._row(instance_key(instance.id)), "overhead")
        if learnt is not None:
            return _alone(learnt)
        latency_ms = instance.latency_ms
        known = _UNKNOWN_ROUND_TRIP_S if latency_ms is None else latency_ms / 1000
        return Rate(known, _OVERHEAD_SPREAD, Source.PRIOR)

    def slots(self, instance: Instance) -> Slots:
        """How many requests it serves at once: as configured, else learnt, else believed one."""
        configured = instance.settings.slots
        if configured is not None:
            return Slots(configured, known=True)
        return slots_in(self._row(instance_key(instance.id)))

    def last_used(self, instance: str, model: str) -> float | None:
        """When our last use of this model there ended, in seconds since the epoch."""
        row = self._row(pair_key(instance, model))
        return number(row.get("used_at"), 0, 1e11)

    def failures(self, instance: str, model: str) -> tuple[int, int]:
        """How many of our last requests to this pair failed, and how many there were."""
        return failures_in(self._row(pair_key(instance, model)))

    def calibration(self, task_type: str) -> Calibration:
        """How the spread of estimates is corrected, by how the last ones came true."""
        key = calibration_key(task_type)
        found: Calibration | None = self._kept.get(key)
        if found is None:
            found = self._kept[key] = Calibration.from_row(self._row(key))
        return found

    def judged(self, task_type: str, model: str) -> Judged | None:
        """What judged comparisons said of a model for a type of task; None where nothing."""
        row = self._row(judged_key(task_type, model))
        return judged_in(row) if row else None

    def _row(self, key: Key) -> Row:
        row = self._rows.get(key)
        return row if isinstance(row, dict) else _NOTHING

    def _fallback(self, pair: Pair) -> Rates:
        """By other models of the instance, else the prior."""
        model, instance = pair
        key = "site", instance.id
        found: Site | None = self._kept.get(key)
        # What it says of itself may have changed since it was looked at last.
        if found is None or found.instance is not instance:
            row = self._row(instance_key(instance.id))
            found = self._kept[key] = Site.of(instance, row)
        return found.rates(model)

    def _lengths(self, key: Key, fallback: Range) -> Range:
        answers = lengths_in(self._row(key))
        if not answers or not fallback.p20:
            return fallback
        newest_last = len(answers) - 1
        weighted = [
            (length, cut, FADE_LENGTH ** (newest_last - at))
            for at, (length, cut) in enumerate(answers)
        ]
        own = surviving_quantiles(weighted, (0.2, 0.5, 0.8))
        longest = max(length for length, _ in answers)
        share = len(answers) / (len(answers) + _LENGTH_PRIOR_WORTH)
        before = (fallback.p20, fallback.p50, fallback.p80)
        # Where only answers that were cut tell, it is at least as long as those.
        return Range(
            *(
                b * ((max(longest, b) if o is None else o) / b) ** share
                for o, b in zip(own, before, strict=True)
            )
        )


def _is_enough(own: Measure | None) -> TypeGuard[Measure]:
    return own is not None and own.count >= _ENOUGH


def _alone(own: Measure) -> Rate:
    sigma = own.sigma * math.sqrt(1 + 1 / own.count)
    return Rate(own.median, math.exp(Z80 * sigma), Source.MEASURED, max(1, round(own.count)))


def _blended(own: Measure | None, fallback: Rate) -> Rate:
    """A measured quantity, weighed against the fallback by how sure each is."""
    if own is None or not fallback.median:
        return fallback
    if own.count >= _ENOUGH:
        return _alone(own)
    fallback_sigma = math.log(fallback.spread) / Z80
    belief = 1 / fallback_sigma**2
    precision = own.precision
    together = precision + belief
    median = math.exp(
        (precision * math.log(own.median) + belief * math.log(fallback.median)) / together
    )
    sigma = math.sqrt(own.sigma**2 + 1 / together)
    source = Source.MEASURED if precision >= belief else fallback.source
    return Rate(median, math.exp(Z80 * sigma), source, max(1, round(own.count)))
