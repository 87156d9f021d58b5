"""A run of `route`: from the flags to the answer, the error or the decision that is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from ollamamaster.bootstrap import Application
from ollamamaster.cli.interrupts import run_async, stopped_by
from ollamamaster.cli.output import OUTPUT, error_entry
from ollamamaster.cli.pull_progress import PullDisplay
from ollamamaster.cli.question import asked, may_ask
from ollamamaster.cli.render.figures import rate, seconds
from ollamamaster.cli.route_listeners import NdjsonListener, StreamingListener, WaitingListener
from ollamamaster.contract.route import explained_data, route_data
from ollamamaster.domain.candidates import Reason
from ollamamaster.domain.context import SMALLEST_PART_TOKENS
from ollamamaster.domain.plain_text import cleaned, one_line
from ollamamaster.domain.routing import Long
from ollamamaster.domain.tokens import estimate_tokens
from ollamamaster.errors import (
    ModelUnknownError,
    NoCandidateError,
    OllamaMasterError,
    TooLongError,
)

if TYPE_CHECKING:
    from rich.console import Console

    from ollamamaster.cli.route_flags import RouteFlags
    from ollamamaster.domain.long_reading import ReadingPlan
    from ollamamaster.domain.routing import RouteRequest, RouteResult
    from ollamamaster.domain.selection import Decision
    from ollamamaster.services.long_document import LongRun
    from ollamamaster.services.route import RouteRun
    from ollamamaster.services.session import SessionTurn

    # a prompt alone, one with texts, or the next turn of a conversation
    Run: TypeAlias = RouteRun | LongRun | SessionTurn


def run_route(flags: RouteFlags) -> int:
    """Carry out `route`; returns the exit code."""
    application = Application(note=OUTPUT.note_once)
    request = flags.request(application.settings)
    if flags.explain:
        return _explain(application, request, flags.session)
    try:
        return _ran(application, request, flags)
    except TooLongError as error:
        if not asked(in_parts(error)):
            raise
    # the connections of the first one belong to its event loop
    again = Application(note=OUTPUT.note_once)
    return _ran(again, replace(request, long=Long.SPLIT), replace(flags, long=Long.SPLIT))


def in_parts(error: TooLongError) -> str:
    """What a person is asked when a text is too long."""
    return f"{error.message}. Read it in parts: {error.offer}?"


def _ran(application: Application, request: RouteRequest, flags: RouteFlags) -> int:
    return _answered(application, _begun(application, request, flags), listener_for(flags), flags)


def _answered(
    application: Application, run: Run, listener: WaitingListener, flags: RouteFlags
) -> int:
    try:
        result = run_async(answer(application, run, listener))
    except OllamaMasterError as error:
        listener.status.clear()
        if isinstance(error, TooLongError) and flags.long is Long.ASK and may_ask():
            raise
        return failed(_with_hint(error, run.decision, flags), run, listener)
    except KeyboardInterrupt as interrupt:
        listener.status.clear()
        if not OUTPUT.json:
            listener.end_line()
            if came := 0 if isinstance(listener, StreamingListener) else run.characters:
                OUTPUT.note(f"stopped; {came} characters of an answer had come")
            raise
        return failed(stopped_by(interrupt), run, listener)
    return show_answer(result, listener)


def _begun(application: Application, request: RouteRequest, flags: RouteFlags) -> Run:
    if flags.session is not None:
        sessions = application.session_service()
        return sessions.begin(flags.session, request, summarise=flags.summary)
    if may_be_long(request):
        return application.long_document_service().begin(request)
    return application.route_service().begin(request)


def may_be_long(request: RouteRequest) -> bool:
    """Whether something in it may have to be read in parts; what is piped is mostly short."""
    return bool(request.documents) or estimate_tokens(request.piped) > SMALLEST_PART_TOKENS


def listener_for(flags: RouteFlags) -> WaitingListener:
    """Who tells how a run goes, as the flags and the terminal ask for it."""
    if OUTPUT.json:
        return NdjsonListener() if flags.stream else WaitingListener()
    streams = OUTPUT.on_terminal if flags.stream is None else flags.stream
    return StreamingListener() if streams else WaitingListener()


async def answer(application: Application, run: Run, listener: WaitingListener) -> RouteResult:
    import asyncio

    status = asyncio.create_task(listener.status.keep_true())
    try:
        with PullDisplay() as pulling:
            return await run.complete(application.fleet_service().first, listener, pulling)
    finally:
        status.cancel()
        await application.ollama.aclose()


def _explain(application: Application, request: RouteRequest, session: str | None) -> int:
    async def decide() -> tuple[Decision, ReadingPlan | None]:
        try:
            fleet = await application.fleet_service().first()
            if session is not None:
                sessions = application.session_service()
                return await sessions.explain(session, request, fleet, OUTPUT.note)
            if not may_be_long(request):
                service = application.route_service()
                return await service.explain(request, fleet, OUTPUT.note), None
            return await application.long_document_service().explain(request, fleet, OUTPUT.note)
        finally:
            await application.ollama.aclose()

    decision, plan = run_async(decide())
    price = application.settings.route.price_per_doubling[request.performance]

    def table(console: Console) -> None:
        from ollamamaster.cli.render.explain import render_decision

        names = {instance.id: instance.name for instance in application.fleet()}
        render_decision(console, decision, price, names, plan=plan)

    def rows() -> list[list[str]]:
        from ollamamaster.cli.render.explain import decision_rows

        if plan is None:
            return list(decision_rows(decision))
        from ollamamaster.cli.render.reading_plan import plan_rows

        return [*decision_rows(decision), *plan_rows(plan)]

    return OUTPUT.emit(lambda: explained_data(decision, plan), table=table, rows=rows)


def show_answer(result: RouteResult, listener: WaitingListener) -> int:
    """Print the answer, or what is left to say of one that was streamed."""
    unread = _unread(result)
    if OUTPUT.json:
        errors = [error_entry(error) for error in unread]
        status = "partial" if errors else "ok"
        return OUTPUT.envelope(route_data(result), status=status, errors=errors)
    if isinstance(listener, StreamingListener):
        listener.end_line()
    else:
        text = cleaned(result.response) if OUTPUT.may_act else result.response
        OUTPUT.write(text if text.endswith("\n") else text + "\n")
    OUTPUT.write("", flush=True)
    if OUTPUT.notes_on_terminal or OUTPUT.verbose:
        OUTPUT.note(_summary(result))
    for error in unread:
        # a hole in the answer is an error also for those who want no notes
        OUTPUT.fail(error)
    return 0


def _unread(result: RouteResult) -> list[OllamaMasterError]:
    """Why parts of a long text are missing in the answer."""
    errors = [(part.name, part.error) for part in result.parts if part.error is not None]
    for name, error in errors:
        error.message = f"the answer is without {name}: {error.message}"
    return [error for _, error in errors]


def _summary(result: RouteResult) -> str:
    """`phi4:latest on 127.0.0.1:11434 · 1.2 s · 87 tok/s`."""
    timing = result.timing
    chosen = result.decision.ranked if result.decision else ()
    place = next(
        (c.pair.instance.name for c in chosen if c.instance == result.instance), result.instance
    )
    parts = [
        ("load", timing.load_s),
        ("reading", timing.prompt_s),
        ("writing", timing.generation_s),
    ]
    long_parts = [f"{name} {value:.1f}" for name, value in parts if value and value >= 0.05]
    took = seconds(timing.total_s)
    if result.parts:
        took += f" for {len(result.parts)} parts and the answer"
    elif timing.total_s and timing.total_s >= 3 and len(long_parts) > 1:
        took += f" ({', '.join(long_parts)})"
    who = f"{one_line(result.model or '?')} on {one_line(place or '?')}"
    return " · ".join(filter(None, [who, took, rate(timing.tokens_per_s)]))


def failed(error: OllamaMasterError, run: Run, listener: WaitingListener) -> int:
    """Report the error of a run; returns its exit code."""
    known = run.decision is not None
    data = route_data(run.so_far()) if known and OUTPUT.json else None
    listener.end_line()
    return OUTPUT.fail(error, data=data, partial=run.characters > 0)


def _with_hint(
    error: OllamaMasterError, decision: Decision | None, flags: RouteFlags
) -> OllamaMasterError:
    """The error with what else may be typed."""
    hint = None
    if isinstance(error, ModelUnknownError) and flags.model is not None and not flags.pull:
        hint = f"to get it: ollamamaster pull {flags.model}, or add --pull"
    elif isinstance(error, NoCandidateError) and flags.prompt in {None, "-"}:
        # all of it is the prompt, and nobody knows what to look for in its parts
        reasons = {r.reason for r in decision.rejected} if decision is not None else set()
        if Reason.CONTEXT_TOO_SMALL in reasons:
            hint = 'ask something about it: … | ollamamaster route "QUESTION" --long split'
    error.hint = "\n".join(filter(None, [error.hint, hint])) or None
    return error
