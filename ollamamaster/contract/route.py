"""`data` of `route`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollamamaster.contract.decision import decision_data, estimate_data, rounded

if TYPE_CHECKING:
    from ollamamaster.domain.answers import Usage
    from ollamamaster.domain.long_reading import ReadingPlan
    from ollamamaster.domain.routing import Attempt, PartResult, RouteResult, Timing
    from ollamamaster.domain.selection import Decision


def route_data(result: RouteResult) -> dict[str, Any]:
    """A route: the answer, who gave it, every attempt, what it took and what was expected."""
    return {
        "response": result.response,
        "thinking": result.thinking,
        "model": result.model,
        "instance": result.instance,
        "done_reason": result.done_reason,
        "decision": decision_data(result.decision),
        "attempts": [attempt_data(attempt) for attempt in result.attempts],
        "usage": usage_data(result.usage),
        "timing": timing_data(result.timing),
        "estimate": estimate_data(result.estimate),
        "parts": [part_data(part) for part in result.parts] or None,
    }


def explained_data(decision: Decision, plan: ReadingPlan | None) -> dict[str, Any]:
    """What would be done; `plan` is how texts would be read that are too long for every model."""
    return {
        "decision": decision_data(decision),
        "plan": plan_data(plan) if plan is not None else None,
    }


def plan_data(plan: ReadingPlan) -> dict[str, Any]:
    """How many parts of how many tokens, who reads them, and seconds until the answer is there."""
    return {
        "parts": len(plan.parts),
        "part_tokens": plan.limit_tokens,
        "seconds": rounded(plan.seconds),
        "readers": [
            {
                "model": worker.candidate.model,
                "instance": worker.candidate.instance,
                "parts": share,
                "each_s": rounded(worker.each_s),
            }
            for worker, share in zip(plan.together.workers, plan.together.shares, strict=True)
        ],
    }


def part_data(part: PartResult) -> dict[str, Any]:
    """One part of a text that was too long to be read at once."""
    return {
        "name": part.name,
        "level": part.level,
        "model": part.model,
        "instance": part.instance,
        "outcome": str(part.outcome) if part.outcome is not None else None,
        "error": part.error.message if part.error is not None else None,
        "seconds": rounded(part.seconds),
    }


def attempt_data(attempt: Attempt) -> dict[str, Any]:
    """One attempt; `outcome` is null while it runs."""
    return {
        "model": attempt.model,
        "instance": attempt.instance,
        "outcome": str(attempt.outcome) if attempt.outcome is not None else None,
        "error": attempt.error,
        "seconds": rounded(attempt.seconds),
    }


def usage_data(usage: Usage) -> dict[str, Any]:
    """Tokens as Ollama counted them."""
    return {"prompt_tokens": usage.prompt_tokens, "output_tokens": usage.output_tokens}


def timing_data(timing: Timing) -> dict[str, Any]:
    """What it took, by part."""
    return {
        "total_s": rounded(timing.total_s),
        "first_token_s": rounded(timing.first_token_s),
        "queue_s": rounded(timing.queue_s),
        "load_s": rounded(timing.load_s),
        "prompt_s": rounded(timing.prompt_s),
        "generation_s": rounded(timing.generation_s),
        "tokens_per_s": rounded(timing.tokens_per_s),
    }
