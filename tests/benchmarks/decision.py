"""What does one decision cost in a large fleet with a long line?

    python tests/benchmarks/decision.py

50 instances with 40 models each, and 200 tickets of others: one runs on every slot but one, which
has just become free, and the rest wait. Each has the options that a route tells the others. A
decision is everything from what is known to the choice: who is ahead where, which pairs can do
the task, what is expected of each, the order, and the choice among the others. Three models of
every instance were used before. The time is the processor's, so that other work does not count; a
million squares are summed beside it for comparison with other processors. Garbage is collected as
seldom as in a command.
"""

from __future__ import annotations

import argparse
import gc
import random
import time
from dataclasses import replace
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from measure import line

from ollamamaster.__main__ import OBJECTS_BETWEEN_COLLECTIONS
from ollamamaster.domain.answers import Usage
from ollamamaster.domain.attempt_record import AttemptRecord
from ollamamaster.domain.candidates import Wish
from ollamamaster.domain.instances import (
    Gpu,
    GpuSource,
    Instance,
    InstanceAddress,
    InstanceSettings,
    Locality,
    Status,
)
from ollamamaster.domain.knowledge import Knowledge
from ollamamaster.domain.learning import keys_of, learnt
from ollamamaster.domain.machines import machines
from ollamamaster.domain.models import GB, LoadedModel, Model, ModelName
from ollamamaster.domain.options import options_of
from ollamamaster.domain.profiles import Profiles
from ollamamaster.domain.records import RouteRecord, Who
from ollamamaster.domain.schedule import choose, queues
from ollamamaster.domain.selection import Decision, Demand, decide
from ollamamaster.domain.settings import Settings
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.domain.task import Question, TaskType, analyse
from ollamamaster.domain.tickets import ProcessId, Ticket
from ollamamaster.errors import Outcome
from ollamamaster.services.line import OPTIONS_TOLD
from ollamamaster.storage.abilities import load_abilities

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollamamaster.domain.profile_rows import Key, Row

INSTANCES, MODELS, TICKETS, MUST_MS = 50, 40, 200, 40.0
ALL, SQUARES = "all of it", "(summing a million squares)"
NOW = 1_800_000_000.0
PROMPTS = (
    "What is the capital of France?",
    "Write a function that merges two sorted lists",
    "Prove that there are infinitely many primes",
    "Summarise this: " + "The figures of the quarter rose. " * 200,
    "Write a poem about the sea",
)


def large_fleet(chance: random.Random) -> Fleet:
    """Machines of every kind; each has some models in memory."""
    sizes = [chance.choice((1, 2, 3, 5, 9, 14, 20, 40)) for _ in range(MODELS)]
    models = tuple(
        Model(
            ModelName(f"model{n}", f"{gb * 2}b"),
            size_bytes=gb * GB,
            parameter_size=f"{gb * 2}B",
            quantization="Q4_K_M",
            context_length=131_072,
            capabilities=frozenset({"completion", "tools"}),
        )
        for n, gb in enumerate(sizes)
    )
    return Fleet(tuple(_instance(n, models, chance) for n in range(INSTANCES)))


def _instance(number: int, models: Sequence[Model], chance: random.Random) -> Instance:
    held = chance.sample(models, 2)
    return Instance(
        InstanceAddress(f"machine{number}"),
        locality=Locality.LAN,
        status=Status.UP,
        latency_ms=2.0,
        gpu=Gpu(1, GpuSource.CONFIG, chance.choice((8, 12, 24, 48, 80)) * GB),
        models=tuple(models),
        loaded=tuple(
            LoadedModel(m.name, size=m.size_bytes, size_vram=m.size_bytes, context_length=8192)
            for m in held
        ),
        settings=InstanceSettings(
            slots=chance.choice((1, 1, 1, 2)), bandwidth_gb_s=chance.choice((60.0, 360.0, 1000.0))
        ),
    )


