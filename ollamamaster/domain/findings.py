"""Does a candidate meet a requirement? With the figure, and where the figure comes from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ollamamaster.domain import chances, spoken
from ollamamaster.domain.batch import Batch, batch, helpers, worker
from ollamamaster.domain.instances import Locality
from ollamamaster.domain.languages import share_that_speak, speaks
from ollamamaster.domain.memory_fit import Place, memory_fit
from ollamamaster.domain.models import Capability
from ollamamaster.domain.rates import Source
from ollamamaster.domain.requirement_rules import SPEECH_TOKENS_PER_S
from ollamamaster.domain.requirements import Privacy
from ollamamaster.domain.task import Range, TaskType

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ollamamaster.domain.knowledge import Knowledge
    from ollamamaster.domain.memory_fit import MemoryFit
    from ollamamaster.domain.rates import Rate
    from ollamamaster.domain.requirements import Requirements
    from ollamamaster.domain.selection import Candidate
    from ollamamaster.domain.settings import Settings
    from ollamamaster.domain.task import Task

# What a request takes before its first token even where little is to read: on a real server, with
# a toy model and prompts of 16 to 20 tokens, 2 to 38 ms. Rates that were measured contain it.
_BEGINNING = Range(0.005, 0.012, 0.022)

# A time limit must hold in four of five cases, as everywhere; a prior alone says neither yes nor
# no before it is as sure of one of them.
_SURE = 0.8
_ROUNDING = 1e-6

# Where nothing else is asked for: wrong twice as often as right is no help.
_USEFUL = 1 / 3

# Ollama's smallest context; up to there nobody needs to be told.
_PLAIN_CONTEXT = 4096


class Verdict(StrEnum):
    """Whether a requirement holds."""

    MET = "met"
    NOT_MET = "not met"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One requirement: what is asked, whether it holds, the figure and its source.

    `value` is the figure itself, in seconds, tokens, bytes or points; `limit` what it is held
    against; `chance` the probability that the requirement holds.
    """

    key: str
    asks: str
    verdict: Verdict
    figure: str
    source: str
    chance: float
    value: float | None = None
    limit: float | None = None

    @property
    def shortfall(self) -> float:
        """By how many e-folds the figure misses what it is held against; 0 where it does not."""
        if not self.value or not self.limit or self.verdict is Verdict.MET:
            return 0.0
        return abs(math.log(self.value / self.limit))


@dataclass(frozen=True, slots=True)
class Weighed:
    """A candidate, the same as it is timed (with `warm`: in memory), and the best elsewhere."""

    candidate: Candidate
    timed: Candidate
    rivals: Sequence[Candidate]
    price: float
    warm: bool = False

    def batch(self, tasks: int, knowledge: Knowledge) -> Batch:
        """So many such tasks, with the machines that would help."""
        team = helpers(self.rivals, self.timed, self.price)
        workers = [worker(c, knowledge.profiles.slots(c.pair.instance).count) for c in team]
        return batch(workers, tasks)


def findings(
    weighed: Weighed, task: Task, wanted: Requirements, settings: Settings, known: Knowledge
) -> tuple[Finding, ...]:
    """Everything that must hold for this candidate, what was asked for first."""
    return tuple(_findings(weighed, task, wanted, settings, known))


def _findings(
    weighed: Weighed, task: Task, wanted: Requirements, settings: Settings, known: Knowledge
) -> Iterator[Finding]:
    if wanted.latency_s is not None:
        yield _latency(weighed, wanted.latency_s)
    together = weighed.batch(wanted.tasks, known) if wanted.tasks > 1 else None
    if wanted.max_time_s is not None:
        yield _max_time(weighed, wanted.max_time_s, together)
    if together is not None:
        yield _count(together, wanted.tasks)
    if wanted.tokens_per_s is not None:
        yield _speed(weighed, wanted.tokens_per_s, conversation=wanted.conversation)
    if wanted.context_tokens is not None or task.context_tokens > _PLAIN_CONTEXT:
        yield _context(weighed.candidate, task)
    yield _memory(weighed.candidate, task, known)
    if extra := sorted(task.needs - {Capability.COMPLETION}):
        yield _capabilities(weighed.candidate, extra)
    if wanted.language is not None:
        yield _language(weighed.candidate, wanted.language)
    if wanted.privacy in {Privacy.LOCAL, Privacy.LAN}:
        yield _privacy(weighed.candidate, wanted.privacy)
    if task.type is not TaskType.EMBEDDING:
        yield _quality(weighed.candidate, task, wanted.quality, settings, known)


def place(candidate: Candidate) -> str:
    """`phi4:latest on gaming-pc`."""
    return f"{candidate.model} on {candidate.pair.instance.name}"


