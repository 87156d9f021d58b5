"""`data` of `compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollamamaster.contract.decision import estimate_data, rounded
from ollamamaster.contract.route import timing_data, usage_data
from ollamamaster.domain.answers import Usage
from ollamamaster.domain.routing import Timing

if TYPE_CHECKING:
    from ollamamaster.domain.comparing import Answer, CompareResult, Planned
    from ollamamaster.domain.verdict import Judgement, Round


def compare_data(result: CompareResult) -> dict[str, Any]:
    """A comparison: every answer, how alike they are, what the judge and the most say."""
    found, judgement = result.agreement, result.judgement
    return {
        "prompt": result.prompt,
        "results": [answer_data(answer) for answer in result.answers],
        "agreement": {
            "groups": [list(group) for group in found.groups],
            "score": rounded(found.score),
            "method": str(found.method),
        },
        "judge": _judgement(judgement) if judgement is not None else None,
        "vote": result.vote,
        "fastest": result.fastest,
        "seconds": rounded(result.seconds),
        "plan": [_planned(each) for each in result.plan],
    }


def answer_data(answer: Answer) -> dict[str, Any]:
    """One of the answers; what nothing is known of is null."""
    route = answer.route
    return {
        "model": answer.model,
        "instance": answer.instance,
        "outcome": answer.outcome,
        "response": answer.text,
        "thinking": route.thinking if route is not None else None,
        "timing": timing_data(route.timing if route is not None else Timing()),
        "usage": usage_data(route.usage if route is not None else Usage()),
        "estimate": estimate_data(route.estimate) if route is not None else None,
        "error": answer.error.message if answer.error is not None else None,
    }


def _judgement(judgement: Judgement) -> dict[str, Any]:
    return {
        "model": judgement.model,
        "criteria": judgement.criteria,
        "scores": [rounded(score) for score in judgement.scores],
        "winner": judgement.winner,
        "order_dependent": judgement.order_dependent,
        "rounds": [_round(each) for each in judgement.rounds],
    }


def _round(told: Round) -> dict[str, Any]:
    return {
        "order": list(told.order),
        "scores": [rounded(score) for score in told.scores],
        "reason": told.reason,
        "error": told.error,
        "instance": told.instance,
        "seconds": rounded(told.seconds),
    }


def _planned(each: Planned) -> dict[str, Any]:
    return {
        "index": each.index,
        "model": each.model,
        "instance": each.instance,
        "starts_in_s": rounded(each.wait_s),
        "done_in_s": rounded(each.seconds),
        "behind": list(each.behind),
    }
