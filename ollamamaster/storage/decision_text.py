"""A decision as it was, packed small and read back.

A candidate is a list. What only matters while a request runs (sizes on disk, what else is in
memory) is left out.
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.candidates import Reason, Rejection, Wish
from ollamamaster.domain.estimate import Estimate
from ollamamaster.domain.instances import Instance, InstanceAddress, InstanceSettings
from ollamamaster.domain.machines import Residency
from ollamamaster.domain.models import Model, ModelName
from ollamamaster.domain.outlook import Prospect
from ollamamaster.domain.pair import Pair
from ollamamaster.domain.rates import Rate, Rates, Source
from ollamamaster.domain.selection import Candidate, Decision, Demand
from ollamamaster.domain.settings import Performance
from ollamamaster.domain.task import Range, Task, TaskType
from ollamamaster.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

# What is given to people has four digits after the point too.
_DIGITS = 4
# The best so many are kept: nobody looks further down, and in a fleet of thousands of pairs all of
# them would cost every request 40 ms.
_KEPT = 200
# The fastest level: on the decision of a large fleet the best one saves a tenth of the bytes and
# takes five times as long.
_LEVEL = 1


def packed(decision: Decision) -> bytes:
    """The decision as compressed JSON."""
    task, demand, wish = decision.task, decision.demand, decision.wish
    ranked = decision.ranked[:_KEPT]
    names = {c.instance: c.pair.instance.settings.label for c in ranked}
    value = {
        "task": {
            "type": task.type,
            "complexity": task.complexity,
            "prompt_tokens": task.prompt_tokens,
            "output_tokens": _range(task.output_tokens),
            "needs": sorted(task.needs),
            "context_tokens": task.context_tokens,
            "evidence": task.evidence,
            "no_thinking": task.no_thinking,
            "output_limit": task.output_limit,
        },
        "demand": [demand.performance, demand.max_time_s],
        "wish": [wish.model, wish.instance, wish.local_only],
        "late": decision.late,
        "refused": decision.refused,
        "labels": {instance: label for instance, label in names.items() if label},
        "ranked": [_candidate(each) for each in ranked],
        "rejected": [[r.model, r.instance, r.reason, r.detail] for r in decision.rejected],
    }
    text = json.dumps(value, separators=(",", ":"))
    return zlib.compress(text.encode(), _LEVEL)


def unpacked(data: object) -> Decision | None:
    """The decision that was packed; None where it cannot be read."""
    if not isinstance(data, bytes):
        return None
    try:
        return _decision(json.loads(zlib.decompress(data)))
    except (zlib.error, ValueError, TypeError, KeyError, AttributeError, UsageError):
        # the file is one that others may write to; one decision that is lost is no error
        return None


def _range(value: Range) -> list[float]:
    return [value.p20, value.p50, value.p80]


def _rounded(*values: float) -> list[float]:
    return [round(value, _DIGITS) for value in values]


def _candidate(candidate: Candidate) -> list[Any]:
    prospect, estimate = candidate.prospect, candidate.estimate
    return [
        candidate.model,
        candidate.instance,
        round(candidate.score, _DIGITS),
        {name: round(value, _DIGITS) for name, value in candidate.terms.items()},
        _rounded(
            estimate.p20_s,
            estimate.p50_s,
            estimate.p80_s,
            estimate.wait_s,
            estimate.load_s,
            estimate.prompt_s,
            estimate.generation_s,
        ),
        _range(prospect.output_tokens),
        prospect.residency,
        [_rate(r) for r in (prospect.rates.decode, prospect.rates.prefill, prospect.rates.load_s)],
    ]


def _rate(rate: Rate) -> list[Any]:
    return [*_rounded(rate.median, rate.spread), rate.source, rate.samples]


def _decision(value: dict[str, Any]) -> Decision:
    task, (performance, max_time_s) = value["task"], value["demand"]
    model, instance, local_only = value["wish"]
    return Decision(
        Task(
            type=TaskType(task["type"]),
            complexity=task["complexity"],
            prompt_tokens=task["prompt_tokens"],
            output_tokens=Range(*task["output_tokens"]),
            needs=frozenset(task["needs"]),
            context_tokens=task["context_tokens"],
            evidence=tuple(task["evidence"]),
            no_thinking=task["no_thinking"],
            output_limit=task["output_limit"],
        ),
        Demand(Performance(performance), max_time_s),
        ranked=tuple(_ranked(each, value["labels"]) for each in value["ranked"]),
        rejected=tuple(
            Rejection(model, instance, Reason(reason), detail)
            for model, instance, reason, detail in value["rejected"]
        ),
        late=value["late"],
        refused=value["refused"],
        wish=Wish(model, instance, local_only),
    )


def _ranked(value: Sequence[Any], labels: dict[str, str]) -> Candidate:
    model, instance, score, terms, estimate, output, residency, rates = value
    address, label = InstanceAddress.from_id(instance), labels.get(instance)
    place = Instance(address, settings=InstanceSettings(label=label))
    pair = Pair(Model(ModelName.parse(model)), place)
    prospect = Prospect(
        pair,
        Rates(*(_rate_of(each) for each in rates)),
        Residency(residency),
        Range(*output),
        Estimate(*estimate),
    )
    return Candidate(prospect, score, terms)


def _rate_of(value: Sequence[Any]) -> Rate:
    median, spread, source, samples = value
    return Rate(median, spread, Source(source), samples)
