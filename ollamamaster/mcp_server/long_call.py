"""How does a long call answer: with its result, or with a run that goes on?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollamamaster.mcp_server.reply import Reply
from ollamamaster.mcp_server.runs import RunStatus
from ollamamaster.mcp_server.words import quoted, seconds

if TYPE_CHECKING:
    from ollamamaster.mcp_server.runs import Run, Runs, Tell, Work
    from ollamamaster.mcp_server.served import Served


async def begin(served: Served, tool: str, work: Work, wait_s: float | None, tell: Tell) -> Reply:
    """Start it and wait, by default as long as hosts do; who gives up before that ends it."""
    run = served.runs.begin(tool, work)
    try:
        return await wait_for(served, run, wait_s, tell)
    except BaseException:
        # Nobody learned its id, so nobody else could end it.
        run.task.cancel()
        raise


async def wait_for(served: Served, run: Run, wait_s: float | None, tell: Tell) -> Reply:
    """Wait for a run; what comes is its result, or how it stands. Giving up does not end it."""
    limit = served.application.settings.mcp.detach_after_s if wait_s is None else wait_s
    await served.runs.follow(run, limit, tell)
    return reply_of(served.runs, run)


def reply_of(runs: Runs, run: Run) -> Reply:
    """The result of a run, or how it stands now. Raises what the run failed with."""
    if run.status is not RunStatus.RUNNING:
        reply = run.reply()
        return Reply(reply.text, {**reply.data, "status": "done", "run_id": run.id})
    elapsed_s, standing = runs.elapsed_s(run), run.work.standing()
    remaining_s = None if standing.total_s is None else max(0.0, standing.total_s - elapsed_s)
    data: dict[str, Any] = {
        "status": "running",
        "run_id": run.id,
        "partial": standing.partial,
        "elapsed_s": round(elapsed_s, 3),
        "remaining_s": None if remaining_s is None else round(remaining_s, 3),
    }
    left = f" About {seconds(remaining_s)} are left." if remaining_s else ""
    text = (
        f"Still running after {seconds(elapsed_s)}: {standing.message}.{left} Call get_result "
        f"with run_id {run.id!r} to wait for the rest, or cancel_run to end it."
    )
    if standing.partial:
        text += "\nSo far:\n" + quoted(standing.partial)
    return Reply(text, data)
