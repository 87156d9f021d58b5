"""Everything that can go wrong, as one tree.

OllamaMasterError                 code, exit_code, hint, instance
├── UsageError                    usage            2
│   ├── PromptMissingError        prompt_missing   2
│   ├── FileUnusableError         file_unusable    2
│   └── BadRequestError           bad_request      2
├── NoInstanceError               no_instance      3
├── NoCandidateError              no_candidate     4
│   ├── ModelUnknownError         model_unknown    4
│   └── TooLongError              no_candidate     4
├── AllFailedError                all_failed       5
│   └── StepFailedError           step_failed      5
├── TimeLimitError                time_limit       6
├── ConfigInvalidError            config_invalid   7
├── WorkflowInvalidError          workflow_invalid 7
├── StateUnusableError            state_unusable   7
├── PartialError                  partial          8
├── FailedError                   failed           1
│   ├── NotAllowedError           not_allowed      1
│   └── ServerFailedError         server_failed    1
└── AttemptError                  one try of one candidate; carries its Outcome, never ends
                                  a program by itself: services turn it into one of the above
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class ExitCode(IntEnum):
    """What the process says to the shell; the meanings are in `ollamamaster help exit-codes`."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NO_INSTANCE = 3
    NO_CANDIDATE = 4
    ALL_FAILED = 5
    TIME_LIMIT = 6
    INVALID = 7
    PARTIAL = 8
    INTERRUPTED = 130
    TERMINATED = 143


class ErrorCode(StrEnum):
    """Stable words for scripts; each belongs to one exit code."""

    USAGE = "usage"
    PROMPT_MISSING = "prompt_missing"
    FILE_UNUSABLE = "file_unusable"
    BAD_REQUEST = "bad_request"
    NO_INSTANCE = "no_instance"
    NO_CANDIDATE = "no_candidate"
    MODEL_UNKNOWN = "model_unknown"
    ALL_FAILED = "all_failed"
    STEP_FAILED = "step_failed"
    TIME_LIMIT = "time_limit"
    CONFIG_INVALID = "config_invalid"
    STATE_UNUSABLE = "state_unusable"
    WORKFLOW_INVALID = "workflow_invalid"
    PARTIAL = "partial"
    NOT_ALLOWED = "not_allowed"
    SERVER_FAILED = "server_failed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    TERMINATED = "terminated"


class Outcome(StrEnum):
    """How one attempt ended."""

    OK = "ok"
    CONNECT_ERROR = "connect_error"
    TIMEOUT = "timeout"
    BUSY = "busy"
    MODEL_MISSING = "model_missing"
    BAD_REQUEST = "bad_request"
    HTTP_ERROR = "http_error"
    STREAM_BROKEN = "stream_broken"
    BAD_RESPONSE = "bad_response"
    CANCELLED = "cancelled"


# What says something about the machine or the caller's wish, not about the instance's health.
_NOT_THE_INSTANCE = frozenset(
    {Outcome.OK, Outcome.BUSY, Outcome.MODEL_MISSING, Outcome.BAD_REQUEST, Outcome.CANCELLED}
)


