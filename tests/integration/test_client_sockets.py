"""The client against real sockets on loopback that misbehave in every way."""

from __future__ import annotations

import asyncio
import gzip
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pytest
from listening import listening
from program import PATIENCE_S

from ollamamaster.domain.answers import AnswerRequest, Chunk
from ollamamaster.domain.instances import Endpoint, InstanceAddress
from ollamamaster.errors import AttemptError, Outcome
from ollamamaster.ollama.client import OllamaClient
from ollamamaster.ollama.watchdog import Watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

HELLO = AnswerRequest("m", "hello")
# Questions every 20 ms; what answers has all the time in the world, so that a slow machine that
# runs these tests is not taken for a dead instance.
PATIENT = Watch(ask_every_s=0.02, answer_within_s=PATIENCE_S, line_within_s=None)
# Nothing will come, so this only says how long the test takes.
HASTY = Watch(ask_every_s=0.05, answer_within_s=0.05, line_within_s=None)

STREAM = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
)
TOKEN = b'{"response":"a","done":false}\n'
DONE = b'{"response":"","done":true,"done_reason":"stop"}\n'


class Connection(NamedTuple):
    """One accepted connection, after a request was read from it."""

    path: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def say(self, text: bytes, *headers: bytes, status: bytes = b"200 OK") -> None:
        lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(text), *headers]
        self.writer.write(b"\r\n".join(lines) + b"\r\n\r\n" + text)

    def chunk(self, text: bytes) -> None:
        self.writer.write(b"%x\r\n%s\r\n" % (len(text), text))

    def stream(self, *lines: bytes) -> None:
        self.writer.write(STREAM)
        for line in lines:
            self.chunk(line)

    async def closed(self) -> None:
        with suppress(ConnectionError):
            await self.reader.read()

    def reset(self) -> None:
        raw = self.writer.get_extra_info("socket")
        at_once = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        self.writer.transport.abort()


Behaviour = Callable[[Connection], Awaitable[object]]


async def _request_path(reader: asyncio.StreamReader) -> str:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *headers = head.split("\r\n")
    for header in headers:
        name, _, value = header.partition(":")
        if name.lower() == "content-length":
            await reader.readexactly(int(value))
    return first.split(" ")[1]


