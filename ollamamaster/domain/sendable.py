"""Can it be sent? Texts from JSON, and of a command line, may hold halves of characters.

UTF-8 has none of those, and neither has any other program that is told of them.
"""

from __future__ import annotations

from typing import Any


def sendable(value: Any) -> Any:
    """The same value with every lone surrogate replaced by a question mark."""
    if isinstance(value, str):
        # almost always there is none, and looking costs little
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {sendable(key): sendable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [sendable(each) for each in value]
    return value
