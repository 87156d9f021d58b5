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
├── TimeLimitError                time_limit       6
├── ConfigInvalidError            config_invalid   7
├── StateUnusableError            state_unusable   7
├── FailedError                   failed           1
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
    TIME_LIMIT = "time_limit"
    CONFIG_INVALID = "config_invalid"
    STATE_UNUSABLE = "state_unusable"
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


class TimeLimitError(OllamaMasterError):
    """The deadline passed, or cannot be met."""

    code = ErrorCode.TIME_LIMIT
    exit_code = ExitCode.TIME_LIMIT


class ConfigInvalidError(OllamaMasterError):
    """config.toml, or a variable of the environment, cannot be used."""

    code = ErrorCode.CONFIG_INVALID
    exit_code = ExitCode.INVALID


class StateUnusableError(OllamaMasterError):
    """A state file that the command is all about cannot be opened."""

    code = ErrorCode.STATE_UNUSABLE
    exit_code = ExitCode.INVALID


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
