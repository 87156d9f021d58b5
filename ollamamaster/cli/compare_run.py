"""A run of `compare`: from the flags to the answers that are shown, and the exit code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollamamaster.bootstrap import Application
from ollamamaster.cli.compare_listeners import LiveListener, PlainListener
from ollamamaster.cli.interrupts import run_async, stopped_by
from ollamamaster.cli.output import OUTPUT, error_entry
from ollamamaster.cli.prompt import read_prompt
from ollamamaster.contract.compare import compare_data
from ollamamaster.domain.comparing import CRITERIA, CompareRequest, Spread
from ollamamaster.domain.routing import RouteRequest
from ollamamaster.errors import ExitCode, OllamaMasterError, PartialError, UsageError
from ollamamaster.storage.attachments import read_attachments

if TYPE_CHECKING:
    from ollamamaster.domain.comparing import CompareResult
    from ollamamaster.domain.settings import Settings
    from ollamamaster.services.compare import CompareRun


@dataclass(frozen=True, slots=True)
class CompareFlags:
    """What was typed."""

    prompt: str | None
    models: str | None = None
    per_tier: bool = False
    instances: bool = False
    judge: str | None = None
    criteria: str | None = None
    vote: bool = False
    strict: bool = False
    files: tuple[str, ...] = ()
    system: str | None = None
    max_time: float | None = None

    def request(self, settings: Settings) -> CompareRequest:
        """The request; reads the files and standard input.

        Raises UsageError and its kin naming the option that is wrong.
        """
        models = self._models()
        if self.per_tier and (models or self.instances):
            raise UsageError("--per-tier chooses the models itself: leave out the other option")
        if self.criteria is not None and self.judge is None:
            raise UsageError("--criteria needs --judge: who is to judge by them?")
        for option, text in (("--judge", self.judge), ("--criteria", self.criteria)):
            if text is not None and not text.strip():
                raise UsageError(f"{option}: there is nothing behind it")
        limit = self.max_time if self.max_time is not None else settings.route.max_time_s
        if limit is not None and not 0 < limit < float("inf"):
            raise UsageError(f"--max-time: {limit:g} is no number of seconds above 0")
        attached = read_attachments(self.files)
        asked = RouteRequest(
            prompt=read_prompt(self.prompt, OUTPUT.note, "compare").text,
            system=self.system,
            documents=attached.documents,
            images=attached.images,
            local_only=settings.route.local_only,
            performance=settings.route.performance,
            max_time_s=limit,
        )
        of_several = Spread.TIERS if self.per_tier else Spread.GOOD
        return CompareRequest(
            asked,
            models,
            Spread.INSTANCES if self.instances else of_several,
            self.judge,
            self.criteria or CRITERIA,
            self.vote,
        )

    def _models(self) -> tuple[str, ...]:
        if self.models is None:
            return ()
        names = tuple(name.strip() for name in self.models.split(","))
        if not all(names):
            raise UsageError("--models: a name is missing; write a,b,c")
        if self.instances and len(names) > 1:
            raise UsageError("--instances compares one model on several machines: name one")
        return names


def run_compare(flags: CompareFlags) -> int:
    """Carry out `compare`; returns the exit code."""
    application = Application(note=OUTPUT.note_once)
    request = flags.request(application.settings)
    run = application.compare_service().begin(request)
    listener = LiveListener() if OUTPUT.on_terminal and not OUTPUT.json else PlainListener()
    try:
        result = run_async(_answers(application, run, listener))
    except OllamaMasterError as error:
        return _failed(error, run, listener)
    except KeyboardInterrupt as interrupt:
        return _stopped(interrupt, run, listener)
    return _show(result, listener, flags)


async def _answers(
    application: Application, run: CompareRun, listener: PlainListener
) -> CompareResult:
    import asyncio

    drawing = asyncio.create_task(listener.keep_true())
    try:
        return await run.complete(application.fleet_service().first, listener)
    finally:
        drawing.cancel()
        listener.close()
        await application.ollama.aclose()


def _show(result: CompareResult, listener: PlainListener, flags: CompareFlags) -> int:
    partial = not result.complete
    code = ExitCode.PARTIAL if partial and flags.strict else ExitCode.OK
    error = _partial(result)
    if OUTPUT.json:
        entries = [error_entry(e) for e in (*([error] if code else []), *result.errors)]
        status = "partial" if partial else "ok"
        return OUTPUT.envelope(compare_data(result), exit_code=code, status=status, errors=entries)
    listener.show(result, voted=flags.vote)
    OUTPUT.write("", flush=True)
    return OUTPUT.fail(error) if code else code


def _partial(result: CompareResult) -> PartialError:
    failed = [answer.model for answer in result.answers if not answer.ok]
    judge = ["the judge"] if result.judge_error is not None else []
    lines = [error.message for error in result.errors]
    return PartialError(f"failed: {', '.join([*failed, *judge])}", hint="\n".join(lines))


def _failed(error: OllamaMasterError, run: CompareRun, listener: PlainListener) -> int:
    result = run.so_far()
    data = compare_data(result) if OUTPUT.json and result.answers else None
    if not OUTPUT.json:
        listener.show_partial(result)
    return OUTPUT.fail(error, data=data, partial=any(a.text for a in result.answers))


def _stopped(interrupt: KeyboardInterrupt, run: CompareRun, listener: PlainListener) -> int:
    if OUTPUT.json:
        return _failed(stopped_by(interrupt), run, listener)
    result = run.so_far()
    listener.show_partial(result)
    came = sum(len(answer.text or "") for answer in result.answers)
    if came and not OUTPUT.on_terminal:
        OUTPUT.note(f"stopped; {came} characters of answers had come")
    raise interrupt
