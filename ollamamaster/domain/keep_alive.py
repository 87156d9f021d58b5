"""How long a model stays in memory, as a person writes it and as Ollama takes it."""

from __future__ import annotations

import math
import re

# Ollama counts nanoseconds in 64 bits, some 290 years: a longer text it refuses, and what a larger
# number becomes is not defined.
LONGEST_S = (2**63 - 1) / 1e9

UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = r"([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m|h)"


def keep_alive(text: str) -> str | int:
    """A duration of Go's, or whole seconds as the number that Ollama wants for them.

    Raises ValueError that says what is wrong.
    """
    seconds = _seconds(text)
    if seconds is None:
        raise ValueError(f"{text[:60]!r} is no duration; write 10m, 1h30m, 0 or -1")
    if seconds > LONGEST_S:
        raise ValueError("it is longer than Ollama can count; -1 is for ever")
    return int(text) if text.lstrip("-").isdigit() else text


def _seconds(text: str) -> float | None:
    """The length, without its sign; None for what is no duration."""
    length = text.removeprefix("-")
    if re.fullmatch(r"[0-9]+", length):
        return float(length)
    if not re.fullmatch(f"(?:{_PART})+", length):
        return None
    return math.fsum(float(number) * UNITS[unit] for number, unit in re.findall(_PART, length))
