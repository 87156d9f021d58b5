"""Other MCP servers, called by the tool steps of workflows. Only this package imports `mcp`."""

from __future__ import annotations