def origin(*rates: Rate) -> str:
    """Where rates come from, the least sure of them, with how many requests were measured."""
    order = list(Source)
    least = max(rates, key=lambda rate: order.index(rate.source))
    if least.source is Source.MEASURED and least.samples:
        return f"measured, {least.samples} request{'' if least.samples == 1 else 's'}"
    return {
        Source.MEASURED: "measured",
        Source.DERIVED: "derived from other models there",
        Source.CONFIGURED: "from your config",
        Source.PRIOR: "prior, nothing measured there yet",
    }[least.source]


def _timed(chance: float, *rates: Rate) -> Verdict:
    if chance >= _SURE - _ROUNDING:
        return Verdict.MET
    guessed = any(rate.source is Source.PRIOR for rate in rates)
    return Verdict.UNKNOWN if guessed and chance > 1 - _SURE else Verdict.NOT_MET


def _latency(weighed: Weighed, limit: float) -> Finding:
    candidate = weighed.timed
    prospect = candidate.prospect
    rates = prospect.rates
    first = prospect.parts.first_token
    if rates.prefill.source is not Source.MEASURED:
        start = _BEGINNING
        first = Range(first.p20 + start.p20, first.p50 + start.p50, first.p80 + start.p80)
    chance = chances.at_most(first, limit)
    loads = prospect.estimate.load_s > prospect.estimate.prompt_s
    behind = rates.load_s if loads else rates.prefill
    state = _state(weighed.candidate)
    if weighed.warm and not weighed.candidate.resident:
        seconds = spoken.duration(weighed.candidate.prospect.rates.load_s.median)
        state = f"once it is in memory (loading takes about {seconds})"
    return Finding(
        "latency",
        f"first token within {spoken.limit(limit)}",
        _timed(chance, behind),
        f"{spoken.duration(first.p80)}: {place(candidate)}, {state}",
        origin(behind),
        chance,
        first.p80,
        limit,
    )


def _state(candidate: Candidate) -> str:
    estimate = candidate.estimate
    if candidate.pair.model.cloud:
        return "in the cloud"
    waits = f"after a wait of {spoken.duration(estimate.wait_s)}, " if estimate.wait_s > 0 else ""
    if candidate.resident:
        return f"{waits}already in memory"
    return f"{waits}{spoken.duration(estimate.load_s)} of it for loading"


def _max_time(weighed: Weighed, limit: float, together: Batch | None) -> Finding:
    candidate = weighed.timed
    estimate, rates = candidate.estimate, candidate.prospect.bearing_rates
    whole = Range(estimate.p20_s, estimate.p50_s, estimate.p80_s)
    asks = f"done within {spoken.limit(limit)}"
    where = place(candidate)
    if together is not None:
        whole, rates = together.seconds, together.bearing_rates
        asks = f"all done within {spoken.limit(limit)}"
        where = spoken.number_of(len(together.workers), "machine")
    chance = chances.at_most(whole, limit)
    return Finding(
        "max_time",
        asks,
        _timed(chance, *rates),
        f"about {spoken.duration(whole.p50)}, up to {spoken.duration(whole.p80)}: {where}",
        origin(*rates),
        chance,
        whole.p80,
        limit,
    )


def _count(together: Batch, tasks: int) -> Finding:
    machines = spoken.number_of(len(together.workers), "machine")
    per_hour = spoken.count(tasks / together.seconds.p50 * 3600)
    return Finding(
        "count",
        f"{tasks:,} tasks",
        Verdict.MET,
        f"about {spoken.duration(together.seconds.p50)} on {machines}, "
        f"{together.lanes} at a time, {per_hour} an hour",
        origin(*together.bearing_rates),
        chances.bounded(1.0),
        together.seconds.p50,
    )


def _speed(weighed: Weighed, limit: float, *, conversation: bool) -> Finding:
    decode = weighed.timed.prospect.rates.decode
    chance = chances.at_least(decode, limit)
    said = f"{decode.median:.0f}" if decode.median >= 10 else f"{decode.median:.1f}"
    figure = f"{said} tokens/s: {place(weighed.timed)}"
    speech = conversation and limit <= SPEECH_TOKENS_PER_S
    return Finding(
        "tokens_per_s",
        "keeps up with speech" if speech else f"{limit:g} tokens a second",
        _timed(chance, decode),
        f"{figure}; a person speaks about {SPEECH_TOKENS_PER_S:g}" if speech else figure,
        origin(decode),
        chance,
        decode.median,
        limit,
    )


