"""What does each exit code mean, and which error codes end with it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollamamaster.errors import AttemptError, ErrorCode, ExitCode, OllamaMasterError

if TYPE_CHECKING:
    from collections.abc import Iterator

MEANINGS = {
    ExitCode.OK: "It worked.",
    ExitCode.FAILED: "Something failed that has no code of its own.",
    ExitCode.USAGE: (
        "A wrong option, value or TARGET; no prompt; a file that is absent, a folder, not text or "
        "too large; or a request that Ollama refuses as the caller's fault."
    ),
    ExitCode.NO_INSTANCE: (
        "No instance can be reached: none is known, none answered, or every one that could have "
        "fitted is down."
    ),
    ExitCode.NO_CANDIDATE: "Instances are up, but none has a model that fits the task.",
    ExitCode.ALL_FAILED: (
        "Every candidate was tried and failed, one at least once connected; or a step of a "
        "workflow failed."
    ),
    ExitCode.TIME_LIMIT: "The time limit passed, or nothing can keep it.",
    ExitCode.INVALID: (
        "config.toml, a workflow file, or a state file the command is all about, cannot be used."
    ),
    ExitCode.PARTIAL: "There is a result, but not a whole one, and a whole one was demanded.",
    ExitCode.INTERRUPTED: "Interrupted by Ctrl-C.",
    ExitCode.TERMINATED: "Terminated by SIGTERM.",
}


def error_codes(exit_code: ExitCode) -> tuple[str, ...]:
    """The codes in `errors[].code` that go with this exit code."""
    found = {kind.code for kind in _kinds(OllamaMasterError) if kind.exit_code == exit_code}
    return tuple(str(code) for code in ErrorCode if code in found)


def _kinds(of: type[OllamaMasterError]) -> Iterator[type[OllamaMasterError]]:
    yield of
    for kind in of.__subclasses__():
        if kind is not AttemptError:
            yield from _kinds(kind)
