"""How a download looks while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from ollamamaster.cli.output import OUTPUT
from ollamamaster.domain.plain_text import one_line

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import Progress, TaskID

    from ollamamaster.domain.answers import PullProgress
    from ollamamaster.domain.instances import Instance


class PullDisplay:
    """A progress bar on a terminal's stderr, a line for each stage elsewhere with --verbose."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._stage = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def chosen(self, model: str, instance: Instance) -> None:
        """Say what begins."""
        OUTPUT.note(f"downloading {model} onto {instance.name}")
        if OUTPUT.notes_on_terminal:
            from rich.progress import (
                BarColumn,
                DownloadColumn,
                Progress,
                TextColumn,
                TimeRemainingColumn,
            )

            self._bar = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                DownloadColumn(),
                TimeRemainingColumn(),
                console=OUTPUT.error_console,
                transient=True,
            )
            self._bar.start()

    def progress(self, progress: PullProgress) -> None:
        """Show a line of progress."""
        status = one_line(progress.status, 60)
        if status != self._stage:
            self._stage = status
            OUTPUT.log(status)
        if self._bar is None or not progress.total_bytes:
            return
        # One bar for whatever layer it is at: how many there are is the instance's word.
        if self._task is None:
            self._task = self._bar.add_task(status, total=progress.total_bytes)
        self._bar.update(
            self._task,
            description=status,
            total=progress.total_bytes,
            completed=progress.completed_bytes or 0,
        )
