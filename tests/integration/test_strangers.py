"""What listens on a port and is no Ollama is passed over, and delays nothing."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from program import PATIENCE_S

from ollamamaster.bootstrap import Application
from ollamamaster.domain.instances import Status
from ollamamaster.services.plan import DiscoverRequest
from ollamamaster.simulator.sandbox import SimulatedFleet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ollamamaster.services.discover import Discovery
    from ollamamaster.simulator.sandbox import SimulatedInstance

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def ollama() -> Iterator[SimulatedInstance]:
    with SimulatedFleet.start("duo", speed=50.0, seed=0) as fleet:
        yield fleet["a"]


async def discover(request: DiscoverRequest) -> Discovery:
    application = Application()
    try:
        return await application.discover_service().discover(request)
    finally:
        await application.ollama.aclose()


@contextlib.contextmanager
def server(answer: Callable[[socket.socket, threading.Event], None]) -> Iterator[int]:
    """A server of one port that does to each connection what `answer` says."""
    ended = threading.Event()

    def treat(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            answer(connection, ended)

    def accept() -> None:
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = listener.accept()
                connection.settimeout(PATIENCE_S)
                threads.append(threading.Thread(target=treat, args=(connection,)))
                threads[-1].start()

    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield listener.getsockname()[1]
        finally:
            ended.set()
            accepting.join()
            for thread in threads:
                thread.join()


def another_web_server(connection: socket.socket, _ended: threading.Event) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")


def garbage(connection: socket.socket, _ended: threading.Event) -> None:
    connection.sendall(bytes(range(256)) * 40)


def tls(connection: socket.socket, _ended: threading.Event) -> None:
    connection.recv(4096)
    connection.sendall(b"\x15\x03\x01\x00\x02\x02\x46")


def nothing(_connection: socket.socket, ended: threading.Event) -> None:
    ended.wait(PATIENCE_S)


def without_end(connection: socket.socket, ended: threading.Event) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not ended.wait(0.01):
        connection.sendall(b"x" * 100)


def closing(_connection: socket.socket, _ended: threading.Event) -> None:
    return


@pytest.mark.parametrize(
    "answer", [another_web_server, garbage, tls, nothing, without_end, closing]
)
async def test_what_is_not_ollama_is_passed_over(
    ollama: SimulatedInstance,
    answer: Callable[[socket.socket, threading.Event], None],
) -> None:
    with server(answer) as port:
        request = DiscoverRequest(("127.0.0.1",), ports=f"{port},{ollama.port}")
        found = await discover(request)
    assert [i.id for i in found.fleet] == [ollama.id]
    assert (found.scan.open, found.scan.probes) == (2, 2)


ENDLESS = b'{"models":[' + b"[]," * 500_000 + b"[]]}"
GREETING = {b"/": b"Ollama is running", b"/api/version": b'{"version":"0.24.0"}'}


def brackets(connection: socket.socket, _ended: threading.Event) -> None:
    """Ollama, but for hundreds of thousands of empty lists."""
    waiting = b""
    while piece := connection.recv(4096):
        waiting += piece
        while b"\r\n\r\n" in waiting:
            request, _, waiting = waiting.partition(b"\r\n\r\n")
            body = GREETING.get(request.split(b" ")[1], ENDLESS)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body))
            connection.sendall(body)


async def test_instances_that_answer_with_endless_lists_do_not_keep_another_from_being_up(
    ollama: SimulatedInstance,
) -> None:
    with contextlib.ExitStack() as stack:
        ports = [stack.enter_context(server(brackets)) for _ in range(12)]
        listed = ",".join(map(str, [*ports, ollama.port]))
        found = await discover(DiscoverRequest(("127.0.0.1",), ports=listed))
    status = {i.address.port: i.status for i in found.fleet}
    assert status == {ollama.port: Status.UP, **dict.fromkeys(ports, Status.DEGRADED)}


async def test_ports_that_never_answer_are_waited_for_all_at_once(
    ollama: SimulatedInstance,
) -> None:
    with contextlib.ExitStack() as stack:
        ports = [stack.enter_context(server(nothing)) for _ in range(30)]
        listed = ",".join(map(str, [*ports, ollama.port]))
        found = await discover(DiscoverRequest(("127.0.0.1",), ports=listed))
    assert [i.id for i in found.fleet] == [ollama.id]
    # one after the other it would be a minute
    assert found.scan.identify_s < 30
