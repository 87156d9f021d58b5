"""What does it cost to compare? Wall time of several models at once against the slowest alone.

    python tests/benchmarks/compare.py [RUNS]

On simulated fleets whose models are in memory, in turn in one run: `compare` of three models, and
`route` with each of them alone. The must is at most 1.10 where three machines are idle; the other
fleets show what sharing a machine costs.
"""

from __future__ import annotations

import json
import sys
import tempfile
import urllib.request
from pathlib import Path
from statistics import median

from measure import line, timed

from ollamamaster.simulator.sandbox import SimulatedFleet

RUNS = 5
MUST = 1.10
PROMPT = "Tell me about the tides."
MODELS = ("alpha:3b", "beta:3b", "gamma:3b")
# A 3B model on machines of 100 GB/s, as small ones have: answers of seconds, and few enough tokens
# a second that the simulation itself does not compete for the processor.
MODEL = """
[[models]]
name = "{name}"
size_gb = 2.0
parameters_b = 3.2
"""
INSTANCE = """
[[instances]]
name = "{name}"
gpu = "a card"
vram_gb = 12
ram_gb = 16
bandwidth_gb_s = {bandwidth}
prefill_tokens_s = 2000
slots = 1
models = [{models}]
"""
ALL = ", ".join(f'"{model}"' for model in MODELS)
FLEETS = {
    "three machines, a model each": [(100, f'"{model}"') for model in MODELS],
    "three equal machines with all models": [(100, ALL)] * 3,
    "three machines, a model each, 1 : 2 : 4 as fast": [
        (bandwidth, f'"{model}"') for bandwidth, model in zip((50, 100, 200), MODELS, strict=True)
    ],
    "one machine with all models": [(100, ALL)],
}


def main() -> None:
    """Measure and print."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    for name, machines in FLEETS.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "fleet.toml"
            path.write_text(fleet_of(machines), "utf-8")
            with SimulatedFleet.start(path) as fleet:
                measured(name, fleet, runs, must=len(machines) > 1)


def fleet_of(machines: list[tuple[int, str]]) -> str:
    """The text of a fleet file."""
    instances = [
        INSTANCE.format(name=f"m{number}", bandwidth=bandwidth, models=models)
        for number, (bandwidth, models) in enumerate(machines)
    ]
    return "".join([*instances, *(MODEL.format(name=name) for name in MODELS)])


def measured(name: str, fleet: SimulatedFleet, runs: int, *, must: bool) -> None:
    """One line: the median ratio over the runs."""
    environment = fleet.environment()
    for instance, plan in zip(fleet, fleet.plan.instances, strict=True):
        for model in plan.models:
            load(instance.url, model)
    program = [sys.executable, "-m", "ollamamaster"]
    alone = {model: [*program, "route", PROMPT, "-m", model, "--no-hedge"] for model in MODELS}
    together = [*program, "compare", PROMPT, "-m", ",".join(MODELS), "--json"]
    took: dict[str, list[float]] = {model: [] for model in MODELS}
    compared = []
    for counted in range(-1, runs):
        singles = {model: timed(command, environment) for model, command in alone.items()}
        run = timed(together, environment)
        data = json.loads(run.output)["data"]
        assert all(result["outcome"] == "ok" for result in data["results"]), run.output
        if counted >= 0:
            compared.append(run.seconds)
            for model, single in singles.items():
                took[model].append(single.seconds)
    # the one that is the slowest, not whichever was held up in that round
    slowest = max(took.values(), key=median)
    ratios = [together_s / alone_s for together_s, alone_s in zip(compared, slowest, strict=True)]
    low, high = min(ratios), max(ratios)
    value = f"{median(ratios):.3f} ({low:.2f}-{high:.2f})"
    limit = f"<= {MUST:.2f}" if must else ""
    line(name, value, limit, good=not must or median(ratios) <= MUST)


def load(url: str, model: str) -> None:
    """Bring a model into memory, for good."""
    body = json.dumps({"model": model, "stream": False, "keep_alive": -1}).encode()
    with urllib.request.urlopen(f"{url}/api/generate", body, timeout=60) as answer:  # noqa: S310 (our own loopback server)
        answer.read()


if __name__ == "__main__":
    main()
