"""Is the process that wrote this still there? Its number alone does not tell."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path

from ollamamaster.domain.tickets import ProcessId

_PROC = Path("/proc")
# Z was killed and is not yet reaped by its parent, X is about to vanish: neither does anything.
_DEAD = frozenset({b"Z", b"X", b"x"})
# Process numbers are 32 bits everywhere.
_PID_END = 2**32


def own() -> ProcessId:
    """The process that asks."""
    pid = os.getpid()
    return ProcessId(pid, _started(pid) or 0.0)


def alive(process: ProcessId) -> bool:
    """Whether this very process runs, and not another one that got its number."""
    return 0 < process.pid < _PID_END and _started(process.pid) == process.started


@lru_cache(maxsize=1)
def place() -> str:
    """Where process numbers mean the same: one boot of one machine, and one namespace on it.

    Empty where starts are told by the calendar, which needs no boot to tell them apart.
    """
    boot = _boot()
    if not boot:
        return ""
    try:
        return f"{boot}/{(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return f"{boot}/"


def alive_at(other: str, process: ProcessId) -> bool | None:
    """Whether a process of that place runs; None where nobody here can tell."""
    if other == place():
        return alive(process)
    return False if is_past(other) else None


def is_past(other: str) -> bool:
    """Whether a place is an earlier boot: none of its processes can be alive."""
    return other.partition("/")[0] != place().partition("/")[0]


def _boot() -> str:
    """Linux tells when a process began in ticks since a boot that has a name."""
    if sys.platform != "linux":
        return ""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
        return boot if (_PROC / "self/stat").exists() else ""
    except (OSError, ValueError):
        return ""


def _started(pid: int) -> float | None:
    """When a process began; None when it is not there or dead.

    Linux's own figure is read without psutil, which takes 15 ms to import; and psutil adds to it
    the time of the boot, which moves whenever the clock is set.
    """
    return _ticks(pid) if place() else _calendar(pid)


def _ticks(pid: int) -> float | None:
    try:
        stat = (_PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return None
    # the name of the program, in brackets, may contain anything; the state comes after it, then
    # 18 fields, then the start (proc(5), fields 3 and 22)
    fields = stat.rpartition(b")")[2].split()
    if len(fields) < 20 or fields[0] in _DEAD or not fields[19].isdigit():
        return None
    return float(fields[19])


def _calendar(pid: int) -> float | None:
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return None
        return process.create_time()
    except (psutil.Error, OSError, OverflowError, ValueError):
        # one that may not be looked at is another user's, and so none of ours
        return None
