"""What would make it possible? Each remedy is tried on the fleet as it would be then."""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ollamamaster.domain import spoken
from ollamamaster.domain.approach import called
from ollamamaster.domain.candidates import Reason
from ollamamaster.domain.findings import Verdict
from ollamamaster.domain.instances import (
    Gpu,
    GpuSource,
    Instance,
    InstanceAddress,
    InstanceSettings,
    Locality,
    Status,
)
from ollamamaster.domain.judging import Judgement, judge, with_instance
from ollamamaster.domain.models import GB, Capability
from ollamamaster.domain.requirements import Privacy
from ollamamaster.domain.settings import CloudUse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ollamamaster.domain.judging import Verdicts, Wanted, World
    from ollamamaster.domain.models import Model

# What a person can put into a computer, by memory in GB and memory bandwidth in GB/s as their
# makers state them, the cheapest first.
_CARDS = (
    ("an RTX 3060", 12.0, 360.0),
    ("an RTX 4060 Ti with 16 GB", 16.0, 288.0),
    ("a used RTX 3090", 24.0, 936.0),
    ("an RTX 4090", 24.0, 1008.0),
    ("an RTX 5090", 32.0, 1792.0),
    ("an RTX PRO 6000", 96.0, 1792.0),
)
_THEIR_RAM = 64 * GB
# Another machine in the same house answers a packet in about a millisecond.
_NEAR_MS = 1.0

_EVEN = 0.5

# A part of a text that was split needs room for the wish and the answer beside it.
_FILLED = 0.7


@dataclass(frozen=True, slots=True)
class Missing:
    """What is lacking, and a command or a step that helps."""

    code: str
    what: str
    fix: str


def remedies(
    wanted: Wanted, world: World, verdicts: Verdicts, library: Sequence[Model]
) -> tuple[Missing, ...]:
    """What helps, the cheapest first. Buying is only named where nothing else helps."""
    found = [
        *_wake(wanted, world, verdicts),
        *_warm_up(wanted, world, verdicts),
        *_wait(wanted, world, verdicts),
        *_cloud(wanted, world, verdicts),
        *_pull(wanted, world, verdicts, library),
        *_split(wanted, verdicts),
    ]
    return tuple(
        found or _buy(wanted, world, verdicts, library) or [_less(wanted, world, verdicts)]
    )


def _gain(best: Judgement, verdicts: Verdicts) -> str:
    """What the remedy changes of what was not met."""
    before = verdicts.best
    if before is None:
        return f"{best.candidate.model}, done in about {_time(best)}"
    lacking = {f.key for f in before.findings if f.verdict is not Verdict.MET} - {"memory"}
    gained = [f for f in best.findings if f.key in lacking]
    return "; ".join(f"expected {f.figure}" for f in gained) or f"about {_time(best)}"


def _time(judgement: Judgement) -> str:
    return spoken.duration(judgement.candidate.estimate.p50_s)


def _with(wanted: Wanted, world: World, changed: Instance) -> World:
    """The world with this machine; it alone where one machine does all of it anyway."""
    if wanted.requirements.tasks > 1:
        return with_instance(world, changed)
    return replace(world, fleet=replace(world.fleet, instances=(changed,)))


def _fitting(wanted: Wanted, world: World) -> Judgement | None:
    best = judge(wanted, world).best
    return best if best is not None and best.fits else None


def _wake(wanted: Wanted, world: World, verdicts: Verdicts) -> Iterator[Missing]:
    """Machines that are down, or left alone because they failed."""
    for instance in world.fleet:
        if instance.status is not Status.DOWN and instance.id not in world.skipped:
            continue
        back = replace(
            _with(wanted, world, replace(instance, status=Status.UP)),
            skipped=world.skipped - {instance.id},
        )
        best = _fitting(wanted, back)
        if best is None or best.candidate.instance != instance.id:
            continue
        where = "" if instance.locality is Locality.LOCAL else f" on {instance.name}"
        yield Missing(
            "instance_down",
            f"{instance.name} is down; with it: {_gain(best, verdicts)}",
            f"start it{where}: ollama serve" if where else "ollama serve",
        )


