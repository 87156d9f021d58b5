"""What does a finished route teach? Rows of figures, changed by one record at a time.

An instance's figures are those of an untrusted server: what cannot be, or tells nothing of the
quantity, is left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollamamaster.domain.calibration import Calibration
from ollamamaster.domain.concurrency import with_meeting
from ollamamaster.domain.measures import number
from ollamamaster.domain.profile_rows import (
    SECONDS,
    TOKENS,
    Key,
    Row,
    Rows,
    calibration_key,
    instance_key,
    length_key,
    lengths_in,
    measured,
    pair_key,
    sampled,
    samples_in,
    tokens_key,
)
from ollamamaster.domain.task import TaskType
from ollamamaster.errors import Outcome

if TYPE_CHECKING:
    from ollamamaster.domain.attempt_record import AttemptRecord
    from ollamamaster.domain.records import RouteRecord

# Fewer steps than this are within the noise of the timer and of one slow step.
_LEAST_STEPS = 4

# A prompt of so many tokens says all about the prefill rate; a shorter one has a fixed cost in
# it (16 tokens took longer than 19 on a real 0.24), so it counts for its share.
_FULL_PROMPT_TOKENS = 128
_LEAST_PROMPT_TOKENS = 8

# Reading costs less than writing, as a batch reads the weights once: 9 to 60 times less by
# published llama-bench results (M4 to RTX 4090), and larger cards have some room above. More is
# a prefix that was in the cache, which the duration leaves out and the count does not.
_MOST_PREFILL_TO_DECODE = 200.0

# Cache hits make prefill look faster and never slower; waiting makes loads look slower and
# never faster. So the quantile that is asked is on the other side.
_PREFILL_QUANTILE = 0.3
_LOAD_QUANTILE = 0.35

# `load_duration` of a model that was in memory after all was 1 to 3 ms on a real 0.24 and a load
# of 172 MB 280 to 300; 38 ms, once, may have been either. No disk, nor the bus to a card (64
# GB/s), gives more than the rate.
_LEAST_LOAD_S = 0.05
_MOST_LOAD_BYTES_PER_S = 1e11

# Usual noise, as sigma of the logarithm, of one measurement on an otherwise idle machine: decode
# is steady, prefill depends on length and cache, a load on what the disk's cache holds.
DECODE_NOISE = 0.1
PREFILL_NOISE = 0.3
LOAD_NOISE = 0.3
OVERHEAD_NOISE = 0.5
TOKENS_NOISE = 0.15

# In a shorter prompt the chat template, 15 to 30 tokens, is most of what an estimate misses.
_LEAST_TOKENS_TO_COMPARE = 100

# Answers remembered for each task type and model; lengths spread by a factor of 2 to 3, so that
# twenty give the median within 20%, and 40 have room for a mix.
_LENGTHS_KEPT = 40

# What a rate that was shared with others counts of a full measurement.
_SHARED_TRUST = 0.1

# Other models of an instance that are remembered to derive a rate from.
_MODELS_KEPT = 12

# A model of which less than this share lies elsewhere runs as if it were all in one memory.
_ALL_OUTSIDE, _ALL_INSIDE = 0.001, 0.999

# Outcomes remembered for each pair.
_OUTCOMES_KEPT = 20

# What can be at all: a token in three minutes to the fastest service there is, times ten.
_RATES = 0.005, 1e5

# Durations of the server may exceed what we saw by the clock's steps only.
_CLOCK_SLACK = 1.05
_CLOCK_SLACK_S = 0.05


def keys_of(record: RouteRecord) -> frozenset[Key]:
    """The rows that learning from this record reads and may change."""
    kind, quiet = str(record.task_type), _quiet(record)
    keys = {calibration_key(kind), length_key(kind, "")}
    for attempt in record.attempts:
        keys |= {
            pair_key(attempt.instance, attempt.model),
            instance_key(attempt.instance),
            length_key(kind, attempt.model, quiet=quiet),
            tokens_key(kind, attempt.model),
        }
    return frozenset(keys)


def learnt(rows: Rows, record: RouteRecord) -> dict[Key, Row]:
    """The rows that this record changes, given those of `keys_of`; a missing one is empty."""
    learning = _Learning(rows, {}, record)
    for attempt in record.attempts:
        learning.attempt(attempt)
    learning.calibration()
    return learning.changed


def _quiet(record: RouteRecord) -> bool:
    return record.decision is not None and record.decision.task.no_thinking


@dataclass
class _Learning:
    """Rows as they were and as they become."""

    rows: Rows
    changed: dict[Key, Row]
    record: RouteRecord

    def attempt(self, attempt: AttemptRecord) -> None:
        if attempt.outcome is Outcome.CONNECT_ERROR:
            return
        pair = pair_key(attempt.instance, attempt.model)
        row = _with_outcome(self._row(pair), attempt)
        if attempt.outcome is not Outcome.OK or not _is_credible(attempt):
            self.changed[pair] = row
            return
        instance = instance_key(attempt.instance)
        self.changed[pair] = row = _with_rates(row, attempt)
        of_instance = with_meeting(_with_model(self._row(instance), attempt, row), attempt)
        self.changed[instance] = _with_overhead(of_instance, attempt, self._seen_s(attempt))
        self._lengths(attempt)
        self._tokens(attempt)

    def calibration(self) -> None:
        record = self.record
        if record.outcome != Outcome.OK or record.estimate is None:
            return
        if number(record.seconds, *SECONDS) is None:
            return
        key = calibration_key(str(record.task_type))
        known = Calibration.from_row(self._row(key))
        self.changed[key] = known.after(record.estimate, record.seconds).row()

    def _row(self, key: Key) -> Row:
        row = self.changed.get(key, self.rows.get(key))
        return row if isinstance(row, dict) else {}

    def _seen_s(self, attempt: AttemptRecord) -> float:
        """How long it took for us, our own asking and deciding included where that is told."""
        record = self.record
        if len(record.attempts) > 1 or number(record.seconds, *SECONDS) is None:
            return attempt.seconds
        return max(attempt.seconds, record.seconds - record.waited_s)

    def _lengths(self, attempt: AttemptRecord) -> None:
        record = self.record
        tokens = number(attempt.usage.output_tokens, 1, TOKENS[1])
        if tokens is None or record.task_type is TaskType.EMBEDDING:
            return
        kind = str(record.task_type)
        keys = [length_key(kind, attempt.model, quiet=_quiet(record))]
        if not attempt.thought:
            keys.append(length_key(kind, ""))
        for key in keys:
            kept = [*lengths_in(self._row(key)), (tokens, attempt.limited)][-_LENGTHS_KEPT:]
            self.changed[key] = {"answers": [[length, cut] for length, cut in kept]}

    def _tokens(self, attempt: AttemptRecord) -> None:
        said = number(attempt.usage.prompt_tokens, 1, TOKENS[1])
        decision = self.record.decision
        expected = decision.task.prompt_tokens if decision is not None else 0
        if said is None or expected < _LEAST_TOKENS_TO_COMPARE:
            return
        if attempt.num_ctx is not None and said >= attempt.num_ctx:
            # Cut to the context, in silence.
            return
        key = tokens_key(str(self.record.task_type), attempt.model)
        row = self._row(key)
        self.changed[key] = sampled(row, "ratio", (said / expected, 1.0, None), noise=TOKENS_NOISE)


def _is_credible(attempt: AttemptRecord) -> bool:
    """Whether what the server says of its time can be, given how long we saw it take."""
    usage = attempt.usage
    parts = (usage.load_s, usage.prompt_s, usage.generation_s)
    if number(attempt.seconds, *SECONDS) is None or number(attempt.started_at, 0, 1e11) is None:
        return False
    known = [part for part in (*parts, usage.total_s) if part is not None]
    if any(number(part, *SECONDS) is None for part in known):
        return False
    longest = max(usage.total_s or 0.0, sum(part or 0.0 for part in parts))
    return longest <= attempt.seconds * _CLOCK_SLACK + _CLOCK_SLACK_S


def _with_outcome(row: Row, attempt: AttemptRecord) -> Row:
    """When it was last used by us, and how the last requests ended."""
    ended = number(attempt.started_at + attempt.seconds, 0, 1e11)
    at = [t for t in (number(row.get("used_at"), 0, 1e11), ended) if t is not None]
    before = row.get("ended")
    changed = {**row, "used_at": max(at)} if at else {**row}
    if attempt.outcome is Outcome.OK or _is_failure(attempt.outcome):
        mark = "." if attempt.outcome is Outcome.OK else "x"
        changed["ended"] = ((before if isinstance(before, str) else "") + mark)[-_OUTCOMES_KEPT:]
    return changed


def _is_failure(outcome: Outcome) -> bool:
    """What the pair, and neither the person nor another request, is to blame for."""
    return outcome not in {Outcome.CANCELLED, Outcome.BAD_REQUEST, Outcome.BUSY}


def _with_rates(row: Row, attempt: AttemptRecord) -> Row:
    """What an answer says of the pair's rates; beside others of ours it says little."""
    usage, share = attempt.usage, attempt.in_vram
    # The first token comes with the end of the prompt, the others are a step each.
    steps = (usage.output_tokens or 0) - 1
    decode = _rate(steps, usage.generation_s, _LEAST_STEPS)
    if decode is not None:
        row = _with_decode(row, decode, attempt)
    if attempt.others:
        return row
    prompt_tokens = usage.prompt_tokens or 0
    prefill = _rate(prompt_tokens, usage.prompt_s, _LEAST_PROMPT_TOKENS)
    writing = decode or _median(row, "decode")
    # what a conversation left in the cache is counted and not timed
    if (
        prefill is not None
        and not attempt.read_before
        and (writing is None or prefill <= _MOST_PREFILL_TO_DECODE * writing)
    ):
        trust = min(1.0, prompt_tokens / _FULL_PROMPT_TOKENS)
        sample = prefill, trust, share
        row = sampled(row, "prefill", sample, noise=PREFILL_NOISE, quantile=_PREFILL_QUANTILE)
    if _is_load(attempt):
        sample = usage.load_s or 0.0, 1.0, None
        row = sampled(row, "load", sample, noise=LOAD_NOISE, quantile=_LOAD_QUANTILE)
    return row


