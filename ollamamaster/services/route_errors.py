"""How a route that got no answer is reported: what was wrong, and the next step."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ollamamaster.domain.candidates import Reason
from ollamamaster.domain.plain_text import one_line
from ollamamaster.errors import (
    AllFailedError,
    NoCandidateError,
    NoInstanceError,
    OllamaMasterError,
    Outcome,
    TimeLimitError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollamamaster.domain.candidates import Rejection
    from ollamamaster.domain.routing import Attempt, RouteResult
    from ollamamaster.domain.selection import Decision
    from ollamamaster.domain.snapshot import Fleet

# Details of so many rejections are shown; `--explain` has them all.
_SHOWN = 5

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


def no_candidate(decision: Decision, fleet: Fleet) -> OllamaMasterError:
    """Nothing could even be tried."""
    if not fleet.up:
        return none_up(fleet)
    rejected = [r for r in decision.rejected if r.reason is not Reason.NOT_REQUESTED]
    if not rejected:
        where = "the instance" if decision.rejected else "the fleet"
        return NoCandidateError(
            f"{where} has no model at all", hint="download one: ollamamaster pull llama3.2:3b"
        )
    reasons = Counter(r.reason for r in rejected)
    lines = [_refusal(r) for r in rejected[:_SHOWN]]
    if len(rejected) > _SHOWN:
        lines.append(f"and {len(rejected) - _SHOWN} more: --explain shows all")
    most_common = reasons.most_common(1)[0][0]
    if most_common in _REMEDIES:
        lines.append(_REMEDIES[most_common])
    return NoCandidateError("no model of the fleet can do this", hint="\n".join(lines))


def none_up(fleet: Fleet) -> NoInstanceError:
    """Instances are known, and none of them answers."""
    if len(fleet) == 0:
        return NoInstanceError("no instance is known", hint="ollamamaster discover")
    lines = [f"{i.name} is down" for i in fleet.instances[:_SHOWN]]
    if len(fleet) > _SHOWN:
        lines.append(f"and {len(fleet) - _SHOWN} more")
    hint = "\n".join([*lines, "start one, or look for others: ollamamaster discover"])
    return NoInstanceError("no known instance is up", hint=hint)


def over_limit(decision: Decision) -> TimeLimitError:
    """The person insisted on something that is known to be too slow."""
    late = [r for r in decision.rejected if r.reason is Reason.OVER_TIME_LIMIT]
    lines = [_refusal(r) for r in late[:_SHOWN]]
    return TimeLimitError("nothing that was asked for is fast enough", hint="\n".join(lines))


def everything_failed(result: RouteResult) -> OllamaMasterError:
    """Every candidate was tried."""
    attempts = result.attempts
    lines = list(map(_line, attempts))
    if came := len(result.response):
        lines.append(f"{came} characters of an answer had come")
    hint = "\n".join(lines)
    if attempts and all(_never_connected(a) for a in attempts):
        return NoInstanceError("no instance could be reached", hint=hint)
    if result.decision is not None and _all_too_small(attempts):
        return NoCandidateError("the prompt is longer than any context", hint=hint)
    return AllFailedError("every candidate failed", hint=hint)


def deadline_error(limit_s: float, result: RouteResult) -> TimeLimitError:
    """The deadline of the whole route passed."""
    came = len(result.response)
    what = f"{came} characters of an answer had come" if came else "no answer had come"
    hint = "\n".join([*map(_line, result.attempts), "allow more time with --max-time"])
    return TimeLimitError(f"the time limit of {limit_s:g} s passed; {what}", hint=hint)


def _line(attempt: Attempt) -> str:
    error = f": {one_line(attempt.error)}" if attempt.error else ""
    return f"{one_line(attempt.model)} on {attempt.instance}: {attempt.outcome}{error}"


def _refusal(rejection: Rejection) -> str:
    return f"{one_line(rejection.model)} on {rejection.instance}: {rejection.detail}"


def _never_connected(attempt: Attempt) -> bool:
    return attempt.outcome is Outcome.CONNECT_ERROR and not attempt.connected


def _all_too_small(attempts: Sequence[Attempt]) -> bool:
    return bool(attempts) and all(a.outcome is Outcome.BAD_REQUEST for a in attempts)
