"""Can the fleet do a task, how long does it take, and what is the best way?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ollamamaster.domain import approach
from ollamamaster.domain.candidates import Reason
from ollamamaster.domain.findings import Finding, Verdict
from ollamamaster.domain.models import Capability
from ollamamaster.domain.remedies import remedies
from ollamamaster.domain.requirement_rules import each_of_them, read_requirements
from ollamamaster.domain.requirements import Privacy, Requirements, stated
from ollamamaster.domain.selection import Demand, decide
from ollamamaster.domain.settings import Performance
from ollamamaster.domain.task import Question, Range, Task, TaskType, analyse
from ollamamaster.domain.tokens import estimate_tokens
from ollamamaster.domain.weighing import Run, Wanted, World, weigh

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollamamaster.domain.batch import Batch
    from ollamamaster.domain.models import Model
    from ollamamaster.domain.remedies import Missing
    from ollamamaster.domain.routing import Document
    from ollamamaster.domain.selection import Candidate
    from ollamamaster.domain.weighing import Assessed, Weighing

# How many others are named beside the recommended one.
_ALTERNATIVES = 3

_NO_TASK = "no task was named, so a short question is assumed: name it, or attach it with -f"

# What a person says of the length of an answer is kept within a fifth either way.
_SAID_SPREAD = 1.2


@dataclass(frozen=True, slots=True)
class AssessRequest:
    """A task in a person's words, with what was stated of it and what is attached.

    `requirements` are keys and values as `--requirement` takes them.
    """

    task: str
    requirements: tuple[tuple[str, object], ...] = ()
    documents: tuple[Document, ...] = ()
    images: int = 0
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """The answer. `estimate` is in seconds, for all tasks together where there are several.

    `confidence` is the probability that the answer is right. `command` does what `approach` says.
    """

    can_handle: bool
    confidence: float
    recommended: Candidate | None
    approach: str
    command: str | None
    run: Run | None
    estimate: Range | None
    alternatives: tuple[Candidate, ...]
    missing: tuple[Missing, ...]
    reasons: tuple[str, ...]
    comparison: str | None
    findings: tuple[Finding, ...]
    understood: tuple[str, ...]
    task: Task = field(repr=False)


def understood(request: AssessRequest) -> tuple[Wanted, str]:
    """The task and its requirements, and the words of the work itself. Raises UsageError."""
    files = len(request.documents) + request.images
    reading = read_requirements(request.task, files=files)
    asked = stated(request.requirements, reading.requirements)
    each = asked.tasks > 1 and files > 1
    unseen = asked.input_tokens or 0
    documents = tuple(d.text for d in request.documents)
    if each:
        # each file is a task of its own, so one of the mean length stands for all
        unseen, documents = sum(map(estimate_tokens, documents)) // files, ()
    images = request.images if not each else min(1, request.images)
    if not reading.work and not files and not asked.input_tokens:
        asked = replace(asked, assumed=(*asked.assumed, _NO_TASK))
    question = Question(
        reading.work,
        documents=documents,
        images=max(images, asked.images),
        unseen_tokens=unseen,
    )
    task = analyse(question)
    if asked.as_long and asked.output_tokens is None:
        material = unseen + sum(map(estimate_tokens, documents))
        asked = replace(asked, output_tokens=material or None)
    return Wanted(_as_asked(task, asked), asked), reading.work


def _as_asked(task: Task, asked: Requirements) -> Task:
    """The task with the abilities, the length and the context that were asked for."""
    needs = task.needs | asked.capabilities
    if asked.capabilities & {Capability.EMBEDDING, Capability.IMAGE, Capability.AUDIO}:
        # what makes images or vectors need not write text
        needs -= {Capability.COMPLETION}
    kind = task.type
    output = task.output_tokens
    if Capability.EMBEDDING in asked.capabilities:
        kind, output = TaskType.EMBEDDING, Range(0, 0, 0)
    elif asked.conversation:
        kind = TaskType.CHAT
    if asked.output_tokens is not None:
        middle = float(asked.output_tokens)
        output = Range(middle / _SAID_SPREAD, middle, middle * _SAID_SPREAD)
    context = task.context_tokens + max(0, round(output.p80 - task.output_tokens.p80))
    return replace(
        task,
        type=kind,
        needs=needs,
        output_tokens=output,
        context_tokens=max(context, asked.context_tokens or 0),
        length_said=asked.output_tokens is not None,
    )


def answer(
    wanted: Wanted, world: World, library: Sequence[Model], request: AssessRequest, work: str
) -> Assessment:
    """The assessment of a world. Pure."""
    weighing = weigh(wanted, world)
    best = weighing.best
    asked = wanted.requirements
    together = None
    if best is not None and asked.tasks > 1:
        together = best.weighed.batch(asked.tasks, world.knowledge)
    can = best is not None and best.fits
    performance, pinned = _flags_for(wanted, world, best)
    return Assessment(
        can_handle=can,
        confidence=approach.confidence(weighing),
        recommended=best.candidate if best is not None else None,
        approach=approach.sentence(wanted, weighing, together),
        command=approach.command(
            wanted,
            world,
            weighing,
            together,
            prompt=_prompt(wanted, work),
            files=request.files,
            performance=performance,
            pinned=pinned,
        ),
        run=best.run if best is not None and can else None,
        estimate=_estimate(best, together),
        alternatives=_alternatives(weighing, best),
        missing=() if can else remedies(wanted, world, weighing, library),
        reasons=tuple(_reasons(wanted, weighing)),
        comparison=approach.comparison(weighing),
        findings=best.findings if best is not None else _without_candidate(wanted, weighing),
        understood=(*_read(wanted), *asked.evidence, *asked.assumed),
        task=wanted.task,
    )


def _prompt(wanted: Wanted, work: str) -> str:
    """The prompt of the command; empty where the words were about the fleet."""
    if wanted.requirements.conversation:
        return ""
    return work if wanted.requirements.tasks == 1 else each_of_them(work)


def _estimate(best: Assessed | None, together: Batch | None) -> Range | None:
    if together is not None:
        return together.seconds
    if best is None:
        return None
    of = best.candidate.estimate
    return Range(of.p20_s, of.p50_s, of.p80_s)


def _alternatives(weighing: Weighing, best: Assessed | None) -> tuple[Candidate, ...]:
    """The next ones, of each model one machine; where one fits, only what fits."""
    fits = best is not None and best.fits
    others = [each for each in weighing.assessed if each is not best and each.fits == fits]
    found: dict[str, Candidate] = {}
    for assessed in others:
        if best is None or assessed.candidate.model != best.candidate.model:
            found.setdefault(assessed.candidate.model, assessed.candidate)
    return tuple(found.values())[:_ALTERNATIVES]


def _flags_for(wanted: Wanted, world: World, best: Assessed | None) -> tuple[Performance, bool]:
    """The level at which a plain route chooses the recommended one, and whether none does."""
    asked = wanted.requirements
    usual = world.performance
    preferred = asked.performance or (Performance.FAST if asked.conversation else usual)
    if best is None:
        return preferred, False
    wish = world.wish(wanted)
    if asked.privacy is Privacy.LOCAL:
        wish = replace(wish, instance=best.candidate.instance)
    for level in dict.fromkeys((preferred, usual, *Performance)):
        demand = Demand(level, asked.max_time_s if asked.tasks == 1 else None)
        plain = decide(
            wanted.task,
            world.fleet,
            world.settings,
            wish,
            demand,
            world.skipped,
            world.knowledge,
        ).chosen
        if plain is not None and plain.pair.key == best.candidate.pair.key:
            return level, False
    return preferred, True


def _read(wanted: Wanted) -> list[str]:
    task = wanted.task
    output = task.output_tokens
    return [
        f"{task.type}, complexity {task.complexity:.2f}",
        f"about {task.prompt_tokens:,} tokens to read, {output.p20:.0f}-{output.p80:.0f} to write",
    ]


def _reasons(wanted: Wanted, weighing: Weighing) -> list[str]:
    best = weighing.best
    found = best.findings if best is not None else _without_candidate(wanted, weighing)
    reasons = [f"{f.asks}: {f.verdict}, {f.figure} ({f.source})" for f in found]
    compared = approach.comparison(weighing)
    return [*reasons, *([compared] if compared else []), *wanted.requirements.assumed]


_KEYS = {
    Reason.INSTANCE_DOWN: ("available", "an instance that is up"),
    Reason.CLOUD_EXCLUDED: ("privacy", "runs on your own machines"),
    Reason.LOCALITY_EXCLUDED: ("privacy", "stays in your network"),
    Reason.TOO_LARGE: ("memory", "fits in memory"),
    Reason.POLICY_DENIED: ("policy", "your policy allows it"),
    Reason.CONTEXT_TOO_SMALL: ("context", "a context that is long enough"),
    Reason.CAPABILITY_MISSING: ("capability", "a model that can do it"),
}


def _without_candidate(wanted: Wanted, weighing: Weighing) -> tuple[Finding, ...]:
    """What the nearest of the rejected pairs lacks."""
    reasons = {r.reason for r in weighing.decision.rejected}
    for reason, (key, asks) in _KEYS.items():
        if reason in reasons:
            figure = approach.obstacle(wanted, weighing)
            here = wanted.requirements.privacy is Privacy.LOCAL and key == "privacy"
            said = "stays on this machine" if here else asks
            return (Finding(key, said, Verdict.NOT_MET, figure, "told by the instances", 0.01),)
    told = "told by the instances"
    return (Finding("capability", "a model", Verdict.NOT_MET, "there is none", told, 0.01),)
