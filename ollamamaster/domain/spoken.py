"""Figures in a sentence: with a unit, and no more digits than they deserve."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def duration(seconds: float) -> str:
    """`70 ms`, `2.4 s`, `45 s`, `14 min`, `3 h`, `4 days`."""
    if seconds < 0.95:
        return (
            f"{seconds * 1000:.2g} ms" if seconds < 0.01 else f"{round(seconds * 1000, -1):.0f} ms"
        )
    if seconds < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 5970:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} days"


def limit(seconds: float) -> str:
    """A limit as it was said: without rounding it to another one."""
    if seconds < 1:
        return f"{seconds * 1000:g} ms"
    if seconds >= 3600 and seconds % 1800 == 0:
        return f"{seconds / 3600:g} h"
    return f"{seconds / 60:g} min" if seconds >= 60 and seconds % 30 == 0 else f"{seconds:g} s"


def gigabytes(size: float) -> str:
    """`9.1 GB`, `64 GB`."""
    value = size / 1e9
    return f"{value:.1f} GB" if value < 20 else f"{value:.0f} GB"


def count(value: float) -> str:
    """`24,800`, to three digits."""
    digits = max(0, len(str(round(value))) - 3)
    return f"{round(value, -digits):,.0f}"


def tokens(value: float) -> str:
    """`24,800 tokens`, to three digits."""
    return f"{count(value)} tokens"


_ABILITIES = {
    "completion": "write text",
    "vision": "see images",
    "audio": "hear sound",
    "image": "make images",
    "tools": "call tools",
    "thinking": "think first",
    "embedding": "make embeddings",
    "insert": "fill in text",
}


def abilities(needs: Iterable[str]) -> str:
    """What a model that can do these is able to: `see images and call tools`."""
    return " and ".join(_ABILITIES.get(need, need) for need in needs)


def number_of(amount: int, noun: str) -> str:
    """`one machine`, `three machines`, `12 machines`."""
    small = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    word = small[amount] if amount < len(small) else f"{amount:,}"
    return f"{word} {noun}{'' if amount == 1 else 's'}"
