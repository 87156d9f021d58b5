"""How fast is the scan? Against nmap on loopback, and on a silent network in a namespace.

    python tests/benchmarks/scan.py [RUNS]

Only loopback and a network namespace of its own are ever contacted. Runs of both programs
alternate, so that a busy machine slows both; figures are medians. nmap also tries the network and
the broadcast address, 132 probes or 0.8% more than we do.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING

from measure import line, timed

if TYPE_CHECKING:
    from collections.abc import Iterator

NETWORK, PORTS = "127.0.0.0/24", "11434-11499"
NMAP = ["nmap", "-sT", "-Pn", "-n", "-p", PORTS, "--min-rate", "100000", NETWORK]
DISCOVER = [sys.executable, "-m", "ollamamaster", "discover", NETWORK, "--json", "--no-save"]
# Twelve instances all over the network and the ports.
INSTANCES = [(f"127.0.0.{1 + 21 * n}", 11434 + 5 * n) for n in range(12)]
SCENE = (
    "ip link set lo up && ip link add v0 type veth peer name v1 && ip link set v1 up && "
    "ip addr add 10.99.0.1/24 dev v0 && ip link set v0 arp off up && "
    'exec "$@"'
)


async def _serve() -> None:
    """Answer as twelve instances with one model each, until killed."""

    def answers(number: int) -> dict[str, bytes]:
        model = {
            "name": f"model-{number}:latest",
            "modified_at": "2026-01-01T00:00:00Z",
            "size": 10**9,
            "digest": f"{number:064}",
            "capabilities": ["completion"],
            "details": {"context_length": 4096, "family": "llama"},
        }
        shown = {
            "capabilities": ["completion"],
            "model_info": {"general.architecture": "llama", "llama.context_length": 4096},
        }
        bodies = {
            "/api/version": {"version": "0.33.0"},
            "/api/tags": {"models": [model]},
            "/api/ps": {"models": []},
            "/api/show": shown,
        }
        encoded = {path: json.dumps(body).encode() for path, body in bodies.items()}
        return {"/": b"Ollama is running", **encoded}

    async def listen(number: int, host: str, port: int) -> asyncio.Server:
        known = answers(number)

        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while True:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode()
                    length = [h for h in head.lower().split("\r\n") if "content-length" in h]
                    await reader.readexactly(int(length[0].split(":")[1]) if length else 0)
                    body = known[head.split(" ")[1]]
                    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body))
                    writer.write(body)
                    await writer.drain()
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()

        return await asyncio.start_server(converse, host, port)

    servers = [await listen(n, *pair) for n, pair in enumerate(INSTANCES)]
    print("ready", flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


@contextmanager
def _twelve_instances() -> Iterator[None]:
    server = subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        if not server.stdout.readline():
            sys.exit("the ports of the twelve instances are taken")
        yield
    finally:
        server.kill()
        server.wait()


def _loopback(runs: int, environment: dict[str, str]) -> None:
    whole, scan, memory, theirs = [], [], [], []
    has_nmap = shutil.which("nmap") is not None
    with _twelve_instances():
        for _ in range(runs):
            ours = timed(DISCOVER, environment)
            data = json.loads(ours.output)["data"]
            assert data["scan"]["probes"] == 16_764
            assert data["counts"]["up"] == len(INSTANCES), data["counts"]
            whole.append(ours.seconds)
            scan.append(data["scan"]["duration_s"])
            memory.append(ours.peak_mb)
            if has_nmap:
                nmap = timed(NMAP, environment)
                assert nmap.output.count("/tcp open") >= 1
                theirs.append(nmap.seconds)
    print(f"{NETWORK}, ports {PORTS}: 16,764 probes, {len(INSTANCES)} instances, {runs} runs")
    if theirs:
        nmap_s = median(theirs)
        print(f"nmap {nmap_s:.3f} s ({min(theirs):.3f}-{max(theirs):.3f})")
        ratio = median(scan) / nmap_s
        line("scan phase / nmap", f"{median(scan):.3f} s, {ratio:.2f}x", "<= 2x", good=ratio <= 2)
        ratio = median(whole) / nmap_s
        line(
            "whole command / nmap", f"{median(whole):.3f} s, {ratio:.2f}x", "<= 6x", good=ratio <= 6
        )
    else:
        print("nmap is not installed: no ratio")
        print(f"scan phase {median(scan):.3f} s, whole command {median(whole):.3f} s")
    line("peak memory", f"{max(memory):.0f} MB", "<= 90 MB", good=max(memory) <= 90)


def _silent(environment: dict[str, str]) -> None:
    command = ["unshare", "-n", "sh", "-c", SCENE, "sh"]
    command += [sys.executable, "-m", "ollamamaster", "discover", "10.99.0.0/24"]
    try:
        run = timed([*command, "--json", "--no-save"], environment)
        scan = json.loads(run.output)["data"]["scan"]
    except (OSError, ValueError):
        print("silent network: needs root, iproute2 and veth; not measured")
        return
    what = f"silent /24, {scan['probes']:,} probes dropped"
    figure = f"{scan['duration_s']:.2f} s, {run.seconds:.2f} s in all"
    line(what, figure, "<= 8 s", good=run.seconds <= 8)
    line("peak memory", f"{run.peak_mb:.0f} MB", "<= 90 MB", good=run.peak_mb <= 90)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "OLLAMAMASTER_HOME": home}
        environment.pop("OLLAMA_HOST", None)
        _loopback(runs, environment)
        _silent(environment)


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        asyncio.run(_serve())
    else:
        main()
