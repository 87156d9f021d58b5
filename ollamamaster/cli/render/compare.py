"""Answers side by side, or one below the other where there is not room; then what they took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rich import box
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ollamamaster.cli.render.compare_blocks import answer_figures, called, summary_lines
from ollamamaster.cli.render.figures import rate, seconds
from ollamamaster.domain.plain_text import cleaned, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType

    from ollamamaster.domain.comparing import Answer, CompareResult

# Narrower columns break every third word.
_COLUMN = 36
# The border and the blank beside it, on both sides; and above and below.
_AROUND, _ABOVE = 4, 2
# What is left free below the columns, so that nothing scrolls while they are drawn.
_FREE = 2
# Below this width the summary leaves out the time to the first token, then the place.
_WIDE, _NARROW = 90, 70

_DONE, _FAILED, _RUNNING = "green", "red", "dim"


class Running(Protocol):
    """What is drawn of an answer while it comes, and once it is there."""

    text: str
    answer: Answer | None

    @property
    def title(self) -> str:
        """The model, and where it runs."""

    @property
    def figures(self) -> str:
        """What it took until now, or what it waits for."""


def running(columns: Sequence[Running], judge: str | None, console: Console) -> RenderableType:
    """The answers as far as they came: as much of the end of each as fits on the screen."""
    if not columns:
        return Text("")
    width = console.width
    free = console.height - _FREE - (1 if judge else 0)
    beside = _beside(len(columns), width)
    lines = free - _ABOVE if beside else free // len(columns) - _ABOVE
    below = [Text(judge, no_wrap=True, overflow="ellipsis")] if judge else []
    if lines < 1:
        # one line for each where the screen has no room for more
        shown = [
            Text(f"{c.title}: {c.figures}", no_wrap=True, overflow="ellipsis") for c in columns
        ]
        return Group(*shown[: max(1, free)], *below)
    inner = (width // len(columns) if beside else width) - _AROUND
    tails = [_tail(column.text, inner, lines, console) for column in columns]
    # the columns grow with the text instead of filling the screen from the start
    tallest = max(1, *(len(tail) for tail in tails))
    panels = [
        _panel(
            "\n".join(tail),
            column.title,
            column.figures,
            _style(column.answer),
            height=(tallest if beside else max(1, len(tail))) + _ABOVE,
        )
        for column, tail in zip(columns, tails, strict=True)
    ]
    return Group(_laid_out(panels, beside=beside), *below)


def render_comparison(console: Console, result: CompareResult, *, voted: bool) -> None:
    """The whole of it: every answer, the table, what they agree on, the judge, the vote."""
    render_answers(console, result)
    console.print(_summary(result, console.width))
    for line in summary_lines(result):
        console.print(Text(line))
    if voted and result.vote is not None:
        console.print()
        console.print(Text(cleaned(result.answers[result.vote].text or "").strip()))


def render_answers(console: Console, result: CompareResult) -> None:
    """Every answer in full."""
    answers = result.answers
    beside = _beside(len(answers), console.width)
    inner = (console.width // len(answers) if beside else console.width) - _AROUND
    texts = [_body(answer) for answer in answers]
    heights = [len(Text(text).wrap(console, inner)) for text in texts]
    panels = [
        _panel(
            text,
            _title(answer),
            answer_figures(answer),
            _style(answer),
            height=(max(heights) if beside else own) + _ABOVE,
        )
        for answer, text, own in zip(answers, texts, heights, strict=True)
    ]
    console.print(_laid_out(panels, beside=beside))


def _beside(count: int, width: int) -> bool:
    return width // count >= _COLUMN


def _laid_out(panels: Sequence[Panel], *, beside: bool) -> RenderableType:
    if not beside:
        return Group(*panels)
    grid = Table.grid(expand=True)
    for _ in panels:
        grid.add_column(ratio=1)
    grid.add_row(*panels)
    return grid


def _panel(text: str, title: str, figures: str, style: str, *, height: int) -> Panel:
    return Panel(
        Text(text),
        box=box.SQUARE,
        title=Text(title, "bold"),
        title_align="left",
        subtitle=Text(figures),
        subtitle_align="left",
        border_style=style,
        height=height,
    )


def _tail(text: str, width: int, lines: int, console: Console) -> list[str]:
    """The last lines of a text in a column of so many cells."""
    # as much of the end as could be shown, were every line full
    end = Text(text[-width * lines :].rstrip())
    return [line.plain for line in end.wrap(console, width)][-lines:] if end.plain else []


def _title(answer: Answer) -> str:
    place = answer.instance_name or answer.instance
    return one_line(answer.model) + (f" · {one_line(place)}" if place else "")


def _body(answer: Answer) -> str:
    text = cleaned(answer.text or "").strip()
    if answer.ok or answer.error is None:
        return text
    return "\n\n".join(filter(None, [text, one_line(answer.error.message)]))


def _style(answer: Answer | None) -> str:
    if answer is None:
        return _RUNNING
    return _DONE if answer.ok else _FAILED


def _summary(result: CompareResult, width: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    table.add_column("model", overflow="fold")
    if width >= _NARROW:
        table.add_column("instance", overflow="fold")
    if width >= _WIDE:
        table.add_column("first token", justify="right", no_wrap=True)
    table.add_column("tok/s", justify="right", no_wrap=True)
    table.add_column("total", justify="right", no_wrap=True)
    scores = result.judgement.scores if result.judgement is not None else None
    if scores is not None:
        table.add_column("score", justify="right", no_wrap=True)
    table.add_column("agrees", no_wrap=True)
    names = called(result)
    for index, answer in enumerate(result.answers):
        timing = answer.route.timing if answer.route is not None else None
        winner = result.judgement is not None and result.judgement.winner == index
        cells = ["▸" if winner else "", names[index] if width < _NARROW else one_line(answer.model)]
        if width >= _NARROW:
            cells.append(one_line(answer.instance_name or answer.instance or "-"))
        if width >= _WIDE:
            cells.append(seconds(timing.first_token_s if timing else None))
        cells.append(rate(timing.tokens_per_s if timing else None).removesuffix(" tok/s") or "-")
        cells.append(seconds(timing.total_s) if timing and answer.ok else "-")
        if scores is not None:
            score = scores[index]
            cells.append("-" if score is None else f"{score:.1f}")
        cells.append(_group(result, index) if answer.ok else f"failed: {answer.outcome}")
        table.add_row(*map(Text, cells))
    return table


def _group(result: CompareResult, index: int) -> str:
    """A letter for those that agree; a dash for one that stands alone."""
    groups = [group for group in result.agreement.groups if len(group) > 1]
    return next((chr(ord("A") + n) for n, group in enumerate(groups) if index in group), "-")
