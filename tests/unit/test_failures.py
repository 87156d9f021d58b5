from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.errors import AttemptError, Outcome
from ollamamaster.ollama.failures import MAX_MESSAGE_CHARS, Failures, Progress, clean
from ollamamaster.ollama.stream import WireError

RECORDED = Path(__file__).parents[1] / "golden" / "ollama-wire"
FAILURES = Failures("gpu:11434", secret="s3cret")


def refused(case: str) -> AttemptError:
    response = json.loads((RECORDED / f"{case}.json").read_text("utf-8"))["response"]
    body = json.dumps(response["json"]) if "json" in response else response["text"]
    return FAILURES.of_status(
        response["status"], response["headers"]["content-type"], body.encode()
    )


def answered(status: int, body: str, content_type: str = "application/json") -> Outcome:
    return FAILURES.of_status(status, content_type, body.encode()).outcome


@pytest.mark.parametrize(
    ("case", "outcome"),
    [
        ("generate-missing-model", Outcome.MODEL_MISSING),
        ("chat-missing-model", Outcome.MODEL_MISSING),
        ("embed-missing", Outcome.MODEL_MISSING),
        ("show-missing", Outcome.MODEL_MISSING),
        ("unknown-path", Outcome.HTTP_ERROR),
        ("wrong-method", Outcome.HTTP_ERROR),
        ("busy-503", Outcome.BUSY),
        ("busy-503-stream", Outcome.BUSY),
        ("generate-bad-option", Outcome.BAD_REQUEST),
        ("generate-format-bad", Outcome.BAD_REQUEST),
        ("generate-bad-json", Outcome.BAD_REQUEST),
        ("generate-think-unsupported", Outcome.BAD_REQUEST),
        ("generate-context-overflow-notruncate", Outcome.BAD_REQUEST),
        ("pull-bad-name", Outcome.BAD_REQUEST),
        ("model-died", Outcome.HTTP_ERROR),
    ],
)
def test_what_a_real_instance_refused_has_the_outcome_of_the_contract(
    case: str, outcome: Outcome
) -> None:
    assert refused(case).outcome is outcome


def test_the_message_is_the_text_of_the_instance() -> None:
    error = refused("generate-bad-option")
    assert error.message == 'option "num_ctx" must be of type integer'


def test_an_error_names_instance_and_status() -> None:
    error = refused("model-died")
    assert (error.instance, error.status, error.connected) == ("gpu:11434", 500, True)


def test_a_prompt_longer_than_the_context_is_told_from_other_bad_requests() -> None:
    assert refused("generate-context-overflow-notruncate").context_exceeded
    assert not refused("generate-bad-option").context_exceeded


@pytest.mark.parametrize(
    ("status", "body", "content_type", "outcome"),
    [
        (302, "", "text/html", Outcome.BAD_RESPONSE),
        (204, "", "", Outcome.BAD_RESPONSE),
        (400, "Client sent an HTTP request to an HTTPS server.", "", Outcome.BAD_RESPONSE),
        (
            400,
            "<html>The plain HTTP request was sent to HTTPS port</html>",
            "text/html",
            Outcome.BAD_RESPONSE,
        ),
        (401, '{"error":"unauthorized"}', "application/json", Outcome.HTTP_ERROR),
        (404, "<html>model x not found</html>", "text/html", Outcome.HTTP_ERROR),
        (404, '{"error":"path not found"}', "application/json", Outcome.HTTP_ERROR),
        (429, '{"error":{"message":"slow down"}}', "application/json", Outcome.HTTP_ERROR),
        (502, "<html>Bad Gateway</html>", "text/html", Outcome.HTTP_ERROR),
        (503, "<html>Unavailable</html>", "text/html", Outcome.HTTP_ERROR),
        (500, '{"error":"invalid JSON schema in format"}', "", Outcome.BAD_REQUEST),
        (500, '{"error":"llama runner process has terminated"}', "", Outcome.HTTP_ERROR),
        (599, "[" * 2000, "application/json", Outcome.HTTP_ERROR),
    ],
)
def test_other_refusals_have_the_outcome_of_the_contract(
    status: int, body: str, content_type: str, outcome: Outcome
) -> None:
    assert answered(status, body, content_type) is outcome


def test_a_web_page_is_not_quoted() -> None:
    error = FAILURES.of_status(502, "text/html", b"<html><script>x</script></html>")
    assert error.message == "502 Bad Gateway (a web page, not Ollama)"


