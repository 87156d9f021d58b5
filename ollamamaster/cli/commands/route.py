"""`ollamamaster route`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from typer import Argument, Option

from ollamamaster.cli import options
from ollamamaster.domain.routing import Long
from ollamamaster.domain.settings import Performance
from ollamamaster.domain.tickets import Priority


class PriorityName(StrEnum):
    """A priority as it is typed; Typer shows the values of an enumeration."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


def route(
    prompt: Annotated[
        str | None, Argument(metavar="[PROMPT]", help="The prompt; - reads standard input.")
    ] = None,
    file: Annotated[
        list[str] | None,
        Option(
            "-f",
            "--file",
            metavar="PATH",
            help="A text, PDF, HTML page or image; repeatable, also a glob.",
        ),
    ] = None,
    recursive: Annotated[
        bool, Option("--recursive", help="A folder given by --file is read with all below it.")
    ] = False,
    long: Annotated[
        Long, Option(help="When files fit no model: ask, read them in parts, or fail.")
    ] = Long.ASK,
    system: Annotated[str | None, Option(metavar="TEXT", help="The system prompt.")] = None,
    model: options.Model = None,
    performance: Annotated[
        Performance | None, Option(help="What counts: time, both, or the best answer.")
    ] = None,
    max_time: Annotated[
        float | None, Option(metavar="SECONDS", help="Deadline for the whole route.")
    ] = None,
    instance: options.Instance = None,
    local_only: Annotated[
        bool, Option("--local-only", help="Nothing leaves this machine and your own network.")
    ] = False,
    format: Annotated[  # noqa: A002 (the option is called --format)
        str | None, Option(metavar="json|FILE", help="json, or the file of a JSON schema.")
    ] = None,
    option: Annotated[
        list[str] | None,
        Option("--option", metavar="KEY=VALUE", help="An option of Ollama's, such as seed=1."),
    ] = None,
    think: Annotated[
        bool | None, Option("--think/--no-think", help="Whether the model thinks first.")
    ] = None,
    keep_alive: Annotated[
        str | None,
        Option(metavar="TIME", help="How long the model stays in memory: 10m, 0, -1 for ever."),
    ] = None,
    pull: Annotated[
        bool, Option("--pull", help="Download the model if nobody has it; needs --model.")
    ] = False,
    stream: Annotated[
        bool | None,
        Option("--stream/--no-stream", help="As it comes (the rule on a terminal), or whole."),
    ] = None,
    priority: Annotated[
        PriorityName, Option(help="Who goes first of your requests that wait for room.")
    ] = PriorityName.NORMAL,
    no_hedge: Annotated[
        bool, Option("--no-hedge", help="Never ask a second instance when the first is late.")
    ] = False,
    explain: Annotated[
        bool, Option("--explain", help="Show the decision and send nothing.")
    ] = False,
) -> int:
    """Answer a prompt on the model and instance that will do it best.

    The prompt is the argument, standard input, or both. In a shell loop that reads a file,
    write < /dev/null behind the command, or it reads the rest of the file.

    Where there is no room the request waits its turn among all of yours on this machine.

    Files that no model of the fleet can read at once are read in parts on all machines with
    --long split. On a terminal you are asked; elsewhere that is exit code 4.

    In a pipe the answer comes in one piece, whole or not at all; on a terminal it streams.

    ollamamaster route "What is the capital of France?"
    git diff | ollamamaster route "Write a commit message" --performance powerful
    ollamamaster route -f photo.jpg "What is on this picture?"
    ollamamaster route -f book.pdf "Who betrays whom?" --long split
    ollamamaster route -f report.md "The three risks?" --max-time 60 --json | jq -r .data.response
    ls *.txt | xargs -P8 -I{} ollamamaster route -f {} "Summarise" --priority low
    ollamamaster route "Prove that there are infinitely many primes" --explain
    """
    from ollamamaster.cli.route_flags import RouteFlags
    from ollamamaster.cli.route_run import run_route

    return run_route(
        RouteFlags(
            prompt=prompt,
            files=tuple(file or ()),
            recursive=recursive,
            long=long,
            system=system,
            model=model,
            performance=performance,
            max_time=max_time,
            instance=instance,
            local_only=local_only,
            format=format,
            options=tuple(option or ()),
            think=think,
            keep_alive=keep_alive,
            pull=pull,
            stream=stream,
            explain=explain,
            priority=Priority[priority.name],
            hedge=not no_hedge,
        )
    )
