"""How a moment is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


def rfc3339(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC, `Z` at the end."""
    if moment is None:
        return None
    from datetime import UTC

    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def rfc3339_of(seconds: float) -> str | None:
    """RFC 3339 of seconds since the epoch; null for a moment that no calendar has."""
    from datetime import UTC, datetime

    try:
        return rfc3339(datetime.fromtimestamp(round(seconds, 3), UTC))
    except (OverflowError, ValueError, OSError):
        return None
