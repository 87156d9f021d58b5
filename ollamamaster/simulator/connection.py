"""One client's HTTP/1.1 connection to a simulated instance."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import h11

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

JSON_UTF8 = "application/json; charset=utf-8"
NDJSON = "application/x-ndjson"

# Go's server sends a body up to this size with its length, and a larger one in chunks.
_LARGEST_WITH_LENGTH = 2048
# More than any prompt with images that a person sends; a simulated instance keeps it in memory.
_LARGEST_BODY = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A complete request. `path` is without the query."""

    method: str
    path: str
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON_UTF8
    headers: tuple[tuple[str, str], ...] = ()


# What a request gets: an answer at once, or a coroutine that sends it.
Sent: TypeAlias = "Reply | Coroutine[Any, Any, None]"


def encode(document: Any) -> bytes:
    """JSON as Go writes it: compact, UTF-8."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )


def json_reply(document: Any, status: int = 200, content_type: str = JSON_UTF8) -> Reply:
    """A complete JSON answer."""
    return Reply(status, encode(document), content_type)


class Connection(asyncio.Protocol):
    """Reads requests and hands each to `answer`, which replies at once or by a coroutine.

    The coroutine is cancelled when the client goes away, which is how Ollama ends a generation.
    """

    def __init__(
        self,
        connections: set[Connection],
        answer: Callable[[Connection, HttpRequest], Reply | Coroutine[Any, Any, None]],
    ) -> None:
        self._connections = connections
        self._answer = answer
        self._http = h11.Connection(h11.SERVER)
        self._transport: asyncio.Transport | None = None
        self._head: h11.Request | None = None
        self._body: list[bytes] = []
        self._size = 0
        self._task: asyncio.Task[None] | None = None
        self._writable: asyncio.Event | None = None

    # ---- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio gives it)
        self._connections.discard(self)
        self._transport = None
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        try:
            self._http.receive_data(data)
            self._read()
        except h11.RemoteProtocolError as error:
            with contextlib.suppress(h11.LocalProtocolError):
                self.reply(Reply(error.error_status_hint, b"400 Bad Request", "text/plain"))
            self.close()

    def pause_writing(self) -> None:
        self._writable = asyncio.Event()

    def resume_writing(self) -> None:
        if self._writable is not None:
            self._writable.set()
            self._writable = None

    # ---- requests

    def _read(self) -> None:
        while self._transport is not None and self._task is None:
            event = self._http.next_event()
            if isinstance(event, h11.Request):
                self._head, self._body, self._size = event, [], 0
                if self._http.they_are_waiting_for_100_continue:
                    self._write(h11.InformationalResponse(status_code=100, headers=[]))
            elif isinstance(event, h11.Data):
                self._body.append(bytes(event.data))
                self._size += len(event.data)
                if self._size > _LARGEST_BODY:
                    self.abort()
            elif isinstance(event, h11.EndOfMessage):
                self._dispatch()
            else:
                if isinstance(event, h11.ConnectionClosed):
                    self.close()
                return

    def _dispatch(self) -> None:
        head = cast("h11.Request", self._head)
        path = head.target.decode("ascii", "replace").partition("?")[0]
        request = HttpRequest(head.method.decode("ascii"), path, b"".join(self._body))
        self._body = []
        result = self._answer(self, request)
        if isinstance(result, Reply):
            self.reply(result)
            self._next_cycle()
            return
        self._task = asyncio.get_running_loop().create_task(result)
        self._task.add_done_callback(self._answered)

    def _answered(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if task.cancelled() or self._transport is None:
            return
        if error := task.exception():
            self.abort()
            raise error
        self._next_cycle()
        self._read()

    def _next_cycle(self) -> None:
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        elif self._http.our_state is not h11.IDLE:
            self.close()

    # ---- answers

    @property
    def method(self) -> bytes:
        """The method of the request that is being answered."""
        return self._head.method if self._head is not None else b"GET"

    def reply(self, reply: Reply) -> None:
        """Send a complete answer."""
        headers = [("Content-Type", reply.content_type), *reply.headers]
        if len(reply.body) <= _LARGEST_WITH_LENGTH:
            headers.append(("Content-Length", str(len(reply.body))))
        else:
            headers.append(("Transfer-Encoding", "chunked"))
        data = self._http.send(h11.Response(status_code=reply.status, headers=headers)) or b""
        if self.method != b"HEAD" and reply.body:
            data += self._http.send(h11.Data(data=reply.body)) or b""
        data += self._http.send(h11.EndOfMessage()) or b""
        if self._transport is not None:
            self._transport.write(data)

    def begin(self, content_type: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Begin a chunked answer."""
        own = [("Content-Type", content_type), ("Transfer-Encoding", "chunked"), *headers]
        self._write(h11.Response(status_code=200, headers=own))

    def send(self, data: bytes) -> None:
        """Send a part of a chunked answer."""
        self._write(h11.Data(data=data))

    def end(self) -> None:
        """End a chunked answer."""
        self._write(h11.EndOfMessage())

    async def drain(self) -> None:
        """Wait until the client has taken what was sent."""
        if self._writable is not None:
            await self._writable.wait()

    def close(self) -> None:
        """Close after what was sent, without the last chunk of an answer that is under way."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Reset the connection."""
        transport = self._transport
        if transport is None:
            return
        # Linger for no time: the kernel answers with RST instead of FIN.
        linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
        with contextlib.suppress(OSError):
            transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, linger
            )
        transport.abort()

    def _write(self, event: Any) -> None:
        data = self._http.send(event)
        if data and self._transport is not None:
            self._transport.write(data)
