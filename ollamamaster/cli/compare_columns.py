"""How far is each of several answers? What a column, or a line, shows of it while they come."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ollamamaster.cli.output import OUTPUT
from ollamamaster.cli.render.compare_blocks import answer_figures
from ollamamaster.cli.render.figures import seconds
from ollamamaster.cli.route_progress import Progress
from ollamamaster.domain.plain_text import cleaned, one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollamamaster.domain.comparing import Answer
    from ollamamaster.domain.routing import Attempt
    from ollamamaster.domain.selection import Candidate, Decision

# More of a running answer than any screen shows need not be kept beside the answer itself.
_KEPT = 20_000
# Less than this is not counted down.
_ANY_MOMENT_S = 0.05


@dataclass
class Column:
    """One answer as it comes; implements RouteListener. `place` is where it runs, or will."""

    model: str
    place: str = ""
    text: str = ""
    state: str = "…"
    answer: Answer | None = None
    now: Callable[[], float] = time.monotonic
    note_: Callable[[str], None] = OUTPUT.note_once
    _begins_at: float | None = None
    _since: float = 0.0
    _first_s: float | None = None
    _candidate: Candidate | None = None
    _progress: Progress | None = None
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self.now()

    @property
    def title(self) -> str:
        place = f" · {one_line(self.place)}" if self.place else ""
        return one_line(self.model) + place

    @property
    def figures(self) -> str:
        """Time to the first token, tokens a second, total; or what it waits for."""
        if self.answer is not None:
            return answer_figures(self.answer)
        if self._progress is None:
            return self._waiting()
        if self._first_s is None:
            return self._expected()
        # narrow columns have room for what changes; thoughts are not the answer's first token
        first = "" if self._progress.thinks else f"{seconds(self._first_s)} · "
        return first + self._progress.figures()

    def _waiting(self) -> str:
        if self._begins_at is None:
            return self.state
        left_s = self._begins_at - self.now()
        soon = seconds(left_s) if left_s >= _ANY_MOMENT_S else "any moment"
        return f"waits for {one_line(self.place)}, {soon}"

    def _expected(self) -> str:
        candidate, elapsed_s = self._candidate, self.now() - self._since
        if candidate is None:
            return ""
        loading_s = candidate.estimate.load_s - elapsed_s
        if candidate.estimate.load_s >= 1 and loading_s > 0:
            return f"loading, about {seconds(loading_s)}"
        return f"reading, {seconds(elapsed_s)}"

    # ---- what a route tells

    def decided(self, decision: Decision) -> None:
        pass

    def waiting(self, instance_name: str, position: int, wait_s: float) -> None:  # noqa: ARG002 (the time says it)
        self.waits(instance_name, wait_s)

    def waits(self, instance_name: str, wait_s: float) -> None:
        """It begins there in about so many seconds."""
        self.place, self._begins_at = instance_name, self.now() + wait_s

    def started(self, attempt: Attempt, candidate: Candidate) -> None:
        OUTPUT.log(f"trying {attempt.model} on {attempt.instance}")
        self.place = candidate.pair.instance.name
        self._candidate, self._since = candidate, self.now()
        self._progress, self._first_s, self.text = Progress(candidate, self.now), None, ""

    def hedged(self, late: Attempt, candidate: Candidate) -> None:
        pass

    def token(self, text: str, thinking: str) -> None:  # noqa: ARG002 (thoughts are counted only)
        if self._progress is not None:
            self._progress.came(thinks=not text)
        if self._first_s is None:
            self._first_s = self.now() - self._began
        self.text = (self.text + cleaned(text))[-_KEPT:]

    def restarted(self, attempt: Attempt) -> None:
        self.text = ""
        self.note_(f"{attempt.model} on {attempt.instance} broke off ({attempt.error})")

    def ended(self, attempt: Attempt) -> None:
        if attempt.error is not None:
            OUTPUT.log(f"{attempt.model} on {attempt.instance}: {attempt.outcome}: {attempt.error}")
            self._progress, self._begins_at = None, None
            self.state = "looks for another place"

    def note(self, text: str) -> None:
        self.note_(f"{self.model}: {text}")
