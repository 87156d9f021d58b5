"""Lines of servers that the SDK refuses, and with them the answer somebody waits for."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from contextlib import AbstractAsyncContextManager


@asynccontextmanager
async def whole_characters(
    transport: AbstractAsyncContextManager[Any], begun: Callable[[], None]
) -> AsyncGenerator[tuple[Any, Any], None]:
    """The transport, in whose answers a half of a character is a question mark.

    A server that cuts its text to a length may cut an emoji in two; JSON can say that half, the
    SDK drops the line, and the call would wait until its time is over. `begun` is called when the
    server runs.
    """
    async with transport as (read, write):
        begun()
        yield _Whole(read), write


class _Whole:
    """The stream of what the server says."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    @property
    def last_context(self) -> Any:
        return getattr(self._inner, "last_context", None)

    async def receive(self) -> Any:
        return _mended(await self._inner.receive())

    async def aclose(self) -> None:
        await self._inner.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        return _mended(await self._inner.__anext__())

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *raised: object) -> Any:
        return await self._inner.__aexit__(*raised)


def _mended(item: Any) -> Any:
    """The message; what is no message for another reason stays the error that it is."""
    from mcp.shared.message import SessionMessage
    from mcp_types import jsonrpc_message_adapter
    from pydantic import ValidationError

    if not isinstance(item, ValidationError):
        return item
    line = item.errors()[0]["input"]
    if not isinstance(line, str):
        return item
    try:
        # Python reads halves of characters; encoding puts the question marks
        text = json.dumps(json.loads(line), ensure_ascii=False).encode("utf-8", "replace")
        return SessionMessage(jsonrpc_message_adapter.validate_json(text, by_name=False))
    except (ValueError, RecursionError):
        return item
