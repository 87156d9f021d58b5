"""Standard input and output as a transport that ends when it is told to.

The SDK's own waits for a line on standard input in a thread that nothing can wake, so that a
signal is not obeyed until the host writes something. Here daemon threads read and write, and the
event loop only ever waits for them in ways that can be cancelled.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import anyio
import mcp_types
from mcp.shared.jsonrpc_dispatcher import cancelled_request_id_from_params
from mcp.shared.message import SessionMessage

from ollamamaster.domain.sendable import sendable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
    from mcp.server import Server

    from ollamamaster.mcp_server.served import Served

# A script that pipes a few requests in wants their answers after the end of input as well. Those
# that only say what there is take no time, but on a machine that does much else nobody can say how
# many seconds that is. So they are waited for until they are written, and so long at most where a
# host lives that closed its end and reads nothing.
_PATIENCE_S = 10.0
# Calls that are over in no time are answered too; the others end with the input.
_LAST_WORDS_S = 0.1
# What asks instances, runs, or goes on until the end.
_WORKING = frozenset({"tools/call", "resources/read", "subscriptions/listen"})


async def serve_stdio(server: Server[Served], ended: Callable[[], object] = lambda: None) -> None:
    """Serve one host until the end of input; `ended` is called when that has come."""
    with _private_streams() as (wire_in, wire_out):
        async with _Wire(wire_in, wire_out, ended).streams() as (received, sent):
            with _stopped_while_handing_on():
                await server.run(received, sent, server.create_initialization_options())


@contextlib.contextmanager
def _stopped_while_handing_on() -> Iterator[None]:
    """Being cancelled is what it is, also while the SDK hands a message on.

    It takes for a failure that its own reader was cancelled before the one that hands on.
    """
    try:
        yield
    except ExceptionGroup as failures:
        task = asyncio.current_task()
        _, others = failures.split((anyio.BrokenResourceError, anyio.ClosedResourceError))
        if others is not None or task is None or not task.cancelling():
            raise
        raise asyncio.CancelledError from failures


@contextlib.contextmanager
def _private_streams() -> Iterator[tuple[int, int]]:
    """Descriptors of the real streams; what else reads or prints meets nothing and stderr."""
    wire_in, wire_out = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        os.dup2(nothing, 0)
        os.dup2(2, 1)
        yield wire_in, wire_out
    finally:
        os.close(nothing)
        sys.stdout.flush()
        # The interpreter writes what is left of its own buffer where it always did. The thread
        # that reads may still be in a call on its descriptor, so that one stays open.
        os.dup2(wire_out, 1)


class _Wire:
    """One JSON document a line, in and out."""

    def __init__(self, wire_in: int, wire_out: int, ended: Callable[[], object]) -> None:
        self._in = wire_in
        self._writer = _Writer(wire_out)
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._at_once, self._working = _Unanswered(), _Unanswered()

    @contextlib.asynccontextmanager
    async def streams(
        self,
    ) -> AsyncIterator[
        tuple[
            MemoryObjectReceiveStream[SessionMessage | Exception],
            MemoryObjectSendStream[SessionMessage],
        ]
    ]:
        lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        threading.Thread(target=self._read, args=(lines,), name="stdin", daemon=True).start()
        to_server, received = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        sent, from_server = anyio.create_memory_object_stream[SessionMessage](0)
        tasks = [
            asyncio.create_task(self._deliver(lines, to_server), name="stdin"),
            asyncio.create_task(self._send(from_server), name="stdout"),
        ]
        try:
            yield received, sent
        finally:
            sent.close()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            for stream in (to_server, received, from_server):
                stream.close()

    def _read(self, lines: asyncio.Queue[bytes | None]) -> None:
        """In a thread of its own: lines, and None at the end of input."""
        with (
            contextlib.suppress(RuntimeError),  # the loop has ended: nobody waits any more
            open(self._in, "rb", closefd=False) as file,
        ):
            with contextlib.suppress(OSError):
                for line in file:
                    self._loop.call_soon_threadsafe(lines.put_nowait, line)
            self._loop.call_soon_threadsafe(lines.put_nowait, None)

    async def _deliver(
        self,
        lines: asyncio.Queue[bytes | None],
        to_server: MemoryObjectSendStream[SessionMessage | Exception],
    ) -> None:
        with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            while (line := await lines.get()) is not None:
                text = line.decode("utf-8", "replace")
                if not text.strip():
                    continue
                await self._pass_on(text, to_server)
            await self._at_once.none_left(_PATIENCE_S)
            self._ended()
            await self._working.none_left(_LAST_WORDS_S)
        to_server.close()

    async def _pass_on(
        self, text: str, to_server: MemoryObjectSendStream[SessionMessage | Exception]
    ) -> None:
        try:
            message = _message_in(text)
        except _NoMessageError as wrong:
            # The SDK would say nothing, and the host would wait for ever.
            if wrong.answer is not None:
                await self._writer.write(_line_of(wrong.answer))
            return
        if isinstance(message, mcp_types.JSONRPCRequest):
            of_its_kind = self._working if message.method in _WORKING else self._at_once
            of_its_kind.add(message.id)
        elif isinstance(message, mcp_types.JSONRPCNotification):
            # What was cancelled is never answered.
            self._settled(cancelled_request_id_from_params(message.params))
        await to_server.send(SessionMessage(message))

    async def _send(self, from_server: MemoryObjectReceiveStream[SessionMessage]) -> None:
        async for each in from_server:
            message = each.message
            if not await self._writer.write(_line_of(message)):
                from_server.close()
                # Nobody is there who could read the others.
                self._at_once.clear()
                self._working.clear()
                return
            if isinstance(message, mcp_types.JSONRPCResponse | mcp_types.JSONRPCError):
                self._settled(message.id)

    def _settled(self, asked: mcp_types.RequestId | None) -> None:
        self._at_once.discard(asked)
        self._working.discard(asked)


class _Unanswered:
    """The requests that wait for their answer."""

    def __init__(self) -> None:
        self._asked: set[mcp_types.RequestId | None] = set()
        self._none = asyncio.Event()
        self._none.set()

    def add(self, asked: mcp_types.RequestId) -> None:
        self._asked.add(asked)
        self._none.clear()

    def discard(self, asked: mcp_types.RequestId | None) -> None:
        self._asked.discard(asked)
        if not self._asked:
            self._none.set()

    def clear(self) -> None:
        self._asked.clear()
        self._none.set()

    async def none_left(self, within_s: float) -> None:
        """Return when all are answered, or after so many seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._none.wait(), within_s)


