"""`get_result`: what came of a call that went on by itself?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollamamaster.mcp_server import long_call
from ollamamaster.mcp_server.arguments import ResultArguments
from ollamamaster.mcp_server.schemas import ANY_RUN
from ollamamaster.mcp_server.tool import Tool, reads

if TYPE_CHECKING:
    from ollamamaster.mcp_server.reply import Reply
    from ollamamaster.mcp_server.runs import Tell
    from ollamamaster.mcp_server.served import Served


async def _call(served: Served, given: ResultArguments, tell: Tell) -> Reply:
    return await long_call.wait_for(served, served.runs.find(given.run_id), given.wait, tell)


GET_RESULT = Tool(
    "get_result",
    "Wait for a long call",
    "Wait for the rest of a call that came back with status=running, and get its result in the "
    "shape of the tool that began it. Waits up to `wait` seconds (45); what is still running then "
    "comes back once more with the text so far, elapsed_s and remaining_s. Use wait=0 to look "
    "without waiting. Giving up here does not end the run; cancel_run does. Results are kept for "
    "30 minutes.",
    ResultArguments,
    ANY_RUN,
    reads(open_world=False),
    _call,
)
