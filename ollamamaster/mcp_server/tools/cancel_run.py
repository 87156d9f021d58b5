"""`cancel_run`: end a call that went on by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mcp_types

from ollamamaster.mcp_server.arguments import CancelArguments
from ollamamaster.mcp_server.reply import Reply
from ollamamaster.mcp_server.runs import RunStatus
from ollamamaster.mcp_server.schemas import CANCELLED
from ollamamaster.mcp_server.tool import Tool

if TYPE_CHECKING:
    from ollamamaster.mcp_server.runs import Tell
    from ollamamaster.mcp_server.served import Served


async def _call(served: Served, given: CancelArguments, _tell: Tell) -> Reply:
    run = served.runs.find(given.run_id)
    await served.runs.cancel(run)
    ended = run.status is RunStatus.CANCELLED
    text = "is cancelled; its model has stopped" if ended else "was over already; get_result has it"
    status = "cancelled" if ended else "done"
    return Reply(f"Run {run.id} {text}.", {"run_id": run.id, "status": status})


CANCEL_RUN = Tool(
    "cancel_run",
    "Cancel a long call",
    "End a run that came back with status=running: the model stops within a second and its machine "
    "is free. Use it when the answer is not needed any more. A run that is over stays as it is "
    "(status=done), and calling it twice does no harm.",
    CancelArguments,
    CANCELLED,
    mcp_types.ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True),
    _call,
)
