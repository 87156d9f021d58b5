"""`ollamamaster models`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from typer import Option

from ollamamaster.bootstrap import Application
from ollamamaster.cli import options
from ollamamaster.cli.output import OUTPUT
from ollamamaster.cli.render.words import capability_of
from ollamamaster.contract.models import models_data
from ollamamaster.domain.catalogue import ModelQuery, known_capabilities
from ollamamaster.domain.instances import Status
from ollamamaster.domain.models import Tier
from ollamamaster.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from ollamamaster.domain.catalogue import FleetModel
    from ollamamaster.domain.snapshot import Fleet


def models(
    pattern: options.Pattern = None,
    tier: Annotated[Tier | None, Option(help="Only models of this tier.")] = None,
    capability: Annotated[
        str | None, Option(metavar="NAME", help="Only models that can do this, such as vision.")
    ] = None,
    loaded: Annotated[bool, Option("--loaded", help="Only models in memory now.")] = False,
    instance: options.Instance = None,
    refresh: Annotated[bool, Option("--refresh", help="Ask every instance first.")] = False,
) -> int:
    """List the models of the fleet and where each one is.

    What was checked within the last minute is shown as it is; else the known instances are asked
    first, for one second at most. With an empty inventory the default discovery runs first.

    In a pipe: name, tier, bytes, context length and the ids of up instances, between tabs.

    ollamamaster models --tier fast
    ollamamaster models 'qwen*' --json | jq -r '.data.models[].name'
    ollamamaster models --capability vision --loaded
    """
    application = Application(note=OUTPUT.note_once)
    service = application.models_service()
    fleet = application.fleet()
    if refresh or not service.is_fresh(fleet):
        from ollamamaster.cli.interrupts import run_async

        fleet = run_async(_asked_again(application))
    wanted = None if capability is None else _known_capability(capability, fleet)
    found = service.matching(fleet, ModelQuery(pattern, tier, wanted, loaded, instance))
    if not found:
        OUTPUT.note(f"none of the {service.total(fleet)} models of the fleet matches")

    def table(console: Console) -> None:
        from ollamamaster.cli.render.models import render_models

        render_models(console, found, service.total(fleet))

    return OUTPUT.emit(lambda: models_data(found), table=table, rows=lambda: map(_row, found))


def _known_capability(word: str, fleet: Fleet) -> str:
    """The capability that is meant. Raises UsageError for one that nobody has heard of."""
    known = known_capabilities(fleet)
    meant = capability_of(word)
    if meant not in known:
        raise UsageError(f"--capability: there is no {word!r}", hint=", ".join(sorted(known)))
    return meant


async def _asked_again(application: Application) -> Fleet:
    try:
        return await application.fleet_service().current()
    finally:
        await application.ollama.aclose()


def _row(found: FleetModel) -> list[str]:
    model = found.model
    up = [place.instance.id for place in found.places if place.instance.status is Status.UP]
    size, context = model.size_bytes, model.context_length
    return [
        str(model.name),
        str(found.tier),
        "" if size is None else str(size),
        "" if context is None else str(context),
        ",".join(up),
    ]
