"""One HTTP request to an instance, and the limits on its answer."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from ollamamaster.ollama.bodies import encode
from ollamamaster.ollama.connections import LARGE_BYTES, token_of
from ollamamaster.ollama.failures import (
    Failures,
    Progress,
    UnusableEndpointError,
    holds_secret,
    is_tls_failure,
)
from ollamamaster.ollama.http import httpx
from ollamamaster.ollama.stream import LINE, MAX_ERROR_BYTES, WireError, parse_object

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from ollamamaster.domain.instances import Endpoint
    from ollamamaster.errors import AttemptError
    from ollamamaster.ollama.connections import Connections
    from ollamamaster.ollama.stream import Limit

# What httpx lets through besides its own tree: OSError from odd network stacks, InvalidURL from an
# address that is none, ValueError from the standard library when it reads headers or addresses.
_EXPECTED = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    OSError,
    ValueError,
    WireError,
    UnusableEndpointError,
)


class Call:
    """One request. Every failure is an AttemptError that says how far it came."""

    def __init__(
        self,
        connections: Connections,
        endpoint: Endpoint,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        self._connections = connections
        self._endpoint = endpoint
        self._method = method
        self._path = path
        self._body = body
        self._connected = False
        self._answered = False
        self.received = 0
        """Tokens of the answer so far, as the reader of the stream counts them."""
        self.failures = Failures(endpoint.address.id)
        self._token: str | None = None

    @property
    def progress(self) -> Progress:
        return Progress(self._connected, self._answered, self.received)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[httpx.Response]:
        """The response when its status is 200; leaving closes the connection or gives it back."""
        try:
            request, pool = await self._request()
            response = await pool.send(request, stream=True)
            try:
                self._connected = self._answered = True
                await self._check(response)
                yield response
            finally:
                await response.aclose()
        except _EXPECTED as error:
            self._connected = self._connected or is_tls_failure(error)
            raise self.failures.of_exception(error, self.progress) from error

    async def _request(self) -> tuple[httpx.Request, httpx.AsyncClient]:
        endpoint = self._endpoint
        token = self._token = token_of(endpoint)
        self.failures = Failures(endpoint.address.id, token)
        headers = {"Content-Type": "application/json"} if self._body is not None else {}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        try:
            content = encode(self._body) if self._body is not None else None
        except (ValueError, TypeError) as error:
            raise self.failures.bad_request(f"this cannot be sent as JSON: {error}") from None
        pool = await self._connections.pool(endpoint)
        request = pool.build_request(
            self._method,
            endpoint.address.url + self._path,
            content=content,
            headers=headers,
            timeout=httpx.Timeout(None, connect=endpoint.connect_timeout_s),
            extensions={"trace": self._trace},
        )
        return request, pool

    async def _trace(self, event: str, _info: object) -> None:
        if event in {"connection.connect_tcp.complete", "http11.send_request_headers.started"}:
            self._connected = True

    async def _check(self, response: httpx.Response) -> None:
        content_type = response.headers.get("content-type", "")
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            # It was asked not to. Never unpacking is the one sure defence against a bomb.
            raise WireError("it compresses its answers, which it was asked not to")
        if response.status_code != httpx.codes.OK:
            body = await self._beginning(response, MAX_ERROR_BYTES)
            raise self.failures.of_status(response.status_code, content_type, body)
        if "html" in content_type.lower():
            raise WireError("a web page, not Ollama")

    async def _beginning(self, response: httpx.Response, limit: int) -> bytes:
        """The first bytes of a body; an error's text is worth having even if it breaks off."""
        data = bytearray()
        try:
            async for piece in response.aiter_raw():
                data += piece
                if len(data) >= limit:
                    break
        except httpx.HTTPError:
            pass
        return bytes(data[:limit])

    async def read(self, response: httpx.Response, limit: int) -> bytes:
        """The whole body. Raises WireError when it is larger than the limit."""
        data = bytearray()
        async with AsyncExitStack() as stack:
            has_room = False
            async for piece in response.aiter_raw():
                data += piece
                if len(data) > limit:
                    raise WireError(f"larger than {limit:,} bytes")
                if len(data) > LARGE_BYTES and not has_room:
                    await stack.enter_async_context(self._connections.room)
                    has_room = True
            return bytes(data)

    def object_of(self, data: bytes, limit: Limit = LINE) -> dict[str, Any]:
        """The JSON object in what came. Raises WireError, also when the token is in it.

        Whatever an instance says may be written to a file; its token never is.
        """
        value = parse_object(data, limit)
        if self._token is not None and holds_secret(data, value, self._token):
            raise WireError("it sends back the token that it was given")
        return value

    def late(self, seconds: float) -> AttemptError:
        """The error of a call that was ended after so many seconds."""
        what = "no answer" if self._connected else "no connection"
        return self.failures.silent(f"{what} within {seconds:g} s", self.progress)
