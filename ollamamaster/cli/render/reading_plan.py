"""How texts would be read in parts, drawn: how many, by whom, and how long it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from ollamamaster.cli.render.figures import seconds
from ollamamaster.domain import spoken
from ollamamaster.domain.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from ollamamaster.domain.long_reading import ReadingPlan


def render_plan(console: Console, plan: ReadingPlan) -> None:
    """A line that sums it up, and one for each machine."""
    console.print("in parts, with --long split", style="bold")
    console.print(
        f"  {spoken.number_of(len(plan.parts), 'part')} of at most "
        f"{spoken.tokens(plan.limit_tokens)} on {spoken.number_of(plan.machines, 'machine')}, "
        f"about {spoken.duration(plan.seconds)} in all"
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(" ")
    table.add_column("model", overflow="fold")
    table.add_column("instance", overflow="fold")
    table.add_column("parts", justify="right", no_wrap=True)
    table.add_column("each", justify="right", no_wrap=True)
    for worker, share in zip(plan.together.workers, plan.together.shares, strict=True):
        who = worker.candidate
        place = one_line(who.pair.instance.name) + (" ●" if who.resident else "")
        table.add_row("", one_line(who.model), place, str(share), seconds(worker.each_s))
    console.print(table)


def plan_rows(plan: ReadingPlan) -> Iterator[list[str]]:
    """The plan as tab-separated rows: `parts`, model, instance, how many, seconds for each."""
    for worker, share in zip(plan.together.workers, plan.together.shares, strict=True):
        who = worker.candidate
        yield ["parts", who.model, who.instance, str(share), f"{worker.each_s:.2f}"]