class OllamaMasterError(Exception):
    """An error with a stable code, an exit code, and the next step for the person.

    `hint` says what to do next, in one or more lines; `instance` is the id of the instance
    concerned. Both are None where there is nothing to say.
    """

    code = ErrorCode.FAILED
    exit_code = ExitCode.FAILED

    def __init__(
        self, message: str, *, hint: str | None = None, instance: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.instance = instance


class InterruptedByPersonError(OllamaMasterError):
    """Ctrl-C."""

    code = ErrorCode.INTERRUPTED
    exit_code = ExitCode.INTERRUPTED


class TerminatedError(OllamaMasterError):
    """SIGTERM."""

    code = ErrorCode.TERMINATED
    exit_code = ExitCode.TERMINATED


class FailedError(OllamaMasterError):
    """Something failed that has no code of its own."""


class NotAllowedError(FailedError):
    """A workflow would run a command, or use a server, that the person never allowed."""

    code = ErrorCode.NOT_ALLOWED

    def __init__(self, message: str, *, hint: str | None = None, server: str = "") -> None:
        super().__init__(message, hint=hint)
        self.server = server


class ServerFailedError(FailedError):
    """An MCP server of a workflow could not be started, died, or refused a call.

    `gone` is one that every other call will find dead, too.
    """

    code = ErrorCode.SERVER_FAILED

    def __init__(
        self, message: str, *, hint: str | None = None, server: str = "", gone: bool = False
    ) -> None:
        super().__init__(message, hint=hint)
        self.server = server
        self.gone = gone


class UsageError(OllamaMasterError):
    """A wrong option, value or TARGET."""

    code = ErrorCode.USAGE
    exit_code = ExitCode.USAGE


class PromptMissingError(UsageError):
    """There is no prompt, or it is empty."""

    code = ErrorCode.PROMPT_MISSING


class FileUnusableError(UsageError):
    """A file is absent, a directory, not text, or too large."""

    code = ErrorCode.FILE_UNUSABLE


class BadRequestError(UsageError):
    """Ollama refused the request, and the caller is at fault."""

    code = ErrorCode.BAD_REQUEST


class NoInstanceError(OllamaMasterError):
    """No instance is known or reachable."""

    code = ErrorCode.NO_INSTANCE
    exit_code = ExitCode.NO_INSTANCE


class NoCandidateError(OllamaMasterError):
    """Instances are up, but none can do the task."""

    code = ErrorCode.NO_CANDIDATE
    exit_code = ExitCode.NO_CANDIDATE


class ModelUnknownError(NoCandidateError):
    """No instance has the model that was asked for."""

    code = ErrorCode.MODEL_UNKNOWN


class TooLongError(NoCandidateError):
    """No context holds the texts, but they could be read in parts; `offer` says what that takes."""

    def __init__(self, message: str, *, hint: str, offer: str) -> None:
        super().__init__(message, hint=hint)
        self.offer = offer


class AllFailedError(OllamaMasterError):
    """Every candidate was tried and failed."""

    code = ErrorCode.ALL_FAILED
    exit_code = ExitCode.ALL_FAILED


class StepFailedError(AllFailedError):
    """A step of a workflow failed, so the rest was not run."""

    code = ErrorCode.STEP_FAILED


class TimeLimitError(OllamaMasterError):
    """The deadline passed, or cannot be met."""

    code = ErrorCode.TIME_LIMIT
    exit_code = ExitCode.TIME_LIMIT


class ConfigInvalidError(OllamaMasterError):
    """config.toml, or a variable of the environment, cannot be used."""

    code = ErrorCode.CONFIG_INVALID
    exit_code = ExitCode.INVALID


class WorkflowInvalidError(OllamaMasterError):
    """A workflow file cannot be read, or something in it is wrong."""

    code = ErrorCode.WORKFLOW_INVALID
    exit_code = ExitCode.INVALID


class StateUnusableError(OllamaMasterError):
    """A state file that the command is all about cannot be opened."""

    code = ErrorCode.STATE_UNUSABLE
    exit_code = ExitCode.INVALID


class PartialError(OllamaMasterError):
    """Some of what was asked for failed, and the person said that this is a failure."""

    code = ErrorCode.PARTIAL
    exit_code = ExitCode.PARTIAL


class AttemptError(OllamaMasterError):
    """One attempt on one instance failed.

    `connected` tells whether a connection was ever made; `received` counts the tokens of the
    answer that had come; `status` is the HTTP status, where there was one. The message is the
    instance's own text, cleaned of control characters.
    """

    def __init__(
        self,
        outcome: Outcome,
        message: str,
        *,
        instance: str | None = None,
        connected: bool = True,
        received: int = 0,
        status: int | None = None,
    ) -> None:
        super().__init__(message, instance=instance)
        self.outcome = outcome
        self.connected = connected
        self.received = received
        self.status = status

    @property
    def context_exceeded(self) -> bool:
        """Whether the prompt is longer than the context, which Ollama only says in words."""
        text = self.message.lower()
        return self.outcome is Outcome.BAD_REQUEST and (
            "exceeds the context length" in text or "exceeded max context length" in text
        )

    @property
    def callers_fault(self) -> bool:
        """Whether trying elsewhere would fail the same way."""
        return self.outcome is Outcome.BAD_REQUEST

    @property
    def instances_fault(self) -> bool:
        """Whether this counts against the instance's health."""
        return self.outcome not in _NOT_THE_INSTANCE
