"""A streamed answer, line by line, under the eye of the watchdog.

The connection belongs to a task of its own: closing the stream cancels that task, which closes
the socket, and Ollama frees the slot (and gives up a load) when the socket closes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from ollamamaster.errors import AttemptError
from ollamamaster.ollama.stream import (
    GREETING,
    MAX_STREAM_BYTES,
    LineReader,
    WireError,
    parse,
)
from ollamamaster.ollama.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from ollamamaster.ollama.calls import Call
    from ollamamaster.ollama.watchdog import Ticks, Watch

# Lines that nobody has taken yet; beyond it the instance is left waiting, by TCP's own means.
_MAX_WAITING_BYTES = 1_000_000
# After the last line the body's end follows in the same packet or the next. Reading it keeps the
# connection for the next request; an instance that does not end it gets no longer than this.
_LAST_WORDS_S = 0.05


class Attempt:
    """One streamed call. `question` makes the call that asks for a sign of life."""

    def __init__(
        self,
        call: Call,
        question: Callable[[], Call],
        watch: Watch,
        clock: Ticks,
        *,
        max_line_bytes: int,
    ) -> None:
        self._call = call
        self._question = question
        self._watch = watch
        self._watchdog = Watchdog(watch, self._alive, clock)
        self._max_line_bytes = max_line_bytes
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._ended = False
        self._failure: AttemptError | None = None

    async def lines(self) -> AsyncGenerator[bytes, None]:
        """The lines as they come. Raises AttemptError after the last one that came.

        Close it (`contextlib.aclosing`) to cancel: when `aclose` returns, the socket is closed.
        """
        reader = asyncio.create_task(self._read())
        guard = asyncio.create_task(self._guard())
        try:
            while True:
                while self._waiting:
                    yield self._take()
                if self._failure is not None:
                    raise self._failure
                if self._ended:
                    return
                self._news.clear()
                await self._news.wait()
        finally:
            reader.cancel()
            guard.cancel()
            await asyncio.gather(reader, guard, return_exceptions=True)

    async def settle(self) -> None:
        """Give the body a moment to end, so that its connection can be used again."""
        try:
            async with asyncio.timeout(_LAST_WORDS_S):
                while not self._ended:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pass

    def _take(self) -> bytes:
        line = self._waiting.popleft()
        self._waiting_bytes -= len(line)
        self._room.set()
        return line

    async def _read(self) -> None:
        try:
            async with self._call.open() as response:
                await self._read_body(response.aiter_raw())
        except AttemptError as error:
            self._end(error)
        except Exception as error:  # noqa: BLE001 - the reader's task has nobody else to tell
            failure = self._call.failures.bad_response(f"{type(error).__name__}: {error}")
            failure.__cause__ = error
            self._end(failure)
        else:
            self._end(None)

    async def _read_body(self, pieces: AsyncIterator[bytes]) -> None:
        reader = LineReader(self._max_line_bytes)
        total = 0
        async for piece in pieces:
            self._watchdog.begin()
            total += len(piece)
            if total > MAX_STREAM_BYTES:
                raise WireError(f"a stream of more than {MAX_STREAM_BYTES:,} bytes")
            await self._put(reader.feed(piece))
        rest = reader.rest()
        if not _is_cut(rest):
            await self._put([rest])

    async def _put(self, lines: list[bytes]) -> None:
        for line in filter(None, lines):
            self._waiting.append(line)
            self._waiting_bytes += len(line)
            self._watchdog.heard()
        if not self._waiting:
            return
        self._news.set()
        while self._waiting_bytes > _MAX_WAITING_BYTES:
            self._watchdog.paused = True
            self._room.clear()
            await self._room.wait()
        self._watchdog.paused = False

    async def _guard(self) -> None:
        text = await self._watchdog.hang()
        progress = replace(self._call.progress, connected=True)
        self._end(self._call.failures.silent(text, progress))

    async def _alive(self) -> bool:
        """Whether the instance answers at all within its time; what it answers hardly matters.

        Ollama never answers `/api/version` with 5xx: that is a proxy speaking for a dead instance.
        """
        question = self._question()
        try:
            async with asyncio.timeout(self._watch.answer_within_s), question.open() as response:
                await question.read(response, GREETING.size)
        except AttemptError as error:
            return error.status is not None and error.status < 500
        except TimeoutError:
            return False
        return True

    def _end(self, failure: AttemptError | None) -> None:
        if not self._ended:
            self._ended = True
            self._failure = failure
            self._news.set()


def _is_cut(rest: bytes) -> bool:
    """Whether what came after the last newline began as JSON and broke off.

    It is left out then: the stream has no last line, which is the truth about it.
    """
    if not rest.startswith(b"{"):
        return False
    try:
        parse(rest)
    except WireError:
        return True
    return False
