"""A server of this event loop, for tests; none of its connections outlives it."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable

    Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of a server on loopback that calls `serve` for each connection, then closes it.

    `asyncio.start_server` loses the connection of a task that is cancelled before its first
    step; here each is kept from the moment it is accepted until it is closed.
    """
    loop = asyncio.get_running_loop()
    accepted: list[socket.socket] = []
    writers: list[asyncio.StreamWriter] = []
    served: list[asyncio.Task[None]] = []
    ends = False

    async def converse(connection: socket.socket) -> None:
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        with suppress(OSError):  # what does not speak TLS
            transport, _ = await loop.connect_accepted_socket(lambda: protocol, connection, ssl=tls)
            writer = asyncio.StreamWriter(transport, protocol, reader, loop)
            writers.append(writer)
            try:
                await serve(reader, writer)
            finally:
                writer.close()

    async def accept() -> None:
        while not ends:
            connection, _ = await loop.sock_accept(listener)
            accepted.append(connection)
            served.append(asyncio.create_task(converse(connection)))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        accepting = asyncio.create_task(accept())
        try:
            yield listener.getsockname()[1]
        finally:
            ends = True
            # Accepting is not cancelled, which would lose a connection that has just come.
            with socket.create_connection(listener.getsockname()):
                await accepting
            for task in served:
                task.cancel()
            await asyncio.gather(*served, return_exceptions=True)
            for writer in writers:
                writer.transport.abort()
            await asyncio.gather(*(w.wait_closed() for w in writers), return_exceptions=True)
            for connection in accepted:
                connection.close()
