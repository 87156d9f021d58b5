"""How light and how fast is the sandbox? Prints a table.

python tests/benchmarks/sandbox.py
"""

from __future__ import annotations

import json
import math
import random
import socket
import subprocess
import sys
import time

import psutil

from ollamamaster.domain.engine import Engine
from ollamamaster.domain.serving import Request
from ollamamaster.simulator.fleet import load_fleet

REQUESTS = 5000
IDLE_S = 3.0
TRACE = 100_000
STREAM_TOKENS = 20_000


def main() -> None:
    """Measure and print."""
    rows = [*served(), *trace()]
    width = max(len(name) for name, _, _ in rows)
    for name, measured, must in rows:
        print(f"{name:<{width}}  {measured:>16}  {must}")


def served() -> list[tuple[str, str, str]]:
    """What a fleet of four in a process of its own costs, idle and busy."""
    command = [sys.executable, "-m", "ollamamaster", "sandbox", "up", "--json", "--speed", "1000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        fleet = json.loads(process.stdout.readline())["data"]["instances"]
        watched = psutil.Process(process.pid)
        idle = watched.cpu_percent(IDLE_S) / 100
        memory = watched.memory_info().rss / 1e6
        port = int(fleet[-1]["id"].rpartition(":")[2])
        per_s, per_core = small_requests(watched, port)
        tokens_per_s = stream(port)
        process.terminate()
    return [
        ("memory of an idle fleet of four", f"{memory:.0f} MB", "< 60 MB"),
        ("CPU of an idle fleet of four", f"{idle:.2%}", "0"),
        ("GET /api/version, one connection", f"{per_s:,.0f} /s", ""),
        ("the same by the server's own CPU time", f"{per_core:,.0f} /s", ">= 1,000 /s"),
        ("tokens of one stream, a line each", f"{tokens_per_s:,.0f} /s", ""),
    ]


def cpu_s(process: psutil.Process) -> float:
    """Seconds of CPU a process has used."""
    times = process.cpu_times()
    return times.user + times.system


def small_requests(server: psutil.Process, port: int) -> tuple[float, float]:
    """Requests a second on the wall, and by the CPU time of the server."""
    request = b"GET /api/version HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port)) as client:
        cpu, began = cpu_s(server), time.perf_counter()
        for _ in range(REQUESTS):
            client.sendall(request)
            assert client.recv(4096).endswith(b"}")
        return REQUESTS / (time.perf_counter() - began), REQUESTS / (cpu_s(server) - cpu)


def stream(port: int) -> float:
    """Tokens a second that reach a client when simulated time runs a thousand times as fast."""
    body = json.dumps(
        {"model": "llama3.1:8b", "prompt": "Write a story", "options": {"num_ctx": 4096}}
    ).encode()
    head = b"POST /api/generate HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    tokens, seconds = 0, 0.0
    with socket.create_connection(("127.0.0.1", port)) as client:
        while tokens < STREAM_TOKENS:
            client.sendall(head + body)
            received, began = b"", 0.0
            while not received.endswith(b"0\r\n\r\n"):
                received += client.recv(1 << 20)
                began = began or time.perf_counter()
            seconds += time.perf_counter() - began
            tokens += received.count(b'"done":false')
    return tokens / seconds


def trace() -> list[tuple[str, str, str]]:
    """A trace in virtual time: four models on the largest machine of `home`, 60% busy."""
    plan = load_fleet("home")
    instance = plan.instances[-1]
    models = [plan.models[name].served() for name in instance.models[:4]]
    rng = random.Random(0)  # noqa: S311 (a benchmark)
    engine, now = Engine(instance.hardware), 0.0
    began = time.perf_counter()
    for _ in range(TRACE):
        now += rng.expovariate(1 / 5.0)
        request = Request(
            rng.choice(models), rng.randrange(2000), 1 + int(rng.expovariate(1 / 211))
        )
        engine.submit(request, now)
        engine.advance(now)
    while (event := engine.next_event()) < math.inf:
        engine.advance(event)
    seconds = time.perf_counter() - began
    assert engine.finished == TRACE
    name = f"{TRACE:,} requests in virtual time ({now / 86400:.1f} days)"
    return [(name, f"{seconds:.1f} s", "seconds")]


if __name__ == "__main__":
    main()
