"""How well do commands that run at once share the fleet? Against the best plan there is.

    python tests/benchmarks/makespan.py [ROUNDS]

Everything runs on loopback against simulated machines that take the time real ones would take:
`xargs -P` starts whole commands, so what is measured is what a shell loop gets. Each instance has
the model in memory, and a few requests were made before, so that the rates are known.

What a command costs before and after its request is measured with answers of one token on the same
fleet, and subtracted like this. With as many commands at once as there are machines, a machine
stands still while the next command starts, so each round costs a start: JOBS / 2 times the median
of single commands, run one after the other, is subtracted. With more commands at once the others
wait already while one runs, so only the first start counts: what the calibration run of k empty
commands at once takes is subtracted, once. The whole makespan is printed beside it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from measure import line

sys.path.insert(0, str(Path(__file__).parents[1]))  # a script finds its own folder only

from program import PATIENCE_S, wait_until

from ollamamaster.simulator.fleet import load_fleet
from ollamamaster.simulator.sandbox import SimulatedFleet, SimulatedInstance

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAM = shutil.which("ollamamaster", path=str(Path(sys.executable).parent)) or "ollamamaster"
MODEL = "llama3.2:3b"
# Tokens of a job that takes `duo`, and the fast machine below, one second.
SECOND = 119
JOBS = 16
# Ten times slower, and a load of five seconds.
FLEET = """
[[instances]]
name = "fast"
vram_gb = 12
ram_gb = 32
bandwidth_gb_s = 360
prefill_tokens_s = 1800
load_gb_s = {load_gb_s}
models = ["llama3.2:3b"]

[[instances]]
name = "slow"
vram_gb = 12
ram_gb = 32
bandwidth_gb_s = {bandwidth_gb_s}
prefill_tokens_s = 1800
load_gb_s = 1.5
models = ["llama3.2:3b"]

