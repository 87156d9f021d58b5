"""The table of instances, and the bar while they are looked for."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table
from rich.text import Text

from ollamamaster.cli.render.figures import milliseconds, size
from ollamamaster.contract.discover import models_count
from ollamamaster.domain.instances import GpuSource, Locality, Status
from ollamamaster.domain.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from ollamamaster.domain.instances import Gpu, Instance
    from ollamamaster.domain.snapshot import Fleet


@contextmanager
def scan_progress(console: Console) -> Iterator[Callable[[int, int, int], None]]:
    """A bar with what was found and the seconds left; gone when the scan is over."""
    with Progress(
        TextColumn(" "),
        BarColumn(bar_width=32),
        TaskProgressColumn(),
        TextColumn("{task.fields[found]} open"),
        TextColumn("{task.fields[left]}"),
        console=console,
        transient=True,
    ) as progress:
        task = progress.add_task("", total=None, found=0, left="")

        def show(done: int, total: int, found: int) -> None:
            left_s = progress.tasks[0].time_remaining
            left = "" if left_s is None else f"{left_s:.0f} s left"
            progress.update(task, completed=done, total=total, found=found, left=left)

        yield show


def render_discover(console: Console, fleet: Fleet, *, saved: bool) -> None:
    """One line an instance, the nearest first.

    In a narrow terminal the GPU goes first, then what is in memory, then the version.
    """
    columns: dict[str, Callable[[Instance], str]] = {"instance": _id}
    if any(map(_called, fleet)):
        columns["called"] = _called
    columns["where"] = lambda instance: str(instance.locality)
    if console.width >= 76:
        columns["version"] = lambda instance: instance.version or "-"
    columns["models"] = lambda instance: str(len(instance.models))
    if console.width >= 90:
        columns["in memory"] = _memory
    if console.width >= 110:
        columns["gpu"] = lambda instance: _gpu(instance.gpu)
    columns["answers in"] = _answers_in
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        right = name in {"models", "answers in"}
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for instance in sorted(fleet, key=_nearest_first):
        cells = (Text(one_line(cell(instance))) for cell in columns.values())
        table.add_row(*cells, style="dim" if instance.status is Status.DOWN else None)
    if len(fleet) > 0:
        console.print(table)
    open_to_all = [i.settings.label or i.id for i in fleet if _answers_anyone(i)]
    summary = f"{_count(len(fleet), 'instance')} ({len(fleet.up)} up), "
    summary += _count(models_count(fleet), "model")
    console.print(Text(summary + (" · saved to inventory.toml" if saved else "")), style="dim")
    if open_to_all:
        who = one_line(", ".join(open_to_all))
        answer = "answers" if len(open_to_all) == 1 else "answer"
        console.print(f"! {who} {answer} anyone on your network: ollamamaster help exposure")


def _answers_anyone(instance: Instance) -> bool:
    """Whether a neighbour answered without asking for a token; a simulated one is no neighbour."""
    return (
        instance.locality is Locality.LAN
        and instance.status is not Status.DOWN
        and instance.settings.token_env is None
        and "sandbox" not in instance.labels
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


_DISTANCES = {Locality.LOCAL: 0, Locality.LAN: 1, Locality.REMOTE: 2}


def _nearest_first(instance: Instance) -> tuple[int, str, str]:
    return _DISTANCES[instance.locality], instance.name, instance.id


def _id(instance: Instance) -> str:
    return instance.id if instance.status is Status.UP else f"! {instance.id}"


def _called(instance: Instance) -> str:
    """The label, and the labels that are only a mark."""
    marks = [key for key, value in sorted(instance.labels.items()) if value == "true"]
    return ", ".join(filter(None, [instance.settings.label, *marks]))


def _answers_in(instance: Instance) -> str:
    if instance.status is not Status.DOWN:
        return milliseconds(instance.latency_ms)
    seen = instance.last_seen
    return "never seen" if seen is None else f"down (seen {seen.astimezone():%m-%d %H:%M})"


def _memory(instance: Instance) -> str:
    loaded = (f"{model.name} ({size(model.size)})" for model in instance.loaded)
    return ", ".join(loaded) or "-"


def _gpu(gpu: Gpu) -> str:
    if gpu.source is GpuSource.OBSERVED:
        return f"{size(gpu.vram_used)} used"
    parts = [] if gpu.count is None else [_count(gpu.count, "GPU")]
    if gpu.vram_total is not None:
        parts.append(size(gpu.vram_total))
    return ", ".join(parts) or "-"
