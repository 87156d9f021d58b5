"""The fleet, the requests and the rival policies of the trace simulation.

Rates of four machines that people have, for models of three sizes; one slot, first in first out,
the least recently used model leaves. A rival sends each request to a machine when it comes, so
when it begins and ends is known at once.
"""

from __future__ import annotations

import csv
import gzip
import random
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

GB = 1_000_000_000
SIZES_GB = (2.0, 4.9, 9.0)
# Three models of 2.0 GB, three of 4.9, two of 9.0, and how often each size is asked for.
MODELS: Mapping[str, float] = {
    "s1": 2.0, "s2": 2.0, "s3": 2.0, "m1": 4.9, "m2": 4.9, "m3": 4.9, "l1": 9.0, "l2": 9.0,
}  # fmt: skip
SHARES: Mapping[float, float] = {2.0: 0.50, 4.9: 0.35, 9.0: 0.15}
# A load takes this besides reading the file.
LOAD_START_S = 0.5
# Expected tokens of an answer before the first of its model ended.
FIRST_LENGTH = 200.0


@dataclass(frozen=True)
class Box:
    """One machine: memory in GB, GB/s of a load, tokens a second by size of the model."""

    name: str
    memory_gb: float
    load_gb_s: float
    decode: Mapping[float, float]
    prefill: Mapping[float, float]

    def load_s(self, model: str) -> float:
        return MODELS[model] / self.load_gb_s + LOAD_START_S

    def work_s(self, model: str, prompt: float, answer: float) -> float:
        size = MODELS[model]
        return prompt / self.prefill[size] + answer / self.decode[size]


def _box(
    name: str, memory: float, load: float, decode: Sequence[float], prefill: Sequence[float]
) -> Box:
    by_size = [dict(zip(SIZES_GB, rates, strict=True)) for rates in (decode, prefill)]
    return Box(name, memory, load, *by_size)


BOXES = (
    _box("4090", 22, 2.5, (237, 148, 92), (14000, 7100, 4000)),
    _box("3060", 11, 1.5, (123, 52, 30), (4000, 1800, 1000)),
    _box("M1 Max", 44, 3.0, (59, 45, 25), (900, 408, 220)),
    _box("M4 mini", 22, 2.5, (41, 21, 12), (500, 220, 120)),
)


@dataclass(frozen=True, slots=True)
class Job:
    """One request of the trace, with the model that was drawn for it."""

    at: float
    model: str
    prompt: int
    answer: int


@dataclass
class Store:
    """What a machine has in memory, the least recently used first."""

    memory_gb: float
    held: dict[str, float] = field(default_factory=dict)

    def must_load(self, model: str) -> bool:
        return model not in self.held

    def use(self, model: str) -> None:
        size = self.held.pop(model, MODELS[model])
        while self.held and sum(self.held.values()) + size > self.memory_gb:
            del self.held[next(iter(self.held))]
        self.held[model] = size


class Lengths:
    """The running mean of the answers of each model that have ended."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, int]] = {}

    def expected(self, model: str) -> float:
        count, total = self._seen.get(model, (0, 0))
        return total / count if count else FIRST_LENGTH

    def ended(self, job: Job) -> None:
        count, total = self._seen.get(job.model, (0, 0))
        self._seen[job.model] = count + 1, total + job.answer


@dataclass(slots=True)
class _Sent:
    job: Job
    began_at: float
    ends_at: float
    expected_s: float


class Queue:
    """A machine to which requests are sent as they come, and what is expected of them."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.store = Store(box.memory_gb)
        self.sent: deque[_Sent] = deque()
        self.free_at = 0.0

    def ended(self, now: float) -> list[Job]:
        gone = []
        while self.sent and self.sent[0].ends_at <= now:
            gone.append(self.sent.popleft().job)
        return gone

    def expected_wait_s(self, now: float) -> float:
        """Estimates of what is ahead; of the running one what is left, not below zero."""
        left = [s.expected_s for s in self.sent]
        if left:
            left[0] = max(0.0, left[0] - (now - self.sent[0].began_at))
        return sum(left)

    def load_s(self, model: str) -> float:
        """Of its turn: everything sent before has been through the memory by then."""
        return self.box.load_s(model) if self.store.must_load(model) else 0.0

    def send(self, job: Job, now: float, expected: float) -> float:
        """When it ends."""
        box, load_s = self.box, self.load_s(job.model)
        began_at = max(now, self.free_at)
        self.free_at = began_at + load_s + box.work_s(job.model, job.prompt, job.answer)
        self.store.use(job.model)
        expected_s = load_s + box.work_s(job.model, job.prompt, expected)
        self.sent.append(_Sent(job, began_at, self.free_at, expected_s))
        return self.free_at


