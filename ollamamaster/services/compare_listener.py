"""Who is told how a comparison goes, and what?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollamamaster.domain.answers import PullProgress
    from ollamamaster.domain.comparing import Answer, Entrant, Planned
    from ollamamaster.domain.instances import Instance
    from ollamamaster.domain.routing import Attempt
    from ollamamaster.domain.selection import Candidate, Decision
    from ollamamaster.services.answering import RouteListener


class CompareListener(Protocol):
    """Is told what happens while models are compared. Indexes are those of the results."""

    def entered(self, entrants: Sequence[Entrant]) -> None:
        """Who takes part is known."""

    def planned(self, plan: Sequence[Planned]) -> None:
        """Where each is likely to run is known, in the order in which they get in line."""

    def route(self, index: int) -> RouteListener:
        """Who is told how the answer of this one goes. Asked once for each."""

    def answered(self, index: int, answer: Answer) -> None:
        """One is done, well or not."""

    def judging(self, model: str, number: int) -> RouteListener:
        """The judge begins to read in an order, 1 or 2; who is told how that goes."""

    def note(self, text: str) -> None:
        """Something worth knowing."""


class Unheard:
    """A listener of routes, of downloads and of comparisons that tells nobody."""

    def entered(self, entrants: Sequence[Entrant]) -> None:
        pass

    def planned(self, plan: Sequence[Planned]) -> None:
        pass

    def route(self, index: int) -> RouteListener:  # noqa: ARG002 (all are the same)
        return self

    def answered(self, index: int, answer: Answer) -> None:
        pass

    def judging(self, model: str, number: int) -> RouteListener:  # noqa: ARG002 (see above)
        return self

    def decided(self, decision: Decision) -> None:
        pass

    def waiting(self, instance_name: str, position: int, wait_s: float) -> None:
        pass

    def started(self, attempt: Attempt, candidate: Candidate) -> None:
        pass

    def hedged(self, late: Attempt, candidate: Candidate) -> None:
        pass

    def token(self, text: str, thinking: str) -> None:
        pass

    def restarted(self, attempt: Attempt) -> None:
        pass

    def ended(self, attempt: Attempt) -> None:
        pass

    def chosen(self, model: str, instance: Instance) -> None:
        pass

    def progress(self, progress: PullProgress) -> None:
        pass

    def note(self, text: str) -> None:
        pass