class _Writer:
    """Writes lines in a thread of its own, so that a host that reads slowly holds up nothing."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._lines: SimpleQueue[tuple[bytes, asyncio.Future[bool]]] = SimpleQueue()
        # Not of a pool: the threads of a pool are waited for when the program ends.
        threading.Thread(target=self._work, name="stdout", daemon=True).start()

    async def write(self, line: bytes) -> bool:
        """Whether the host took it."""
        done: asyncio.Future[bool] = self._loop.create_future()
        self._lines.put((line, done))
        return await done

    def _work(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits any more
            while True:
                line, done = self._lines.get()
                self._loop.call_soon_threadsafe(_tell, done, _write_all(self._descriptor, line))


def _line_of(message: mcp_types.JSONRPCMessage) -> bytes:
    return message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"


class _NoMessageError(Exception):
    """A line is no message. `answer` is what to tell the host, None where it expects nothing."""

    def __init__(self, answer: mcp_types.JSONRPCError | None) -> None:
        super().__init__()
        self.answer = answer


def _message_in(text: str) -> mcp_types.JSONRPCMessage:
    """The message of a line. Raises _NoMessageError."""
    try:
        return mcp_types.jsonrpc_message_adapter.validate_json(text, by_name=False)
    except ValueError:
        pass
    try:
        # JSON of JavaScript may hold half a character, where a text was cut within one.
        document = sendable(json.loads(text))
    except (ValueError, RecursionError):
        raise _error(None, mcp_types.PARSE_ERROR, "the line is no JSON") from None
    try:
        return mcp_types.jsonrpc_message_adapter.validate_python(document, by_name=False)
    except ValueError:
        pass
    if isinstance(document, dict) and not {"id", "method"} <= document.keys():
        raise _NoMessageError(None)
    asked = document.get("id") if isinstance(document, dict) else None
    known = isinstance(asked, str | int) and not isinstance(asked, bool)
    said = "the line is no request of JSON-RPC 2.0"
    raise _error(asked if known else None, mcp_types.INVALID_REQUEST, said)


def _error(asked: Any, code: int, said: str) -> _NoMessageError:
    error = mcp_types.ErrorData(code=code, message=said)
    return _NoMessageError(mcp_types.JSONRPCError(jsonrpc="2.0", id=asked, error=error))


def _tell(done: asyncio.Future[bool], result: bool) -> None:
    if not done.done():
        done.set_result(result)


def _write_all(descriptor: int, line: bytes) -> bool:
    left = memoryview(line)
    try:
        while left:
            left = left[os.write(descriptor, left) :]
    except OSError:
        return False
    return True
