"""Asking a program of this machine something, without ever depending on it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile

# More than any list of containers or peers; a program that writes without end is not read.
_MOST_BYTES = 4_000_000


def output_of(name: str, *arguments: str, timeout_s: float) -> str | None:
    """What the program wrote; None when it is absent, fails, or is not done in time.

    Its output goes to a file, because a pipe would stay open, and this wait with it, for as long
    as some child of a killed program lives.
    """
    path = shutil.which(name)
    if path is None:
        return None
    with tempfile.TemporaryFile() as written:
        try:
            process = subprocess.Popen(
                [path, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            return None
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _end(process)
        if code != 0:
            return None
        written.seek(0)
        return written.read(_MOST_BYTES).decode("utf-8", errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(1.0)
