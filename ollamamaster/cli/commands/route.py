"""`ollamamaster route`."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option

from ollamamaster.cli import options
from ollamamaster.domain.routing import Long


def route(
    prompt: Annotated[
        str | None, Argument(metavar="[PROMPT]", help="The prompt; - reads standard input.")
    ] = None,
    file: options.File = None,
    recursive: options.Recursive = False,
    long: options.LongTexts = Long.ASK,
    system: options.System = None,
    model: options.Model = None,
    performance: options.PerformanceLevel = None,
    max_time: options.MaxTime = None,
    instance: options.Instance = None,
    local_only: options.LocalOnly = False,
    format: options.AnswerFormat = None,  # noqa: A002 (the option is called --format)
    option: options.OllamaOption = None,
    think: options.Think = None,
    keep_alive: options.KeepAlive = None,
    pull: options.Pull = False,
    stream: options.Stream = None,
    priority: options.PriorityOption = options.PriorityName.NORMAL,
    no_hedge: options.NoHedge = False,
    session: options.Session = None,
    no_summary: options.NoSummary = False,
    explain: Annotated[
        bool, Option("--explain", help="Show the decision and send nothing.")
    ] = False,
) -> int:
    """Answer a prompt on the model and instance that will do it best.

    The prompt is the argument, standard input, or both. In a shell loop that reads a file,
    write < /dev/null behind the command, or it reads the rest of the file.

    Where there is no room the request waits its turn among all of yours on this machine.

    Texts that no model of the fleet can read at once, in files or piped in behind a question,
    are read in parts on all machines with --long split. On a terminal you are asked; elsewhere
    that is exit code 4.

    In a pipe the answer comes in one piece, whole or not at all; on a terminal it streams.

    With --session the prompt is the next turn of a conversation, which is kept until you delete
    it (ollamamaster session); turns that are asked at once follow one another. When it fits no
    context any more, older turns are summarised by a fast model, which stderr shows.

    ollamamaster route "What is the capital of France?"
    git diff | ollamamaster route "Write a commit message" --performance powerful
    ollamamaster route -f photo.jpg "What is on this picture?"
    ollamamaster route -f book.pdf "Who betrays whom?" --long split
    ollamamaster route -f report.md "The three risks?" --max-time 60 --json | jq -r .data.response
    cat *.log | ollamamaster route "What went wrong first?" --long split
    ls *.txt | xargs -P8 -I{} ollamamaster route -f {} "Summarise" --priority low
    ollamamaster route --session holiday "And what is the weather like there in May?"
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
            priority=options.priority_of(priority),
            hedge=not no_hedge,
            session=session,
            summary=not no_summary,
        )
    )