def line_of(fleet: Fleet, known: Knowledge, chance: random.Random) -> list[Ticket]:
    """Tickets as routes make them; the first ones run, each on a slot of its own."""
    tickets = []
    slots = [i.id for i in fleet for _ in range(i.settings.slots or 1)][1:]
    for number in range(TICKETS):
        task = analyse(Question(chance.choice(PROMPTS)))
        ranked = decide(task, fleet, Settings(), Wish(), Demand(), known=known).ranked
        # What was best an hour or a minute ago differs, so the tickets do not all want the same.
        some = sorted(chance.sample(ranked, len(ranked) // 4), key=lambda c: -c.score)
        decision = Decision(task, Demand(), ranked, ())
        ticket = Ticket(
            f"{number:04d}",
            NOW - chance.uniform(0, 60),
            options_of(decision, some[:OPTIONS_TOLD]),
            ProcessId(number, 0.0),
        )
        if number < len(slots):
            there = [c for c in ranked if c.instance == slots[number]]
            [on] = options_of(decision, there[:1])
            ticket = replace(ticket, on=on, started_at=NOW - chance.uniform(0, 5))
        tickets.append(ticket)
    return tickets


def used_before(fleet: Fleet, chance: random.Random) -> Profiles:
    """What history teaches when some models of each instance answered a few times."""
    rows: dict[Key, Row] = {}
    for instance in fleet:
        for model in chance.sample(instance.models, 3):
            for number in range(5):
                size_gb = (model.size_bytes or 0) / GB
                load_s = size_gb / 2 if number == 0 else 0.0
                answer_s = 100 * size_gb / 300
                seconds = load_s + 0.2 + answer_s
                attempt = AttemptRecord(
                    str(model.name),
                    instance.id,
                    Outcome.OK,
                    None,
                    NOW - 1000 + number * 100,
                    seconds,
                    Usage(200, 100, seconds, load_s, 0.2, answer_s),
                    size_bytes=model.size_bytes,
                    resident=number > 0,
                )
                record = RouteRecord(
                    "", NOW, Who.COMMAND, TaskType.CHAT, seconds, 0.0, "ok", (attempt,), None
                )
                rows.update(learnt({k: rows[k] for k in keys_of(record) if k in rows}, record))
    return Profiles.from_rows(rows)


def squares_ms() -> float:
    began = time.process_time()
    sum(n * n for n in range(1_000_000))
    return (time.process_time() - began) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    of = parser.parse_args()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)  # as every command does
    chance = random.Random(of.seed)  # noqa: S311 (made-up fleets)
    fleet, abilities = large_fleet(chance), load_abilities()
    profiles = used_before(fleet, chance)
    tickets = line_of(fleet, Knowledge(abilities, profiles), chance)
    me = Ticket("me", NOW, (), ProcessId(0, 0.0))
    parts: dict[str, list[float]] = {}
    same = 0
    for run in range(-1, of.runs):
        task = analyse(Question(PROMPTS[run % len(PROMPTS)]))
        # A command begins with nothing worked out.
        fresh = replace(profiles, _kept={})
        squares = squares_ms()
        marks = [time.process_time()]
        places = machines(fleet, fresh, {})
        ahead = queues(places, tickets, me, NOW)
        marks.append(time.process_time())
        known = Knowledge(abilities, fresh, ahead)
        decision = decide(task, fleet, Settings(), Wish(), Demand(), known=known)
        marks.append(time.process_time())
        options = options_of(decision, decision.ranked[:OPTIONS_TOLD])
        marks.append(time.process_time())
        choice = choose(replace(me, options=options), tickets, places, NOW)
        marks.append(time.process_time())
        everything = replace(me, options=options_of(decision, decision.ranked))
        of_all = choose(everything, tickets, places, NOW)
        same += run >= 0 and of_all == choice
        assert choice.option is not None
        assert len(decision.ranked) + len(decision.rejected) == INSTANCES * MODELS
        if run >= 0:
            names = ("who is ahead", "deciding", "options", "choosing among the others")
            for name, (begin, end) in zip(names, pairwise(marks), strict=True):
                parts.setdefault(name, []).append((end - begin) * 1000)
            parts.setdefault(ALL, []).append((marks[-1] - marks[0]) * 1000)
            parts.setdefault(SQUARES, []).append(squares)
    print(f"{INSTANCES} instances x {MODELS} models, {TICKETS} tickets; median of {of.runs}")
    for name, seconds in parts.items():
        print(f"  {name:<34} {median(seconds):8.1f} ms")
    print(f"  the choice among all pairs is the same in {same} of {of.runs}")
    whole = median(parts[ALL])
    line("one decision", f"{whole:.1f} ms", f"<= {MUST_MS:.0f} ms", good=whole <= MUST_MS)


if __name__ == "__main__":
    main()
