"""`fleet_status`: who is busy, with what, and until when?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollamamaster.mcp_server.arguments import NoArguments
from ollamamaster.mcp_server.reply import Reply
from ollamamaster.mcp_server.schemas import STATUS
from ollamamaster.mcp_server.tool import Tool, reads
from ollamamaster.mcp_server.words import seconds

if TYPE_CHECKING:
    from ollamamaster.domain.instances import Instance
    from ollamamaster.mcp_server.runs import Tell
    from ollamamaster.mcp_server.served import Served


async def _call(served: Served, _given: NoArguments, _tell: Tell) -> Reply:
    fleet = await served.live.fleet()
    instances = [_instance(served, instance) for instance in fleet]
    runs = [
        {
            "run_id": run.id,
            "tool": run.tool,
            "status": str(run.status),
            "elapsed_s": round(served.runs.elapsed_s(run), 3),
        }
        for run in served.runs
    ]
    lines = [
        f"- {each['label'] or each['id']}: {each['status']}, {each['running']} running"
        + (f", free in about {seconds(each['free_in_s'])}" if each["free_in_s"] else "")
        for each in instances
    ]
    lines += [f"- run {r['run_id']} ({r['tool']}): {r['status']}" for r in runs]
    return Reply("\n".join(lines), {"instances": instances, "runs": runs})


def _instance(served: Served, instance: Instance) -> dict[str, Any]:
    left = []
    for run in served.runs.going:
        standing = run.work.standing()
        if standing.instance == instance.id:
            left.append(
                None
                if standing.total_s is None
                else max(0.0, standing.total_s - served.runs.elapsed_s(run))
            )
    known = [value for value in left if value is not None]
    return {
        "id": instance.id,
        "label": instance.settings.label,
        "status": str(instance.status),
        "loaded": [str(model.name) for model in instance.loaded],
        "running": len(left),
        "waiting": 0,
        "free_in_s": round(min(known), 3) if known else None,
    }


FLEET_STATUS = Tool(
    "fleet_status",
    "See how busy the fleet is",
    "Show for each instance whether it is up, which models are in its memory, how many requests "
    "run or wait there, and in how many seconds it is likely free (null: unknown, or free now); "
    "and the runs of this server with their run_id. Use it to find a run_id again or to see why an "
    "answer takes long. Not needed before route_request, which knows all this. Answers at once.",
    NoArguments,
    STATUS,
    reads(open_world=False),
    _call,
)
