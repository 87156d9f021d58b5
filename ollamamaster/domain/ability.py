"""How likely is a model to be right? Ability of a model and difficulty of a task on one scale."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ollamamaster.domain.models import Capability, parse_parameter_size
from ollamamaster.domain.rates import Source
from ollamamaster.domain.task import TaskType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollamamaster.domain.models import Model
    from ollamamaster.domain.settings import Settings
    from ollamamaster.domain.task import Task

# Size unknown: what most people run, a model of 7 to 8 billion. The scale has its 2.0 there.
_USUAL_PARAMETERS = 8e9
# Two builds of one model differ by less than this in what they say of their size (embeddings
# counted or not, rounded or not); the sizes of a family differ by more.
_SAME_SIZE = 1.25

# What quantization to so many bits loses, on this scale. Aider's runs of Qwen2.5-Coder-32B under
# Ollama: 71.4% unquantized, 66.9% at 4 bits, 61.7% at 2; the others by llama.cpp's perplexities.
_QUANTIZATION_LOSS: Mapping[str, float] = {"1": 0.9, "2": 0.5, "3": 0.35, "4": 0.24}

# A model made for one kind of work is better at it and worse at the others: by so much, for code,
# in the fit of published scores (tests/benchmarks/build_abilities.py --check).
_AT_ITS_WORK = 0.63
_AT_OTHER_WORK = -0.28
_SPECIALISTS: Mapping[str, TaskType] = {
    "code": TaskType.CODE,
    "coder": TaskType.CODE,
    "starcoder": TaskType.CODE,
    "math": TaskType.MATH,
    "mathstral": TaskType.MATH,
}
_PREFERRED = 0.5

# Difficulty by complexity, on a line through two points of the fit of published scores
# (tests/benchmarks/build_abilities.py --check): the questions of GSM8K, whose mean complexity is
# 0.48, have a difficulty of 0.14; complexity 1 is the mean of the ten hardest benchmarks.
_EASIEST = -3.7
_HARDEST = 4.3
# A prompt says little of how hard it is (tests/benchmarks/complexity.py), so the difficulty is
# normal around that line, as wide as tasks of one type are: 1.4 is the standard deviation between
# the benchmarks of a type, 0.9 within one (both from the same benchmarks).
_DIFFICULTY_SPREAD = math.hypot(1.4, 0.9)
# A logistic curve over a normal difficulty is nearly a logistic curve again, flatter by this.
_FLATTER = math.sqrt(1 + math.pi * _DIFFICULTY_SPREAD**2 / 8)
# What a person says of a model is about tasks of this complexity, the middle of the scale.
_MIDDLING = 0.5

# Reading long texts costs ability: so much for each doubling from 4,096 tokens on, and so much
# for the share of the model's limit that is used (tests/benchmarks/long_texts.py, on the published
# RULER scores of 32 models).
_SHORT_TEXT = 4096
_A_DOUBLING = 0.22
_THE_WHOLE_LIMIT = 1.08
_USUAL_LIMIT = 32_768  # of models that do not say


@dataclass(frozen=True, slots=True)
class Line:
    """Ability by size and date, for a type of task.

    `size` is for an e-fold of parameters, `date` for a year after the beginning of 2025,
    `thinking` for a model of 8 billion or more that thinks. The default size is the mean over all
    types of what ships.
    """

    level: float = 2.0
    size: float = 0.53
    date: float = 0.0
    thinking: float = 0.0

    def at(self, parameters: float, released: float) -> float:
        """Without thinking. `released` is in years since the beginning of 2025."""
        return self.level + self.size * math.log(parameters / 8e9) + self.date * released

    def gain(self, parameters: float) -> float:
        """What thinking adds: all of it from 8 billion on, nothing below one.

        Small models gain little from their thoughts or lose; the share is the logarithm's.
        """
        return self.thinking * min(1.0, max(0.0, math.log(parameters / 1e9) / math.log(8)))


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """What public benchmarks say of a model, by type of task, as it runs when told nothing.

    `effective` is between all parameters and the active ones; `released` is in years since the
    beginning of 2025, None where unknown.
    """

    parameters: float
    effective: float
    released: float | None
    thinks: bool
    ability: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Abilities:
    """The published abilities by full model name, and the line by type for every other model."""

    models: Mapping[str, PublishedModel] = field(default_factory=dict)
    lines: Mapping[str, Line] = field(default_factory=dict)
    _sizes: dict[str, list[PublishedModel]] = field(init=False, compare=False, repr=False)
    _released: dict[str, float] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        sizes: dict[str, list[PublishedModel]] = {}
        released: dict[str, float] = {}
        for name, known in self.models.items():
            family = name.partition(":")[0]
            sizes.setdefault(family, []).append(known)
            if known.released is not None:
                key = _letters(family)
                released[key] = min(known.released, released.get(key, math.inf))
        object.__setattr__(self, "_sizes", sizes)
        object.__setattr__(self, "_released", released)

    def of(self, model: Model, task: Task) -> float:
        """The published ability, else that of the family's nearest size, else by size and date."""
        line = self.lines.get(task.type, _PLAIN)
        known = self.models.get(str(model.name)) or self._nearest(model)
        if known is None or task.type not in known.ability:
            plain = line.at(_effective(model), self._date(model))
            thinks = _thinks(model) and not task.no_thinking
            return plain + line.gain(_effective(model)) if thinks else plain
        ability = known.ability[task.type]
        if _apart(_parameters(model), known.parameters) > _SAME_SIZE:
            ability += line.size * math.log(_effective(model) / known.effective)
        thinks = not task.no_thinking and (model.capabilities is None or _thinks(model))
        return ability - line.gain(known.effective) if known.thinks and not thinks else ability

    def published(self, model: Model) -> bool:
        """Whether benchmarks say something of the model or of its family."""
        return str(model.name) in self.models or model.name.name in self._sizes

    def source(self, model: Model) -> Source:
        """Measured where benchmarks are of this model, derived where of another size of it."""
        known = self.models.get(str(model.name)) or self._nearest(model)
        if known is None:
            return Source.PRIOR
        same = _apart(_parameters(model), known.parameters) <= _SAME_SIZE
        return Source.MEASURED if same else Source.DERIVED

    def _nearest(self, model: Model) -> PublishedModel | None:
        sizes = self._sizes.get(model.name.name, ())
        mine = _parameters(model)
        return min(sizes, key=lambda known: _apart(mine, known.parameters), default=None)

    def _date(self, model: Model) -> float:
        # The architecture is at most as new as the model, so this gives no credit that is not due.
        return self._released.get(_letters(model.family or ""), 0.0)


