"""What becomes of a connection that comes while an instance stops listening."""

from __future__ import annotations

import asyncio
import gc
import socket
from typing import TYPE_CHECKING

import pytest
from program import PATIENCE_S

from ollamamaster.simulator.acceptor import Acceptor
from ollamamaster.simulator.connection import Connection, Reply

if TYPE_CHECKING:
    from ollamamaster.simulator.connection import HttpRequest

# More turns than a connection takes from the kernel's queue to its protocol.
TURNS = range(8)


def says_hello(_connection: Connection, _request: HttpRequest) -> Reply:
    return Reply(body=b"hello", content_type="text/plain")


async def closed_after(turns: int, acceptor: Acceptor) -> None:
    """Close it after exactly so many turns of the loop."""
    loop, closed = asyncio.get_running_loop(), asyncio.Event()

    def turn(left: int) -> None:
        if left:
            loop.call_soon(turn, left - 1)
        else:
            acceptor.close()
            closed.set()

    turn(turns)
    await closed.wait()


@pytest.mark.anyio
@pytest.mark.parametrize("turns", TURNS)
async def test_a_connection_is_handed_over_or_reset_whenever_the_door_closes(turns: int) -> None:
    connections: set[Connection] = set()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    acceptor = Acceptor(listener, lambda: Connection(connections, says_hello))
    with socket.create_connection(listener.getsockname()) as client:
        client.setblocking(False)
        await closed_after(turns, acceptor)
        reader, writer = await asyncio.open_connection(sock=client)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        try:
            answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
        except ConnectionError:
            answer = b"reset"
        writer.close()
    assert answer == b"reset" or answer.endswith(b"hello")
    assert not connections
    gc.collect()
