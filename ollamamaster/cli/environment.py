"""Which variables of the environment are read?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollamamaster.storage.schema import OTHER_VARIABLES, variables

if TYPE_CHECKING:
    from collections.abc import Iterator

_OF_OTHERS = {
    "OLLAMA_HOST": "an instance, as Ollama's own programs read it; 0.0.0.0 means this machine",
    "NO_COLOR": "anything in it: no colours",
    "TERM": "dumb: no colours, tables or progress bars",
}


def environment() -> Iterator[tuple[str, str]]:
    """Every variable with what it means and, where it sets a key, the key and its default."""
    yield from OTHER_VARIABLES.items()
    for name, table, key in variables():
        default = key.unset or _text(table.default(key))
        yield name, f"{table.name}.{key.name}: {key.meaning} (default: {default})"
    yield from _OF_OTHERS.items()


def _text(value: Any) -> str:
    """A default as the variable would say it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (tuple, list)):
        return ",".join(map(str, value)) or "nothing"
    return f"{value:g}" if isinstance(value, float) else str(value)
