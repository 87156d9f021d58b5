"""Which prompts does the server offer to a person, as commands of the host?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mcp_types
from mcp.shared.exceptions import MCPError

from ollamamaster.mcp_server.arguments import TEXT_LENGTH

if TYPE_CHECKING:
    from mcp.server import ServerRequestContext

    from ollamamaster.mcp_server.served import Served

    Context = ServerRequestContext[Served, Any]
    Page = mcp_types.PaginatedRequestParams | None

_ASSESS = mcp_types.Prompt(
    name="assess",
    title="Can my machines do it?",
    description="Ask whether local models can do a task, how long it takes and what is missing.",
    arguments=[
        mcp_types.PromptArgument(
            name="task",
            description="The task in plain words, with sizes and deadlines.",
            required=True,
        )
    ],
)
PROMPTS = (_ASSESS,)
_ASSESS_TEXT = """\
Can my own Ollama machines do the following task? Call assess_capability with it, and with the \
requirements that I name. Then tell me in a few sentences: yes or no, which model on which \
machine, how long it takes at best and at worst, and what I would have to do if it is no. Do not \
start the task.

The task:
{task}"""


async def listed(_ctx: Context, _page: Page) -> mcp_types.ListPromptsResult:
    """All of them."""
    return mcp_types.ListPromptsResult(prompts=list(PROMPTS))


async def get(_ctx: Context, params: mcp_types.GetPromptRequestParams) -> mcp_types.GetPromptResult:
    """One of them, filled in."""
    if params.name != _ASSESS.name:
        raise _refused(f"there is no prompt {params.name[:100]!r}; there is assess")
    given = dict(params.arguments or {})
    task = given.pop("task", "")
    if given:
        raise _refused(f"assess takes no {min(given)[:100]!r}; it takes task")
    if not task.strip() or len(task) > TEXT_LENGTH:
        raise _refused(f"task: a text of 1 to {TEXT_LENGTH:,} characters is needed")
    text = mcp_types.TextContent(text=_ASSESS_TEXT.format(task=task))
    return mcp_types.GetPromptResult(
        description=_ASSESS.description,
        messages=[mcp_types.PromptMessage(role="user", content=text)],
    )


def _refused(message: str) -> MCPError:
    return MCPError(code=mcp_types.INVALID_PARAMS, message=message)
