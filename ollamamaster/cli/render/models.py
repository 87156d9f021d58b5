"""The table of models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from ollamamaster.cli.render.figures import context, size
from ollamamaster.cli.render.words import ability_word
from ollamamaster.domain.instances import Status
from ollamamaster.domain.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from ollamamaster.domain.catalogue import FleetModel, Place


def render_models(console: Console, found: Sequence[FleetModel], total: int) -> None:
    """One line a model; in a narrow terminal the abilities go first, then the context."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("model", overflow="fold")
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("tier", no_wrap=True)
    with_context, with_abilities = console.width >= 70, console.width >= 90
    if with_context:
        table.add_column("context", justify="right", no_wrap=True)
    if with_abilities:
        table.add_column("can")
    table.add_column("on", overflow="fold")
    for entry in found:
        cells = [str(entry.model.name), size(entry.model.size_bytes), str(entry.tier)]
        if with_context:
            cells.append(context(entry.model.context_length))
        if with_abilities:
            cells.append(_abilities(entry))
        cells.append(", ".join(map(_place, entry.places)))
        table.add_row(*map(one_line, cells))
    console.print(table)
    console.print(f"● in memory now · {len(found)} of {total} models", style="dim")


def _abilities(entry: FleetModel) -> str:
    if entry.model.cloud:
        return "cloud: leaves your machines"
    known = entry.model.capabilities
    if known is None:
        return "?"
    return ", ".join(map(ability_word, sorted(known)))


def _place(place: Place) -> str:
    name = place.instance.name
    if place.instance.status is Status.DOWN:
        return f"{name} (down)"
    return f"{name} ●" if place.loaded else name
