"""How much sooner are answers there than with other policies? A simulation on a public trace.

    python tests/benchmarks/trace.py PATH/azure-llm-2023-conv.csv.gz [--windows 24] [--seed 1]

The trace is AzureLLMInferenceTrace_conv.csv of github.com/Azure/AzurePublicDataset (CC-BY),
compressed. Each policy runs on the same windows of requests; ours is what routes use, fed with
the tickets and machines it would see. Learning begins with four machines of which only the
memory is known; "no rates learnt" stays there.
"""

from __future__ import annotations

import argparse
import heapq
import os
import random
from dataclasses import dataclass, replace
from multiprocessing import Pool
from pathlib import Path
from statistics import fmean, quantiles
from typing import TYPE_CHECKING

from measure import line
from rivals import (
    BOXES,
    GB,
    MODELS,
    RIVALS,
    Box,
    Job,
    Lengths,
    Store,
    read_trace,
    seconds_of,
    window,
)

from ollamamaster.domain.answers import Usage
from ollamamaster.domain.attempt_record import AttemptRecord
from ollamamaster.domain.instances import Instance, InstanceAddress, Locality, Status
from ollamamaster.domain.learning import keys_of, learnt
from ollamamaster.domain.machines import Held, Machine
from ollamamaster.domain.models import Model, ModelName
from ollamamaster.domain.pair import Pair
from ollamamaster.domain.profiles import Profiles
from ollamamaster.domain.records import RouteRecord, Who
from ollamamaster.domain.schedule import plan
from ollamamaster.domain.task import TaskType
from ollamamaster.domain.tickets import Choice, Option, ProcessId, Ticket
from ollamamaster.errors import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollamamaster.domain.profile_rows import Key, Row

KNOWN, LEARNT = "ours, rates known", "ours, rates learnt online"
# By load: what, against whom, at most.
MUSTS = {
    0.60: (
        ("clairvoyant greedy", "mean", 0.90),
        ("speed-weighted least connections", "mean", 0.45),
        ("speed-weighted least connections", "p95", 0.50),
    ),
    0.85: (
        ("clairvoyant greedy", "mean", 0.30),
        ("speed-weighted least connections", "mean", 0.20),
        ("speed-weighted least connections", "p95", 0.25),
    ),
}
LEARNT_MUSTS = {0.60: (("mean", 1.10), ("first", 1.25))}
_HERE = ProcessId(1, 0.0)


class KnownRates:
    """The rates are those of the machines from the beginning."""

    def option(self, job: Job, box: Box, answer: float) -> Option:
        """What is expected of this request on this machine."""
        return Option(
            job.model,
            box.name,
            0.0,
            box.work_s(job.model, job.prompt, answer),
            box.load_s(job.model),
            bytes=round(MODELS[job.model] * GB),
        )

    def ended(self, job: Job, box: Box, *, loaded: bool) -> None:
        """Nothing is learnt from it."""


class LearntRates(KnownRates):
    """Rates as profiles have them; a machine of the network is all that is known at first."""

    def __init__(self, *, learning: bool = True) -> None:
        self._learning = learning
        self._rows: dict[Key, Row] = {}
        self._profiles = Profiles()
        self._models = {
            name: Model(ModelName.parse(name), size_bytes=round(gb * GB))
            for name, gb in MODELS.items()
        }
        self._instances = {
            box.name: Instance(
                InstanceAddress(box.name), locality=Locality.LAN, status=Status.UP, latency_ms=0.0
            )
            for box in BOXES
        }

    def option(self, job: Job, box: Box, answer: float) -> Option:
        pair = Pair(self._models[job.model], self._instances[box.name])
        rates = self._profiles.rates(pair)
        work_s = job.prompt / rates.prefill.median + answer / rates.decode.median
        return replace(super().option(job, box, answer), work_s=work_s, load_s=rates.load_s.median)

    def ended(self, job: Job, box: Box, *, loaded: bool) -> None:
        """What a route records of an attempt that answered."""
        if not self._learning:
            return
        load_s = box.load_s(job.model) if loaded else 0.0
        prompt_s, answer_s = (
            box.work_s(job.model, job.prompt, 0),
            box.work_s(job.model, 0, job.answer),
        )
        seconds = load_s + prompt_s + answer_s
        instance, model = self._instances[box.name], self._models[job.model]
        attempt = AttemptRecord(
            str(model.name),
            instance.id,
            Outcome.OK,
            None,
            job.at,
            seconds,
            Usage(job.prompt, job.answer, seconds, load_s, prompt_s, answer_s),
            size_bytes=model.size_bytes,
            resident=not loaded,
        )
        record = RouteRecord(
            "", job.at, Who.COMMAND, TaskType.CHAT, seconds, 0.0, "ok", (attempt,), None
        )
        known = {key: self._rows[key] for key in keys_of(record) if key in self._rows}
        self._rows.update(learnt(known, record))
        self._profiles = Profiles.from_rows(self._rows)


