"""What is expected of a run of a workflow, and what stands in its way?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollamamaster.domain.forecast import Expected
    from ollamamaster.domain.workflow import Workflow
    from ollamamaster.domain.workflow_problems import WorkflowProblem
    from ollamamaster.errors import OllamaMasterError


@dataclass(frozen=True, slots=True)
class Plan:
    """What is expected of a run, and what is wrong.

    `order` is the ids that may run together, wave after wave. `errors` has what would be raised.
    """

    workflow: Workflow
    order: tuple[tuple[str, ...], ...]
    expected: Mapping[str, Expected] = field(default_factory=dict)
    problems: tuple[WorkflowProblem, ...] = ()
    errors: tuple[OllamaMasterError, ...] = ()

    @property
    def expected_s(self) -> float | None:
        """Seconds until the last step ends; None where nothing is known."""
        return max((each.ends_s for each in self.expected.values()), default=0.0) or None

    @property
    def instances(self) -> frozenset[str]:
        """The instances that are expected to work at it."""
        return frozenset(p.instance for each in self.expected.values() for p in each.places)
