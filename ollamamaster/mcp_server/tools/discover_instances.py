"""`discover_instances`: which Ollama servers are there, and are they up?"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ollamamaster.contract.discover import discover_data
from ollamamaster.domain.probes import ScanReport
from ollamamaster.mcp_server.arguments import DiscoverArguments
from ollamamaster.mcp_server.reply import RefusedError, Reply
from ollamamaster.mcp_server.runs import MOST_AT_ONCE, TELL_EVERY_S
from ollamamaster.mcp_server.schemas import DISCOVER
from ollamamaster.mcp_server.targets import allowed_targets
from ollamamaster.mcp_server.tool import Tool, reads
from ollamamaster.mcp_server.words import fleet_text
from ollamamaster.services.discover import Discovery
from ollamamaster.services.plan import DiscoverRequest

if TYPE_CHECKING:
    from ollamamaster.mcp_server.runs import Tell
    from ollamamaster.mcp_server.served import Served


async def _call(served: Served, given: DiscoverArguments, tell: Tell) -> Reply:
    if given.targets or given.refresh:
        found = await _look(served, given, tell)
    else:
        found = Discovery(await served.live.fleet(), ScanReport())
    text = fleet_text(found.fleet)
    notes = "".join(f"\nNote: {note}" for note in found.notes)
    return Reply(text + notes, discover_data(found.fleet, found.scan))


async def _look(served: Served, given: DiscoverArguments, tell: Tell) -> Discovery:
    application = served.application
    if served.looks >= MOST_AT_ONCE:
        raise RefusedError("busy: too many discoveries are running. Next: call it again later.")
    targets: tuple[str, ...] = ()
    if given.targets:
        targets = await allowed_targets(given.targets, application.settings, application.names)
    done = [0, 0, 0]

    def progress(*figures: int) -> None:
        done[:] = figures

    served.looks += 1
    look = asyncio.ensure_future(
        application.discover_service().discover(DiscoverRequest(targets), on_progress=progress)
    )
    clock = application.clock
    began = clock.monotonic()
    try:
        while not (await asyncio.wait({look}, timeout=TELL_EVERY_S))[0]:
            tried, total, answering = done
            message = f"{tried:,} of {total:,} ports tried, {answering} open"
            await tell(clock.monotonic() - began, None, message)
        return await look
    finally:
        served.looks -= 1
        look.cancel()
        served.live.announce()


DISCOVER_INSTANCES = Tool(
    "discover_instances",
    "Find Ollama instances",
    "Show every Ollama server (instance) that the person has: where it is, whether it is up, its "
    "version, GPU, models, and what is in memory. Without arguments it answers at once from what "
    "is known, which is checked every 15 s. With refresh=true it looks again on this machine and "
    "the places in the person's config (about 1 s). With targets it scans only those (a /24 takes "
    "about 5 s, a /22 about 20 s). Use it when no instance is known or one is missing; not before "
    "each request, since route_request knows the fleet. An instance that is down stays listed.",
    DiscoverArguments,
    DISCOVER,
    reads(open_world=True),
    _call,
)