def _context(candidate: Candidate, task: Task) -> Finding:
    has, needs = candidate.pair.model.context_length, task.context_tokens
    if has is None:
        return Finding(
            "context",
            f"{spoken.tokens(needs)} of context",
            Verdict.UNKNOWN,
            f"{candidate.model} does not tell its longest context",
            "not told",
            # what tells nothing is old: models of 2023 took 4,096
            chances.bounded(min(1.0, _PLAIN_CONTEXT / needs)),
            None,
            needs,
        )
    return Finding(
        "context",
        f"{spoken.tokens(needs)} of context",
        Verdict.MET,
        f"{candidate.model} takes {has:,}",
        "told by the instance",
        chances.bounded(1.0),
        has,
        needs,
    )


def _memory(candidate: Candidate, task: Task, known: Knowledge) -> Finding:
    slots = known.profiles.slots(candidate.pair.instance).count
    needed = max(task.context_tokens, candidate.prospect.context_tokens)
    fit = memory_fit(candidate.pair, needed, slots)
    verdicts = {Place.UNKNOWN: Verdict.UNKNOWN, Place.TOO_LARGE: Verdict.NOT_MET}
    return Finding(
        "memory",
        "fits in memory",
        verdicts.get(fit.place, Verdict.MET),
        _memory_figure(fit, candidate.pair.instance.name),
        _memory_source(fit),
        fit.chance,
        fit.needed,
        fit.available,
    )


def _memory_figure(fit: MemoryFit, name: str) -> str:
    if fit.place is Place.CLOUD:
        return "none of yours is used"
    if fit.place is Place.LOADED:
        size = f", {spoken.gigabytes(fit.weights)}" if fit.weights else ""
        return f"in memory now{size} with {fit.context:,} tokens of context"
    if fit.needed is None or fit.weights is None:
        return "its size is not known"
    takes = (
        f"{spoken.gigabytes(fit.needed)} with {fit.context:,} tokens of context "
        f"({spoken.gigabytes(fit.cache or 0)} of it cache)"
    )
    there = spoken.gigabytes(fit.available) if fit.available else ""
    return {
        Place.GRAPHICS: f"{takes}, of {there} graphics memory",
        Place.MAIN: f"{takes}, of {there} main memory",
        Place.SPILLS: f"{takes}: more than the graphics memory, the rest is slow main memory",
        Place.TOO_LARGE: f"{takes}, of {there} in all",
    }.get(fit.place, f"takes {takes}; the memory of {name} is not known")


def _memory_source(fit: MemoryFit) -> str:
    if fit.place in {Place.LOADED, Place.CLOUD}:
        return "told by the instance"
    return "counted from the model's shape" if fit.counted else "estimated from the model's size"


def _capabilities(candidate: Candidate, needs: Sequence[str]) -> Finding:
    return Finding(
        "capability",
        spoken.abilities(needs),
        Verdict.MET,
        candidate.model,
        "told by the instance",
        chances.bounded(1.0),
    )


def _language(candidate: Candidate, language: str) -> Finding:
    said = speaks(candidate.pair.model, language)
    named = {
        True: f"its makers name {language}",
        False: f"the makers of {candidate.model} do not name {language}",
        None: f"nothing is known of the languages of {candidate.model}",
    }
    return Finding(
        "language",
        f"speaks {language}",
        Verdict.MET if said else Verdict.UNKNOWN,
        named[said],
        "published" if said is not None else "not known",
        chances.bounded(1.0) if said else share_that_speak(language),
    )


def _privacy(candidate: Candidate, privacy: Privacy | None) -> Finding:
    instance = candidate.pair.instance
    here = instance.locality is Locality.LOCAL
    return Finding(
        "privacy",
        "stays on this machine" if privacy is Privacy.LOCAL else "stays in your network",
        Verdict.MET,
        f"{instance.name} is {'this machine' if here else 'in your network'}",
        "by its address",
        chances.bounded(1.0),
    )


def _quality(
    candidate: Candidate, task: Task, points: float | None, settings: Settings, known: Knowledge
) -> Finding:
    success = candidate.terms["quality"]
    least = _USEFUL if points is None else points / 100
    said = settings.models.get(candidate.model)
    model = candidate.pair.model
    if said is not None and task.type in said.ability:
        source = "from your config"
    elif known.abilities.published(model):
        source = "from published benchmarks"
    else:
        source = "prior, from size and date"
    return Finding(
        "quality",
        "likely enough to be right" if points is None else f"{points:g} points of quality",
        Verdict.MET if success >= least else Verdict.NOT_MET,
        f"{100 * success:.0f} % likely to be right ({task.type}): {candidate.model}",
        source,
        chances.able(success, least),
        100 * success,
        100 * least,
    )
