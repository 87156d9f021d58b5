"""Which tools does the server offer?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollamamaster.mcp_server.tools.assess_capability import ASSESS_CAPABILITY
from ollamamaster.mcp_server.tools.cancel_run import CANCEL_RUN
from ollamamaster.mcp_server.tools.discover_instances import DISCOVER_INSTANCES
from ollamamaster.mcp_server.tools.fleet_status import FLEET_STATUS
from ollamamaster.mcp_server.tools.get_result import GET_RESULT
from ollamamaster.mcp_server.tools.list_models import LIST_MODELS
from ollamamaster.mcp_server.tools.route_request import ROUTE_REQUEST

if TYPE_CHECKING:
    from typing import Any

    from ollamamaster.mcp_server.tool import Tool

# In the order in which an agent would meet them.
TOOLS: tuple[Tool[Any], ...] = (
    ROUTE_REQUEST,
    ASSESS_CAPABILITY,
    LIST_MODELS,
    DISCOVER_INSTANCES,
    FLEET_STATUS,
    GET_RESULT,
    CANCEL_RUN,
)


def offered(*, read_only: bool) -> tuple[Tool[Any], ...]:
    """The tools of this server; a read-only one has none that changes anything."""
    return tuple(tool for tool in TOOLS if not read_only or tool.hints.read_only_hint)
