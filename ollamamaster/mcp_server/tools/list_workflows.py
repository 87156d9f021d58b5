"""`list_workflows`: which workflows did the person write, and what do they take?"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ollamamaster.contract.workflow import list_data
from ollamamaster.domain.plain_text import one_line
from ollamamaster.mcp_server.arguments import NoArguments
from ollamamaster.mcp_server.reply import Reply
from ollamamaster.mcp_server.schemas import WORKFLOWS
from ollamamaster.mcp_server.tool import Tool, reads

if TYPE_CHECKING:
    from ollamamaster.domain.workflow_problems import WorkflowReading
    from ollamamaster.mcp_server.runs import Tell
    from ollamamaster.mcp_server.served import Served


async def _call(served: Served, _given: NoArguments, _tell: Tell) -> Reply:
    found = await asyncio.to_thread(served.workflows.readings)
    lines = [_line(name, reading) for name, reading in found.items()]
    none = "There are no workflows; the person makes one with `ollamamaster workflow new NAME`."
    return Reply("\n".join(lines) or none, list_data(found.items()))


def _line(name: str, reading: WorkflowReading) -> str:
    workflow = reading.workflow
    if workflow is None or reading.problems:
        return f"- {name}: cannot run, {one_line(reading.problems[0].message)}"
    inputs = ", ".join(f"{i.name}{'' if i.required else ' (optional)'}" for i in workflow.inputs)
    described = one_line(workflow.description) or "no description"
    return f"- {name}: {described}; inputs: {inputs or 'none'}"


LIST_WORKFLOWS = Tool(
    "list_workflows",
    "List the person's workflows",
    "List the workflows that the person wrote: chains of prompts to local models and of tools of "
    "other MCP servers, run over the whole fleet. Each has a name, a description and inputs (name, "
    "type, whether it is required, default, choices), as run_workflow takes them. Use it when the "
    "person speaks of a workflow, or to see whether one fits the task. A workflow with problems "
    "cannot run until the person mends its file. Answers at once.",
    NoArguments,
    WORKFLOWS,
    reads(open_world=False),
    _call,
)
