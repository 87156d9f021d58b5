"""A moment of the past as a person types it: an age, a date, or a time."""

from __future__ import annotations

import re

from ollamamaster.errors import UsageError

_UNITS_S = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d|w)")

METAVAR = "AGE|DATE"


def moment(text: str, now: float, *, option: str) -> float:
    """Seconds since the epoch of `2h`, `30d`, `2026-11-01` or `2026-11-01T18:30`.

    A date without a zone is this machine's. Raises UsageError that names the option.
    """
    age = _AGE.fullmatch(text.strip().lower())
    if age is not None:
        return now - float(age[1]) * _UNITS_S[age[2]]
    from datetime import datetime

    try:
        return datetime.fromisoformat(text.strip()).astimezone().timestamp()
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"{option}: {text!r} is neither an age nor a date",
            hint="an age is 30m, 2h, 7d or 4w; a date is 2026-11-01 or 2026-11-01T18:30",
        ) from None
