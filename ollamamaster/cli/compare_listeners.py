"""What a person, a script or a pipe is told while models are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollamamaster.cli.compare_columns import Column
from ollamamaster.cli.output import OUTPUT
from ollamamaster.cli.render.compare_blocks import blocks, summary_lines
from ollamamaster.cli.render.figures import seconds
from ollamamaster.cli.status_line import StatusLine
from ollamamaster.domain.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.live import Live

    from ollamamaster.domain.comparing import Answer, CompareResult, Entrant, Planned
    from ollamamaster.services.route_listener import RouteListener

# Text that is read while it comes looks steady at this rate, and drawing takes a tenth of it.
_FRAME_S = 0.125
# A model that begins so soon need not be announced as one that waits.
_AT_ONCE_S = 0.5


class PlainListener:
    """Tells nothing of the answers until all are there; a status line where a person waits."""

    def __init__(self) -> None:
        self.columns: list[Column] = []
        self._status = StatusLine()
        self._judge: list[Column] = []

    def entered(self, entrants: Sequence[Entrant]) -> None:
        self.columns = [Column(e.model, e.instance or "", note_=self.note) for e in entrants]

    def planned(self, plan: Sequence[Planned]) -> None:
        for each in plan:
            column = self.columns[each.index]
            column.place = each.instance_name
            if each.wait_s < _AT_ONCE_S:
                continue
            before = [self.columns[index].model for index in each.behind]
            why = f" behind {', '.join(map(one_line, before))}" if before else ""
            column.waits(each.instance_name, each.wait_s)
            self.note(
                f"{each.model} runs on {each.instance_name}{why}, from about "
                f"{seconds(each.wait_s)} on"
            )
        self._status.show(lambda _elapsed_s: self._line())

    def route(self, index: int) -> RouteListener:
        return self.columns[index]

    def answered(self, index: int, answer: Answer) -> None:
        self.columns[index].answer = answer
        if answer.error is not None:
            self.note(f"{answer.model}: {answer.error.message}")

    def judging(self, model: str, number: int) -> RouteListener:  # noqa: ARG002 (both look alike)
        column = Column(model, note_=self.note)
        self._judge.append(column)
        return column

    def note(self, text: str) -> None:
        self._status.clear()
        OUTPUT.note_once(text)
        if self.columns:
            self._status.show(lambda _elapsed_s: self._line())

    def _line(self) -> str:
        if self._judge:
            return f"{self._judge[0].title} judges · {self._judge[-1].figures}"
        done = sum(column.answer is not None for column in self.columns)
        running = [f"{c.title}: {c.figures}" for c in self.columns if c.answer is None]
        return " · ".join([f"{done} of {len(self.columns)} done", *running])

    async def keep_true(self) -> None:
        """Draw what runs anew until cancelled."""
        await self._status.keep_true()

    def close(self) -> None:
        """Nothing runs any more."""
        self._status.clear()

    def show(self, result: CompareResult, *, voted: bool) -> None:
        """The whole result."""
        OUTPUT.write(blocks(result, voted=voted))
        OUTPUT.write("", flush=True)
        for line in summary_lines(result):
            OUTPUT.note(line)

    def show_partial(self, result: CompareResult) -> None:
        """What came of a comparison that failed or was stopped: nothing, in a pipe."""


class LiveListener(PlainListener):
    """Columns on a terminal, filled as the answers come; all of them in full at the end."""

    def __init__(self) -> None:
        super().__init__()
        self._live: Live | None = None
        self._kept: list[str] = []

    def planned(self, plan: Sequence[Planned]) -> None:
        super().planned(plan)
        self._status.clear()
        self._begin()

    def note(self, text: str) -> None:
        if self._live is None:
            OUTPUT.note_once(text)
        else:
            # it would be written in the middle of the columns
            self._kept.append(text)

    async def keep_true(self) -> None:
        """Draw the columns until cancelled."""
        import asyncio

        while True:
            await asyncio.sleep(_FRAME_S)
            self._draw()

    def _begin(self) -> None:
        from rich.live import Live

        self._live = Live(
            console=OUTPUT.console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()
        self._draw()

    def _draw(self) -> None:
        from ollamamaster.cli.render.compare import running

        if self._live is not None:
            console = OUTPUT.console
            judge = self._line() if self._judge else None
            self._live.update(running(self.columns, judge, console), refresh=True)

    def close(self) -> None:
        """Take the columns away, and say what was kept back."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()
        for text in self._kept:
            OUTPUT.note_once(text)
        self._kept.clear()

    def show(self, result: CompareResult, *, voted: bool) -> None:
        from ollamamaster.cli.render.compare import render_comparison

        render_comparison(OUTPUT.console, result, voted=voted)

    def show_partial(self, result: CompareResult) -> None:
        from ollamamaster.cli.render.compare import render_answers

        if any(answer.text for answer in result.answers):
            render_answers(OUTPUT.console, result)
