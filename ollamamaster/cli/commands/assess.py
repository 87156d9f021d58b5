"""`ollamamaster assess`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from ollamamaster.bootstrap import Application
from ollamamaster.cli.output import OUTPUT

if TYPE_CHECKING:
    from rich.console import Console

    from ollamamaster.domain.assessment import Assessment, AssessRequest


def assess(
    task: Annotated[
        str | None, Argument(metavar="[TASK]", help="The task in your words; - reads stdin.")
    ] = None,
    requirement: Annotated[
        list[str] | None,
        Option(
            "--requirement",
            metavar="KEY=VALUE",
            help="What must hold, such as latency=100ms; repeatable.",
        ),
    ] = None,
    file: Annotated[
        list[str] | None,
        Option("-f", "--file", metavar="PATH", help="What it is about; repeatable, also a glob."),
    ] = None,
) -> int:
    """Tell whether the fleet can do a task, how long it takes and what would help.

    Requirements are read from the words (within 10 seconds, 50 pages, real-time, 200 documents,
    must not leave my network) and from --requirement: latency and max_time (100ms, 2s, 10min),
    context (tokens), tokens_per_s, quality (points from 1 to 100), capability (vision, tools),
    privacy (local, lan, any), count. latency is the time to the first token in four of five cases.

    Nothing is sent to any model. Exit code 0 is yes, 1 is no.

    In a pipe: requirement, verdict (met, not met, unknown), figure and its source, between tabs.

    ollamamaster assess "real-time conversation with 100 ms latency"
    ollamamaster assess "Summarise these 200 documents within an hour"
    ollamamaster assess -f report.txt "Translate it into German; it must not leave my network"
    ollamamaster assess "Fix a bug" --requirement max_time=30s --json | jq .data.approach
    """
    from ollamamaster.cli.interrupts import run_async

    application = Application(note=OUTPUT.note_once)
    request = _request(task, requirement or [], file or [])
    found = run_async(_assessed(application, request))

    def table(console: Console) -> None:
        from ollamamaster.cli.render.assess import render_assessment

        names = {instance.id: instance.name for instance in application.fleet()}
        render_assessment(console, found, names)

    def data() -> dict[str, object]:
        from ollamamaster.contract.assess import assess_data

        return assess_data(found)

    return OUTPUT.emit(
        data,
        table=table,
        rows=lambda: [[f.key, f.verdict, f.figure, f.source] for f in found.findings],
        exit_code=0 if found.can_handle else 1,
    )


def _request(task: str | None, said: list[str], files: list[str]) -> AssessRequest:
    """Reads the files and standard input. Raises UsageError and its kin."""
    from ollamamaster.cli.files_read import tell_of_files
    from ollamamaster.cli.prompt import read_prompt
    from ollamamaster.domain.assessment import AssessRequest
    from ollamamaster.domain.requirements import Requirements, pairs_of, stated
    from ollamamaster.storage.attachments import read_attachments

    pairs = tuple(pairs_of(said))
    # a slip in what was typed is told before any instance is looked for
    stated(pairs, Requirements())
    attached = read_attachments(files)
    tell_of_files(attached)
    return AssessRequest(
        task=read_prompt(task, OUTPUT.note, "assess", "task").text,
        requirements=pairs,
        documents=attached.documents,
        images=len(attached.images),
        files=tuple(files),
    )


async def _assessed(application: Application, request: AssessRequest) -> Assessment:
    try:
        fleet = await application.fleet_service().first()
        return await application.assess_service().assess(request, fleet)
    finally:
        await application.ollama.aclose()
