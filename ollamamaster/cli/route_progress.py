"""How far is an answer: tokens, tokens a second, and the time that is left?"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ollamamaster.cli.render.figures import rate, seconds
from ollamamaster.domain.remaining import re_estimate

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollamamaster.domain.selection import Candidate

# Below this nobody reads a figure before the answer is there.
_LEFT_FROM_S = 1.0


class Progress:
    """One attempt from its start on. Each piece of a stream counts as one token."""

    def __init__(
        self, candidate: Candidate | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.thinks = False
        self._candidate = candidate
        self._now = now
        self._began = now()
        self._first_s: float | None = None
        self._tokens = 0

    def came(self, *, thinks: bool) -> bool:
        """One piece came; whether it is the first one of its kind."""
        if self._first_s is None:
            self._first_s = self._now() - self._began
        is_new = self._tokens == 0 or thinks != self.thinks
        self.thinks = thinks
        self._tokens += 1
        return is_new

    @property
    def writes_s(self) -> float:
        """Seconds since the first piece."""
        return 0.0 if self._first_s is None else self._now() - self._began - self._first_s

    def figures(self) -> str:
        """`120 tokens · 61 tok/s · about 4.0 s left`."""
        tokens = "1 token" if self._tokens == 1 else f"{self._tokens} tokens"
        parts = [*(["thinking"] if self.thinks else []), tokens]
        if self._candidate is not None:
            elapsed_s = self._now() - self._began
            left = re_estimate(self._candidate.prospect, elapsed_s, self._tokens, self._first_s)
            parts.append(rate(left.tokens_per_s))
            if left.p50_s >= _LEFT_FROM_S:
                parts.append(f"about {seconds(left.p50_s)} left")
        return " · ".join(filter(None, parts))

    def with_place(self) -> str:
        """The same, after the model and the instance."""
        if self._candidate is None:
            return self.figures()
        place = f"{self._candidate.model} on {self._candidate.pair.instance.name}"
        return f"{place} · {self.figures()}"
