"""What the workflow engine itself costs a step: must, at most 15 ms.

    python tests/benchmarks/workflow.py [RUNS]

Against a simulated fleet whose machines answer within a few milliseconds (speed 1000, one token).
`route` is the same request without a workflow, one after the other in one process, so the engine's
part is the difference; `recorded` is a step that only calls a tool which does nothing: references,
the graph, and what is written into history.db.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ollamamaster.bootstrap import Application
from ollamamaster.domain.routing import RouteRequest
from ollamamaster.domain.tools import Tool, ToolAnswer
from ollamamaster.services.workflow_listener import OfStep
from ollamamaster.simulator.sandbox import SimulatedFleet

sys.path.insert(0, str(Path(__file__).parents[1]))

from workflows import Quiet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ollamamaster.domain.workflow import ToolServer
    from ollamamaster.ports import RunningServer

STEPS = 30
MUST_MS = 15.0
MODEL = "llama3.2:3b"


class Nothing:
    """A server in this process whose one tool does nothing."""

    tools: Mapping[str, Tool] = {"nothing": Tool("nothing")}

    async def start(self, server: ToolServer, folder: str) -> RunningServer:
        return self

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> ToolAnswer:
        return ToolAnswer("done")

    async def aclose(self) -> None: ...


def chain(kind: str) -> str:
    """STEPS steps, each of which waits for the one before."""
    lines = [f'name = "{kind}"', '[mcp.n]\ncommand = "nothing"\ntools = ["nothing"]']
    for number in range(STEPS):
        before = f"{{{{ steps.s{number - 1}.text }}}}" if number else "hello"
        lines.append(f'[[steps]]\nid = "s{number}"')
        if kind == "tools":
            lines.append(f'mcp = "n"\ntool = "nothing"\nwith = {{ text = "{before}" }}')
        else:
            lines.append(f'prompt = "{before}"\nmodel = "{MODEL}"\noptions = {{ num_predict = 1 }}')
    return "\n".join(lines)


async def run_of(application: Application, name: str) -> float:
    """Milliseconds a step, the check and the plan before the first one included."""
    service = application.workflow_service()
    service.servers = Nothing()
    workflow = service.named(name)
    service.allow(workflow, service.strangers(workflow))
    began = time.perf_counter()
    result = await service.run(service.wanted(workflow, {}), Quiet())
    assert result.output is not None
    return (time.perf_counter() - began) / STEPS * 1000


async def routes(application: Application) -> float:
    """Milliseconds a route, one after the other."""
    service, hearing = application.route_service(), OfStep("", Quiet())
    find = application.fleet_service().first
    began = time.perf_counter()
    for _ in range(STEPS):
        request = RouteRequest("hello", model=MODEL, options={"num_predict": 1})
        await service.begin(request).complete(find, hearing, hearing)
    return (time.perf_counter() - began) / STEPS * 1000


async def measured(runs: int) -> dict[str, list[float]]:
    application = Application()
    application.paths.workflows.mkdir(parents=True, exist_ok=True)
    for kind in ("tools", "models"):
        (application.paths.workflows / f"{kind}.toml").write_text(chain(kind), "utf-8")
    found: dict[str, list[float]] = {"recorded": [], "model step": [], "route": []}
    try:
        await routes(application)
        for _ in range(runs):
            found["route"].append(await routes(application))
            found["model step"].append(await run_of(application, "models"))
            found["recorded"].append(await run_of(application, "tools"))
    finally:
        await application.ollama.aclose()
    return found


def main(runs: int = 7) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        SimulatedFleet.start("duo", speed=1000.0) as fleet,
    ):
        os.environ |= {**fleet.environment(), "OLLAMAMASTER_HOME": folder}
        Path(folder, "config.toml").write_bytes((fleet.home / "config.toml").read_bytes())
        found = asyncio.run(measured(runs))
    differences = [a - b for a, b in zip(found["model step"], found["route"], strict=True)]
    print(f"{STEPS} steps a run, {runs} runs, milliseconds a step: median (least to most)")
    rows = {**found, "engine: model step - route": differences}
    for name, values in rows.items():
        middle = statistics.median(values)
        print(f"{name:>28}  {middle:6.2f}  ({min(values):.2f} to {max(values):.2f})")
    worst = max(statistics.median(differences), statistics.median(found["recorded"]))
    print(f"must: at most {MUST_MS:g} ms; found {worst:.2f} ms")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
