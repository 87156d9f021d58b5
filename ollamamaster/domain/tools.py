"""What does another MCP server offer, and what does a call of it give?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.json_values import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool; `schema` is the JSON schema of its arguments."""

    name: str
    schema: Mapping[str, Any] = field(default_factory=dict)

    @property
    def required(self) -> tuple[str, ...]:
        """The names of the arguments that must be there."""
        names = self.schema.get("required")
        return tuple(n for n in names if isinstance(n, str)) if isinstance(names, list) else ()

    @property
    def known(self) -> tuple[str, ...] | None:
        """The names of all arguments there are; None where it takes others too."""
        properties = self.schema.get("properties")
        closed = self.schema.get("additionalProperties") is False
        return tuple(properties) if closed and isinstance(properties, dict) else None


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """What a tool said; `failed` when it says itself that this is an error."""

    text: str
    data: Any = None
    failed: bool = False


def data_of(text: str) -> Any:
    """The object or list that a text is the JSON of; None for every other text."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return read_json(text)
    except ValueError:
        return None
