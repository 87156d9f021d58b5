"""JSON that a model, a tool or a person gave: only what can be written as JSON again.

Python reads more than it writes: NaN, numbers beyond every float, and lists within lists that no
writer comes to the end of.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from ollamamaster.domain.sendable import sendable

# Schemas and documents that people write stay below twenty; a thousand ends Python's own writer.
MAX_DEPTH = 100


def read_json(text: str) -> Any:
    """The value, sendable. Raises ValueError for what is none, or could not be written again."""
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not is_json(value):
        raise ValueError("nested too deeply, or a number beyond every float")
    return sendable(value)


def is_json(value: Any) -> bool:
    """Whether the value can be written as JSON."""
    return _is_sound(value, finite=True)


def is_deep(value: Any) -> bool:
    """Whether it is nested deeper than anything has a reason to be."""
    return not _is_sound(value, finite=False)


def _is_sound(value: Any, *, finite: bool) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        if finite and not all(math.isfinite(each) for each in level if isinstance(each, float)):
            return False
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return True
    return False


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
