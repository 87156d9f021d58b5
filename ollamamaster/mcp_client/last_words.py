"""What did a server say on stderr before it died?"""

from __future__ import annotations

import asyncio  # noqa: TID253 (imported only by runs that have servers)
import os
import threading

from ollamamaster.domain.plain_text import one_line

# What of it is shown.
_LAST_LINES = 5
_LINE_LENGTH = 200
_TAIL_BYTES = 8_192
_PIECE_BYTES = 65_536
# The rest of what a dead server said is read within microseconds, unless a child of it has the
# pipe too and goes on.
_REST_S = 1.0
_LOOK_S = 0.01


class LastWords:
    """Reads all that comes and keeps the end: neither a disk nor a pipe gets full of it."""

    def __init__(self) -> None:
        self._tail = bytearray()
        self._over = threading.Event()
        reads, writes = os.pipe()
        # what the server gets as its stderr
        self.pipe = os.fdopen(writes, "w", encoding="utf-8")
        # of no pool, whose threads are waited for at the end
        threading.Thread(target=self._read, args=(reads,), name="stderr", daemon=True).start()

    def handed_over(self) -> None:
        """The server has its end; without ours the pipe ends when the server does."""
        self.pipe.close()

    async def lines(self) -> str | None:
        """The last lines; None where it said nothing. Waits for the rest of one that died."""
        for _ in range(round(_REST_S / _LOOK_S)):
            if self._over.is_set():
                break
            await asyncio.sleep(_LOOK_S)
        text = bytes(self._tail).decode("utf-8", "replace")
        lines = [one_line(each, _LINE_LENGTH) for each in text.splitlines()]
        return "\n".join([each for each in lines if each][-_LAST_LINES:]) or None

    def _read(self, reads: int) -> None:
        try:
            while piece := os.read(reads, _PIECE_BYTES):
                # in one step, because lines() reads it at any time
                self._tail[:] = (self._tail + piece)[-_TAIL_BYTES:]
        finally:
            os.close(reads)
            self._over.set()
