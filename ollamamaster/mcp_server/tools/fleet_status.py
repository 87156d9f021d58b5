"""`fleet_status`: who is busy, with what, and until when?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollamamaster.domain.plain_text import one_line
from ollamamaster.mcp_server.arguments import NoArguments
from ollamamaster.mcp_server.reply import Reply
from ollamamaster.mcp_server.schemas import STATUS
from ollamamaster.mcp_server.tool import Tool, reads
from ollamamaster.mcp_server.words import seconds
from ollamamaster.services.occupancy import Occupancy, occupancy

if TYPE_CHECKING:
    from ollamamaster.mcp_server.runs import Tell
    from ollamamaster.mcp_server.served import Served


async def _call(served: Served, _given: NoArguments, _tell: Tell) -> Reply:
    found = occupancy(await served.live.fleet(), served.application.means)
    runs = [
        {
            "run_id": run.id,
            "tool": run.tool,
            "status": str(run.status),
            "elapsed_s": round(served.runs.elapsed_s(run), 3),
        }
        for run in served.runs
    ]
    lines = [_line(each) for each in found]
    lines += [f"- run {r['run_id']} ({r['tool']}): {r['status']}" for r in runs]
    return Reply("\n".join(lines), {"instances": [_data(each) for each in found], "runs": runs})


def _data(busy: Occupancy) -> dict[str, Any]:
    instance, free_s = busy.instance, busy.free_in_s
    return {
        "id": instance.id,
        "label": instance.settings.label,
        "status": str(instance.status),
        "loaded": [str(model.name) for model in instance.loaded],
        "running": busy.running,
        "waiting": busy.waiting,
        "free_in_s": None if free_s is None else round(free_s, 3),
    }


def _line(busy: Occupancy) -> str:
    if busy.free_in_s is None:
        room = ""
    else:
        room = f", free in about {seconds(busy.free_in_s)}" if busy.free_in_s else ", free now"
    state = f"{busy.instance.status}, {busy.running} running, {busy.waiting} waiting"
    return f"- {one_line(busy.instance.name)}: {state}{room}"


FLEET_STATUS = Tool(
    "fleet_status",
    "See how busy the fleet is",
    "Show for each instance whether it is up, which models are in its memory, how many requests "
    "of this person run or wait there, and in how many seconds one more would likely begin (0: "
    "now, null: it is down); and the runs of this server with their run_id. Use it to find a "
    "run_id again or to see why an answer takes long. Not needed before route_request, which "
    "knows all this. Answers at once.",
    NoArguments,
    STATUS,
    reads(open_world=False),
    _call,
)
