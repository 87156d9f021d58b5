"""`ollamamaster sandbox run|up`."""

from __future__ import annotations

import os
import shlex
import sys
import threading
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from ollamamaster.cli.command import Command, new_typer
from ollamamaster.cli.output import OUTPUT
from ollamamaster.errors import FailedError, UsageError

if TYPE_CHECKING:
    from ollamamaster.simulator.sandbox import SimulatedFleet

Fleet = Annotated[
    str, Option("--fleet", metavar="NAME", help="home, duo, lab, or the path of a .toml file.")
]
Speed = Annotated[
    float, Option("--speed", metavar="N", help="Simulated time runs N times as fast.")
]
Seed = Annotated[int, Option("--seed", metavar="N", help="The same seed gives the same answers.")]

# A wait without an end cannot be interrupted on Windows.
_WAIT_S = 0.5 if sys.platform == "win32" else 3600.0

app = new_typer()


@app.callback()
def sandbox() -> None:
    """Try everything on a simulated fleet, without Ollama or a GPU.

    ollamamaster sandbox run -- ollamamaster route "What is the capital of France?"
    ollamamaster sandbox up --fleet lab
    """


@app.command(cls=Command)
def run(
    command: Annotated[
        list[str], Argument(metavar="COMMAND [ARG]...", help="What to run; put -- before it.")
    ],
    fleet: Fleet = "home",
    speed: Speed = 1.0,
    seed: Seed = 0,
) -> int:
    """Run a command that sees a simulated fleet and nothing else.

    The fleet ends with the command, whose exit code this one has. The command's answers begin
    with [simulated]; no real Ollama is touched.

    ollamamaster sandbox run -- ollamamaster route "What is the capital of France?"
    ollamamaster sandbox run --fleet lab --speed 10 -- ollamamaster discover
    """
    if OUTPUT.json:
        raise UsageError("sandbox run has no --json", hint="put it after --, for the command")
    from ollamamaster.simulator.command import CommandUnusableError, find_program, run_command
    from ollamamaster.simulator.sandbox import sandboxed

    try:
        program = find_program(command[0], sandboxed(os.environ))
        with _started(fleet, speed, seed) as running:
            return run_command(program, command[1:], running.environment())
    except CommandUnusableError as error:
        OUTPUT.fail(FailedError(str(error)))
        return error.exit_code


@app.command(cls=Command)
def up(fleet: Fleet = "home", speed: Speed = 1.0, seed: Seed = 0) -> int:
    """Keep a simulated fleet running until Ctrl-C.

    Prints what to type in another terminal so that commands there see the fleet.

    ollamamaster sandbox up
    ollamamaster sandbox up --fleet lab --speed 10 --json
    """
    with _started(fleet, speed, seed) as running:
        if OUTPUT.json:
            instances = [{"name": i.name, "id": i.id} for i in running]
            OUTPUT.envelope({"home": str(running.home), "instances": instances})
        else:
            for instance in running:
                OUTPUT.note(f"{instance.name} is {instance.id}")
            OUTPUT.note("type this in another terminal; Ctrl-C here ends the fleet:")
            for line in _for_another_terminal(str(running.home)):
                OUTPUT.line(line)
        sys.stdout.flush()
        forever = threading.Event()
        while not forever.wait(_WAIT_S):
            pass
    return 0


def _started(fleet: str, speed: float, seed: int) -> SimulatedFleet:
    if not 0.001 <= speed <= 1_000_000:
        raise UsageError(f"--speed must be from 0.001 to 1000000, not {speed:g}")
    from ollamamaster.simulator.sandbox import SimulatedFleet

    return SimulatedFleet.start(fleet, speed=speed, seed=seed)


def _for_another_terminal(home: str) -> list[str]:
    if sys.platform == "win32":
        quoted = home.replace("'", "''")
        return [
            f"$env:OLLAMAMASTER_HOME = '{quoted}'",
            "Remove-Item Env:OLLAMA_HOST -ErrorAction SilentlyContinue",
        ]
    return [f"export OLLAMAMASTER_HOME={shlex.quote(home)}", "unset OLLAMA_HOST"]
