"""What does a tool give back: an answer in two forms, or a refusal?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: short for a reader, and whole as data."""

    text: str
    data: dict[str, Any]


class RefusedError(Exception):
    """A tool could not do what was asked. Its text says why, and what to do next."""
