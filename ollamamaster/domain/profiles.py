"""What history taught: rates of each pair and instance, lengths of answers, slots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollamamaster.domain.hardware_prior import prior_rates
from ollamamaster.domain.models import Capability

if TYPE_CHECKING:
    from ollamamaster.domain.candidates import Pair
    from ollamamaster.domain.rates import Rates
    from ollamamaster.domain.task import Range, Task

# A model that thinks writes its thoughts too: twice the tokens until it was measured.
_THINKING_FACTOR = 2.0


@dataclass(frozen=True, slots=True)
class Profiles:
    """All profiles. Where nothing was learnt, the prior answers."""

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
