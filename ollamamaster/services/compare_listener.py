"""Who is told how a comparison goes, and what?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ollamamaster.services.route_listener import Unheard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollamamaster.domain.comparing import Answer, Entrant, Planned
    from ollamamaster.services.route_listener import RouteListener


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


class UnheardComparison(Unheard):
    """Also a listener of comparisons, and as silent."""

    def entered(self, entrants: Sequence[Entrant]) -> None: ...

    def planned(self, plan: Sequence[Planned]) -> None: ...

    def route(self, index: int) -> RouteListener:  # noqa: ARG002 (all are the same)
        return self

    def answered(self, index: int, answer: Answer) -> None: ...

    def judging(self, model: str, number: int) -> RouteListener:  # noqa: ARG002 (see above)
        return self
