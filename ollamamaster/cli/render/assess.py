"""An assessment, drawn: the answer first, then each requirement, then what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from ollamamaster.cli.render.figures import seconds
from ollamamaster.domain.findings import Verdict
from ollamamaster.domain.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from ollamamaster.domain.assessment import Assessment

# Narrower than that, each requirement has its figure on a line of its own.
_WIDE = 100

_STYLES = {Verdict.MET: "green", Verdict.NOT_MET: "red", Verdict.UNKNOWN: "yellow"}


def render_assessment(console: Console, found: Assessment, names: Mapping[str, str]) -> None:
    """The assessment for a person; `names` tells what an instance is called, by its id."""
    answer = "yes" if found.can_handle else "no"
    sure = f"  {100 * found.confidence:.0f} % sure"
    console.print(Text.assemble((answer, "bold"), (sure, "dim")))
    console.print(_findings(console, found))
    console.print(_labelled("understood", ", ".join(map(one_line, found.understood)), "dim"))
    console.print()
    _say(console, one_line(found.approach))
    if found.command is not None:
        _say(console, one_line(found.command), indent=2)
    if found.comparison is not None:
        console.print(_labelled("where", one_line(found.comparison), "dim"))
    if found.missing:
        console.print("what would help", style="bold")
        for missing in found.missing:
            _say(console, one_line(missing.what), indent=2)
            _say(console, one_line(missing.fix), indent=4)
    if found.can_handle and found.alternatives:
        others = (
            f"{one_line(c.model)} on {one_line(names.get(c.instance, c.instance))} "
            f"({seconds(c.estimate.p50_s)}, {100 * c.terms['quality']:.0f} % right)"
            for c in found.alternatives
        )
        console.print(_labelled("or   ", "; ".join(others), "dim"))


def _say(console: Console, text: str, *, indent: int = 0) -> None:
    from rich.padding import Padding

    console.print(Padding(Text(text), (0, 0, 0, indent)))


def _labelled(label: str, text: str, style: str) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(label, style), Text(text, style))
    return grid


def _findings(console: Console, found: Assessment) -> Table:
    wide = console.width >= _WIDE
    grid = Table.grid(padding=(0, 2))
    grid.add_column(width=0, no_wrap=True)
    if wide:
        grid.add_column(overflow="fold")
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for finding in found.findings:
        verdict = Text(finding.verdict, _STYLES[finding.verdict])
        figure = Text(f"{one_line(finding.figure)} ({one_line(finding.source)})")
        asks = Text(one_line(finding.asks))
        if wide:
            grid.add_row("", asks, verdict, figure)
        else:
            grid.add_row("", verdict, Text.assemble(asks, "\n", (figure.plain, "dim")))
    return grid
