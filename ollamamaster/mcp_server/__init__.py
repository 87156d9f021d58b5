"""The fleet as an MCP server: for Claude and every other host of the Model Context Protocol.

`stdio` and `http` carry messages, `server` answers them, each tool is a file in `tools`. What an
agent may give is in `arguments`, `targets` and `attached`; what it gets in `schemas`, `words` and
`failures`. `long_call`, `runs` and `door` are about answers that take long; `live` and `announcer`
about the fleet as it changes; `resources`, `contents` and `prompts` about what is no tool.
"""

from __future__ import annotations
