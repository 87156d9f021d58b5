"""What of a route is remembered?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollamamaster.domain.records import AttemptRecord, RouteRecord

if TYPE_CHECKING:
    from ollamamaster.domain.models import LoadedModel
    from ollamamaster.domain.routing import Attempt, RouteRequest, RouteResult
    from ollamamaster.domain.selection import Decision
    from ollamamaster.services.answering import Answering, Trial

# How Ollama says that an answer was cut.
_CUT = "length"


def attempt_record(trial: Trial, ended: Attempt, request: RouteRequest) -> AttemptRecord:
    """One attempt that is over, with its circumstances."""
    pair = trial.candidate.pair
    num_ctx = request.options.get("num_ctx") if trial.num_ctx is None else trial.num_ctx
    assert ended.outcome is not None  # noqa: S101 (it is over)
    return AttemptRecord(
        model=ended.model,
        instance=ended.instance,
        outcome=ended.outcome,
        error=ended.error,
        started_at=trial.started_at,
        seconds=ended.seconds or 0.0,
        usage=trial.usage,
        first_token_s=trial.first_token_s,
        estimate=trial.estimate,
        size_bytes=pair.model.size_bytes,
        active_fraction=pair.model.active_fraction,
        in_vram=_in_vram(pair.loaded),
        resident=trial.candidate.resident,
        others=trial.others,
        limited=trial.done_reason == _CUT,
        thought=trial.thought,
        num_ctx=num_ctx if isinstance(num_ctx, int) else None,
    )


def route_record(
    route_id: str,
    outcome: str,
    answering: Answering,
    result: RouteResult,
    decision: Decision,
    waited_s: float,
    *,
    with_text: bool,
) -> RouteRecord:
    """A whole route. `decision` is the one it began with."""
    seconds = result.timing.total_s or 0.0
    request = answering.request
    return RouteRecord(
        id=route_id,
        at=answering.began_at,
        who=request.who,
        task_type=decision.task.type,
        seconds=seconds,
        waited_s=waited_s,
        outcome=outcome,
        attempts=answering.records,
        decision=decision,
        estimate=decision.chosen.estimate if decision.chosen is not None else None,
        prompt=request.full_prompt if with_text else None,
        answer=result.response if with_text else None,
    )


def _in_vram(loaded: LoadedModel | None) -> float | None:
    if loaded is None or not loaded.size or loaded.size_vram is None:
        return None
    return loaded.size_vram / loaded.size
