"""Past requests as tab-separated rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollamamaster.cli.render.figures import seconds
from ollamamaster.contract.history import show_data

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollamamaster.domain.history import PromisesKept, Replay
    from ollamamaster.domain.records import RouteRecord
    from ollamamaster.domain.selection import Candidate

_NOT_VALUES = frozenset({"estimate", "decision", "attempts"})


def record_rows(record: RouteRecord) -> Iterator[list[str]]:
    """A key and its value a row; then each attempt, and the decision."""
    data = show_data(record)
    for key, value in {**data, **(data["estimate"] or {})}.items():
        if key not in _NOT_VALUES:
            yield [key, "" if value is None else str(value)]
    for attempt in record.attempts:
        yield [
            "attempt",
            attempt.model,
            attempt.instance,
            str(attempt.outcome),
            f"{attempt.seconds:.4f}",
            attempt.error or "",
        ]
    if record.decision is not None:
        # the module draws as well, and loads what that needs
        from ollamamaster.cli.render.explain import decision_rows

        yield from (["decision", *row] for row in decision_rows(record.decision))


def replay_rows(replay: Replay) -> Iterator[list[str]]:
    """What would be different: id, the pair used, the pair now, seconds."""
    for each in replay.changed:
        delta = "" if each.delta_s is None else f"{each.delta_s:.4f}"
        yield [each.id, *_pair(each.then), *_pair(each.now), delta]


def _pair(candidate: Candidate | None) -> tuple[str, str]:
    return ("", "") if candidate is None else (candidate.model, candidate.instance)


def replay_line(replay: Replay) -> str:
    """What a replay came to, in a sentence; empty when nothing was replayed."""
    if not replay.replayed:
        return ""
    of = f"{len(replay.changed)} of {replay.replayed} would go elsewhere"
    return f"{of}, {difference(replay.total_delta_s)} in all" if replay.changed else of


def difference(delta_s: float | None) -> str:
    """So many seconds more or less; `-` when unknown."""
    if delta_s is None:
        return "-"
    if abs(delta_s) < 0.05:
        return "the same time"
    return f"{seconds(abs(delta_s))} {'faster' if delta_s < 0 else 'slower'}"


def estimates_line(kept: PromisesKept) -> str:
    """How well estimates came true, in a sentence; empty when there were none."""
    if kept.p80_coverage is None or kept.median_error is None:
        return ""
    answered = "1 answered request" if kept.count == 1 else f"{kept.count} answered requests"
    return (
        f"estimates of {answered}: {100 * kept.p80_coverage:.0f} % done within the p80 (80 % is "
        f"meant), the p50 off by {100 * kept.median_error:.0f} % (median)"
    )
