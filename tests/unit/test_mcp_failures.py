"""What an agent reads when something fails."""

from __future__ import annotations

import pytest

from ollamamaster.errors import ErrorCode, NoCandidateError, OllamaMasterError
from ollamamaster.mcp_server.failures import refusal_of

# The person ended it, so nobody reads; a part of an answer is one.
NOT_TOLD = {ErrorCode.INTERRUPTED, ErrorCode.TERMINATED, ErrorCode.PARTIAL}


class SomeError(OllamaMasterError):
    """Any error."""

    def __init__(self, code: ErrorCode) -> None:
        super().__init__("it failed")
        self.code = code


@pytest.mark.parametrize("code", sorted(set(ErrorCode) - NOT_TOLD))
def test_every_error_says_what_to_do_next(code: ErrorCode) -> None:
    assert str(refusal_of(SomeError(code))).startswith("It failed. Next: ")


def test_a_hint_for_a_command_line_is_none_for_an_agent() -> None:
    error = NoCandidateError(
        "nothing fits", hint="use a smaller one\nadd --pull\nollamamaster pull"
    )
    assert str(refusal_of(error)).startswith("Nothing fits. Use a smaller one. Next: ")


def test_a_name_of_a_model_stays_as_it_is() -> None:
    error = NoCandidateError("nothing fits", hint="llama3.2:3b on a: too large")
    assert " llama3.2:3b on a: too large. " in str(refusal_of(error))


def test_what_an_instance_says_is_one_line_of_bounded_length() -> None:
    said = str(refusal_of(OllamaMasterError("x\n\x1b[31m" * 100_000)))
    assert "\n" not in said
    assert "\x1b" not in said
    assert len(said) < 2000
