"""Who takes the connections that come to a listening socket, and lets go of every one of them?"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from ollamamaster.simulator.connection import Connection

# As many as asyncio's own server takes at one turn of the loop, and no more than Linux keeps.
_BACKLOG = 1024
# Where the process has no descriptors left, the next try comes after this long, as in asyncio.
_RETRY_S = 1.0


class Acceptor:
    """Makes a connection of whatever comes to `listener`, which it owns, until it is closed.

    asyncio's own server loses the sockets that it has accepted but not yet handed over at the
    moment it is closed (https://github.com/python/cpython/issues/109564): they stay open, and
    their clients wait. Here they are reset, as the kernel does with those in its own queue.
    """

    def __init__(self, listener: socket.socket, make: Callable[[], Connection]) -> None:
        """Begin at once. Call this in a running event loop that can wait for sockets."""
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._make = make
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        listener.setblocking(False)
        listener.listen(_BACKLOG)
        self._loop.add_reader(listener, self._accept)

    def close(self) -> None:
        """Take no more; those that were handed over go on."""
        self._closed = True
        self._loop.remove_reader(self._listener)
        self._listener.close()

    def _accept(self) -> None:
        for _ in range(_BACKLOG):
            try:
                accepted, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                self._loop.remove_reader(self._listener)
                self._loop.call_later(_RETRY_S, self._resume)
                return
            task = self._loop.create_task(self._hand_over(accepted))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _resume(self) -> None:
        if not self._closed:
            self._loop.add_reader(self._listener, self._accept)

    async def _hand_over(self, accepted: socket.socket) -> None:
        accepted.setblocking(False)
        _, connection = await self._loop.connect_accepted_socket(self._make, accepted)
        if self._closed:
            connection.abort()
