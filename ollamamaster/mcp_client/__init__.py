"""Other MCP servers, called by the tool steps of workflows."""

from __future__ import annotations