class Rival(Protocol):
    """A policy: the cost of sending a request to a machine now; the least is taken."""

    def __call__(self, job: Job, queue: Queue, now: float, expected: float, /) -> float: ...


def least_connections(job: Job, queue: Queue, now: float, expected: float, /) -> float:
    return len(queue.sent)


def speed_weighted(job: Job, queue: Queue, now: float, expected: float, /) -> float:
    return (len(queue.sent) + 1) / queue.box.decode[MODELS[job.model]]


def completion_time(job: Job, queue: Queue, now: float, expected: float, /) -> float:
    work_s = queue.box.work_s(job.model, job.prompt, expected)
    return queue.expected_wait_s(now) + queue.load_s(job.model) + work_s


def clairvoyant(job: Job, queue: Queue, now: float, expected: float, /) -> float:
    work_s = queue.box.work_s(job.model, job.prompt, job.answer)
    return max(now, queue.free_at) - now + queue.load_s(job.model) + work_s


RIVALS: Mapping[str, Rival] = {
    "least connections": least_connections,
    "speed-weighted least connections": speed_weighted,
    "expected completion time": completion_time,
    "clairvoyant greedy": clairvoyant,
}


def seconds_of(rival: Rival, jobs: Sequence[Job], chance: random.Random) -> list[float]:
    """How long each request took, in the order in which they came."""
    queues = [Queue(box) for box in BOXES]
    lengths, taken = Lengths(), []
    for job in jobs:
        for queue in queues:
            for done in queue.ended(job.at):
                lengths.ended(done)
        expected = lengths.expected(job.model)
        # The order is drawn anew, so that ties are broken at random.
        best = min(
            chance.sample(queues, len(queues)),
            key=lambda queue: rival(job, queue, job.at, expected),
        )
        taken.append(best.send(job, job.at, expected) - job.at)
    return taken


def read_trace(path: Path) -> list[tuple[float, int, int]]:
    """Seconds since the first request, prompt tokens and answer tokens of each."""
    with gzip.open(path, "rt") as file:
        # The trace gives seven digits of the second, Python reads six.
        rows = [
            (datetime.fromisoformat(r["TIMESTAMP"][:26]), r["ContextTokens"], r["GeneratedTokens"])
            for r in csv.DictReader(file)
        ]
    return [((at - rows[0][0]).total_seconds(), int(p), int(a)) for at, p, a in rows]


def window(
    trace: Sequence[tuple[float, int, int]], load: float, requests: int, seed: int
) -> list[Job]:
    """So many requests in a row from a place drawn by the seed, at this load.

    Load is the arrival rate against what the machines can do without any loads, with the mean
    lengths of this window; the gaps are the trace's own, all stretched by one factor.
    """
    chance = random.Random(seed)  # noqa: S311 (a simulation)
    first = chance.randrange(len(trace) - requests + 1)
    rows = trace[first : first + requests]
    prompt, answer = fmean(r[1] for r in rows), fmean(r[2] for r in rows)
    per_model = {size: share / list(MODELS.values()).count(size) for size, share in SHARES.items()}
    shares = [per_model[size] for size in MODELS.values()]
    most = sum(
        1 / sum(s * box.work_s(m, prompt, answer) for m, s in zip(MODELS, shares, strict=True))
        for box in BOXES
    )
    gaps = [b[0] - a[0] for a, b in pairwise(rows)]
    stretch = (len(gaps) / (load * most)) / sum(gaps)
    at, jobs = 0.0, []
    for gap, (_, tokens_in, tokens_out), model in zip(
        [0.0, *gaps], rows, chance.choices(list(MODELS), shares, k=requests), strict=True
    ):
        at += gap * stretch
        jobs.append(Job(at, model, tokens_in, tokens_out))
    return jobs
