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
from ollamamaster.domain.models import GB, Capability
from ollamamaster.domain.requirements import Privacy
from ollamamaster.domain.settings import CloudUse
from ollamamaster.domain.weighing import Assessed, weigh, with_instance

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ollamamaster.domain.models import Model
    from ollamamaster.domain.weighing import Wanted, Weighing, World

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
    wanted: Wanted, world: World, weighing: Weighing, library: Sequence[Model]
) -> tuple[Missing, ...]:
    """What helps, the cheapest first. Buying is only named where nothing else helps."""
    found = [
        *_wake(wanted, world, weighing),
        *_warm_up(wanted, world, weighing),
        *_wait(wanted, world, weighing),
        *_cloud(wanted, world, weighing),
        *_pull(wanted, world, weighing, library),
        *_split(wanted, weighing),
    ]
    return tuple(
        found or _buy(wanted, world, weighing, library) or [_less(wanted, world, weighing)]
    )


def _gain(best: Assessed, weighing: Weighing) -> str:
    """What the remedy changes of what was not met."""
    before = weighing.best
    if before is None:
        return f"{best.candidate.model}, done in about {_time(best)}"
    lacking = {f.key for f in before.findings if f.verdict is not Verdict.MET} - {"memory"}
    gained = [f for f in best.findings if f.key in lacking]
    return "; ".join(f"expected {f.figure}" for f in gained) or f"about {_time(best)}"


def _time(assessed: Assessed) -> str:
    return spoken.duration(assessed.candidate.estimate.p50_s)


def _with(wanted: Wanted, world: World, changed: Instance) -> World:
    """The world with this machine; it alone where one machine does all of it anyway."""
    if wanted.requirements.tasks > 1:
        return with_instance(world, changed)
    return replace(world, fleet=replace(world.fleet, instances=(changed,)))


def _fitting(wanted: Wanted, world: World) -> Assessed | None:
    best = weigh(wanted, world).best
    return best if best is not None and best.fits else None


def _wake(wanted: Wanted, world: World, weighing: Weighing) -> Iterator[Missing]:
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
            f"{instance.name} is down; with it: {_gain(best, weighing)}",
            f"start it{where}: ollama serve" if where else "ollama serve",
        )


def _warm_up(wanted: Wanted, world: World, weighing: Weighing) -> Iterator[Missing]:
    """A model that would be fast enough if it were in memory."""
    if wanted.requirements.conversation or not weighing.assessed:
        return
    best = weigh(wanted, world, warm=True).best
    if best is not None and best.fits and not best.candidate.resident:
        yield Missing(
            "not_in_memory",
            f"{best.candidate.model} is not in memory; then: {_gain(best, weighing)}",
            f"ollamamaster route hi {_pinned(best, world)} --keep-alive 1h",
        )


def _wait(wanted: Wanted, world: World, weighing: Weighing) -> Iterator[Missing]:
    waits = [each.candidate.estimate.wait_s for each in weighing.assessed]
    if not any(waits):
        return
    free = replace(world, tickets=(), foreign={})
    best = _fitting(wanted, free)
    if best is not None:
        name = best.candidate.pair.instance.name
        seconds = next(
            each.candidate.estimate.wait_s
            for each in weighing.assessed
            if each.candidate.pair.key == best.candidate.pair.key
        )
        yield Missing(
            "busy",
            f"{name} is busy; free, it would do: {_gain(best, weighing)}",
            f"wait about {spoken.duration(seconds)}",
        )


def _cloud(wanted: Wanted, world: World, weighing: Weighing) -> Iterator[Missing]:
    """A cloud model, which is only ever used when the person names it."""
    excluded = {r.model for r in weighing.decision.rejected if r.reason is Reason.CLOUD_EXCLUDED}
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


def _least_quality(weighing: Weighing) -> float:
    """What a remedy must reach: the best so far, or even odds."""
    before = weighing.best
    return min(_EVEN, before.candidate.terms["quality"]) if before is not None else 0.0


def _pull(
    wanted: Wanted, world: World, weighing: Weighing, library: Sequence[Model]
) -> Iterator[Missing]:
    """The best model of the library for a machine that is up.

    Nobody is helped by one that is faster and mostly wrong, where there is a better one already.
    """
    found: list[Assessed] = []
    least = _least_quality(weighing)
    for instance in world.fleet.up:
        if instance.id in world.skipped:
            continue
        new = _new_there(instance, world, library)
        fuller = replace(instance, models=(*instance.models, *new))
        names = {str(m.name) for m in new}
        assessed = weigh(wanted, _with(wanted, world, fuller)).assessed
        found += [
            each
            for each in assessed
            if each.fits
            and each.candidate.instance == instance.id
            and each.candidate.model in names
            and each.candidate.terms["quality"] >= least
        ]
    if not found:
        return
    best = max(found, key=lambda each: (each.weighed.timed.score, each.chance))
    size = spoken.gigabytes(best.candidate.pair.model.size_bytes or 0)
    name = best.candidate.pair.instance.name
    yield Missing(
        "model_missing",
        f"{best.candidate.model} ({size}) on {name}: {_gain(best, weighing)}",
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


def _split(wanted: Wanted, weighing: Weighing) -> Iterator[Missing]:
    """A text that is longer than any context there is."""
    short = [r for r in weighing.decision.rejected if r.reason is Reason.CONTEXT_TOO_SMALL]
    if weighing.assessed or not short or wanted.requirements.context_tokens is not None:
        return
    longest = max(weighing.longest_context, 1)
    parts = math.ceil(wanted.task.context_tokens / (longest * _FILLED))
    yield Missing(
        "context_too_small",
        f"the longest context in the fleet is {longest:,} tokens",
        f'read it in about {parts} parts: ollamamaster route -f FILE "QUESTION" --long split',
    )


def _buy(
    wanted: Wanted, world: World, weighing: Weighing, library: Sequence[Model]
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
        assessed = weigh(wanted, _with(wanted, world, machine)).assessed
        best = next(
            (each for each in assessed if each.fits and _is_no_worse(each, machine, weighing)), None
        )
        if best is not None:
            return [
                Missing(
                    "hardware",
                    f"a faster or larger machine: {_gain(best, weighing)}",
                    f"buy or borrow a machine with {card}, put {best.candidate.model} on it, "
                    "and run ollamamaster discover",
                )
            ]
    return []


def _is_no_worse(assessed: Assessed, machine: Instance, weighing: Weighing) -> bool:
    candidate = assessed.candidate
    return candidate.instance == machine.id and candidate.terms["quality"] >= _least_quality(
        weighing
    )


def _less(wanted: Wanted, world: World, weighing: Weighing) -> Missing:
    """Nothing helps: what may be asked for instead."""
    best = weighing.best
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
        warm = weigh(wanted, world, warm=True).best
        worst = warm.findings[0] if warm is not None else worst
    return Missing(
        "impossible",
        f"{worst.asks} is more than any model and machine that is known here can do",
        f"ask for less: {worst.figure} is what is possible today",
    )


def _pinned(assessed: Assessed, world: World) -> str:
    model, instance = assessed.candidate.model, assessed.candidate.pair.instance
    return f"-m {shlex.quote(model)} --instance {shlex.quote(called(instance, world))}"