@asynccontextmanager
async def peer(behave: Behaviour) -> AsyncIterator[Endpoint]:
    """A server that calls `behave` for each request, as an endpoint."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError, EndOfConnection):
            while True:
                await behave(Connection(await _request_path(reader), reader, writer))
                await writer.drain()

    async with listening(serve) as port:
        yield Endpoint(InstanceAddress("127.0.0.1", port))


class EndOfConnection(Exception):  # noqa: N818 - it ends a connection, nothing is wrong
    """Raised by a behaviour to close its connection."""


@asynccontextmanager
async def client(watch: Watch = PATIENT) -> AsyncIterator[OllamaClient]:
    ollama = OllamaClient(watch=watch)
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield ollama
    finally:
        await ollama.aclose()


def alive(behave: Behaviour) -> Behaviour:
    """The same behaviour, but `/api/version` always answers."""

    async def wrapped(connection: Connection) -> None:
        if connection.path == "/api/version":
            await _version(connection)
        else:
            await behave(connection)

    return wrapped


async def _version(connection: Connection) -> None:
    connection.say(b'{"version":"0.24.0"}')


async def failure(behave: Behaviour, watch: Watch = PATIENT) -> AttemptError:
    """How an answer from a server that behaves like this fails."""
    async with peer(behave) as endpoint, client(watch) as ollama:
        with pytest.raises(AttemptError) as caught:
            await complete(ollama, endpoint)
    return caught.value


async def complete(ollama: OllamaClient, endpoint: Endpoint) -> list[Chunk]:
    async with aclosing(ollama.answer(endpoint, HELLO)) as chunks:
        return [chunk async for chunk in chunks]


async def test_an_instance_that_answers_nothing_at_all_is_a_timeout() -> None:
    error = await failure(Connection.closed, HASTY)
    assert (error.outcome, error.connected) == (Outcome.TIMEOUT, True)


async def test_an_instance_that_loads_for_long_but_gives_signs_of_life_is_waited_for() -> None:
    asked = 0
    enough = asyncio.Event()

    async def behave(connection: Connection) -> None:
        nonlocal asked
        if connection.path == "/api/version":
            asked += 1
            connection.say(b'{"version":"0.24.0"}')
            if asked == 20:
                enough.set()
            return
        await enough.wait()
        connection.stream(TOKEN, DONE, b"")

    async with peer(behave) as endpoint, client() as ollama:
        assert len(await complete(ollama, endpoint)) == 2


async def test_a_proxy_that_says_the_instance_is_gone_is_no_sign_of_life() -> None:
    async def behave(connection: Connection) -> None:
        if connection.path == "/api/version":
            connection.say(b"", status=b"502 Bad Gateway")
        else:
            await connection.closed()

    error = await failure(behave)
    assert error.outcome is Outcome.TIMEOUT


async def test_bytes_that_never_make_a_line_are_silence() -> None:
    generating: list[Connection] = []

    async def behave(connection: Connection) -> None:
        if connection.path != "/api/version":
            generating.append(connection)
            connection.stream(b"{")
            return await connection.closed()
        for one in generating:
            one.chunk(b" ")
        return connection.say(b'{"version":"0.24.0"}')

    error = await failure(behave, replace(PATIENT, line_within_s=0.3))
    assert (error.outcome, error.received) == (Outcome.TIMEOUT, 0)


async def test_a_stream_that_goes_silent_is_a_timeout_that_counts_what_came() -> None:
    gone = asyncio.Event()

    async def behave(connection: Connection) -> None:
        if connection.path != "/api/version":
            connection.stream(TOKEN, TOKEN)
            await connection.closed()
        elif gone.is_set():
            raise EndOfConnection
        else:
            await _version(connection)

    async with peer(behave) as endpoint, client() as ollama:
        chunks = ollama.answer(endpoint, HELLO)
        for _ in range(2):
            await anext(chunks)
        gone.set()
        with pytest.raises(AttemptError) as caught:
            await anext(chunks)
    assert (caught.value.outcome, caught.value.received) == (Outcome.TIMEOUT, 2)


async def test_a_pull_that_is_silent_for_long_is_waited_for_while_the_instance_lives() -> None:
    pulling: list[Connection] = []
    asked = 0

    async def behave(connection: Connection) -> None:
        nonlocal asked
        if connection.path == "/api/version":
            asked += 1
            connection.say(b'{"version":"0.24.0"}')
            if asked == 10:
                pulling[0].chunk(b'{"status":"success"}\n')
            return
        pulling.append(connection)
        connection.stream(b'{"status":"verifying sha256 digest"}\n')
        await connection.closed()

    watch = replace(PATIENT, line_within_s=0.01)
    async with peer(behave) as endpoint, client(watch) as ollama:
        lines = ollama.pull(endpoint, "m")
        assert [line.status async for line in lines][-1] == "success"


async def test_a_connection_that_is_reset_before_any_byte_is_a_connect_error() -> None:
    async def behave(connection: Connection) -> None:
        connection.reset()
        raise EndOfConnection

    error = await failure(alive(behave))
    assert (error.outcome, error.connected) == (Outcome.CONNECT_ERROR, True)


async def test_a_connection_that_is_closed_before_any_byte_is_a_connect_error() -> None:
    async def behave(connection: Connection) -> None:
        raise EndOfConnection

    error = await failure(alive(behave))
    assert (error.outcome, error.connected) == (Outcome.CONNECT_ERROR, True)


async def test_a_connection_that_is_reset_later_breaks_the_stream() -> None:
    proceed = asyncio.Event()

    async def behave(connection: Connection) -> None:
        connection.stream(TOKEN)
        await connection.writer.drain()
        await proceed.wait()
        connection.reset()
        raise EndOfConnection

    async with peer(alive(behave)) as endpoint, client() as ollama:
        chunks = ollama.answer(endpoint, HELLO)
        await anext(chunks)
        proceed.set()
        with pytest.raises(AttemptError) as caught:
            await anext(chunks)
    assert (caught.value.outcome, caught.value.received) == (Outcome.STREAM_BROKEN, 1)


async def test_a_body_without_its_last_chunk_breaks_the_stream() -> None:
    async def behave(connection: Connection) -> None:
        connection.stream(TOKEN, TOKEN, TOKEN)
        raise EndOfConnection

    error = await failure(alive(behave))
    assert (error.outcome, error.received) == (Outcome.STREAM_BROKEN, 3)


async def test_a_body_that_ends_cleanly_without_a_done_line_breaks_the_stream() -> None:
    async def behave(connection: Connection) -> None:
        connection.stream(TOKEN, b"")

    error = await failure(alive(behave))
    assert (error.outcome, error.received) == (Outcome.STREAM_BROKEN, 1)


async def test_a_line_without_an_end_is_a_bad_response() -> None:
    async def behave(connection: Connection) -> None:
        connection.writer.write(STREAM)
        while True:
            connection.chunk(b"x" * 1_000_000)
            await connection.writer.drain()

    assert (await failure(alive(behave))).outcome is Outcome.BAD_RESPONSE


async def test_a_line_that_nests_too_deep_is_a_bad_response() -> None:
    async def behave(connection: Connection) -> None:
        connection.stream(b"[" * 1_000_000 + b"\n")

    assert (await failure(alive(behave))).outcome is Outcome.BAD_RESPONSE


async def test_a_compressed_bomb_is_a_bad_response() -> None:
    bomb = gzip.compress(b" " * 50_000_000)

    async def behave(connection: Connection) -> None:
        connection.say(bomb, b"Content-Encoding: gzip")

    async with peer(behave) as endpoint, client() as ollama:
        with pytest.raises(AttemptError) as caught:
            await ollama.tags(endpoint, timeout_s=PATIENCE_S)
    assert caught.value.outcome is Outcome.BAD_RESPONSE


async def test_what_is_no_http_is_a_bad_response() -> None:
    async def behave(connection: Connection) -> None:
        connection.writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")

    assert (await failure(alive(behave))).outcome is Outcome.BAD_RESPONSE


async def test_headers_without_an_end_are_a_bad_response() -> None:
    async def behave(connection: Connection) -> None:
        connection.writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.writer.write(b"X-More: " + b"x" * 1000 + b"\r\n")
            await connection.writer.drain()

    assert (await failure(alive(behave))).outcome is Outcome.BAD_RESPONSE


async def test_a_port_that_nobody_listens_on_is_a_connect_error_without_a_connection() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        endpoint = Endpoint(InstanceAddress("127.0.0.1", bound.getsockname()[1]))
        async with client() as ollama:
            with pytest.raises(AttemptError) as caught:
                await complete(ollama, endpoint)
    assert (caught.value.outcome, caught.value.connected) == (Outcome.CONNECT_ERROR, False)
    assert caught.value.message == "connection refused"


@pytest.mark.parametrize("trickle", [b"", b"x"])
async def test_a_port_that_answers_too_slowly_is_passed_over_in_time(trickle: bytes) -> None:
    async def behave(connection: Connection) -> None:
        connection.writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + trickle)
        await connection.closed()

    async with peer(behave) as endpoint, client() as ollama:
        with pytest.raises(AttemptError) as caught:
            await ollama.identify(endpoint, timeout_s=0.5)
    assert (caught.value.outcome, caught.value.connected) == (Outcome.TIMEOUT, True)


async def test_a_port_that_streams_for_ever_is_passed_over() -> None:
    async def behave(connection: Connection) -> None:
        connection.writer.write(STREAM)
        while True:
            connection.chunk(b"noise\n" * 100)
            await connection.writer.drain()

    async with peer(behave) as endpoint, client() as ollama:
        with pytest.raises(AttemptError) as caught:
            await ollama.identify(endpoint, timeout_s=PATIENCE_S)
    assert caught.value.outcome is Outcome.BAD_RESPONSE


async def test_cancelling_before_the_first_token_closes_the_connection() -> None:
    arrived, closed = asyncio.Event(), asyncio.Event()

    async def behave(connection: Connection) -> None:
        arrived.set()
        await connection.closed()
        closed.set()
        raise EndOfConnection

    async with peer(alive(behave)) as endpoint, client() as ollama:
        waiting = asyncio.create_task(complete(ollama, endpoint))
        await arrived.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await closed.wait()


async def test_leaving_a_stream_early_closes_the_connection() -> None:
    closed = asyncio.Event()

    async def behave(connection: Connection) -> None:
        connection.stream(TOKEN)
        await connection.closed()
        closed.set()
        raise EndOfConnection

    async with peer(alive(behave)) as endpoint, client() as ollama:
        async with aclosing(ollama.answer(endpoint, HELLO)) as chunks:
            async for chunk in chunks:
                assert chunk.text == "a"
                break
        await closed.wait()


async def test_a_stream_that_is_cancelled_leaves_no_task_behind() -> None:
    async def behave(connection: Connection) -> None:
        connection.stream(TOKEN)
        await connection.closed()

    async with peer(alive(behave)) as endpoint, client() as ollama:
        chunks = ollama.answer(endpoint, HELLO)
        await anext(chunks)
        before = asyncio.all_tasks()
        await chunks.aclose()
        names = {task.get_coro().__qualname__ for task in before - asyncio.all_tasks()}  # type: ignore[union-attr]
    assert {"Attempt._read", "Attempt._guard"} <= names


async def test_a_finished_stream_gives_its_connection_to_the_next_request() -> None:
    accepted: set[object] = set()

    async def behave(connection: Connection) -> None:
        accepted.add(connection.writer)
        connection.stream(TOKEN, DONE, b"")

    async with peer(alive(behave)) as endpoint, client() as ollama:
        await complete(ollama, endpoint)
        await complete(ollama, endpoint)
    assert len(accepted) == 1


async def test_a_reader_that_falls_behind_makes_the_instance_wait() -> None:
    sent = 0
    line = b'{"response":"' + b"x" * 10_000 + b'"}\n'

    async def behave(connection: Connection) -> None:
        nonlocal sent
        connection.writer.write(STREAM)
        for _ in range(1500):
            connection.chunk(line)
            await connection.writer.drain()
            sent += 1
        connection.chunk(DONE)
        connection.chunk(b"")

    async with peer(alive(behave)) as endpoint, client() as ollama:
        chunks = ollama.answer(endpoint, HELLO)
        first = await anext(chunks)
        assert sent < 1500
        assert len(first.text) == 10_000
        assert sum([len(chunk.text) async for chunk in chunks]) == 1499 * 10_000
