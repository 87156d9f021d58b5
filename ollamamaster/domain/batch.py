"""How long do many tasks of one kind take when several machines work on them at once?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollamamaster.domain.measures import Z80
from ollamamaster.domain.rates import bearing
from ollamamaster.domain.task import Range
from ollamamaster.domain.time_price import noticed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollamamaster.domain.outlook import Prospect
    from ollamamaster.domain.rates import Rate
    from ollamamaster.domain.selection import Candidate


@dataclass(frozen=True, slots=True)
class Worker:
    """A machine with the model that it uses: seconds before it begins, and for each task.

    `sigma` is that of the logarithm of its speed, `spread` that of the length of single tasks.
    """

    candidate: Candidate
    first_s: float
    each_s: float
    sigma: float
    spread: float
    slots: int = 1

    def done_by(self, seconds: float) -> int:
        """How many tasks are done by then."""
        return max(0, int((seconds - self.first_s) / self.each_s + 1e-9))


@dataclass(frozen=True, slots=True)
class Batch:
    """All tasks done: after how long, by which machines, and how many each does."""

    seconds: Range
    workers: tuple[Worker, ...]
    shares: tuple[int, ...]

    @property
    def lanes(self) -> int:
        """How many are worked on at the same time."""
        return sum(worker.slots for worker in self.workers)

    @property
    def bearing_rates(self) -> tuple[Rate, ...]:
        """The rates that the time rests on: a machine counts by how many of the tasks it does."""
        parts: list[tuple[float, Rate]] = []
        for share, each in zip(self.shares, self.workers, strict=True):
            said, rates = each.candidate.estimate, each.candidate.prospect.rates
            own = (
                (share * said.generation_s, rates.decode),
                (share * said.prompt_s, rates.prefill),
                (said.load_s, rates.load_s),
            )
            busy_s = sum(seconds for seconds, _ in own) or 1.0
            parts += [(share * seconds / busy_s, rate) for seconds, rate in own]
        return bearing(parts)


def worker(candidate: Candidate, slots: int) -> Worker:
    """What this candidate does of a batch.

    Requests that run at once share a machine, two decode at half the speed each (measured on a
    real server): more slots hide the round trip, and save no work.
    """
    prospect = candidate.prospect
    estimate = prospect.estimate
    rest = estimate.wait_s + estimate.load_s
    parts = estimate.prompt_s + estimate.generation_s
    round_trip = max(0.0, estimate.p50_s - rest - parts)
    spread = _length_sigma(prospect)
    writing = estimate.generation_s * math.exp(spread**2 / 2)
    each = max(1e-3, estimate.prompt_s + writing + round_trip / slots)
    sigma = math.log(max(prospect.rates.decode.spread, 1.0)) / Z80
    return Worker(candidate, rest, each, sigma, spread, slots)


def _length_sigma(prospect: Prospect) -> float:
    output = prospect.output_tokens
    return math.log(output.p80 / output.p50) / Z80 if output.p50 > 0 else 0.0


def batch(workers: Sequence[Worker], tasks: int) -> Batch:
    """List scheduling: each task goes to the machine that is done with it first.

    For equal tasks that is the smallest time by which all machines together have done them. The
    speeds err independently of each other, and so do the lengths of the tasks.
    """
    low, high = 0.0, min(w.first_s + tasks * w.each_s for w in workers)
    # to a billionth of the time that one machine takes
    for _ in range(30):
        middle = (low + high) / 2
        if sum(w.done_by(middle) for w in workers) >= tasks:
            high = middle
        else:
            low = middle
    shares = [w.done_by(high) for w in workers]
    # several may finish at that very moment with one more than is needed
    for index in sorted(range(len(workers)), key=lambda i: -workers[i].each_s):
        shares[index] -= min(shares[index], max(0, sum(shares) - tasks))
    used = [(w, share) for w, share in zip(workers, shares, strict=True) if share]
    total = sum(share for _, share in used)
    variance = sum((w.sigma * share / total) ** 2 for w, share in used)
    variance += max(w.spread for w, _ in used) ** 2 / total
    factor = math.exp(Z80 * math.sqrt(variance))
    return Batch(
        Range(high / factor, high, high * factor),
        tuple(w for w, _ in used),
        tuple(share for _, share in used),
    )


def helpers(candidates: Sequence[Candidate], best: Candidate, price: float) -> list[Candidate]:
    """The best candidate of every machine that a route would use while the others are busy.

    Someone who waits for the best machine of m has m tasks before; another machine is worth its
    loss of quality when that wait is as many doublings longer than what it takes.
    """
    by_machine = {best.instance: best}
    for candidate in candidates:
        by_machine.setdefault(candidate.instance, candidate)
    waiting = len(by_machine) * noticed(best.estimate.p50_s - best.estimate.wait_s)
    return [
        candidate
        for candidate in by_machine.values()
        if candidate is best
        or best.terms["quality"] - candidate.terms["quality"]
        <= price * math.log2(max(waiting / noticed(candidate.estimate.p50_s), 1.0)) + 1e-9
    ]