_PLAIN = Line()


def success(ability: float, difficulty: float) -> float:
    """The Rasch model, 1 / (1 + exp(difficulty - ability)), its mean over what the task may be.

    `difficulty` is the middle of a normal distribution, as only the prompt is known of the task.
    """
    return 1 / (1 + math.exp((difficulty - ability) / _FLATTER))


def difficulty(complexity: float) -> float:
    """The complexity prior on the scale of ability."""
    return _EASIEST + complexity * (_HARDEST - _EASIEST)


def quality(
    model: Model, task: Task, settings: Settings, abilities: Abilities, shift: float = 0.0
) -> float:
    """How likely it is that the model's answer is right; `shift` is what else moves its ability."""
    able = ability(model, task, settings, abilities) + shift
    return success(able, difficulty(task.complexity))


def judged_by(model: Model, task: Task, settings: Settings, abilities: Abilities) -> Source:
    """What the ability rests on: the person's word, benchmarks of it or its family, its size."""
    said = settings.models.get(str(model.name))
    if said is not None and task.type in said.ability:
        return Source.CONFIGURED
    return abilities.source(model)


def ability(model: Model, task: Task, settings: Settings, abilities: Abilities) -> float:
    """Ability of a model for a task; the person's word goes before what is published."""
    said = settings.models.get(str(model.name))
    if said is not None and task.type in said.ability:
        share = min(0.99, max(0.01, said.ability[task.type] / 100))
        return difficulty(_MIDDLING) + _FLATTER * math.log(share / (1 - share))
    found = abilities.of(model, task) - _loss(model) - _reading(model, task.prompt_tokens)
    if not abilities.published(model):
        found += _specialist(model, task.type)
    preferred = said is not None and task.type in said.preferred_tasks
    return found + (_PREFERRED if preferred else 0.0)


def _thinks(model: Model) -> bool:
    return Capability.THINKING in (model.capabilities or ())


def _parameters(model: Model) -> float:
    """As the instance says, else as the tag does (`8b-instruct-q8_0`)."""
    told = model.parameters or parse_parameter_size(model.name.tag.partition("-")[0])
    return told or _USUAL_PARAMETERS


def _effective(model: Model) -> float:
    """Between all parameters and the active ones: their geometric mean, the usual rule of thumb."""
    return _parameters(model) * math.sqrt(model.active_fraction)


def _apart(one: float, other: float) -> float:
    return max(one / other, other / one)


def _letters(name: str) -> str:
    """Ollama's architectures are families without their punctuation: `gptoss`, `qwen25vl`."""
    return "".join(filter(str.isalnum, name)).lower()


def _loss(model: Model) -> float:
    name = (model.quantization or "").upper().removeprefix("I")
    return _QUANTIZATION_LOSS.get(name[1:2], 0.0) if name.startswith("Q") else 0.0


def _reading(model: Model, tokens: int) -> float:
    """What a long text costs the one that reads it."""
    if tokens <= _SHORT_TEXT:
        return 0.0
    share = (tokens - _SHORT_TEXT) / (model.context_length or _USUAL_LIMIT)
    return _A_DOUBLING * math.log2(tokens / _SHORT_TEXT) + _THE_WHOLE_LIMIT * share


def _specialist(model: Model, task_type: TaskType) -> float:
    name = model.name.name.rpartition("/")[2].lower()
    for part, made_for in _SPECIALISTS.items():
        if part in name:
            return _AT_ITS_WORK if made_for is task_type else _AT_OTHER_WORK
    return 0.0