def _warm_up(wanted: Wanted, world: World, verdicts: Verdicts) -> Iterator[Missing]:
    """A model that would be fast enough if it were in memory."""
    if wanted.requirements.conversation or not verdicts.judged:
        return
    best = judge(wanted, world, warm=True).best
    if best is not None and best.fits and not best.candidate.resident:
        yield Missing(
            "not_in_memory",
            f"{best.candidate.model} is not in memory; then: {_gain(best, verdicts)}",
            f"ollamamaster route hi {_pinned(best, world)} --keep-alive 1h",
        )


def _wait(wanted: Wanted, world: World, verdicts: Verdicts) -> Iterator[Missing]:
    waits = [j.candidate.estimate.wait_s for j in verdicts.judged]
    if not any(waits):
        return
    free = replace(world, tickets=(), foreign={})
    best = _fitting(wanted, free)
    if best is not None:
        name = best.candidate.pair.instance.name
        seconds = next(
            j.candidate.estimate.wait_s
            for j in verdicts.judged
            if j.candidate.pair.key == best.candidate.pair.key
        )
        yield Missing(
            "busy",
            f"{name} is busy; free, it would do: {_gain(best, verdicts)}",
            f"wait about {spoken.duration(seconds)}",
        )


def _cloud(wanted: Wanted, world: World, verdicts: Verdicts) -> Iterator[Missing]:
    """A cloud model, which is only ever used when the person names it."""
    excluded = {r.model for r in verdicts.decision.rejected if r.reason is Reason.CLOUD_EXCLUDED}
    asked = wanted.requirements.privacy in {Privacy.LOCAL, Privacy.LAN}
    if not excluded or asked or world.settings.route.cloud is CloudUse.NEVER:
        return
    route = replace(world.settings.route, cloud=CloudUse.ALLOW)
    allowed = replace(world, settings=replace(world.settings, route=route))
    best = _fitting(wanted, allowed)
    if best is not None and best.candidate.model in excluded:
        yield Missing(
            "cloud_excluded",
            f"{best.candidate.model} would do, but the prompt would leave your machines",
            f"ollamamaster route -m {shlex.quote(best.candidate.model)} PROMPT",
        )


def _least_quality(verdicts: Verdicts) -> float:
    """What a remedy must reach: the best so far, or even odds."""
    before = verdicts.best
    return min(_EVEN, before.candidate.terms["quality"]) if before is not None else 0.0


def _pull(
    wanted: Wanted, world: World, verdicts: Verdicts, library: Sequence[Model]
) -> Iterator[Missing]:
    """The best model of the library for a machine that is up.

    Nobody is helped by one that is faster and mostly wrong, where there is a better one already.
    """
    found: list[Judgement] = []
    least = _least_quality(verdicts)
    for instance in world.fleet.up:
        if instance.id in world.skipped:
            continue
        new = _new_there(instance, world, library)
        fuller = replace(instance, models=(*instance.models, *new))
        names = {str(m.name) for m in new}
        judged = judge(wanted, _with(wanted, world, fuller)).judged
        found += [
            j
            for j in judged
            if j.fits
            and j.candidate.instance == instance.id
            and j.candidate.model in names
            and j.candidate.terms["quality"] >= least
        ]
    if not found:
        return
    best = max(found, key=lambda j: (j.weighed.timed.score, j.chance))
    size = spoken.gigabytes(best.candidate.pair.model.size_bytes or 0)
    name = best.candidate.pair.instance.name
    yield Missing(
        "model_missing",
        f"{best.candidate.model} ({size}) on {name}: {_gain(best, verdicts)}",
        f"ollamamaster pull {shlex.quote(best.candidate.model)} "
        f"--instance {shlex.quote(called(best.candidate.pair.instance, world))}",
    )