@pytest.mark.parametrize(
    ("text", "received", "outcome"),
    [
        ("an error was encountered while running the model", 0, Outcome.STREAM_BROKEN),
        ('option "num_ctx" must be of type integer', 0, Outcome.BAD_REQUEST),
        ('option "num_ctx" must be of type integer', 3, Outcome.STREAM_BROKEN),
    ],
)
def test_an_error_in_a_stream_is_the_callers_only_before_any_text(
    text: str, received: int, outcome: Outcome
) -> None:
    error = FAILURES.of_line(text, received)
    assert (error.outcome, error.received) == (outcome, received)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("pull model manifest: file does not exist", Outcome.MODEL_MISSING),
        ("pull model manifest: Get: dial tcp: no such host", Outcome.HTTP_ERROR),
        ("invalid model name", Outcome.BAD_REQUEST),
    ],
)
def test_an_error_of_a_pull_tells_a_wrong_name_from_a_failure(text: str, outcome: Outcome) -> None:
    assert FAILURES.of_line(text, 0, pulling=True).outcome is outcome


BEFORE = Progress(connected=True, answered=False)
DURING = Progress(connected=True, answered=True, received=4)
NOWHERE = Progress(connected=False)


@pytest.mark.parametrize(
    ("error", "progress", "outcome", "connected"),
    [
        (httpx.ConnectError("x"), NOWHERE, Outcome.CONNECT_ERROR, False),
        (httpx.ConnectTimeout("x"), NOWHERE, Outcome.CONNECT_ERROR, False),
        (httpx.InvalidURL("x"), NOWHERE, Outcome.CONNECT_ERROR, False),
        (httpx.ReadError("x"), BEFORE, Outcome.CONNECT_ERROR, True),
        (
            httpx.RemoteProtocolError("Server disconnected without sending a response."),
            BEFORE,
            Outcome.CONNECT_ERROR,
            True,
        ),
        (
            httpx.RemoteProtocolError("illegal status line"),
            BEFORE,
            Outcome.BAD_RESPONSE,
            True,
        ),
        (httpx.ReadError("x"), DURING, Outcome.STREAM_BROKEN, True),
        (
            httpx.RemoteProtocolError("peer closed connection without sending complete message"),
            DURING,
            Outcome.STREAM_BROKEN,
            True,
        ),
        (WireError("x"), DURING, Outcome.BAD_RESPONSE, True),
    ],
)
def test_a_broken_connection_has_the_outcome_of_the_moment_it_broke(
    error: Exception, progress: Progress, outcome: Outcome, connected: bool
) -> None:
    failure = FAILURES.of_exception(error, progress)
    assert (failure.outcome, failure.connected) == (outcome, connected)


def test_what_came_before_a_broken_connection_is_counted() -> None:
    assert FAILURES.of_exception(httpx.ReadError("x"), DURING).received == 4


@pytest.mark.parametrize(
    ("dirty", "text"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x9b2Jgone", "gone"),
        ("a\r\n\tb\x00c", "a b c"),
        ("user\u202egnp.exe\u2066", "user gnp.exe"),
        ("zero\u200bwidth\ufeff", "zero width"),
        ("c1\x85\x90payload\x9cend", "c1 end"),
    ],
)
def test_controls_escapes_and_overrides_are_taken_out(dirty: str, text: str) -> None:
    assert clean(dirty) == text


@given(text=st.text(max_size=900))
def test_a_cleaned_text_is_one_printable_line_of_bounded_length(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned) <= MAX_MESSAGE_CHARS
    assert not {unicodedata.category(c) for c in cleaned} & {"Cc", "Cs", "Zl", "Zp"}


def test_a_secret_that_an_instance_sends_back_is_masked_even_when_it_is_hidden() -> None:
    for text in ("token s3cret is wrong", "s3\x1b[0mcret", "x" * 495 + "s3cret"):
        error: Any = FAILURES.of_line(text, 0)
        assert "s3cret" not in repr(error) + str(error)


def test_text_that_is_empty_leaves_the_outcome_as_message() -> None:
    assert FAILURES.of_line("\x1b[0m", 0).message == "stream_broken"


@pytest.mark.parametrize("between", ["\u200b", "\x1b[0m", "\x00", " ", "\u202e \x1b[31m"])
def test_the_secret_with_something_invisible_in_it_is_not_shown(between: str) -> None:
    text = clean(f"wrong: s3c{between}ret", secret="s3cret")
    assert "s3c" not in text
    assert text


def test_the_secret_in_plain_sight_is_stars() -> None:
    assert clean("wrong: s3cret!", secret="s3cret") == "wrong: ***!"
