"""A TCP connect scan on non-blocking sockets: thousands in flight, no privileges.

An open port is closed again in the ordinary way, not by a reset: a reset can land in the log of
the server, or in its accept call, while the TIME_WAIT it would save exists once per open port
only, of which there are few. Refused and silent ports leave nothing behind either way.
"""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import sys
import time
from collections import deque
from typing import TYPE_CHECKING

from ollamamaster.domain.probes import Probes, Scanned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEFAULT_CONCURRENCY = 4096
LOOPBACK_TIMEOUT_S = 0.5
TIMEOUT_S = 1.0

# How long the scan may be deaf to cancellation, and how often progress is told.
_BREATH_S = 0.05
# Probes started between two looks at the answers: a few milliseconds of work.
_BURST = 256
# Descriptors left to the rest of the process.
_RESERVED = 64
# Python's select on Windows takes 512 sockets.
_WINDOWS_LIMIT = 500
# What a system may refuse for want of resources; tried again for this long when nothing of ours
# is in flight, so that it is somebody else who holds them.
_NO_RESOURCES = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL}
)
_RESOURCES_WAIT_S = 2.0
_PENDING = frozenset({errno.EINPROGRESS, errno.EALREADY, errno.EWOULDBLOCK, errno.EINTR})
_CONNECTED = frozenset({0, errno.EISCONN})
# There the kernel has refused before connect() returns, and asking a second time tells it without
# the selector. On Windows the second answer cannot be told from a failure.
_LOOPBACK_ANSWERS_AT_ONCE = sys.platform != "win32"


class SocketScanner:
    """The Scanner of this machine."""

    def scan(
        self,
        probes: Probes,
        *,
        timeout_s: float | None = None,
        concurrency: int = DEFAULT_CONCURRENCY,
        on_progress: Callable[[int, int, int], None] | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Scanned:
        """Try to connect to every pair; blocks until all have answered or timed out.

        `timeout_s` is for one port, by default 0.5 s on loopback and 1 s elsewhere.
        `on_progress(done, total, open)` is called a few times a second and once at the end.
        `cancelled` is asked every 50 ms or more often; what was found until then is returned.
        """
        with _descriptors(concurrency) as limit:
            return _Scan(probes, timeout_s, limit, on_progress, cancelled).run()


@contextlib.contextmanager
def _descriptors(wanted: int) -> Iterator[int]:
    """How many sockets may be open at once; the soft limit is raised meanwhile where needed."""
    try:
        import resource
    except ImportError:
        yield max(1, min(wanted, _WINDOWS_LIMIT))
        return
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft, hard = before
    needed = wanted + _RESERVED
    if soft != resource.RLIM_INFINITY and soft < needed:
        ceiling = needed if hard == resource.RLIM_INFINITY else min(hard, needed)
        # macOS has a second, lower limit that only a refusal tells
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (ceiling, hard))
            soft = ceiling
    try:
        yield wanted if soft == resource.RLIM_INFINITY else max(1, min(wanted, soft - _RESERVED))
    finally:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, before)