[[models]]
name = "llama3.2:3b"
size_gb = 2.02
parameters_b = 3.21
context = 131072
capabilities = ["completion", "tools"]
layers = 28
heads = 24
kv_heads = 8
head_length = 128
"""


def main(rounds: int) -> None:
    """Measure and print; each figure is the median of so many rounds."""
    with tempfile.TemporaryDirectory() as folder:
        print(f"{JOBS} jobs of one second on two equal machines")
        for at_once in (2, 4, 8):
            equal(at_once, rounds)
        tenfold = Path(folder) / "tenfold.toml"
        tenfold.write_text(FLEET.format(load_gb_s=1.5, bandwidth_gb_s=30.1), "utf-8")
        print("24 jobs, four at once, one second on one machine and ten on the other")
        unequal(tenfold, rounds)
        resident()
        loading = Path(folder) / "loading.toml"
        loading.write_text(FLEET.format(load_gb_s=0.449, bandwidth_gb_s=360), "utf-8")
        deep(loading)


def equal(at_once: int, rounds: int) -> None:
    """Two machines, one second a job on either."""
    ideal = JOBS / 2
    ratios, walls, starts = [], [], []
    for _ in range(rounds):
        with SimulatedFleet.start("duo") as fleet:
            ready(fleet, list(fleet))
            if at_once == 2:
                start = JOBS / 2 * median(makespan(fleet, 1, 1, tokens=1) for _ in range(5))
            else:
                start = makespan(fleet, at_once, at_once, tokens=1)
            wall = makespan(fleet, JOBS, at_once, SECOND)
        ratios.append((wall - start) / ideal)
        walls.append(wall)
        starts.append(start)
    shown = f"{median(walls):.2f} - {median(starts):.2f} s, {median(ratios):.2f}x"
    line(
        f"makespan, {at_once} at once, against {ideal:g} s", shown, "<= 1.10", good=ok(ratios, 1.1)
    )


def unequal(path: Path, rounds: int) -> None:
    """One machine is ten times faster: the best plan gives the slow one two of 24 jobs."""
    ratios, walls, starts = [], [], []
    for _ in range(rounds):
        with SimulatedFleet.start(path) as fleet:
            ready(fleet, list(fleet))
            start = makespan(fleet, 1, 1, tokens=1)
            wall = makespan(fleet, 24, 4, SECOND)
        ratios.append((wall - start) / 22)
        walls.append(wall)
        starts.append(start)
    shown = f"{median(walls):.2f} - {median(starts):.2f} s, {median(ratios):.2f}x"
    line("makespan, 4 at once, against 22 s", shown, "<= 1.15", good=ok(ratios, 1.15))


def ok(ratios: list[float], limit: float) -> bool:
    """Whether the median is within the limit."""
    return median(ratios) <= limit


def resident() -> None:
    """In memory on one, on disk on the other: nothing is sent to the latter."""
    with SimulatedFleet.start("duo") as fleet:
        other, has = sorted(fleet, key=lambda instance: instance.id)
        discovered(fleet)
        answered(has, SECOND)
        for _ in range(8):
            command(fleet, tokens=10)
        sent = served(other)
    line("sent to where the model is only on disk, of 8", str(sent), "0", good=sent == 0)


def deep(path: Path) -> None:
    """In memory where three jobs of ten seconds are ahead; the other loads in five seconds."""
    with SimulatedFleet.start(path) as fleet:
        busy, other = fleet["slow"], fleet["fast"]
        discovered(fleet)
        answered(busy, 1)
        environment = fleet.environment()
        holders = [
            subprocess.Popen(
                words("--instance", busy.id, tokens=10 * SECOND),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for _ in range(3)
        ]
        wait_until(lambda: tickets(environment) == len(holders), "all of them are in line")
        chosen = command(fleet, tokens=SECOND)["instance"]
        for holder in holders:
            holder.kill()
            holder.wait()
    where = "to the one that loads" if chosen == other.id else "into the line"
    line(
        "in memory behind 30 s of work, or a load of 5 s",
        where,
        "the load",
        good=chosen == other.id,
    )


def ready(fleet: SimulatedFleet, instances: list[SimulatedInstance]) -> None:
    """The fleet is known, the model in memory everywhere, and the rates are measured."""
    discovered(fleet)
    for instance in instances:
        for _ in range(3):
            command(fleet, "--instance", instance.id, tokens=SECOND // 4)


def discovered(fleet: SimulatedFleet) -> None:
    subprocess.run(
        [PROGRAM, "discover", "--json"],
        env=fleet.environment(),
        stdout=subprocess.DEVNULL,
        check=True,
    )


def makespan(fleet: SimulatedFleet, jobs: int, at_once: int, tokens: int) -> float:
    """Seconds until `xargs` is through with so many jobs."""
    numbers = "\n".join(str(number) for number in range(jobs))
    began = time.perf_counter()
    subprocess.run(
        [
            "xargs",
            "-P",
            str(at_once),
            "-I{}",
            *words(tokens=tokens, prompt="Write a very long story about the number {}"),
        ],
        input=numbers,
        text=True,
        env=fleet.environment(),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - began


def words(
    *more: str, tokens: int, prompt: str = "Write a very long story about the sea"
) -> list[str]:
    """A command that writes so many tokens."""
    options = ["-m", MODEL, "--option", f"num_predict={tokens}", "--json", *more]
    return [PROGRAM, "route", prompt, *options]


def command(fleet: SimulatedFleet, *more: str, tokens: int) -> dict[str, Any]:
    """Run one; its data."""
    environment: Mapping[str, str] = fleet.environment()
    done = subprocess.run(
        words(*more, tokens=tokens),
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    data: dict[str, Any] = json.loads(done.stdout)["data"]
    return data


def tickets(environment: Mapping[str, str]) -> int:
    """How many routes stand in line or run."""
    import sqlite3
    from contextlib import closing

    path = Path(environment["OLLAMAMASTER_HOME"]) / "history.db"
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path)) as database:
        try:
            return int(database.execute("SELECT count(*) FROM tickets").fetchone()[0])
        except sqlite3.OperationalError:
            return 0


def answered(instance: SimulatedInstance, tokens: int) -> None:
    """Bring the model into its memory, as somebody did before."""
    body = {"model": MODEL, "prompt": "hi", "stream": False, "options": {"num_predict": tokens}}
    data = json.dumps(body).encode()
    with urllib.request.urlopen(f"{instance.url}/api/generate", data, timeout=PATIENCE_S) as answer:  # noqa: S310 (our own loopback server)
        answer.read()


def served(instance: SimulatedInstance) -> int:
    """How many prompts it was given."""
    state = instance.state()
    return int(state["served"]) + int(state["cancelled"]) + int(state["running"])


if __name__ == "__main__":
    os.environ.pop("OLLAMA_HOST", None)
    assert load_fleet("duo").models[MODEL].size_gb == 2.02, "SECOND is for this size"
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
