"""The scanner on real sockets of loopback and of namespaces of its own."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import shutil
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from program import PATIENCE_S

from ollamamaster.discovery.scan import SocketScanner
from ollamamaster.domain.probes import Probes

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def listening(*hosts: str, backlog: int = 16) -> Iterator[list[tuple[str, int]]]:
    """Sockets that listen and never accept."""
    with contextlib.ExitStack() as stack:
        found = []
        for host in hosts:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            sock = stack.enter_context(socket.socket(family))
            sock.bind((host, 0))
            sock.listen(backlog)
            found.append((host, sock.getsockname()[1]))
        yield found


@contextlib.contextmanager
def silent_port() -> Iterator[tuple[str, int]]:
    """A port of loopback that answers nothing: its queue of connections is full."""
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(socket.socket())
        sock.bind(("127.0.0.1", 0))
        sock.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(sock.getsockname())
        yield sock.getsockname()


def one(host: str, *ports: int) -> Probes:
    return Probes.of([(ipaddress.ip_network(host), tuple(range(p, p + 1) for p in ports))])


def test_open_ports_are_told_from_closed_ones() -> None:
    # on an address where no other test listens, by chance on the same port as one of these
    hosts = ("127.0.1.1", "127.0.1.3", "127.0.1.77")
    with listening(*hosts) as found:
        ports = tuple(range(port, port + 1) for _, port in found)
        probes = Probes.of([(ipaddress.ip_network("127.0.1.0/25"), ports)])
        scanned = SocketScanner().scan(probes)
    assert set(scanned.open) == set(found)
    assert (scanned.probes, scanned.unprobed) == (126 * 3, 0)


def test_ipv6_loopback_is_scanned_too() -> None:
    try:
        with listening("::1") as found:
            assert SocketScanner().scan(one("::1", found[0][1])).open == tuple(found)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")


@pytest.mark.skipif(sys.platform != "linux", reason="how a full queue behaves is Linux's own")
def test_a_port_that_never_answers_is_not_open_and_hides_no_other() -> None:
    with silent_port() as silent, listening("127.0.0.1") as found:
        scanned = SocketScanner().scan(one("127.0.0.1", silent[1], found[0][1]), timeout_s=0.2)
    assert scanned.open == tuple(found)
    assert scanned.probes == 2


@pytest.mark.skipif(sys.platform != "linux", reason="how a full queue behaves is Linux's own")
def test_a_cancelled_scan_does_not_wait_for_the_timeout() -> None:
    with silent_port() as silent:
        asked: list[None] = []

        def cancelled() -> bool:
            asked.append(None)
            return len(asked) > 2

        scanned = SocketScanner().scan(
            one("127.0.0.1", silent[1]), timeout_s=PATIENCE_S, cancelled=cancelled
        )
    assert scanned.duration_s < PATIENCE_S
    assert scanned.open == ()


def test_progress_ends_with_everything_done() -> None:
    told: list[tuple[int, int, int]] = []
    with listening("127.0.0.1") as found:
        probes = Probes.of([(ipaddress.ip_network("127.0.0.0/26"), (range(1, 10),))])
        both = Probes((*probes.blocks, *one("127.0.0.1", found[0][1]).blocks))
        SocketScanner().scan(both, on_progress=lambda *figures: told.append(figures))
    assert told[-1] == (len(both), len(both), 1)
    assert len(told) < len(both)


def test_one_at_a_time_finds_the_same() -> None:
    with listening("127.0.0.1", "127.0.0.1") as found:
        ports = [port for _, port in found]
        assert set(SocketScanner().scan(one("127.0.0.1", *ports), concurrency=1).open) == {*found}


def run_python(code: str, *, inside: tuple[str, ...] = ()) -> dict[str, object]:
    done = subprocess.run(
        [*inside, sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(answer, dict)
    return answer


FEW_DESCRIPTORS = """
import ipaddress, json, resource, socket
from ollamamaster.discovery.scan import SocketScanner
from ollamamaster.domain.probes import Probes
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
server = socket.create_server(("127.0.0.9", 0))
silent = socket.socket(); silent.bind(("127.0.0.1", 0)); silent.listen(0)
held = [socket.socket() for _ in range({held})]
for sock in held[:4]:
    sock.setblocking(False); sock.connect_ex(silent.getsockname())
ports = tuple(range(s.getsockname()[1], s.getsockname()[1] + 1) for s in (server, silent))
probes = Probes.of([(ipaddress.ip_network("127.0.0.0/24"), ports)])
scanned = SocketScanner().scan(probes, timeout_s=0.2)
print(json.dumps({{"open": scanned.open, "expected": server.getsockname(),
    "probes": scanned.probes, "unprobed": scanned.unprobed,
    "limit": resource.getrlimit(resource.RLIMIT_NOFILE)}}))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="descriptor limits are POSIX")
@pytest.mark.parametrize(("soft", "hard", "held"), [(100, 100, 4), (100, 100, 88), (100, 300, 4)])
def test_few_descriptors_lose_no_probe_and_the_limit_is_restored(
    soft: int, hard: int, held: int
) -> None:
    told = run_python(FEW_DESCRIPTORS.format(soft=soft, hard=hard, held=held))
    assert told["expected"] in told["open"]  # type: ignore[operator]
    assert (told["probes"], told["unprobed"]) == (508, 0)
    assert told["limit"] == [soft, hard]


def _can_make_namespaces() -> bool:
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("ip"):
        return False
    try:
        done = subprocess.run(
            ["unshare", "-n", "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1"],
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
    except OSError:
        return False
    return done.returncode == 0


needs_namespace = pytest.mark.skipif(
    not _can_make_namespaces(), reason="needs root, iproute2 and veth"
)

SCAN = """
import ipaddress, json
from ollamamaster.discovery.scan import SocketScanner
from ollamamaster.domain.probes import Probes
probes = Probes.of([(ipaddress.ip_network("{network}"), (range(11434, 11500),))])
scanned = SocketScanner().scan(probes)
print(json.dumps({{"open": scanned.open, "probes": scanned.probes,
    "unprobed": scanned.unprobed, "duration_s": scanned.duration_s}}))
"""


@pytest.mark.network_namespace
@needs_namespace
def test_a_silent_network_keeps_thousands_of_probes_waiting_at_once() -> None:
    # one after the other it would take 16,764 seconds, and at 256 at once 66
    scene = (
        "ip link add v0 type veth peer name v1 && ip link set v1 up && "
        "ip addr add 10.99.0.1/24 dev v0 && ip link set v0 arp off up && "
        'ip link set lo up && exec "$@"'
    )
    told = run_python(
        SCAN.format(network="10.99.0.0/24"), inside=("unshare", "-n", "sh", "-c", scene, "sh")
    )
    assert (told["open"], told["probes"], told["unprobed"]) == ([], 254 * 66, 0)
    assert float(str(told["duration_s"])) < 30


@pytest.mark.network_namespace
@needs_namespace
def test_a_machine_without_the_address_family_is_done_at_once() -> None:
    # without an address, ::1 answers EADDRNOTAVAIL, as a machine does that has no port left
    scene = 'ip link set lo up && ip addr del ::1/128 dev lo && exec "$@"'
    told = run_python(
        SCAN.format(network="::1/128"), inside=("unshare", "-n", "sh", "-c", scene, "sh")
    )
    assert (told["open"], told["probes"], told["unprobed"]) == ([], 66, 0)