def _with_decode(row: Row, decode: float, attempt: AttemptRecord) -> Row:
    """A rate alone on the machine; a shared one only as long as there is none.

    Two that write at once have half the rate each, two that take turns all of it: between them
    lies the root of the number.
    """
    at_once = 1 + attempt.others
    if at_once == 1:
        return sampled(row, "decode", (decode, 1.0, attempt.in_vram), noise=DECODE_NOISE)
    if any(trust > _SHARED_TRUST for _, trust, _ in samples_in(row, "decode")):
        return row
    sample = decode * math.sqrt(at_once), _SHARED_TRUST, attempt.in_vram
    return sampled(row, "decode", sample, noise=DECODE_NOISE + math.log(at_once) / 2)


def _rate(count: float, seconds: float | None, least: float) -> float | None:
    if number(count, least, TOKENS[1]) is None or not seconds:
        return None
    return number(count / seconds, *_RATES)


def _is_load(attempt: AttemptRecord) -> bool:
    seconds = attempt.usage.load_s
    if attempt.resident or seconds is None or seconds < _LEAST_LOAD_S:
        return False
    return (attempt.size_bytes or 0) / seconds <= _MOST_LOAD_BYTES_PER_S


def _median(row: Row, name: str) -> float | None:
    found = measured(row, name)
    return None if found is None else found.median


def _with_model(row: Row, attempt: AttemptRecord, pair: Row) -> Row:
    """The instance's row with what this model shows of the machine; a spilled one shows nothing."""
    models, share = row.get("models"), attempt.in_vram
    before = models if isinstance(models, dict) else {}
    kept = {name: figures for name, figures in before.items() if name != attempt.model}
    figures = {
        name: found.median
        for name in ("decode", "prefill", "load")
        if (found := measured(pair, name)) is not None
    }
    spilled = share is not None and _ALL_OUTSIDE < share < _ALL_INSIDE
    if attempt.size_bytes and figures and not spilled:
        said = {"bytes": attempt.size_bytes, "active": attempt.active_fraction}
        kept[attempt.model] = {**said, **figures}
    return {**row, "models": dict(list(kept.items())[-_MODELS_KEPT:])}


def _with_overhead(row: Row, attempt: AttemptRecord, seen_s: float) -> Row:
    """What a request takes beyond what the server counts: asking around, the way there and back."""
    total = attempt.usage.total_s
    beyond = None if total is None else number(max(1e-4, seen_s - total), *SECONDS)
    if beyond is None:
        return row
    return sampled(row, "overhead", (beyond, 1.0, None), noise=OVERHEAD_NOISE)
