"""The settings in force, and what is wrong with config.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from ollamamaster.domain.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

_DEFAULT = "default"


def render_values(console: Console, rows: Sequence[Sequence[str]]) -> None:
    """One line a key; what the person set stands out."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("key", overflow="fold")
    table.add_column("value", overflow="fold")
    table.add_column("from", overflow="fold")
    for key, value, origin in rows:
        style = "dim" if origin == _DEFAULT else ""
        table.add_row(one_line(key), one_line(value) or "-", one_line(origin), style=style)
    console.print(table)


def render_problems(console: Console, rows: Sequence[Sequence[str]], file: str) -> None:
    """A paragraph a mistake: where, what, and what to write instead."""
    for line, key, message, hint in rows:
        where = f"{file}:{line}: " if line else ""
        console.print(one_line(f"{where}{key}: {message}" if key else f"{where}{message}"))
        if hint:
            console.print(f"  {one_line(hint)}", style="dim")
