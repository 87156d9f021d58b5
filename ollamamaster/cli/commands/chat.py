"""`ollamamaster chat`."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from ollamamaster.cli import options
from ollamamaster.domain.routing import Long


def chat(
    session: options.Session = None,
    no_store: Annotated[
        bool, Option("--no-store", help="Keep nothing of it when the chat ends.")
    ] = False,
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
    no_summary: options.NoSummary = False,
) -> int:
    """Talk with the fleet on a terminal.

    Each message is routed like a prompt, with the whole conversation before it. A conversation
    with a name (--session, or /save NAME in the chat) is kept, and goes on in the next chat or in
    route --session; one without is gone when the chat ends. Files go with the first message, the
    time limit is for each turn.

    A line that ends with a backslash goes on in the next one, and three quotes begin and end a
    message of several lines. Commands: /model NAME, /explain, /retry, /save NAME, /help, /quit.
    Ctrl-C stops an answer and not the chat, Ctrl-D ends it. It needs a terminal, and has no
    --json.

    ollamamaster chat
    ollamamaster chat --session holiday --performance powerful
    ollamamaster chat -f report.md --no-store --local-only
    """
    from ollamamaster.cli.chat import run_chat
    from ollamamaster.cli.route_flags import RouteFlags

    flags = RouteFlags(
        prompt=None,
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
        explain=False,
        priority=options.priority_of(priority),
        hedge=not no_hedge,
        session=session,
        summary=not no_summary,
    )
    return run_chat(flags, store=not no_store)