class _Scan:
    """One run; the sockets in flight wait in one queue per timeout, so the oldest is first."""

    def __init__(
        self,
        probes: Probes,
        timeout_s: float | None,
        limit: int,
        on_progress: Callable[[int, int, int], None] | None,
        cancelled: Callable[[], bool],
    ) -> None:
        self._source = iter(probes)
        self._total = len(probes)
        self._limit = limit
        self._on_progress = on_progress
        self._cancelled = cancelled
        self._timeouts = (
            timeout_s if timeout_s is not None else TIMEOUT_S,
            timeout_s if timeout_s is not None else LOOPBACK_TIMEOUT_S,
        )
        self._selector = selectors.DefaultSelector()
        self._waiting: tuple[deque[tuple[float, socket.socket]], ...] = (deque(), deque())
        self._again: deque[tuple[str, int]] = deque()
        self._short_since: float | None = None
        self._in_flight: dict[socket.socket, tuple[str, int]] = {}
        self._open: list[tuple[str, int]] = []
        self._done = 0
        self._unprobed = 0
        self._told_at = 0.0

    def run(self) -> Scanned:
        started = time.perf_counter()
        try:
            more = True
            while (more or self._in_flight) and not self._cancelled():
                more = self._start_some()
                self._collect(wait=not more or len(self._in_flight) >= self._limit)
                self._tell()
        finally:
            for sock in self._in_flight:
                sock.close()
            self._selector.close()
        self._tell(last=True)
        return Scanned(
            tuple(sorted(self._open)),
            self._done,
            self._unprobed,
            time.perf_counter() - started,
        )

    def _start_some(self) -> bool:
        """Start up to a burst of probes; False when there are none left to start."""
        for _ in range(min(_BURST, self._limit - len(self._in_flight))):
            pair = self._again.popleft() if self._again else next(self._source, None)
            if pair is None:
                return False
            if not self._start(*pair):
                self._run_short(pair)
                return True
            self._short_since = None
        return True

    def _run_short(self, pair: tuple[str, int]) -> None:
        """Go on with fewer at once; give a probe up only when waiting has not helped."""
        now = time.monotonic()
        if self._in_flight:
            self._limit = max(1, len(self._in_flight) - 1)
            self._short_since = None
        else:
            self._short_since = self._short_since or now
            if now - self._short_since > _RESOURCES_WAIT_S:
                self._unprobed += 1
                self._done += 1
                return
            time.sleep(_BREATH_S)
        self._again.append(pair)

    def _start(self, host: str, port: int) -> bool:
        """Begin one connection; False when the system has no resources for it now."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as problem:
            if problem.errno in _NO_RESOURCES:
                return False
            self._done += 1
            return True
        sock.setblocking(False)
        loopback = host.startswith("127.") or host == "::1"
        result = sock.connect_ex((host, port))
        if result in _PENDING and loopback and _LOOPBACK_ANSWERS_AT_ONCE:
            result = sock.connect_ex((host, port))
        if result in _PENDING:
            deadline = time.monotonic() + self._timeouts[loopback]
            self._in_flight[sock] = (host, port)
            self._selector.register(sock, selectors.EVENT_WRITE)
            self._waiting[loopback].append((deadline, sock))
            return True
        if result in _NO_RESOURCES and not _has_no_route(result, (host, port)):
            sock.close()
            return False
        self._end(sock, (host, port), is_open=result in _CONNECTED)
        return True

    def _collect(self, *, wait: bool) -> None:
        """Take the answers that have come, and end what has waited too long."""
        if not self._in_flight:
            return
        patience = 0.0
        if wait:
            first = min(queue[0][0] for queue in self._waiting if queue)
            patience = max(0.0, min(_BREATH_S, first - time.monotonic()))
        for key, _ in self._selector.select(patience):
            sock = key.fileobj
            if isinstance(sock, socket.socket):
                error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                self._forget(sock, is_open=error == 0)
        now = time.monotonic()
        for queue in self._waiting:
            while queue and (queue[0][0] <= now or queue[0][1] not in self._in_flight):
                sock = queue.popleft()[1]
                if sock in self._in_flight:
                    self._forget(sock, is_open=False)

    def _forget(self, sock: socket.socket, *, is_open: bool) -> None:
        self._selector.unregister(sock)
        self._end(sock, self._in_flight.pop(sock), is_open=is_open)

    def _end(self, sock: socket.socket, pair: tuple[str, int], *, is_open: bool) -> None:
        if is_open and not _is_itself(sock):
            self._open.append(pair)
        sock.close()
        self._done += 1

    def _tell(self, *, last: bool = False) -> None:
        if self._on_progress is None:
            return
        now = time.monotonic()
        if last or now - self._told_at >= _BREATH_S:
            self._told_at = now
            self._on_progress(self._done, self._total, len(self._open))


def _is_itself(sock: socket.socket) -> bool:
    """Whether the socket reached itself, which TCP allows when it drew the port it asks for."""
    try:
        return bool(sock.getsockname()[:2] == sock.getpeername()[:2])
    except OSError:
        return True


def _has_no_route(problem: int, pair: tuple[str, int]) -> bool:
    """Whether `EADDRNOTAVAIL` means that this machine cannot speak to that address at all.

    It is also what a machine says that has no local port left. Connecting a datagram socket
    sends nothing and needs the same route and address.
    """
    if problem != errno.EADDRNOTAVAIL:
        return False
    family = socket.AF_INET6 if ":" in pair[0] else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            return sock.connect_ex(pair) == errno.EADDRNOTAVAIL
    except OSError:
        return False
