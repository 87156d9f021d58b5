"""The fleet a command works on: as known, asked again, or found now for the first time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollamamaster.cli.interrupts import run_async
from ollamamaster.errors import NoInstanceError

if TYPE_CHECKING:
    from ollamamaster.bootstrap import Application
    from ollamamaster.domain.snapshot import Fleet

NO_INSTANCE_HINT = """\
looked at {places}
start one:        ollama serve
on another host:  ollamamaster discover HOST
just try it:      ollamamaster sandbox run -- ollamamaster route "hello\""""


def asked_again(application: Application, fleet: Fleet) -> Fleet:
    """Every known instance asked once more; with none known, what the default discovery finds.

    Raises NoInstanceError when there is and was no instance.
    """
    return run_async(_asked_again(application, fleet))


async def _asked_again(application: Application, fleet: Fleet) -> Fleet:
    try:
        return await current_fleet(application, fleet)
    finally:
        await application.ollama.aclose()


async def current_fleet(application: Application, fleet: Fleet) -> Fleet:
    """The same inside a running event loop; the caller closes the client."""
    if fleet.checked_at is None or all(i.last_seen is None for i in fleet):
        return await first_fleet(application)
    found = await application.discover_service().refresh(fleet)
    for note in found.notes:
        application.note(note)
    return found.fleet


async def first_fleet(application: Application) -> Fleet:
    """The fleet as known; when it was never looked for, what the default discovery finds.

    Raises NoInstanceError when no instance has ever answered.
    """
    fleet = application.fleet()
    if fleet.checked_at is not None and any(i.last_seen is not None for i in fleet):
        return fleet
    application.note("no inventory yet: looking for Ollama")
    found = await application.discover_service().discover()
    for note in found.notes:
        application.note(note)
    if all(instance.last_seen is None for instance in found.fleet):
        raise no_instance(application)
    return found.fleet


def no_instance(application: Application) -> NoInstanceError:
    """The error that says where was looked and what to do next."""
    places = ["127.0.0.1 and ::1, ports " + ",".join(application.settings.discovery.ports)]
    if not application.settings.discovery.loopback:
        places = []
    places += ["OLLAMA_HOST", "config.toml", "your inventory"]
    return NoInstanceError(
        "no Ollama found", hint=NO_INSTANCE_HINT.format(places=", ".join(places))
    )
