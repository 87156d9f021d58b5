"""What is a tool to a host: a name, words to choose it by, arguments, and what it does?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import mcp_types

from ollamamaster.mcp_server.arguments import Arguments, schema_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ollamamaster.mcp_server.reply import Reply
    from ollamamaster.mcp_server.runs import Tell
    from ollamamaster.mcp_server.served import Served

Given = TypeVar("Given", bound=Arguments)


@dataclass(frozen=True, slots=True)
class Tool(Generic[Given]):
    """One tool. `call` raises RefusedError or OllamaMasterError when it cannot."""

    name: str
    title: str
    description: str
    arguments: type[Given]
    output: dict[str, Any]
    hints: mcp_types.ToolAnnotations
    call: Callable[[Served, Given, Tell], Awaitable[Reply]]

    def listed(self) -> mcp_types.Tool:
        """As hosts list it."""
        return mcp_types.Tool(
            name=self.name,
            title=self.title,
            description=self.description,
            input_schema=schema_of(self.arguments),
            output_schema=self.output,
            annotations=self.hints,
        )


def reads(*, open_world: bool) -> mcp_types.ToolAnnotations:
    """It changes nothing of the person's; `open_world` says that it asks other machines."""
    return mcp_types.ToolAnnotations(read_only_hint=True, open_world_hint=open_world)
