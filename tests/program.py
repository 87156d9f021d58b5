"""The program as a person or a script runs it: a process, in a pipe or on a terminal."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from pathlib import Path

    from ollamamaster.simulator.sandbox import SimulatedFleet

# Far more than anything takes, also on a machine that does much else.
PATIENCE_S = 120.0
# No test feels it, and the program under test keeps the machine.
_ASK_EVERY_S = 0.01


@dataclass(frozen=True, slots=True)
class Done:
    """How a process ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def envelope(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        document = json.loads(self.out)
        assert isinstance(document, dict)
        assert document["exit_code"] == self.code
        return document

    @property
    def data(self) -> Any:
        return self.envelope["data"]

    @property
    def lines(self) -> list[dict[str, Any]]:
        """One JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines()]


def command(*arguments: str) -> list[str]:
    """The command line of the program under test."""
    return [sys.executable, "-m", "ollamamaster", *arguments]


def run(
    *arguments: str, env: Mapping[str, str] | None = None, text: str | bytes | None = None
) -> Done:
    """Run it to its end in a pipe; without `text` there is nothing on standard input."""
    given = text.encode() if isinstance(text, str) else text
    done = subprocess.run(
        command(*arguments),
        input=given,
        stdin=subprocess.DEVNULL if given is None else None,
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
        env=env,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


@contextmanager
def running(
    *arguments: str, env: Mapping[str, str] | None = None, stdin: int = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is killed at the end of the block if it is still there."""
    # A shell starts background jobs with SIGINT ignored, which a child would inherit.
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if ignored:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        command(*arguments), stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env
    )
    if ignored:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ended(process: subprocess.Popen[bytes]) -> Done:
    """Wait for a process that was told to end."""
    out, err = process.communicate(timeout=PATIENCE_S)
    return Done(process.returncode, out.decode(), err.decode())


def home_for(fleet: SimulatedFleet, folder: Path) -> dict[str, str]:
    """The environment of a home of its own with what is known of this fleet."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("config.toml", "inventory.toml"):
        with suppress(FileNotFoundError):
            shutil.copy(fleet.home / name, folder / name)
    return {**fleet.environment(), "OLLAMAMASTER_HOME": str(folder)}


def _moments(what: str) -> Iterator[int]:
    """Times to ask again, for a long time."""
    yield from range(int(PATIENCE_S / _ASK_EVERY_S))
    raise AssertionError(f"never happened: {what}")


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Return when the condition holds: for what sets no event that a test could wait for."""
    never = threading.Event()
    for _ in _moments(what):
        if condition():
            return
        never.wait(_ASK_EVERY_S)


async def until(condition: Callable[[], bool | Awaitable[bool]], what: str) -> None:
    """The same while an event loop goes on."""
    for _ in _moments(what):
        holds = condition()
        if holds if isinstance(holds, bool) else await holds:
            return
        await asyncio.sleep(_ASK_EVERY_S)


@dataclass(frozen=True, slots=True)
class Screen:
    """What a process wrote on a terminal; `err` apart where stderr was a pipe."""

    code: int
    raw: str
    err: str = ""


# What whoever runs the tests says of another terminal.
_OF_THE_TERMINAL = frozenset(
    {"TERM", "COLORTERM", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"}
)


def on_terminal(
    *arguments: str,
    env: Mapping[str, str],
    columns: int = 120,
    stderr_apart: bool = False,
    typed: bytes = b"",
    stopped_when: Callable[[str], bool] | None = None,
    **variables: str,
) -> Screen:
    """Run it on a pseudo-terminal until it ends; `variables` go before `env`. POSIX only.

    `typed` is there for it to read from the start; Ctrl-C is typed as soon as `stopped_when` holds
    of what it has written.
    """
    import fcntl
    import pty
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    inherited = {name: value for name, value in env.items() if name not in _OF_THE_TERMINAL}

    def own_terminal() -> None:
        # Ctrl-C goes to whoever the terminal belongs to
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    process = subprocess.Popen(
        command(*arguments),
        stdin=slave,
        stdout=slave,
        stderr=subprocess.PIPE if stderr_apart else slave,
        env={**inherited, "TERM": "xterm-256color", **variables},
        start_new_session=True,
        preexec_fn=own_terminal,  # noqa: PLW1509 (no thread of this process holds what it needs)
    )
    os.close(slave)
    os.write(master, typed)
    patience = threading.Timer(PATIENCE_S, process.kill)
    patience.start()
    written = bytearray()
    try:
        # Linux says EIO, others say nothing more, when the last process has closed the terminal.
        with suppress(OSError):
            while piece := os.read(master, 65_536):
                written += piece
                if stopped_when is not None and stopped_when(written.decode("utf-8", "replace")):
                    stopped_when = None
                    os.write(master, b"\x03")
        err = process.stderr.read() if process.stderr is not None else b""
        code = process.wait(PATIENCE_S)
    finally:
        patience.cancel()
        os.close(master)
        if process.stderr is not None:
            process.stderr.close()
    return Screen(code, written.decode(), err.decode())
