"""One entry of `data.results` of `compare`: what one of several models gave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollamamaster.contract.route import route_data

if TYPE_CHECKING:
    from ollamamaster.domain.routing import RouteResult

_KEYS = ("response", "thinking", "timing", "usage", "estimate")


def result_data(
    model: str, result: RouteResult, outcome: str, error: str | None = None
) -> dict[str, Any]:
    """What one model gave; `response` is null where it failed."""
    route = route_data(result)
    data = {"model": result.model or model, "instance": result.instance, "outcome": outcome}
    data |= {key: route[key] for key in _KEYS}
    if error is not None:
        data["response"] = None
    return {**data, "error": error}
