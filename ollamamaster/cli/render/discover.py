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
    """One line an instance; in a narrow terminal the GPU goes first, then what is in memory."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("instance", overflow="fold")
    table.add_column("where", no_wrap=True)
    table.add_column("version", no_wrap=True)
    table.add_column("models", justify="right", no_wrap=True)
    with_memory, with_gpu = console.width >= 80, console.width >= 100
    if with_memory:
        table.add_column("in memory")
    if with_gpu:
        table.add_column("gpu", no_wrap=True)
    table.add_column("answers in", justify="right", no_wrap=True)
    for instance in fleet:
        cells = [
            _name(instance),
            str(instance.locality),
            instance.version or "-",
            str(len(instance.models)),
        ]
        if with_memory:
            cells.append(_memory(instance))
        if with_gpu:
            cells.append(_gpu(instance.gpu))
        up = instance.status is not Status.DOWN
        cells.append(milliseconds(instance.latency_ms) if up else "down")
        table.add_row(*map(Text, map(one_line, cells)), style=None if up else "dim")
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


def _name(instance: Instance) -> str:
    marks = [key for key, value in sorted(instance.labels.items()) if value == "true"]
    called = ", ".join(filter(None, [instance.settings.label, *marks]))
    name = f"{instance.id} ({called})" if called else instance.id
    return name if instance.status is Status.UP else f"! {name}"


def _memory(instance: Instance) -> str:
    if instance.status is Status.DOWN:
        seen = instance.last_seen
        return "never seen" if seen is None else f"last seen {seen.astimezone():%Y-%m-%d %H:%M}"
    loaded = (f"{model.name} ({size(model.size)})" for model in instance.loaded)
    return ", ".join(loaded) or "-"


def _gpu(gpu: Gpu) -> str:
    if gpu.source is GpuSource.OBSERVED:
        return f"{size(gpu.vram_used)} used"
    parts = [] if gpu.count is None else [_count(gpu.count, "GPU")]
    if gpu.vram_total is not None:
        parts.append(size(gpu.vram_total))
    return ", ".join(parts) or "-"
