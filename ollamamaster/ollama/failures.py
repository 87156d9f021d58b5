"""Whose fault is it, and what does the person read?"""

from __future__ import annotations

import contextlib
import errno
import json
import re
import socket
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from ollamamaster.errors import AttemptError, Outcome
from ollamamaster.ollama.http import httpx
from ollamamaster.ollama.stream import WireError, parse
from ollamamaster.ollama.wire import error_of

# Five lines of a terminal: enough for every text in Ollama's source, too little to hide in.
MAX_MESSAGE_CHARS = 500

# What a person puts there only because some program wants a token (`ollama`, `none`) stands in
# honest answers as well, and gives nothing away.
_LEAST_SECRET_CHARS = 8

# Sequences that move the cursor, set titles or colours; first, so that their letters go too.
_ESCAPES = (
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
# Controls (C0, C1), line separators, what changes the direction of text or is invisible, and
# halves of surrogate pairs.
_INVISIBLE = (
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]+"
)

# `model 'nope' not found`, `model "nope" not found, try pulling it first`
_MODEL_MISSING = r"(?is)\bmodel\b.*\bnot found\b|try pulling it"
# What Ollama answers with 500 (or, before 0.12, as a line of a stream) though the caller erred:
# api/types.go `Options.FromMap`, llm/server.go `Completion`.
_CALLERS_FAULT = (
    r'(?is)option ".*" must be (?:of type|an array)'
    r"|invalid format:|invalid JSON schema in format"
    r"|exceeds the context length"
)
# A name the registry does not have: server/images.go `PullModel`.
_NOT_IN_REGISTRY = r"(?s)file does not exist|manifest unknown|model.*not found"
# What Go and nginx answer, with status 400, on a TLS port that is spoken to without TLS.
_WANTS_TLS = r"(?i)HTTP request (?:was sent )?to (?:an )?HTTPS"
# How httpcore and h11 say that the connection ended too early.
_ENDED_EARLY = r"(?i)disconnected|peer closed|incomplete"


class UnusableEndpointError(Exception):
    """The endpoint's settings cannot be used: its token, its CA file, its address."""


def clean(text: str, *, secret: str | None = None) -> str:
    """Text of an instance on one line: no controls, no escapes, not the secret, not too long."""
    text = re.sub(_ESCAPES, " ", text[: 20 * MAX_MESSAGE_CHARS])
    text = re.sub(_INVISIBLE, " ", text)
    if secret:
        text = text.replace(secret, "***")
        if secret in re.sub(r"\s+", "", text):
            # the letters of the secret with something invisible between them
            return "a text that is not shown, because it holds the secret"
    text = re.sub(r"\s+", " ", text).strip()
    return text if len(text) <= MAX_MESSAGE_CHARS else text[: MAX_MESSAGE_CHARS - 1] + "…"


