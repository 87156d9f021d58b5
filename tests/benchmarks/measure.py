"""Measuring whole commands fairly: in turn, with medians, on one machine in one run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Run:
    """One run of a command: wall seconds, peak memory in MB, what it printed, its exit code."""

    seconds: float
    peak_mb: float
    output: str
    code: int


def timed(command: Sequence[str], environment: Mapping[str, str]) -> Run:
    """Run a command once, with nothing on its standard input."""
    with tempfile.TemporaryFile("w+") as output:
        began = time.perf_counter()
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
        )
        _, status, used = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        per_mb = 1024 if sys.platform == "linux" else 1024 * 1024
        return Run(seconds, used.ru_maxrss / per_mb, output.read(), child.returncode)


def in_turn(
    commands: Mapping[str, Sequence[str]], environment: Mapping[str, str], runs: int
) -> dict[str, list[Run]]:
    """Run each command so many times, A B C A B C …, after one round that does not count.

    A busy or slowing machine then hits all of them alike.
    """
    results: dict[str, list[Run]] = {name: [] for name in commands}
    for counted in range(-1, runs):
        for name, command in commands.items():
            run = timed(command, environment)
            assert run.code == 0, f"{name} ended with {run.code}: {run.output}"
            if counted >= 0:
                results[name].append(run)
    return results


def ratio(runs: Sequence[Run], against: Sequence[Run]) -> float:
    """Median of the ratios of the wall times, pair by pair."""
    return median(a.seconds / b.seconds for a, b in zip(runs, against, strict=True))


def line(what: str, value: str, limit: str, *, good: bool) -> None:
    """One line of a table."""
    print(f"{what:<52} {value:>22}   {limit:<10} {'ok' if good else 'MISSED'}")
