"""What does a command cost beyond its work? Against `python -c pass` and a bare httpx script.

    python tests/benchmarks/startup.py [RUNS]

Everything runs on loopback against the simulated fleet, whose answers take no time here.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median

from measure import Run, in_turn, line, ratio

from ollamamaster.simulator.sandbox import SimulatedFleet

PROGRAM = shutil.which("ollamamaster", path=str(Path(sys.executable).parent)) or "ollamamaster"
# So fast that an answer takes no time, whatever its length.
INSTANT = 1e6

BARE = """
import httpx
reply = httpx.post({url!r} + "/api/generate", timeout=60, json={{
    "model": {model!r}, "prompt": "hi", "stream": False, "options": {{"num_predict": 8}}}})
print(reply.json()["response"])
"""


def main(runs: int) -> None:
    with (
        SimulatedFleet.start("duo", speed=INSTANT, seed=0) as fleet,
        tempfile.TemporaryDirectory() as home,
    ):
        instance = fleet["a"]
        environment = {**os.environ, "OLLAMAMASTER_HOME": home}
        environment.pop("OLLAMA_HOST", None)
        # A home without a config.toml, filled by a discovery, as most people have it.
        in_turn({"discover": [PROGRAM, "discover", instance.id, "--json"]}, environment, 0)
        commands = {
            "pass": [sys.executable, "-c", "pass"],
            "--version": [PROGRAM, "--version"],
            "--help": [PROGRAM, "--help"],
            "models": [PROGRAM, "models", "--json"],
        }
        starts = in_turn(commands, environment, runs)
        model = _first_model(starts["models"][0])
        answers = in_turn(
            {
                "bare": [sys.executable, "-c", BARE.format(url=instance.url, model=model)],
                "route": [
                    *(PROGRAM, "route", "hi", "--json", "-m", model),
                    *("--option", "num_predict=8"),
                ],
            },
            environment,
            runs,
        )
    base = median(run.seconds for run in starts["pass"])
    print(f"python -c pass: {1000 * base:.1f} ms, {runs} runs each, in turn")
    for name, limit in (("--version", 8.0), ("--help", 9.0), ("models", 10.0)):
        times = ratio(starts[name], starts["pass"])
        shown = f"{1000 * median(r.seconds for r in starts[name]):.0f} ms, {times:.2f}x"
        line(f"{name} / python -c pass", shown, f"<= {limit:g}x", good=times <= limit)
    times = ratio(answers["route"], answers["bare"])
    shown = f"{1000 * median(r.seconds for r in answers['route']):.0f} ms, {times:.2f}x"
    line("route hi --json / a bare httpx script", shown, "<= 1.5x", good=times <= 1.5)
    peak = max(run.peak_mb for run in answers["route"])
    line("peak memory of route", f"{peak:.0f} MB", "<= 60 MB", good=peak <= 60)


def _first_model(run: Run) -> str:
    models = json.loads(run.output)["data"]["models"]
    name: str = next(m["name"] for m in models if "completion" in m["capabilities"])
    return name


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
