"""How figures are written for a person: with a unit, and no more digits than they deserve."""

from __future__ import annotations

_BYTE_UNITS = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def size(value: int | None) -> str:
    """Bytes, `-` when unknown."""
    if value is None:
        return "-"
    for unit, factor in _BYTE_UNITS:
        if value >= factor:
            return f"{value / factor:.1f} {unit}"
    return f"{value} B"


def context(tokens: int | None) -> str:
    """A context length: `128k` counts in units of 1,024 as the makers of models do."""
    if tokens is None:
        return "-"
    return f"{tokens // 1024}k" if tokens >= 1024 else str(tokens)


def seconds(value: float | None) -> str:
    """A duration: `0.4 s`, `24 s`, `3 min`; `-` when unknown."""
    if value is None:
        return "-"
    if value < 9.95:
        return f"{value:.1f} s"
    if value < 120:
        return f"{value:.0f} s"
    return f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.1f} h"


def milliseconds(value: float | None) -> str:
    """A latency; `-` when unknown."""
    if value is None:
        return "-"
    return f"{value:.1f} ms" if value < 100 else f"{value:.0f} ms"


def rate(tokens_per_s: float | None) -> str:
    """Tokens a second; empty when unknown."""
    if tokens_per_s is None:
        return ""
    return f"{tokens_per_s:.0f} tok/s" if tokens_per_s >= 10 else f"{tokens_per_s:.1f} tok/s"
