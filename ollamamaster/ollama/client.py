"""Ollama's API on any instance."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ollamamaster.domain.answers import Embeddings
from ollamamaster.errors import AttemptError, Outcome
from ollamamaster.ollama import bodies, wire
from ollamamaster.ollama.attempt import Attempt
from ollamamaster.ollama.calls import Call
from ollamamaster.ollama.connections import Connections
from ollamamaster.ollama.stream import (
    EMBEDDINGS,
    GREETING,
    LINE,
    MAX_TEXT_CHARS,
    PS,
    SHOW,
    TAGS,
    WireError,
)
from ollamamaster.ollama.watchdog import LoopClock, Watch

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

    from ollamamaster.domain.answers import AnswerRequest, Chunk, PullProgress
    from ollamamaster.domain.instances import Endpoint
    from ollamamaster.domain.models import LoadedModel, Model
    from ollamamaster.ollama.http import httpx
    from ollamamaster.ollama.stream import Limit
    from ollamamaster.ollama.watchdog import Ticks


class _Line(Protocol):
    @property
    def done(self) -> bool: ...


_T = TypeVar("_T")
_L = TypeVar("_L", bound=_Line)

_GREETING = "Ollama is running"


class OllamaClient:
    """The port OllamaAPI over HTTP. Every failure is an AttemptError.

    One client serves one event loop. `answer` and `pull` are streams that hold a connection and,
    over there, a slot. Close them as soon as they are not needed; leaving a loop early does not:

        async with contextlib.aclosing(client.answer(endpoint, request)) as chunks:
            async for chunk in chunks: ...

    When that block is left, for whatever reason, the socket is closed. `transport` replaces the
    network and `clock` the time of the watch, for tests.
    """

    def __init__(
        self,
        *,
        watch: Watch | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Ticks | None = None,
    ) -> None:
        self._watch = watch or Watch()
        self._clock = clock or LoopClock()
        self._connections = Connections(transport)

    async def identify(self, endpoint: Endpoint, *, timeout_s: float) -> str:
        """The version, when both `/` and `/api/version` say that this is Ollama.

        Raises AttemptError, `bad_response` for anything else that answers. `timeout_s` is for
        everything together, however slowly or endlessly the other side talks.
        """
        call = Call(self._connections, endpoint, "GET", "/")
        try:
            async with asyncio.timeout(timeout_s):
                async with call.open() as response:
                    greeting = await call.read(response, GREETING.size)
                    if greeting.decode("utf-8", "replace").strip() != _GREETING:
                        raise WireError(f"it does not say `{_GREETING}`")
                return await self.version(endpoint, timeout_s=timeout_s)
        except TimeoutError:
            raise call.late(timeout_s) from None

    async def version(self, endpoint: Endpoint, *, timeout_s: float) -> str:
        """The version, which is the cheapest sign of life."""
        call = Call(self._connections, endpoint, "GET", "/api/version")
        return await _ask(call, wire.read_version, timeout_s, GREETING)

    async def tags(self, endpoint: Endpoint, *, timeout_s: float) -> tuple[Model, ...]:
        """The models the instance has on disk."""
        call = Call(self._connections, endpoint, "GET", "/api/tags")
        return await _ask(call, wire.read_tags, timeout_s, TAGS)

    async def ps(self, endpoint: Endpoint, *, timeout_s: float) -> tuple[LoadedModel, ...]:
        """The models the instance has in memory; none where it cannot tell (before 0.1.38)."""
        call = Call(self._connections, endpoint, "GET", "/api/ps")
        try:
            return await _ask(call, wire.read_ps, timeout_s, PS)
        except AttemptError as error:
            if error.status != 404:
                raise
            return ()

    async def show(self, endpoint: Endpoint, model: Model, *, timeout_s: float) -> Model:
        """The model with its capabilities, context length and shape filled in."""
        body = bodies.show_body(str(model.name))
        call = Call(self._connections, endpoint, "POST", "/api/show", body)
        return await _ask(call, lambda document: wire.read_show(document, model), timeout_s, SHOW)

    async def answer(
        self, endpoint: Endpoint, request: AnswerRequest
    ) -> AsyncGenerator[Chunk, None]:
        """Stream the answer: ends with a `done` chunk or raises; closing it cancels over there.

        Never truncates in silence on servers from 0.12.6 (older ones ignore the wish): what does
        not fit is an AttemptError with `context_exceeded`.
        """
        call = self._post(endpoint, bodies.answer_path(request), bodies.answer_body(request))
        chars = 0

        def read(line: Mapping[str, Any]) -> Chunk:
            nonlocal chars
            chunk = wire.read_answer(line)
            chars += len(chunk.text) + len(chunk.thinking)
            if chars > MAX_TEXT_CHARS:
                raise WireError(f"an answer of more than {MAX_TEXT_CHARS:,} characters")
            call.received += bool(chunk.text or chunk.thinking)
            return chunk

        async with aclosing(self._stream(endpoint, call, read, self._watch)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def embed(self, endpoint: Endpoint, model: str, texts: Sequence[str]) -> Embeddings:
        """One vector a text, in the same order."""
        if not texts:
            return Embeddings(())
        call = self._post(endpoint, "/api/embed", bodies.embed_body(model, texts))
        try:
            return await self._whole(
                endpoint, call, lambda document: wire.read_embeddings(document, len(texts))
            )
        except AttemptError as error:
            # No such path: a server before 0.3, which takes one text at a time.
            if error.status != 404 or error.outcome is Outcome.MODEL_MISSING:
                raise
        vectors = []
        for text in texts:
            call = self._post(endpoint, "/api/embeddings", bodies.embed_one_body(model, text))
            vectors.append(await self._whole(endpoint, call, wire.read_embedding))
        return Embeddings(tuple(vectors))

    async def pull(self, endpoint: Endpoint, model: str) -> AsyncGenerator[PullProgress, None]:
        """Download a model on the instance; ends with a `done` line or raises.

        There is no limit on its time; an instance that hangs meanwhile is a `timeout`.
        """
        call = self._post(endpoint, "/api/pull", bodies.pull_body(model))
        # Checking the digest of a large model says nothing for minutes.
        watch = replace(self._watch, line_within_s=None)
        lines = self._stream(endpoint, call, wire.read_pull, watch, pulling=True)
        async with aclosing(lines):
            async for line in lines:
                yield line

    async def load(
        self, endpoint: Endpoint, model: str, *, num_ctx: int | None, keep_alive: str | int | None
    ) -> None:
        """Bring a model into memory, with this context; None leaves both to the instance."""
        await self._to_end(endpoint, bodies.load_body(model, num_ctx, keep_alive))

    async def unload(self, endpoint: Endpoint, model: str) -> None:
        """Take a model out of memory."""
        await self._to_end(endpoint, bodies.unload_body(model))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._connections.aclose()
        # a transport that was closed lets its socket go at the loop's next turn, which may be none
        await asyncio.sleep(0)

    def _post(self, endpoint: Endpoint, path: str, body: Mapping[str, Any]) -> Call:
        return Call(self._connections, endpoint, "POST", path, body)

    def _attempt(self, endpoint: Endpoint, call: Call, watch: Watch, max_line: int) -> Attempt:
        def question() -> Call:
            return Call(self._connections, endpoint, "GET", "/api/version")

        return Attempt(call, question, watch, self._clock, max_line_bytes=max_line)

    async def _to_end(self, endpoint: Endpoint, body: Mapping[str, Any]) -> None:
        call = self._post(endpoint, "/api/generate", body)
        lines = self._stream(endpoint, call, wire.read_answer, self._watch)
        async with aclosing(lines):
            async for _ in lines:
                pass

    async def _stream(
        self,
        endpoint: Endpoint,
        call: Call,
        read: Callable[[Mapping[str, Any]], _L],
        watch: Watch,
        *,
        pulling: bool = False,
    ) -> AsyncGenerator[_L, None]:
        """The lines of a stream as values, the last one done; raises when there is no such line."""
        attempt = self._attempt(endpoint, call, watch, LINE.size)
        async with aclosing(attempt.lines()) as lines:
            async for data in lines:
                try:
                    document = call.object_of(data)
                    error = wire.error_of(document)
                    line = read(document) if error is None else None
                except WireError as problem:
                    raise call.failures.bad_response(str(problem), call.received) from None
                if line is None:
                    raise call.failures.of_line(error or "", call.received, pulling=pulling)
                yield line
                if line.done:
                    await attempt.settle()
                    return
        raise call.failures.broken("the stream ended without its last line", call.received)

    async def _whole(
        self, endpoint: Endpoint, call: Call, read: Callable[[Mapping[str, Any]], _T]
    ) -> _T:
        """One document that may take as long as a load, so it is watched like a stream."""
        watch = replace(self._watch, line_within_s=None)
        attempt = self._attempt(endpoint, call, watch, EMBEDDINGS.size)
        async with aclosing(attempt.lines()) as lines:
            data = b"\n".join([line async for line in lines])
        try:
            return read(call.object_of(data, EMBEDDINGS))
        except WireError as problem:
            raise call.failures.bad_response(str(problem)) from None


async def _ask(
    call: Call,
    read: Callable[[Mapping[str, Any]], _T],
    timeout_s: float,
    limit: Limit,
) -> _T:
    """One document within `timeout_s`, everything included."""
    try:
        async with asyncio.timeout(timeout_s), call.open() as response:
            return read(call.object_of(await call.read(response, limit.size), limit))
    except TimeoutError:
        raise call.late(timeout_s) from None
