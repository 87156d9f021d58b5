"""What a person sees while a workflow runs: a line a step on the terminal's stderr."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self

from ollamamaster.cli.output import OUTPUT
from ollamamaster.cli.render.figures import seconds
from ollamamaster.contract.workflow import does
from ollamamaster.domain.plain_text import one_line
from ollamamaster.domain.workflow_run import StepStatus

if TYPE_CHECKING:
    from types import TracebackType

    from rich.live import Live

    from ollamamaster.domain.workflow import Step
    from ollamamaster.domain.workflow_plan import Plan
    from ollamamaster.domain.workflow_run import RunResult, StepResult

_MARKS = {
    StepStatus.OK: ("✓", "green"),
    StepStatus.FAILED: ("✗", "red"),
    StepStatus.SKIPPED: ("-", "dim"),
    StepStatus.CANCELLED: ("-", "dim"),
}
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
# A spinner that moves eight times a second looks alive and costs little.
_FRAMES_PER_S = 8


class Progress:
    """Implements WorkflowListener; elsewhere than on a terminal only --verbose says something."""

    def __init__(self) -> None:
        self.run_id: str | None = None
        self._live: Live | None = None
        self._plan: Plan | None = None
        self._began: dict[str, float] = {}
        self._working: dict[str, list[str]] = {}
        self._ended: dict[str, StepResult] = {}
        self._places: dict[str, list[str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def finished(self, result: RunResult) -> None:
        """Say what failed without ending the run, and how long it really took."""
        for step in result.steps:
            if step.status is StepStatus.FAILED and step.id != result.failed_by:
                OUTPUT.note(f"{step.id} failed, and the run went on: {step.error}")
        if self._plan is not None and (OUTPUT.notes_on_terminal or OUTPUT.verbose):
            from ollamamaster.cli.render.workflow import took_line

            OUTPUT.note(took_line(self._plan, result))

    def preparing(self, server: str) -> None:
        OUTPUT.log(f"starting the MCP server {server}")

    def planned(self, run_id: str, plan: Plan) -> None:
        self.run_id, self._plan = run_id, plan
        if OUTPUT.notes_on_terminal or OUTPUT.verbose:
            from ollamamaster.cli.render.workflow import expected_line

            OUTPUT.note(f"{expected_line(plan)} · run {run_id}")
        if OUTPUT.notes_on_terminal:
            from rich.live import Live

            self._live = Live(
                console=OUTPUT.error_console,
                get_renderable=self._drawn,
                refresh_per_second=_FRAMES_PER_S,
            )
            self._live.start()

    def began(self, step: str) -> None:
        self._began[step] = time.monotonic()
        OUTPUT.log(f"{step} begins") if self._live is None else None

    def working(self, step: str, model: str, instance_name: str) -> None:
        place = f"{model} on {instance_name}"
        self._working.setdefault(step, []).append(place)
        self._places.setdefault(step, [])
        if place not in self._places[step]:
            self._places[step].append(place)

    def rested(self, step: str, model: str, instance_name: str) -> None:
        place = f"{model} on {instance_name}"
        if place in self._working.get(step, []):
            self._working[step].remove(place)

    def ended(self, result: StepResult) -> None:
        self._ended[result.id] = result
        if self._live is None:
            OUTPUT.log(f"{result.id}: {result.status} · {seconds(result.seconds)}")

    def note(self, text: str) -> None:
        if self._live is not None:
            self._live.console.print(one_line(text), style="dim")
        else:
            OUTPUT.note(text)

    def _drawn(self) -> Any:
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=1)
        grid.add_column(no_wrap=True)
        # the only one that rich makes narrower, because the others are not wrapped
        grid.add_column()
        grid.add_column(no_wrap=True, justify="right")
        assert self._plan is not None  # noqa: S101 (drawn only after it)
        for step in self._plan.workflow.steps:
            mark, style, what, took = self._line(step)
            shown = Text(one_line(what), no_wrap=True, overflow="ellipsis")
            grid.add_row(Text(mark, style), step.id, shown, Text(took, "dim"))
        return grid

    def _line(self, step: Step) -> tuple[str, str, str, str]:
        ended = self._ended.get(step.id)
        if ended is not None:
            mark, style = _MARKS[ended.status]
            if ended.status in (StepStatus.SKIPPED, StepStatus.CANCELLED):
                return mark, style, str(ended.status), ""
            what = ended.error or " · ".join(self._places.get(step.id, [])) or does(step)
            return mark, style, what, seconds(ended.seconds)
        if step.id in self._began:
            elapsed_s = time.monotonic() - self._began[step.id]
            frame = _SPINNER[int(elapsed_s * _FRAMES_PER_S) % len(_SPINNER)]
            what = " · ".join(self._working.get(step.id, [])) or does(step)
            return frame, "cyan", what, f"{elapsed_s:.0f} s{self._about(step)}"
        waits = sorted(i for i in step.waits_for if i not in self._ended)
        return "·", "dim", f"waits for {', '.join(waits)}" if waits else "", ""

    def _about(self, step: Step) -> str:
        expected = self._plan.expected.get(step.id) if self._plan is not None else None
        length = None if expected is None else expected.seconds
        return f" of about {seconds(length)}" if length else ""
