"""How a route that got no answer is reported: what was wrong, and the next step."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ollamamaster.domain.candidates import Reason
from ollamamaster.domain.instances import Status
from ollamamaster.domain.plain_text import one_line
from ollamamaster.domain.records import Who
from ollamamaster.errors import (
    AllFailedError,
    NoCandidateError,
    NoInstanceError,
    OllamaMasterError,
    Outcome,
    TimeLimitError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ollamamaster.domain.candidates import Rejection, Wish
    from ollamamaster.domain.instances import Instance
    from ollamamaster.domain.routing import Attempt, RouteResult
    from ollamamaster.domain.selection import Decision
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.domain.task import Task

# Details of so many rejections are shown; `--explain` has them all.
_SHOWN = 5

_LOOK = "start one, or look for others: ollamamaster discover"

_REMEDIES = {
    Reason.CAPABILITY_MISSING: "pull a model that can: ollamamaster pull NAME",
    Reason.CONTEXT_TOO_SMALL: "shorten the prompt, or use a model with a longer context",
    Reason.TOO_LARGE: "use a smaller model, or an instance with more memory",
    Reason.POLICY_DENIED: "see policy and models in config.toml: ollamamaster config show",
    Reason.CLOUD_EXCLUDED: 'cloud models need --model, or route.cloud = "allow", no --local-only',
    Reason.LOCALITY_EXCLUDED: "leave out --local-only",
    Reason.OVER_TIME_LIMIT: "allow more time with --max-time, or another model",
    Reason.MODEL_MISSING: "download it there: add --pull",
}

# These say nothing of the model itself.
_OF_INSTANCES = {Reason.MODEL_MISSING, Reason.INSTANCE_DOWN}


def no_candidate(decision: Decision, fleet: Fleet, wish: Wish) -> OllamaMasterError:
    """Nothing could even be tried."""
    if not fleet.up:
        return none_up(fleet)
    asked = next((i for i in fleet if i.id == wish.instance), None)
    if asked is not None and asked.status is Status.DOWN:
        return NoInstanceError(
            f"{_called(asked)} is down",
            hint=f"is it on? ask again: ollamamaster discover {asked.id}",
            instance=asked.id,
        )
    rejected = [r for r in decision.rejected if r.reason is not Reason.NOT_REQUESTED]
    if asked is not None:
        rejected = [r for r in rejected if r.instance == asked.id]
    if wish.model is not None:
        there = [r for r in rejected if r.reason is not Reason.MODEL_MISSING]
        if not there and asked is not None:
            return _not_there(wish.model, asked, fleet)
        rejected = there or rejected
    if not rejected:
        where = "the instance" if decision.rejected else "the fleet"
        return NoCandidateError(
            f"{where} has no model at all", hint="download one: ollamamaster pull llama3.2:3b"
        )
    names = {i.id: i.name for i in fleet}
    lines = [_refusal(r, names) for r in rejected[:_SHOWN]]
    if len(rejected) > _SHOWN:
        lines.append(f"and {len(rejected) - _SHOWN} more: --explain --json shows all")
    most_common = Counter(r.reason for r in rejected).most_common(1)[0][0]
    able = _able(decision.task, fleet) if most_common is Reason.CAPABILITY_MISSING else []
    if able and wish.model is not None:
        lines.append(f"these can: {', '.join(able[:_SHOWN])}; leave out --model")
    elif most_common in _REMEDIES:
        lines.append(_REMEDIES[most_common])
    message = "no model of the fleet can do this"
    if wish.model is not None and most_common not in _OF_INSTANCES:
        # others perhaps can, and of several that are compared only this line is told
        detail = next(r.detail for r in rejected if r.reason is most_common)
        message = f"the model cannot do this: {one_line(detail)}"
    return NoCandidateError(message, hint="\n".join(lines))


def _not_there(model: str, asked: Instance, fleet: Fleet) -> NoCandidateError:
    others = [i.name for i in fleet if i.model(model) is not None]
    lines = [f"it is on: {', '.join(others)}"] if others else []
    lines.append(f"to get it: ollamamaster pull {one_line(model)} --instance {asked.name}")
    return NoCandidateError(
        f"{_called(asked)} does not have {one_line(model)}",
        hint="\n".join(lines),
        instance=asked.id,
    )


def _able(task: Task, fleet: Fleet) -> list[str]:
    """The names of the models that have what the task needs, on instances that are up."""
    return sorted(
        {
            one_line(str(m.name))
            for i in fleet.up
            for m in i.models
            if m.capabilities is not None and task.needs <= m.capabilities
        }
    )


def _called(instance: Instance) -> str:
    label = instance.settings.label
    return f"{label} ({instance.id})" if label else instance.id


def none_up(fleet: Fleet) -> NoInstanceError:
    """Instances are known, and none of them answers."""
    if len(fleet) == 0:
        return NoInstanceError("no instance is known", hint="ollamamaster discover")
    lines = [f"{i.name} is down" for i in fleet.instances[:_SHOWN]]
    if len(fleet) > _SHOWN:
        lines.append(f"and {len(fleet) - _SHOWN} more")
    return NoInstanceError("no known instance is up", hint="\n".join([*lines, _LOOK]))


def over_limit(decision: Decision, fleet: Fleet) -> TimeLimitError:
    """The person insisted on something that is known to be too slow."""
    names = {i.id: i.name for i in fleet}
    late = [r for r in decision.rejected if r.reason is Reason.OVER_TIME_LIMIT]
    lines = [_refusal(r, names) for r in late[:_SHOWN]]
    return TimeLimitError("nothing that was asked for is fast enough", hint="\n".join(lines))


def everything_failed(result: RouteResult) -> OllamaMasterError:
    """Every candidate was tried."""
    attempts = result.attempts
    lines = _lines(result)
    if came := len(result.response):
        lines.append(f"{came} characters of an answer had come")
    if attempts and all(_never_connected(a) for a in attempts):
        return NoInstanceError("no instance could be reached", hint="\n".join([*lines, _LOOK]))
    hint = "\n".join(lines)
    if result.decision is not None and _all_too_small(attempts):
        return NoCandidateError("the prompt is longer than any context", hint=hint)
    return AllFailedError("every candidate failed", hint=hint)


def deadline_error(limit_s: float, result: RouteResult, who: Who = Who.COMMAND) -> TimeLimitError:
    """The deadline of the whole route passed. `who` says where the limit was given."""
    came = len(result.response)
    what = f"{came} characters of an answer had come" if came else "no answer had come"
    given = "max_time" if who is Who.WORKFLOW else "--max-time"
    hint = "\n".join([*_lines(result), f"allow more time with {given}"])
    return TimeLimitError(f"the time limit of {limit_s:g} s passed; {what}", hint=hint)


def _lines(result: RouteResult) -> list[str]:
    ranked = () if result.decision is None else result.decision.ranked
    names = {candidate.instance: candidate.pair.instance.name for candidate in ranked}
    return [_line(attempt, names) for attempt in result.attempts]


def _line(attempt: Attempt, names: Mapping[str, str]) -> str:
    error = f": {one_line(attempt.error)}" if attempt.error else ""
    how = "stopped" if attempt.outcome is Outcome.CANCELLED else str(attempt.outcome)
    place = names.get(attempt.instance, attempt.instance)
    return f"{one_line(attempt.model)} on {place}: {how}{error}"


def _refusal(rejection: Rejection, names: Mapping[str, str]) -> str:
    place = names.get(rejection.instance, rejection.instance)
    return f"{one_line(rejection.model)} on {place}: {rejection.detail}"


def _never_connected(attempt: Attempt) -> bool:
    return attempt.outcome is Outcome.CONNECT_ERROR and not attempt.connected


def _all_too_small(attempts: Sequence[Attempt]) -> bool:
    return bool(attempts) and all(a.outcome is Outcome.BAD_REQUEST for a in attempts)
