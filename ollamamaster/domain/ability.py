"""How likely is a model to be right? Ability of a model and difficulty of a task on one scale."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ollamamaster.domain.task import TaskType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollamamaster.domain.models import Model
    from ollamamaster.domain.settings import Settings
    from ollamamaster.domain.task import Task

# Ability grows with the logarithm of the parameters: scaling laws, and about 10 points of common
# benchmarks for each fourfold size between 1B and 70B.
_AT_ONE_BILLION = 0.4
_PER_E_FOLD = 0.78
# Size unknown: what most people run, a model of 7 to 8 billion.
_USUAL_PARAMETERS = 8e9

# Points of benchmark lost by quantization to so many bits, on this scale (published perplexity
# tables of llama.cpp: 4 bits cost little, 2 bits a lot).
_QUANTIZATION_LOSS: Mapping[str, float] = {"1": 1.2, "2": 0.7, "3": 0.3, "4": 0.08}

# A model made for one kind of work is better at it and worse at the others.
_SPECIALISTS: Mapping[str, TaskType] = {
    "code": TaskType.CODE,
    "coder": TaskType.CODE,
    "starcoder": TaskType.CODE,
    "math": TaskType.MATH,
    "mathstral": TaskType.MATH,
}
_SPECIALIST = 0.5
_PREFERRED = 0.5

# Complexity 0 is what a 1B model nearly always gets right, 1 what a 70B gets right at even odds.
_EASIEST = -2.2
_HARDEST = 3.4


def success(ability: float, difficulty: float) -> float:
    """Rasch model of item response theory: 1 / (1 + exp(-(ability - difficulty)))."""
    return 1 / (1 + math.exp(-(ability - difficulty)))


def difficulty(task: Task) -> float:
    """The complexity prior on the scale of ability."""
    return _EASIEST + task.complexity * (_HARDEST - _EASIEST)


def ability(model: Model, task_type: TaskType, settings: Settings) -> float:
    """Ability of a model for a type of task; the person's word goes before the prior."""
    said = settings.models.get(str(model.name))
    if said is not None and task_type in said.ability:
        share = min(0.99, max(0.01, said.ability[task_type] / 100))
        return math.log(share / (1 - share))
    preferred = said is not None and task_type in said.preferred_tasks
    return _prior(model) + _specialist(model, task_type) + (_PREFERRED if preferred else 0.0)


def _prior(model: Model) -> float:
    parameters = model.parameters or _USUAL_PARAMETERS
    # A mixture of experts stands between its active and its whole size: their geometric mean is
    # the usual rule of thumb.
    effective = parameters * math.sqrt(model.active_fraction)
    return _AT_ONE_BILLION + _PER_E_FOLD * math.log(effective / 1e9) - _loss(model)


def _loss(model: Model) -> float:
    name = (model.quantization or "").upper().removeprefix("I")
    return _QUANTIZATION_LOSS.get(name[1:2], 0.0) if name.startswith("Q") else 0.0


def _specialist(model: Model, task_type: TaskType) -> float:
    name = model.name.name.rpartition("/")[2].lower()
    for part, made_for in _SPECIALISTS.items():
        if part in name:
            return _SPECIALIST if made_for is task_type else -_SPECIALIST
    return 0.0
