"""Which tools does the server offer?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollamamaster.mcp_server.tools.assess_capability import ASSESS_CAPABILITY
from ollamamaster.mcp_server.tools.cancel_run import CANCEL_RUN
from ollamamaster.mcp_server.tools.compare_models import COMPARE_MODELS
from ollamamaster.mcp_server.tools.discover_instances import DISCOVER_INSTANCES
from ollamamaster.mcp_server.tools.fleet_status import FLEET_STATUS
from ollamamaster.mcp_server.tools.get_result import GET_RESULT
from ollamamaster.mcp_server.tools.list_models import LIST_MODELS
from ollamamaster.mcp_server.tools.list_workflows import LIST_WORKFLOWS
from ollamamaster.mcp_server.tools.route_request import ROUTE_REQUEST, ROUTE_WITHOUT_SESSION
from ollamamaster.mcp_server.tools.run_workflow import RUN_WORKFLOW

if TYPE_CHECKING:
    from typing import Any

    from ollamamaster.mcp_server.tool import Tool

# In the order in which an agent would meet them.
TOOLS: tuple[Tool[Any], ...] = (
    ROUTE_REQUEST,
    COMPARE_MODELS,
    ASSESS_CAPABILITY,
    LIST_MODELS,
    DISCOVER_INSTANCES,
    FLEET_STATUS,
    LIST_WORKFLOWS,
    RUN_WORKFLOW,
    GET_RESULT,
    CANCEL_RUN,
)


# What a read-only server has in place of a tool that could keep something.
_KEEPING_NOTHING: dict[str, Tool[Any]] = {ROUTE_REQUEST.name: ROUTE_WITHOUT_SESSION}


def offered(*, read_only: bool) -> tuple[Tool[Any], ...]:
    """The tools of this server; a read-only one has none that changes or keeps anything."""
    if not read_only:
        return TOOLS
    return tuple(_KEEPING_NOTHING.get(t.name, t) for t in TOOLS if t.hints.read_only_hint)