class Ours:
    """Tickets on the machines, chosen by the plan that ships, in virtual time."""

    def __init__(self, rates: KnownRates, chance: random.Random) -> None:
        self.rates = rates
        self.chance = chance
        self.lengths = Lengths()
        self.stores = {box.name: Store(box.memory_gb) for box in BOXES}
        self.boxes = {box.name: box for box in BOXES}
        self.tickets: dict[str, Ticket] = {}
        self.jobs: dict[str, Job] = {}
        self.ends: list[tuple[float, str, bool]] = []

    def run(self, jobs: Sequence[Job]) -> list[float]:
        """How long each request took, in the order in which they came."""
        taken: dict[str, float] = {}
        coming = [(f"{number:06d}", job) for number, job in enumerate(jobs)]
        coming.reverse()
        while coming or self.ends:
            if coming and (not self.ends or coming[-1][1].at < self.ends[0][0]):
                name, job = coming.pop()
                now = job.at
                self._enter(name, job)
            else:
                now, name, loaded = heapq.heappop(self.ends)
                taken[name] = now - self.jobs[name].at
                self._leave(name, loaded=loaded)
            self._begin(now)
        return [taken[name] for name in sorted(taken)]

    def _enter(self, name: str, job: Job) -> None:
        answer = self.lengths.expected(job.model)
        options = [self.rates.option(job, box, answer) for box in BOXES]
        # The first of equals is taken, so ties are broken at random.
        self.chance.shuffle(options)
        self.jobs[name] = job
        self.tickets[name] = Ticket(name, job.at, tuple(options), _HERE)

    def _leave(self, name: str, *, loaded: bool) -> None:
        job, ticket = self.jobs.pop(name), self.tickets.pop(name)
        self.lengths.ended(job)
        assert ticket.on is not None
        self.rates.ended(job, self.boxes[ticket.on.instance], loaded=loaded)

    def _begin(self, now: float) -> None:
        machines = {box.name: self._machine(box) for box in BOXES}
        for ticket, choice in list(plan(machines, list(self.tickets.values()), now)):
            if choice.begins:
                self._send(ticket, choice, now)

    def _send(self, ticket: Ticket, choice: Choice, now: float) -> None:
        on, job = choice.option, self.jobs[ticket.id]
        assert on is not None
        box, store = self.boxes[on.instance], self.stores[on.instance]
        loaded = store.must_load(job.model)
        store.use(job.model)
        seconds = box.work_s(job.model, job.prompt, job.answer)
        ends_at = now + seconds + (box.load_s(job.model) if loaded else 0.0)
        heapq.heappush(self.ends, (ends_at, ticket.id, loaded))
        self.tickets[ticket.id] = replace(self.tickets[ticket.id], on=on, started_at=now)
        for passed, by_s in choice.passed.items():
            other = self.tickets[passed]
            self.tickets[passed] = replace(other, overtaken_s=other.overtaken_s + by_s)

    def _machine(self, box: Box) -> Machine:
        held = self.stores[box.name].held
        return Machine(
            box.name,
            slots_known=True,
            memory_bytes=round(box.memory_gb * GB),
            resident=tuple(Held(m, round(gb * GB), 1 << 20) for m, gb in held.items()),
        )


@dataclass(frozen=True)
class Figures:
    """Seconds of one policy in one window."""

    mean: float
    p95: float
    first: float


def _figures(seconds: Sequence[float]) -> Figures:
    return Figures(fmean(seconds), quantiles(seconds, n=20)[-1], fmean(seconds[:100]))


def one_window(given: tuple[Path, float, int, int]) -> dict[str, Figures]:
    """Every policy on one window."""
    path, load, requests, seed = given
    jobs = window(read_trace(path), load, requests, seed)
    found = {
        name: _figures(seconds_of(rival, jobs, random.Random(seed)))  # noqa: S311 (a simulation)
        for name, rival in RIVALS.items()
    }
    policies = {
        KNOWN: KnownRates(),
        LEARNT: LearntRates(),
        "ours, no rates learnt": LearntRates(learning=False),
    }
    for name, rates in policies.items():
        chance = random.Random(seed)  # noqa: S311 (a simulation)
        found[name] = _figures(Ours(rates, chance).run(jobs))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trace", type=Path)
    parser.add_argument("--windows", type=int, default=24)
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    of = parser.parse_args()
    with Pool(of.processes) as pool:
        for load in MUSTS:
            seeds = range(of.seed * 1000, of.seed * 1000 + of.windows)
            given = [(of.trace, load, of.requests, seed) for seed in seeds]
            _table(load, list(pool.imap_unordered(one_window, given)))


def _table(load: float, windows: Sequence[dict[str, Figures]]) -> None:
    print(f"\nload {load:.0%}, {len(windows)} windows: means over windows, seconds")
    print(f"  {'':<34} {'mean':>8} {'p95':>8} {'first 100':>10}   {'range of means':>16}")
    means: dict[str, Figures] = {}
    for name in windows[0]:
        of = [window[name] for window in windows]
        means[name] = Figures(
            fmean(f.mean for f in of), fmean(f.p95 for f in of), fmean(f.first for f in of)
        )
        mean, p95, first = means[name].mean, means[name].p95, means[name].first
        low, high = min(f.mean for f in of), max(f.mean for f in of)
        print(f"  {name:<34} {mean:8.2f} {p95:8.2f} {first:10.2f}   {low:7.2f} - {high:7.2f}")
    print()
    ours = means[KNOWN]
    for rival, what, most in MUSTS[load]:
        ratio = getattr(ours, what) / getattr(means[rival], what)
        line(f"{what} against {rival}", f"{ratio:.3f}", f"<= {most:.2f}", good=ratio <= most)
    for what, most in LEARNT_MUSTS.get(load, ()):
        ratio = getattr(means[LEARNT], what) / getattr(ours, what)
        line(
            f"{what} while learning, against known",
            f"{ratio:.3f}",
            f"<= {most:.2f}",
            good=ratio <= most,
        )


if __name__ == "__main__":
    main()
