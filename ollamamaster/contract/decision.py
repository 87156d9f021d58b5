"""`DECISION`, `CANDIDATE` and estimates, wherever they appear in `data`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ollamamaster.domain.candidates import Rejection
    from ollamamaster.domain.estimate import Estimate
    from ollamamaster.domain.selection import Candidate, Decision
    from ollamamaster.domain.task import Task


def decision_data(decision: Decision | None) -> dict[str, Any] | None:
    """A decision: the task as understood, who was chosen, how all others fared."""
    if decision is None:
        return None
    chosen = decision.chosen
    return {
        "task": _task(decision.task),
        "performance": str(decision.demand.performance),
        "chosen": candidate_data(chosen) if chosen is not None else None,
        "ranked": [candidate_data(candidate) for candidate in decision.ranked],
        "rejected": [_rejection(rejection) for rejection in decision.rejected],
    }


def candidate_data(candidate: Candidate) -> dict[str, Any]:
    """A candidate. The decode rate is null as long as it is only a prior.

    `judged` is the part of its quality that judged comparisons moved, null where there were none.
    """
    rates, estimate = candidate.prospect.rates, candidate.estimate
    return {
        "model": candidate.model,
        "instance": candidate.instance,
        "score": rounded(candidate.score),
        "terms": {name: rounded(value) for name, value in candidate.terms.items()},
        "estimate": {
            **(estimate_data(estimate) or {}),
            "wait_s": rounded(estimate.wait_s),
            "load_s": rounded(estimate.load_s),
            "prompt_s": rounded(estimate.prompt_s),
            "generation_s": rounded(estimate.generation_s),
        },
        "output_tokens": round(candidate.prospect.output_tokens.p50),
        "decode_tokens_per_s": rounded(rates.decode.median) if rates.known else None,
        "resident": candidate.resident,
        "judged": rounded(candidate.moved.by) if candidate.moved is not None else None,
    }


def estimate_data(estimate: Estimate | None) -> dict[str, Any] | None:
    """The whole of an estimate, as quantiles in seconds."""
    if estimate is None:
        return None
    return {
        "p20_s": rounded(estimate.p20_s),
        "p50_s": rounded(estimate.p50_s),
        "p80_s": rounded(estimate.p80_s),
    }


def rounded(value: float | None) -> float | None:
    """A figure with the four digits after the point that mean something."""
    return None if value is None else round(value, 4)


def _task(task: Task) -> dict[str, Any]:
    output = task.output_tokens
    return {
        "type": str(task.type),
        "complexity": task.complexity,
        "prompt_tokens": task.prompt_tokens,
        "output_tokens": {
            "p20": round(output.p20),
            "p50": round(output.p50),
            "p80": round(output.p80),
        },
        "needs": sorted(map(str, task.needs)),
        "context_tokens": task.context_tokens,
        "evidence": list(task.evidence),
    }


def _rejection(rejection: Rejection) -> dict[str, Any]:
    return {
        "model": rejection.model,
        "instance": rejection.instance,
        "reason": str(rejection.reason),
        "detail": rejection.detail,
    }
