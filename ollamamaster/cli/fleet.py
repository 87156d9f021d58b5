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
    return run_async(current_fleet(application, fleet))


async def current_fleet(application: Application, fleet: Fleet) -> Fleet:
    """The same inside a running event loop."""
    service = application.discover_service()
    if len(fleet) > 0:
        return (await service.refresh(fleet)).fleet
    application.note("no inventory yet: looking for Ollama")
    found = (await service.discover()).fleet
    if len(found) == 0:
        raise no_instance(application)
    return found


def no_instance(application: Application) -> NoInstanceError:
    """The error that says where was looked and what to do next."""
    places = ["127.0.0.1 and ::1, ports " + ",".join(application.settings.discovery.ports)]
    if not application.settings.discovery.loopback:
        places = []
    places += ["OLLAMA_HOST", "config.toml", "your inventory"]
    return NoInstanceError(
        "no Ollama found", hint=NO_INSTANCE_HINT.format(places=", ".join(places))
    )
