"""What history taught: rates of each pair and instance, lengths of answers, slots."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ollamamaster.domain.hardware_prior import prior_rates
from ollamamaster.domain.learning import Rows, pair_key
from ollamamaster.domain.models import Capability

if TYPE_CHECKING:
    from ollamamaster.domain.candidates import Pair
    from ollamamaster.domain.instances import Instance
    from ollamamaster.domain.rates import Rates
    from ollamamaster.domain.task import Range, Task

# A model that thinks writes its thoughts too: twice the tokens until it was measured.
_THINKING_FACTOR = 2.0


@dataclass(frozen=True, slots=True)
class Slots:
    """How many requests an instance serves at once, and whether that is more than a belief."""

    count: int = 1
    known: bool = False


@dataclass(frozen=True, slots=True)
class Profiles:
    """All profiles. Where nothing was learnt, the prior answers."""

    _rows: Rows = field(default_factory=dict)

    @classmethod
    def from_rows(cls, rows: Rows) -> Profiles:
        """Profiles from stored rows; a damaged row is as if it were not there."""
        return cls(rows)

    def rates(self, pair: Pair) -> Rates:
        """How fast this pair works."""
        return prior_rates(pair.model, pair.instance)

    def output(self, pair: Pair, task: Task) -> Range:
        """Tokens the model will write, thoughts included."""
        thinks = Capability.THINKING in (pair.model.capabilities or ())
        if not thinks or task.no_thinking:
            return task.output_tokens
        output = task.output_tokens.times(_THINKING_FACTOR)
        return output if task.output_limit is None else output.at_most(task.output_limit)

    def slots(self, instance: Instance) -> Slots:
        """How many requests it serves at once: as configured, else learnt, else believed one."""
        configured = instance.settings.slots
        return Slots() if configured is None else Slots(configured, known=True)

    def last_used(self, instance: str, model: str) -> float | None:
        """When our last use of this model there ended, in seconds since the epoch."""
        row = self._rows.get(pair_key(instance, model))
        at = row.get("used_at") if row is not None else None
        return at if isinstance(at, float) else None
