"""`data` of the commands of `history`, and the rows of an export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollamamaster.contract.decision import candidate_data, decision_data, estimate_data, rounded
from ollamamaster.contract.times import rfc3339_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ollamamaster.domain.attempt_record import AttemptRecord
    from ollamamaster.domain.estimate import Estimate
    from ollamamaster.domain.history import (
        Changed,
        HistoryStats,
        PairHistory,
        Replay,
    )
    from ollamamaster.domain.records import PastRequest, RouteRecord


def list_data(requests: Sequence[PastRequest]) -> dict[str, Any]:
    """`{"requests": [REQUEST…]}`."""
    return {"requests": [_request(each) for each in requests]}


def _request(request: PastRequest) -> dict[str, Any]:
    return {
        "id": request.id,
        "at": rfc3339_of(request.at),
        "who": request.who,
        "task_type": request.task_type,
        "model": request.model,
        "instance": request.instance,
        "outcome": request.outcome,
        "seconds": rounded(request.seconds),
    }


def show_data(record: RouteRecord) -> dict[str, Any]:
    """A request with its decision as it was, and every attempt.

    `prompt` and `answer` are null unless they were stored.
    """
    return {
        **_request(record.summary),
        "waited_s": rounded(record.waited_s),
        "estimate": estimate_data(record.estimate),
        "prompt": record.prompt,
        "answer": record.answer,
        "decision": decision_data(record.decision),
        "attempts": [_attempt(each) for each in record.attempts],
    }


def _attempt(attempt: AttemptRecord) -> dict[str, Any]:
    usage = attempt.usage
    return {
        "model": attempt.model,
        "instance": attempt.instance,
        "outcome": str(attempt.outcome),
        "error": attempt.error,
        "seconds": rounded(attempt.seconds),
        "started_at": rfc3339_of(attempt.started_at),
        "usage": {"prompt_tokens": usage.prompt_tokens, "output_tokens": usage.output_tokens},
        "timing": {
            "total_s": rounded(usage.total_s),
            "first_token_s": rounded(attempt.first_token_s),
            "queue_s": rounded(usage.slot_wait_s),
            "load_s": rounded(usage.load_s),
            "prompt_s": rounded(usage.prompt_s),
            "generation_s": rounded(usage.generation_s),
            "tokens_per_s": rounded(usage.tokens_per_s),
        },
        "estimate": estimate_data(attempt.estimate),
        "resident": attempt.resident,
        "others": attempt.others,
        "limited": attempt.limited,
        "thought": attempt.thought,
        "num_ctx": attempt.num_ctx,
    }


def stats_data(stats: HistoryStats) -> dict[str, Any]:
    """`{"pairs": [PAIR…], "estimates": {…}}`; rates are those that decisions rest on."""
    kept = stats.estimates
    return {
        "pairs": [_pair(each) for each in stats.pairs],
        "estimates": {
            "count": kept.count,
            "p80_coverage": rounded(kept.p80_coverage),
            "median_error": rounded(kept.median_error),
        },
    }


def _pair(pair: PairHistory) -> dict[str, Any]:
    return {
        "instance": pair.instance,
        "model": pair.model,
        "requests": pair.requests,
        "failures": pair.failures,
        "decode_tokens_per_s": rounded(pair.learnt.decode_tokens_per_s),
        "prefill_tokens_per_s": rounded(pair.learnt.prefill_tokens_per_s),
        "load_s": rounded(pair.learnt.load_s),
        "first_token_s": rounded(pair.first_token_s),
    }


def replay_data(replay: Replay) -> dict[str, Any]:
    """`{"replayed": n, "changed": [CHANGED…], "total_delta_s": x}`."""
    return {
        "replayed": replay.replayed,
        "changed": [_changed(each) for each in replay.changed],
        "total_delta_s": rounded(replay.total_delta_s),
    }


def _changed(changed: Changed) -> dict[str, Any]:
    then, now = changed.then, changed.now
    return {
        "id": changed.id,
        "from": None if then is None else candidate_data(then),
        "to": None if now is None else candidate_data(now),
        "delta_s": rounded(changed.delta_s),
    }


EXPORT_COLUMNS = (
    "id", "at", "who", "task_type", "outcome", "seconds", "waited_s", "p20_s", "p50_s", "p80_s",
    "attempt", "model", "instance", "attempt_outcome", "error", "started_at", "attempt_seconds",
    "first_token_s", "prompt_tokens", "output_tokens", "total_s", "load_s", "prompt_s",
    "generation_s", "attempt_p20_s", "attempt_p50_s", "attempt_p80_s", "resident", "others",
    "limited", "thought", "num_ctx", "size_bytes", "in_vram", "prompt", "answer",
)  # fmt: skip


def export_rows(record: RouteRecord) -> Iterator[dict[str, Any]]:
    """One flat row an attempt, with the columns of EXPORT_COLUMNS; one at least."""
    request = {
        "id": record.id,
        "at": rfc3339_of(record.at),
        "who": str(record.who),
        "task_type": str(record.task_type),
        "outcome": record.outcome,
        "seconds": rounded(record.seconds),
        "waited_s": rounded(record.waited_s),
        **_quantiles(record.estimate),
        "prompt": record.prompt,
        "answer": record.answer,
    }
    if not record.attempts:
        yield {**dict.fromkeys(EXPORT_COLUMNS), **request}
    for number, attempt in enumerate(record.attempts, 1):
        yield {**request, "attempt": number, **_attempt_columns(attempt)}


def _attempt_columns(attempt: AttemptRecord) -> dict[str, Any]:
    usage = attempt.usage
    return {
        "model": attempt.model,
        "instance": attempt.instance,
        "attempt_outcome": str(attempt.outcome),
        "error": attempt.error,
        "started_at": rfc3339_of(attempt.started_at),
        "attempt_seconds": rounded(attempt.seconds),
        "first_token_s": rounded(attempt.first_token_s),
        "prompt_tokens": usage.prompt_tokens,
        "output_tokens": usage.output_tokens,
        "total_s": rounded(usage.total_s),
        "load_s": rounded(usage.load_s),
        "prompt_s": rounded(usage.prompt_s),
        "generation_s": rounded(usage.generation_s),
        **_quantiles(attempt.estimate, "attempt_"),
        "resident": attempt.resident,
        "others": attempt.others,
        "limited": attempt.limited,
        "thought": attempt.thought,
        "num_ctx": attempt.num_ctx,
        "size_bytes": attempt.size_bytes,
        "in_vram": rounded(attempt.in_vram),
    }


def _quantiles(estimate: Estimate | None, prefix: str = "") -> dict[str, Any]:
    known = estimate_data(estimate) or dict.fromkeys(("p20_s", "p50_s", "p80_s"))
    return {f"{prefix}{name}": value for name, value in known.items()}
