"""`assess_capability`: can the fleet do a task, and how long would it take?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollamamaster.contract.assess import assess_data
from ollamamaster.domain.assessment import AssessRequest
from ollamamaster.domain.plain_text import one_line
from ollamamaster.domain.requirements import pairs_of
from ollamamaster.errors import UsageError
from ollamamaster.mcp_server.arguments import AssessArguments
from ollamamaster.mcp_server.reply import RefusedError, Reply
from ollamamaster.mcp_server.schemas import ASSESS
from ollamamaster.mcp_server.tool import Tool, reads
from ollamamaster.mcp_server.words import seconds

if TYPE_CHECKING:
    from ollamamaster.domain.assessment import Assessment
    from ollamamaster.mcp_server.runs import Tell
    from ollamamaster.mcp_server.served import Served


async def _call(served: Served, given: AssessArguments, _tell: Tell) -> Reply:
    if not given.task_description.strip():
        raise RefusedError("task_description is empty. Next: say what is to be done.")
    try:
        request = AssessRequest(given.task_description, _pairs(given.requirements))
        found = await served.assessments.assess(request, await served.live.fleet())
    except UsageError as error:
        # The keys are the same here, only they are not options of a command line.
        said = "; ".join(filter(None, [error.message, error.hint]))
        raise RefusedError(
            f"requirements: {said.removeprefix('--requirement: ')}. Next: call it again with "
            "requirements as they are described."
        ) from None
    return Reply(_text(found), assess_data(found))


def _pairs(
    given: dict[str, str | float | list[str]] | str | None,
) -> tuple[tuple[str, object], ...]:
    if given is None:
        return ()
    if isinstance(given, str):
        return tuple(pairs_of([given])) if given.strip() else ()
    return tuple(
        (key, "+".join(value) if isinstance(value, list) else value) for key, value in given.items()
    )


def _text(found: Assessment) -> str:
    verdict = "Yes, the fleet can do this" if found.can_handle else "No, the fleet cannot do this"
    lines = [f"{verdict} (confidence {found.confidence:.0%}). {one_line(found.approach)}"]
    if found.estimate is not None:
        low, likely, high = found.estimate.p20, found.estimate.p50, found.estimate.p80
        lines.append(
            f"Expected: {seconds(likely)}, between {seconds(low)} and {seconds(high)} in three of "
            "five cases."
        )
    lines += [
        f"- {each.key} ({each.asks}): {each.verdict}, {each.figure} ({each.source})"
        for each in found.findings
    ]
    lines += [f"- missing: {one_line(each.what)}; {one_line(each.fix)}" for each in found.missing]
    return "\n".join(lines)


ASSESS_CAPABILITY = Tool(
    "assess_capability",
    "Can the fleet do it?",
    "Tell whether the person's local models can do a task, how long it would take (seconds, as a "
    "range), which model and machine would do it, and what is missing if not. Nothing is sent to "
    "any model, so it takes well under a second and costs nothing. Use it before handing over "
    "something long, large or strict (many documents, a deadline, privacy), or when the person "
    "asks what their machines can do. Not needed before an ordinary route_request, which chooses "
    "by itself. Estimates rest on what each machine did before, and say how sure they are.",
    AssessArguments,
    ASSESS,
    reads(open_world=False),
    _call,
)
