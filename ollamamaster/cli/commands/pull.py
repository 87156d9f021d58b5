"""`ollamamaster pull`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from typer import Argument

from ollamamaster.bootstrap import Application
from ollamamaster.cli import options
from ollamamaster.cli.output import OUTPUT

if TYPE_CHECKING:
    from rich.console import Console

    from ollamamaster.services.pull import Pulled


def pull(
    model: Annotated[str, Argument(metavar="MODEL", help="Its name; no tag is :latest.")],
    instance: options.Instance = None,
) -> int:
    """Download a model onto an instance.

    Without --instance: the fastest instance that is up and whose memory holds it.

    ollamamaster pull llama3.2:3b
    ollamamaster pull gpt-oss:20b --instance gaming-pc
    """
    from ollamamaster.cli.interrupts import run_async
    from ollamamaster.cli.render.figures import seconds, size

    pulled = run_async(_pull(Application(note=OUTPUT.note_once), model, instance))

    def table(console: Console) -> None:
        what = f"{pulled.model} on {pulled.instance} · {size(pulled.size_bytes)}"
        console.print(f"{what} · {seconds(pulled.seconds)}")

    return OUTPUT.emit(
        lambda: {
            "model": pulled.model,
            "instance": pulled.instance,
            "size_bytes": pulled.size_bytes,
            "seconds": round(pulled.seconds, 4),
        },
        table=table,
        rows=lambda: [
            [
                pulled.model,
                pulled.instance,
                "" if pulled.size_bytes is None else str(pulled.size_bytes),
                f"{pulled.seconds:.1f}",
            ]
        ],
    )


async def _pull(application: Application, model: str, instance: str | None) -> Pulled:
    from ollamamaster.cli.pull_progress import PullDisplay

    try:
        fleet = await application.fleet_service().current()
        with PullDisplay() as display:
            return await application.pull_service().pull(model, instance, fleet, display)
    finally:
        await application.ollama.aclose()