def holds_secret(data: bytes, value: Any, secret: str) -> bool:
    """Whether the secret is in this JSON, of which `value` is what it says, however it is spelt."""
    if len(secret) < _LEAST_SECRET_CHARS:
        return False
    if secret.encode() in data:
        return True
    if b"\\" not in data:
        return False
    return json.dumps(secret)[1:-1] in json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a request came before it failed."""

    connected: bool = True
    answered: bool = False
    received: int = 0


class Failures:
    """Makes the AttemptError of one instance; every text in it is clean."""

    def __init__(self, instance: str, secret: str | None = None) -> None:
        self._instance = instance
        self._secret = secret

    def of_status(self, status: int, content_type: str, body: bytes) -> AttemptError:
        """An answer that is not 200."""
        if re.search(_WANTS_TLS, body.decode("utf-8", "replace")):
            return self._error(
                Outcome.BAD_RESPONSE, "it speaks TLS: name it with https://", status=status
            )
        document = None
        is_html = "html" in content_type.lower() or body.lstrip()[:1] == b"<"
        if not is_html:
            with contextlib.suppress(WireError):
                document = parse(body)
        said = error_of(document)
        text = said or ("" if is_html else body.decode("utf-8", "replace").strip())
        outcome = _outcome_of(status, text, is_json_error=said is not None, is_html=is_html)
        return self._error(outcome, text or _phrase(status, is_html=is_html), status=status)

    def of_line(self, text: str, received: int, *, pulling: bool = False) -> AttemptError:
        """An `{"error": …}` inside a stream of status 200."""
        if pulling:
            outcome = Outcome.HTTP_ERROR
            if "invalid model name" in text:
                outcome = Outcome.BAD_REQUEST
            elif re.search(_NOT_IN_REGISTRY, text):
                outcome = Outcome.MODEL_MISSING
        else:
            # Only before any text can it be the request that is wrong.
            blamed = not received and re.search(_CALLERS_FAULT, text)
            outcome = Outcome.BAD_REQUEST if blamed else Outcome.STREAM_BROKEN
        return self._error(outcome, text, received=received)

    def of_exception(self, error: Exception, progress: Progress) -> AttemptError:
        """Whatever was raised between the first packet and the last byte."""
        received = progress.received
        match error:
            case AttemptError():
                return error
            case WireError():
                return self._error(Outcome.BAD_RESPONSE, str(error), received=received)
            case UnusableEndpointError():
                return self._error(Outcome.CONNECT_ERROR, str(error), connected=False)
            case httpx.RemoteProtocolError() if not re.search(_ENDED_EARLY, str(error)):
                return self._error(
                    Outcome.BAD_RESPONSE, f"this is no HTTP: {error}", received=received
                )
            case httpx.ProtocolError() | httpx.NetworkError() if progress.answered:
                return self._error(
                    Outcome.STREAM_BROKEN,
                    "the connection ended in the middle of the answer",
                    received=received,
                )
            case httpx.RemoteProtocolError() | httpx.ReadError() | httpx.WriteError():
                return self._error(
                    Outcome.CONNECT_ERROR, "the connection was closed before any answer"
                )
            case _ if progress.answered:
                text = f"{type(error).__name__}: {error}"
                return self._error(Outcome.BAD_RESPONSE, text, received=received)
            case _:
                return self._error(
                    Outcome.CONNECT_ERROR, _reason(error), connected=progress.connected
                )

    def silent(self, text: str, progress: Progress) -> AttemptError:
        """Nothing comes any more, or not in time."""
        outcome = Outcome.TIMEOUT if progress.connected else Outcome.CONNECT_ERROR
        return self._error(outcome, text, connected=progress.connected, received=progress.received)

    def broken(self, text: str, received: int) -> AttemptError:
        """A stream that ended without its last line."""
        return self._error(Outcome.STREAM_BROKEN, text, received=received)

    def bad_response(self, text: str, received: int = 0) -> AttemptError:
        """Not what Ollama sends."""
        return self._error(Outcome.BAD_RESPONSE, text, received=received)

    def bad_request(self, text: str) -> AttemptError:
        """What cannot even be sent."""
        return self._error(Outcome.BAD_REQUEST, text, connected=False)

    def _error(
        self,
        outcome: Outcome,
        text: str,
        *,
        connected: bool = True,
        received: int = 0,
        status: int | None = None,
    ) -> AttemptError:
        return AttemptError(
            outcome,
            clean(text, secret=self._secret) or str(outcome),
            instance=self._instance,
            connected=connected,
            received=received,
            status=status,
        )


def _outcome_of(status: int, text: str, *, is_json_error: bool, is_html: bool) -> Outcome:
    if status < HTTPStatus.BAD_REQUEST:
        return Outcome.BAD_RESPONSE
    if status == HTTPStatus.NOT_FOUND and is_json_error and re.search(_MODEL_MISSING, text):
        return Outcome.MODEL_MISSING
    if is_html:
        return Outcome.HTTP_ERROR
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return Outcome.BUSY
    if status == HTTPStatus.BAD_REQUEST or (status >= 500 and re.search(_CALLERS_FAULT, text)):
        return Outcome.BAD_REQUEST
    return Outcome.HTTP_ERROR


def _phrase(status: int, *, is_html: bool) -> str:
    try:
        phrase = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = f"status {status}"
    if 300 <= status < 400:
        return f"{phrase}: it redirects elsewhere, which is not followed"
    return f"{phrase} (a web page, not Ollama)" if is_html else phrase


_REASONS = {
    errno.EHOSTUNREACH: "the host cannot be reached",
    errno.ENETUNREACH: "the network cannot be reached",
    errno.ECONNRESET: "the connection was reset",
    errno.ETIMEDOUT: "no connection in time",
}


def _reason(error: BaseException) -> str:
    """Why there is no connection: the deepest cause that says so in words."""
    for cause in _causes(error):
        match cause:
            case socket.gaierror():
                return "the name cannot be found"
            case ssl.SSLCertVerificationError():
                return f"its certificate is not trusted: {cause.verify_message}"
            case ssl.SSLError():
                return f"no TLS connection: {cause.reason or cause}"
            case ConnectionRefusedError():
                return "connection refused"
            case OSError(errno=number) if number in _REASONS:
                return _REASONS[number]
    if isinstance(error, httpx.TimeoutException):
        return "no connection in time"
    if isinstance(error, httpx.InvalidURL | ValueError):
        return f"its address cannot be used: {error}"
    return str(error) or type(error).__name__


def is_tls_failure(error: BaseException) -> bool:
    """Whether the host was reached and only TLS failed."""
    return any(isinstance(cause, ssl.SSLError) for cause in _causes(error))


def _causes(error: BaseException) -> list[BaseException]:
    """The error and all that led to it, the latest first. Several addresses make a group."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        cause = waiting.pop(0)
        if cause is None or any(cause is known for known in found):
            continue
        found.append(cause)
        if isinstance(cause, BaseExceptionGroup):
            waiting.extend(cause.exceptions)
        waiting.extend((cause.__cause__, cause.__context__))
    return found