def _new_there(instance: Instance, world: World, library: Sequence[Model]) -> tuple[Model, ...]:
    """Models that this machine lacks and that something is known of."""
    have = {str(m.name) for m in instance.models}
    digests = {str(m.name.name) for m in instance.models if m.name.tag == "latest"}
    return tuple(
        m
        for m in library
        if str(m.name) not in have
        # `phi4:latest` is one of the tags of phi4, and nobody needs it twice
        and m.name.name not in digests
        and (world.abilities.published(m) or Capability.EMBEDDING in (m.capabilities or ()))
    )


def _split(wanted: Wanted, verdicts: Verdicts) -> Iterator[Missing]:
    """A text that is longer than any context there is."""
    short = [r for r in verdicts.decision.rejected if r.reason is Reason.CONTEXT_TOO_SMALL]
    if verdicts.judged or not short or wanted.requirements.context_tokens is not None:
        return
    longest = max(verdicts.longest_context, 1)
    parts = math.ceil(wanted.task.context_tokens / (longest * _FILLED))
    yield Missing(
        "context_too_small",
        f"the longest context in the fleet is {longest:,} tokens",
        f"split the text into {parts} parts, one request each",
    )


def _buy(
    wanted: Wanted, world: World, verdicts: Verdicts, library: Sequence[Model]
) -> list[Missing]:
    """The cheapest machine that would do, with the model to put on it."""
    here = wanted.requirements.privacy is Privacy.LOCAL
    for card, memory_gb, bandwidth in _CARDS:
        machine = Instance(
            InstanceAddress("new-machine.invalid"),
            locality=Locality.LOCAL if here else Locality.LAN,
            status=Status.UP,
            latency_ms=_NEAR_MS,
            gpu=Gpu(1, GpuSource.CONFIG, round(memory_gb * GB)),
            settings=InstanceSettings(label=f"a machine with {card}", bandwidth_gb_s=bandwidth),
            ram_total=_THEIR_RAM,
        )
        machine = replace(machine, models=_new_there(machine, world, library))
        judged = judge(wanted, _with(wanted, world, machine)).judged
        best = next((j for j in judged if j.fits and _is_no_worse(j, machine, verdicts)), None)
        if best is not None:
            return [
                Missing(
                    "hardware",
                    f"a faster or larger machine: {_gain(best, verdicts)}",
                    f"buy or borrow a machine with {card}, put {best.candidate.model} on it, "
                    "and run ollamamaster discover",
                )
            ]
    return []


def _is_no_worse(judgement: Judgement, machine: Instance, verdicts: Verdicts) -> bool:
    candidate = judgement.candidate
    return candidate.instance == machine.id and candidate.terms["quality"] >= _least_quality(
        verdicts
    )


def _less(wanted: Wanted, world: World, verdicts: Verdicts) -> Missing:
    """Nothing helps: what may be asked for instead."""
    best = verdicts.best
    if best is None:
        needs = spoken.abilities(sorted(wanted.task.needs))
        return Missing(
            "impossible",
            f"no model that is known here can {needs} as asked",
            "use another program for this, or ask for less",
        )
    lacking = [f for f in best.findings if f.verdict is not Verdict.MET] or list(best.findings)
    worst = min(lacking, key=lambda f: f.chance)
    if worst.key == "latency" and not wanted.requirements.conversation:
        # the shortest there is, with the model in memory beforehand
        warm = judge(wanted, world, warm=True).best
        worst = warm.findings[0] if warm is not None else worst
    return Missing(
        "impossible",
        f"{worst.asks} is more than any model and machine that is known here can do",
        f"ask for less: {worst.figure} is what is possible today",
    )


def _pinned(judgement: Judgement, world: World) -> str:
    model, instance = judgement.candidate.model, judgement.candidate.pair.instance
    return f"-m {shlex.quote(model)} --instance {shlex.quote(called(instance, world))}"
