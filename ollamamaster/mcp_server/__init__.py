"""The fleet as an MCP server: for Claude and every other host of the Model Context Protocol."""

from __future__ import annotations
