"""Asking a program of this machine something, without ever depending on it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile

# More than any list of containers or peers; a program that writes without end is not read.
_MOST_BYTES = 4_000_000


async def output_of(name: str, *arguments: str, timeout_s: float) -> str | None:
    """What the program wrote; None when it is absent, fails, or is not done in time.

    Its output goes to a file, because a pipe would stay open, and this wait with it, for as long
    as some child of a killed program lives. It is ended when we are cancelled.
    """
    path = shutil.which(name)
    if path is None:
        return None
    with tempfile.TemporaryFile() as written:
        try:
            process = await asyncio.create_subprocess_exec(
                path,
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=written,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            return None
        try:
            async with asyncio.timeout(timeout_s):
                code = await process.wait()
        except TimeoutError:
            return None
        finally:
            await _ended(process)
        if code != 0:
            return None
        written.seek(0)
        return written.read(_MOST_BYTES).decode("utf-8", errors="replace")


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    await process.wait()
