"""What a person, a script or a pipe is told while a route runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollamamaster.cli.output import OUTPUT
from ollamamaster.cli.render.figures import seconds
from ollamamaster.cli.status_line import StatusLine
from ollamamaster.contract.route import attempt_data
from ollamamaster.domain.plain_text import cleaned

if TYPE_CHECKING:
    from ollamamaster.domain.routing import Attempt
    from ollamamaster.domain.selection import Candidate, Decision


class WaitingListener:
    """Tells nothing of the answer until it is complete, so that failing over stays invisible."""

    def __init__(self) -> None:
        self.status = StatusLine()

    def decided(self, decision: Decision) -> None:
        ranked, rejected = len(decision.ranked), len(decision.rejected)
        OUTPUT.log(f"{ranked} candidates, {rejected} rejected")

    def waiting(self, instance_name: str, position: int, wait_s: float) -> None:
        self.status.show(lambda _: f"number {position} in line on {instance_name}")

    def hedged(self, late: Attempt, candidate: Candidate) -> None:
        OUTPUT.log(f"{late.instance} is late; trying {candidate.instance} beside it")

    def started(self, attempt: Attempt, candidate: Candidate) -> None:
        self.status.show(lambda elapsed_s: expectation(candidate, elapsed_s))
        OUTPUT.log(f"trying {attempt.model} on {attempt.instance}")

    def token(self, text: str, thinking: str) -> None:
        pass

    def restarted(self, attempt: Attempt) -> None:
        pass

    def ended(self, attempt: Attempt) -> None:
        self.status.clear()
        if attempt.error is not None:
            OUTPUT.log(f"{attempt.model} on {attempt.instance}: {attempt.outcome}: {attempt.error}")

    def note(self, text: str) -> None:
        self.status.clear()
        OUTPUT.note(text)


class StreamingListener(WaitingListener):
    """Shows the answer as it comes; on a terminal without what could act on it."""

    def __init__(self) -> None:
        super().__init__()
        self._failed: Attempt | None = None
        self._thinks = False
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
        if not text:
            if not self._thinks:
                self._thinks = True
                self.status.show(lambda elapsed_s: f"thinking … {elapsed_s:.0f} s")
            return
        self._thinks = False
        self.status.clear()
        OUTPUT.write(cleaned(text) if OUTPUT.may_act else text, flush=True)
        self._shown = True
        self._in_line = not text.endswith("\n")

    def end_line(self) -> None:
        """Whatever is written next begins on a line of its own."""
        if self._in_line:
            OUTPUT.write("\n")
            self._in_line = False

    def restarted(self, attempt: Attempt) -> None:
        if self._shown:
            self._failed = attempt
            self.end_line()
            OUTPUT.write("\n")
            self._shown = False


class NdjsonListener(WaitingListener):
    """One JSON object a line for every event; the envelope comes after them."""

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

    def _attempt(self, attempt: Attempt) -> None:
        OUTPUT.object({"type": "attempt", **attempt_data(attempt)})
        OUTPUT.write("", flush=True)


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
