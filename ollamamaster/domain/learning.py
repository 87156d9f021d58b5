"""What does a finished route teach? Rows of figures, changed by one record at a time.

A row is a small JSON object under a key of three texts; who stores them need not know more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollamamaster.domain.records import AttemptRecord, RouteRecord

Key: TypeAlias = tuple[str, str, str]
Row: TypeAlias = "Mapping[str, Any]"
Rows: TypeAlias = "Mapping[Key, Row]"

CALIBRATION: Key = ("calibration", "", "")


def pair_key(instance: str, model: str) -> Key:
    """Where the figures of a model on an instance are."""
    return "pair", instance, model


def keys_of(record: RouteRecord) -> frozenset[Key]:
    """The rows that learning from this record reads and may change."""
    keys = {CALIBRATION}
    for attempt in record.attempts:
        keys.add(pair_key(attempt.instance, attempt.model))
    return frozenset(keys)


def learnt(rows: Rows, record: RouteRecord) -> dict[Key, Row]:
    """The rows that this record changes, given those of `keys_of`; a missing one is empty."""
    changed: dict[Key, Row] = {}
    for attempt in record.attempts:
        key = pair_key(attempt.instance, attempt.model)
        changed[key] = _used(changed.get(key, rows.get(key, {})), attempt)
    return changed


def _used(row: Row, attempt: AttemptRecord) -> Row:
    ended = attempt.started_at + attempt.seconds
    before = row.get("used_at")
    return {**row, "used_at": max(ended, before) if isinstance(before, float) else ended}
