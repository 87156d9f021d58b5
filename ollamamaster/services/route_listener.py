"""Who is told how a route goes, and what?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ollamamaster.domain.answers import PullProgress
    from ollamamaster.domain.instances import Instance
    from ollamamaster.domain.routing import Attempt
    from ollamamaster.domain.selection import Candidate, Decision


class RouteListener(Protocol):
    """Is told what happens while a route runs."""

    def decided(self, decision: Decision) -> None:
        """The order of the candidates is known."""

    def waiting(self, instance_name: str, position: int, wait_s: float) -> None:
        """There is no room now: its place in that instance's line, and when it likely begins."""

    def started(self, attempt: Attempt, candidate: Candidate) -> None:
        """An attempt begins."""

    def hedged(self, late: Attempt, candidate: Candidate) -> None:
        """The first token is late, so this candidate is tried beside the attempt."""

    def token(self, text: str, thinking: str) -> None:
        """Some of the answer, or of the thoughts before it, has come."""

    def restarted(self, attempt: Attempt) -> None:
        """The attempt that had begun to answer failed: its tokens are void."""

    def ended(self, attempt: Attempt) -> None:
        """An attempt is over, well or not."""

    def note(self, text: str) -> None:
        """Something worth knowing."""


class Unheard:
    """A listener of routes and downloads that tells nobody; others hear what they override."""

    def decided(self, decision: Decision) -> None: ...

    def waiting(self, instance_name: str, position: int, wait_s: float) -> None: ...

    def started(self, attempt: Attempt, candidate: Candidate) -> None: ...

    def hedged(self, late: Attempt, candidate: Candidate) -> None: ...

    def token(self, text: str, thinking: str) -> None: ...

    def restarted(self, attempt: Attempt) -> None: ...

    def ended(self, attempt: Attempt) -> None: ...

    def note(self, text: str) -> None: ...

    def chosen(self, model: str, instance: Instance) -> None: ...

    def progress(self, progress: PullProgress) -> None: ...
