"""Past requests as rows of `requests` and `attempts`, and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.answers import Usage
from ollamamaster.domain.attempt_record import AttemptRecord
from ollamamaster.domain.estimate import Estimate
from ollamamaster.domain.records import PastRequest, RouteRecord, Who
from ollamamaster.domain.task import TaskType
from ollamamaster.errors import Outcome
from ollamamaster.storage.decision_text import packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Row = Mapping[str, Any]

# SQLite's integers have 64 bits.
_LARGEST = 2**63 - 1

# What ends before an instance has said a word is told in our own words; what an instance says
# may quote the prompt or the answer.
_OUR_WORDS = frozenset({Outcome.CONNECT_ERROR, Outcome.TIMEOUT})

_PARTS = ("p20_s", "p50_s", "p80_s", "wait_s", "load_s", "prompt_s", "generation_s")


def request_row(record: RouteRecord) -> dict[str, Any]:
    """The columns of `requests`."""
    used = record.used
    task = record.decision.task if record.decision else None
    return _storable(
        {
            "id": record.id,
            "at": record.at,
            "who": str(record.who),
            "task_type": str(record.task_type),
            "complexity": task.complexity if task else None,
            "prompt_tokens": task.prompt_tokens if task else None,
            "model": used.model if used else None,
            "instance": used.instance if used else None,
            "outcome": str(record.outcome),
            "seconds": record.seconds,
            "waited_s": record.waited_s,
            **_expected(record.estimate),
            "decision": packed(record.decision) if record.decision else None,
        },
        ("at", "seconds", "waited_s"),
    )


def attempt_row(attempt: AttemptRecord, *, store_text: bool) -> dict[str, Any]:
    """The columns of `attempts` but for those that say where it belongs."""
    usage = attempt.usage
    error = attempt.error if store_text or attempt.outcome in _OUR_WORDS else None
    return _storable(
        {
            "model": attempt.model,
            "instance": attempt.instance,
            "outcome": str(attempt.outcome),
            "error": error,
            "started_at": attempt.started_at,
            "seconds": attempt.seconds,
            "first_token_s": attempt.first_token_s,
            "prompt_tokens": usage.prompt_tokens,
            "output_tokens": usage.output_tokens,
            "said_total_s": usage.total_s,
            "said_load_s": usage.load_s,
            "said_prompt_s": usage.prompt_s,
            "said_generation_s": usage.generation_s,
            **_expected(attempt.estimate),
            "size_bytes": attempt.size_bytes,
            "active_fraction": attempt.active_fraction,
            "in_vram": attempt.in_vram,
            "resident": int(attempt.resident),
            "others": attempt.others,
            "limited": int(attempt.limited),
            "thought": int(attempt.thought),
            "num_ctx": attempt.num_ctx,
        },
        ("started_at", "seconds", "active_fraction", "others"),
    )


def _expected(estimate: Estimate | None) -> dict[str, Any]:
    return {f"expected_{part}": estimate and getattr(estimate, part) for part in _PARTS}


def _storable(row: dict[str, Any], needed: Sequence[str]) -> dict[str, Any]:
    """The row with what SQLite cannot hold left out; in the columns of `needed` that is 0."""
    kept = {name: storable(value) for name, value in row.items()}
    return {**kept, **{name: 0 for name in needed if kept[name] is None}}


def storable(value: Any) -> Any:
    """The value, or None for a figure that no column can hold: it came from an instance.

    Text that no encoding can hold has question marks.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, int):
        return value if abs(value) <= _LARGEST else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def past_request(row: Row) -> PastRequest:
    """A row of `requests` without its details."""
    return PastRequest(
        id=str(row["id"]),
        at=_number(row["at"]) or 0.0,
        who=str(row["who"]),
        task_type=str(row["task_type"]),
        model=_text(row["model"]),
        instance=_text(row["instance"]),
        outcome=str(row["outcome"]),
        seconds=_number(row["seconds"]) or 0.0,
    )


def route_record(row: Row, attempts: Sequence[Row], texts: Row | None) -> RouteRecord:
    """A row of `requests` with what belongs to it. Raises ValueError where it makes no sense."""
    return RouteRecord(
        id=str(row["id"]),
        at=_number(row["at"]) or 0.0,
        who=Who(row["who"]),
        task_type=TaskType(row["task_type"]),
        seconds=_number(row["seconds"]) or 0.0,
        waited_s=_number(row["waited_s"]) or 0.0,
        outcome=str(row["outcome"]),
        attempts=tuple(map(_attempt, attempts)),
        decision=unpacked(row["decision"]),
        estimate=_estimate(row),
        prompt=_text(texts["prompt"]) if texts else None,
        answer=_text(texts["answer"]) if texts else None,
    )


def _attempt(row: Row) -> AttemptRecord:
    return AttemptRecord(
        model=str(row["model"]),
        instance=str(row["instance"]),
        outcome=Outcome(row["outcome"]),
        error=_text(row["error"]),
        started_at=_number(row["started_at"]) or 0.0,
        seconds=_number(row["seconds"]) or 0.0,
        usage=Usage(
            prompt_tokens=_count(row["prompt_tokens"]),
            output_tokens=_count(row["output_tokens"]),
            total_s=_number(row["said_total_s"]),
            load_s=_number(row["said_load_s"]),
            prompt_s=_number(row["said_prompt_s"]),
            generation_s=_number(row["said_generation_s"]),
        ),
        first_token_s=_number(row["first_token_s"]),
        estimate=_estimate(row),
        size_bytes=_count(row["size_bytes"]),
        active_fraction=_number(row["active_fraction"]) or 1.0,
        in_vram=_number(row["in_vram"]),
        resident=bool(row["resident"]),
        others=_count(row["others"]) or 0,
        limited=bool(row["limited"]),
        thought=bool(row["thought"]),
        num_ctx=_count(row["num_ctx"]),
    )


def _estimate(row: Row) -> Estimate | None:
    parts = [_number(row[f"expected_{part}"]) for part in _PARTS]
    known = [part for part in parts if part is not None]
    return Estimate(*known) if len(known) == len(_PARTS) else None


def _number(value: object) -> float | None:
    """SQLite holds any type anywhere, so what is no finite number is unknown."""
    if isinstance(value, (int, float)) and math.isfinite(value):
        return float(value)
    return None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
