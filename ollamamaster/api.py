"""The face for Python programs: find the fleet, answer a prompt on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollamamaster.bootstrap import Application
from ollamamaster.domain.records import Who
from ollamamaster.domain.routing import Long, RouteRequest
from ollamamaster.domain.settings import Performance
from ollamamaster.services.route_listener import Unheard

if TYPE_CHECKING:
    from ollamamaster.domain.long_reading import ReadingPlan
    from ollamamaster.domain.routing import PartResult, RouteResult
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.services.part_reading import Reading


async def discover(*targets: str, lan: bool = False, save: bool = True) -> Fleet:
    """Look for instances as the command does, and keep what was found in the inventory.

    Raises UsageError for a wrong target.
    """
    from ollamamaster.services.plan import DiscoverRequest

    application = Application()
    try:
        request = DiscoverRequest(targets, lan=lan, save=save)
        return (await application.discover_service().discover(request)).fleet
    finally:
        await application.ollama.aclose()


async def route(
    prompt: str,
    *,
    model: str | None = None,
    performance: Performance | str | None = None,
    max_time_s: float | None = None,
    **more: Any,
) -> RouteResult:
    """Answer a prompt on the model and instance that will do it best.

    `more` are other fields of RouteRequest, such as `system`, `instance` or `format`. Of
    `documents` that no model can read at once, notes on their parts are answered from with
    `long="split"`. Raises what `LongRun.complete` raises, each an OllamaMasterError with its code
    and hint.
    """
    application = Application()
    preferred = application.settings.route
    level = Performance(performance) if performance is not None else preferred.performance
    limit = preferred.max_time_s if max_time_s is None else max_time_s
    told = {"who": Who.API, **more, "long": Long(more.get("long", Long.FAIL))}
    request = RouteRequest(prompt, model=model, performance=level, max_time_s=limit, **told)
    quiet = _Quiet()
    try:
        run = application.long_document_service().begin(request)
        return await run.complete(application.fleet_service().first, quiet, quiet)
    finally:
        await application.ollama.aclose()


class _Quiet(Unheard):
    """Hears what happens and tells nobody: the result has it all."""

    def planned(self, plan: ReadingPlan) -> None: ...

    def reads(self, reading: Reading) -> None: ...

    def part(self, part: PartResult) -> None: ...
