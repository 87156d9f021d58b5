"""What a person, a script or a pipe is told while a route runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ollamamaster.cli.output import OUTPUT
from ollamamaster.cli.render.figures import seconds
from ollamamaster.cli.route_progress import Progress
from ollamamaster.cli.status_line import StatusLine
from ollamamaster.contract.route import attempt_data, part_data
from ollamamaster.domain import spoken
from ollamamaster.domain.plain_text import cleaned

if TYPE_CHECKING:
    from ollamamaster.domain.long_reading import ReadingPlan
    from ollamamaster.domain.routing import Attempt, PartResult
    from ollamamaster.domain.selection import Candidate, Decision
    from ollamamaster.services.part_reading import Reading


# An answer that is there within a second needs no figures of its progress.
_PROGRESS_AFTER_S = 1.0
# So many instances have room in a line of 80 columns.
_PLACES = 3
# A start that is expected so much sooner or later than was said is said anew.
_NEWS_S = 2.0


class WaitingListener:
    """Tells nothing of the answer until it is complete, so that failing over stays invisible."""

    def __init__(self) -> None:
        self.status = StatusLine()
        self._progress = Progress()
        # one, or two when the first was late
        self._running: dict[tuple[str, str], Progress] = {}

    def decided(self, decision: Decision) -> None:
        ranked, rejected = len(decision.ranked), len(decision.rejected)
        OUTPUT.log(f"{ranked} candidates, {rejected} rejected")

    def waiting(self, instance_name: str, position: int, wait_s: float) -> None:
        self.status.show(lambda elapsed_s: turn(instance_name, position, wait_s - elapsed_s))
        OUTPUT.log_once(f"number {position} in line on {instance_name}")

    def hedged(self, late: Attempt, candidate: Candidate) -> None:
        OUTPUT.log(f"{late.instance} is late; trying {candidate.instance} beside it")

    def started(self, attempt: Attempt, candidate: Candidate) -> None:
        progress = Progress(candidate)
        self._running[attempt.model, attempt.instance] = progress
        if len(self._running) == 1:
            self._progress = progress
            self.status.show(lambda elapsed_s: expectation(candidate, elapsed_s))
        OUTPUT.log(f"trying {attempt.model} on {attempt.instance}")

    def token(self, text: str, thinking: str) -> None:
        if self._progress.came(thinks=not text):
            self.status.show(self._figures)

    def _figures(self, _elapsed_s: float) -> str:
        return self._progress.with_place()

    def restarted(self, attempt: Attempt) -> None:
        pass

    def ended(self, attempt: Attempt) -> None:
        self._running.pop((attempt.model, attempt.instance), None)
        if self._running:
            self._progress = next(iter(self._running.values()))
        else:
            self.status.clear()
        if attempt.error is not None:
            OUTPUT.log(f"{attempt.model} on {attempt.instance}: {attempt.outcome}: {attempt.error}")

    def note(self, text: str) -> None:
        self.status.clear()
        OUTPUT.note(text)

    def end_line(self) -> None:
        """Whatever is written next begins on a line of its own."""

    def planned(self, plan: ReadingPlan) -> None:
        parts, took = len(plan.parts), spoken.duration(plan.seconds)
        machines = spoken.number_of(plan.machines, "machine")
        if OUTPUT.notes_on_terminal or OUTPUT.verbose:
            self.note(f"too long for one reading: {parts} parts on {machines}, about {took}")

    def reads(self, reading: Reading) -> None:
        self.status.show(lambda elapsed_s: parts_line(reading, elapsed_s))

    def summarises(self, candidate: Candidate) -> None:
        self.status.show(lambda elapsed_s: f"summarising · {expectation(candidate, elapsed_s)}")
        OUTPUT.log(f"summarising with {candidate.model} on {candidate.instance}")

    def part(self, part: PartResult) -> None:
        where = f"{part.model} on {part.instance}" if part.model is not None else "nowhere"
        OUTPUT.log(f"{part.name}: {where}: {part.outcome or 'not read'}")


class StreamingListener(WaitingListener):
    """Shows the answer as it comes; on a terminal without what could act on it."""

    def __init__(self) -> None:
        super().__init__()
        self._failed: Attempt | None = None
        self._shown = False
        self._in_line = False

    def started(self, attempt: Attempt, candidate: Candidate) -> None:
        if self._failed is not None:
            lost = self._failed
            OUTPUT.note(
                f"{lost.model} on {lost.instance} broke off ({lost.error}); "
                f"starting anew with {attempt.model} on {attempt.instance}"
            )
            self._failed = None
        super().started(attempt, candidate)

    def token(self, text: str, thinking: str) -> None:
        self._shown = self._shown or bool(text)
        super().token(text, thinking)
        if not text:
            return
        self.status.write(cleaned(text) if OUTPUT.may_act else text)
        self._in_line = not text.endswith("\n")

    def end_line(self) -> None:
        """Whatever is written next begins on a line of its own."""
        if self._in_line:
            self.status.write("\n")
            self._in_line = False

    def restarted(self, attempt: Attempt) -> None:
        if self._shown:
            self._failed = attempt
            self.end_line()
            self.status.write("\n")
            self._shown = False

    def note(self, text: str) -> None:
        if self.status.on_one_terminal:
            self.end_line()
        super().note(text)

    def _figures(self, _elapsed_s: float) -> str:
        if not self._shown or self._progress.thinks:
            return self._progress.with_place()
        # behind the text, where the place is known by now and room is rare
        return self._progress.figures() if self._progress.writes_s > _PROGRESS_AFTER_S else ""


class NdjsonListener(WaitingListener):
    """One JSON object a line for every event; the envelope comes after them."""

    def __init__(self) -> None:
        super().__init__()
        self._ids: dict[str, str] = {}
        self._told: tuple[str, int] | None = None
        self._told_start = 0.0

    def decided(self, decision: Decision) -> None:
        super().decided(decision)
        self._ids = {c.pair.instance.name: c.instance for c in decision.ranked}

    def waiting(self, instance_name: str, position: int, wait_s: float) -> None:
        place, start = (instance_name, position), time.monotonic() + wait_s
        if place == self._told and abs(start - self._told_start) < _NEWS_S:
            return
        self._told, self._told_start = place, start
        instance = self._ids.get(instance_name, instance_name)
        told = {"instance": instance, "position": position, "starts_in_s": round(wait_s, 3)}
        OUTPUT.object({"type": "waiting", **told})
        OUTPUT.write("", flush=True)

    def started(self, attempt: Attempt, candidate: Candidate) -> None:
        self._attempt(attempt)

    def token(self, text: str, thinking: str) -> None:
        if text:
            OUTPUT.object({"type": "token", "text": text})
        if thinking:
            OUTPUT.object({"type": "thinking", "text": thinking})
        OUTPUT.write("", flush=True)

    def restarted(self, attempt: Attempt) -> None:
        place = {"instance": attempt.instance, "model": attempt.model}
        OUTPUT.object({"type": "restart", **place})

    def ended(self, attempt: Attempt) -> None:
        self._attempt(attempt)

    def part(self, part: PartResult) -> None:
        OUTPUT.object({"type": "part", **part_data(part)})
        OUTPUT.write("", flush=True)

    def _attempt(self, attempt: Attempt) -> None:
        OUTPUT.object({"type": "attempt", **attempt_data(attempt)})
        OUTPUT.write("", flush=True)


def turn(instance_name: str, position: int, wait_s: float) -> str:
    """What the status line says while there is no room."""
    when = f"starts in about {seconds(wait_s)}" if wait_s > 0 else "starts any moment"
    return f"{ordinal(position)} in line on {instance_name}, {when}"


def parts_line(reading: Reading, elapsed_s: float) -> str:
    """What the status line says while parts of a long text are read."""
    what = "parts read" if reading.level == 0 else "groups of notes put together"
    told = [f"{reading.done} of {reading.of} {what}"]
    if reading.running:
        places = sorted(set(reading.running))
        shown = ", ".join(places[:_PLACES]) + (" …" if len(places) > _PLACES else "")
        told.append(f"{len(reading.running)} under way on {shown}")
    left_s = reading.left_s - elapsed_s
    if left_s >= 1:
        told.append(f"about {seconds(left_s)} left")
    return " · ".join(told)


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    teen = number % 100 in {11, 12, 13}
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if teen else ending}"


def expectation(candidate: Candidate, elapsed_s: float) -> str:
    """What the status line says before the first token, so many seconds after the start."""
    estimate = candidate.estimate
    who = f"{candidate.model} on {candidate.pair.instance.name}"
    loading_s = estimate.load_s - elapsed_s
    rest_s = estimate.p50_s - estimate.load_s
    if estimate.load_s >= 1 and loading_s > 0:
        return f"{who} · loading, about {seconds(loading_s)} · then about {seconds(rest_s)}"
    left_s = estimate.p50_s - elapsed_s
    if left_s > 0:
        return f"{who} · about {seconds(left_s)}"
    return f"{who} · {seconds(elapsed_s)}, longer than expected"
