"""How many requests does an instance serve at once? Learnt from those of ours that met there.

Requests for one model share its slots; those for another model have slots of their own and
prove nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.measures import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ollamamaster.domain.attempt_record import AttemptRecord

# What two requests must have run at once to count, as clocks have steps.
_LEAST_S = 0.05
_LEAST_SHARE = 0.25

# So many runs and proofs are remembered.
_RUNS = 16
_PROOFS = 6
# A server that was started anew with fewer slots shows it by waits; one wait alone may be due to
# somebody else's request there.
_WAITS_TO_LOWER = 3

# Nobody serves more at once on one machine; vLLM-like servers are not Ollama.
_MOST = 256


@dataclass(frozen=True, slots=True)
class Slots:
    """How many requests an instance serves at once, and whether that is more than a belief."""

    count: int = 1
    known: bool = False


@dataclass(frozen=True, slots=True)
class _Run:
    """When a request was surely read and written, without its waiting."""

    model: str
    began: float
    ended: float

    @property
    def margin(self) -> float:
        return max(_LEAST_S, _LEAST_SHARE * (self.ended - self.began)) / 2


def with_meeting(row: Mapping[str, Any], attempt: AttemptRecord) -> Mapping[str, Any]:
    """The instance's row after an answered attempt that ran beside others of ours."""
    usage, waited = attempt.usage, attempt.usage.slot_wait_s
    work = (usage.prompt_s or 0.0) + (usage.generation_s or 0.0)
    # What lies between our seconds and the server's may have been before or after: the request
    # ran for sure from the latest that it can have begun to the earliest that it can have ended.
    began = attempt.started_at + attempt.seconds - work
    ended = attempt.started_at + (usage.total_s or 0.0)
    if attempt.others < 1 or waited is None or ended - began <= 2 * _LEAST_S:
        return row
    run = _Run(attempt.model, began, ended)
    before = [other for other in _runs(row) if other.model == run.model]
    proofs = _proofs(row)
    at_once = 1 + _most_at_once(before, run.began + run.margin, run.ended - run.margin)
    if at_once > 1:
        proofs.append((at_once, False))
    elif waited > max(2 * _LEAST_S, _LEAST_SHARE * work):
        # Who ended after this one is not known of yet: only if all others are accounted for
        # does the wait prove a limit.
        ahead = _most_at_once(before, run.began - waited, run.began)
        if ahead == attempt.others:
            proofs.append((ahead, True))
    kept = [*_runs(row), run][-_RUNS:]
    return {
        **row,
        "runs": [[r.model, r.began, r.ended] for r in kept],
        "slots": [[count, waited] for count, waited in proofs[-_PROOFS:]],
    }


def slots_in(row: Mapping[str, Any]) -> Slots:
    """What the proofs in an instance's row come to; the belief in one where there are none."""
    proofs = _proofs(row)
    ran = max((count for count, waited in proofs if not waited), default=1)
    limits = [count for count, waited in proofs if waited]
    latest = proofs[-_WAITS_TO_LOWER:]
    if len(latest) == _WAITS_TO_LOWER and all(waited for _, waited in latest):
        return Slots(max(count for count, _ in latest), known=True)
    return Slots(max([ran, *limits]), known=any(limit >= ran for limit in limits))


def _most_at_once(runs: Sequence[_Run], began: float, ended: float) -> int:
    """The most of these runs that were under way at one moment of this time."""
    inside = [r for r in runs if r.began + r.margin < ended and r.ended - r.margin > began]
    moments = (max(began, r.began + r.margin) for r in inside)
    return max(
        (sum(r.began + r.margin <= t < r.ended - r.margin for r in inside) for t in moments),
        default=0,
    )


def _runs(row: Mapping[str, Any]) -> list[_Run]:
    runs = row.get("runs")
    found = []
    for entry in runs if isinstance(runs, list) else ():
        match entry:
            case [str(model), float(began), float(ended)] if began < ended:
                found.append(_Run(model, began, ended))
    return found


def _proofs(row: Mapping[str, Any]) -> list[tuple[int, bool]]:
    proofs = row.get("slots")
    found = []
    for entry in proofs if isinstance(proofs, list) else ():
        match entry:
            case [int(count), bool(waited)] if number(count, 1, _MOST) is not None:
                found.append((count, waited))
    return found
