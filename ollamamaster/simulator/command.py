"""Running somebody else's command on a simulated fleet: its program, its signals, its exit code."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

# What a shell says of a command that cannot be run.
NOT_EXECUTABLE = 126
NOT_FOUND = 127

# An interrupt that was sent to the whole process group has reached the command within this
# time; only a command that is still there then is sent the one that only we got.
_GROUP_S = 0.1
# What Windows says of a program that Ctrl-C ended.
_STATUS_CONTROL_C_EXIT = 0xC000013A


class CommandUnusableError(Exception):
    """The command cannot be started; `exit_code` is what a shell would say."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def find_program(name: str, environment: Mapping[str, str]) -> str:
    """The path of a program. Raises CommandUnusableError."""
    folders = environment.get("PATH", os.defpath)
    found = shutil.which(name, path=folders)
    if found is not None:
        return found
    folder = os.curdir if Path(name).name != name else None
    places = [Path(place) / name for place in ([folder] if folder else folders.split(os.pathsep))]
    if any(place.exists() for place in places):
        raise CommandUnusableError(f"{name}: cannot be executed", NOT_EXECUTABLE)
    raise CommandUnusableError(f"{name}: command not found", NOT_FOUND)


def run_command(program: str, arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command with our streams until it ends; its exit code, 128 + n when n killed it.

    Ctrl-C, SIGTERM and SIGHUP are the command's: it gets them and says what they mean.
    Call it in the main thread. Raises CommandUnusableError.
    """
    with _Forwarding() as forwarding:
        try:
            process = subprocess.Popen([program, *arguments], env=dict(environment))
        except OSError as error:
            code = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
            raise CommandUnusableError(f"{program}: {error.strerror}", code) from error
        forwarding.begin(process)
        code = _wait(process)
    if code == _STATUS_CONTROL_C_EXIT:
        return 128 + signal.SIGINT
    return 128 - code if code < 0 else code


def _wait(process: subprocess.Popen[bytes]) -> int:
    if os.name != "nt":
        return process.wait()
    # There a wait without an end cannot be interrupted, and no handler would run.
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(0.2)


class _Forwarding:
    """While it lasts, signals that reach this process are handed to the command."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        numbers = [signal.SIGINT, signal.SIGTERM]
        if hasattr(signal, "SIGHUP"):
            numbers.append(signal.SIGHUP)
        for number in numbers:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._received)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def begin(self, process: subprocess.Popen[bytes]) -> None:
        """The command is there: hand over what came before it."""
        self._process = process
        for number in self._early:
            self._send(number)

    def _received(self, number: int, _frame: Any) -> None:
        if self._process is None:
            self._early.append(number)
        elif number != signal.SIGINT:
            self._send(number)
        elif not _terminal_interrupts_us():
            timer = threading.Timer(_GROUP_S, self._send, (number,))
            timer.daemon = True
            timer.start()

    def _send(self, number: int) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(OSError, ValueError):
                self._process.send_signal(number)


def _terminal_interrupts_us() -> bool:
    """Whether Ctrl-C comes from a terminal, which sends it to the command as well."""
    if sys.platform == "win32":
        return True
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
