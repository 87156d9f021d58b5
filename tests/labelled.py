"""Prompts that a person has labelled with a type, and how well the rules agree.

The rules were tuned on one half only. The other half is held out: look at its figures, never at
its errors. Which half a prompt is in follows from a hash of its text, so it stays there.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ollamamaster.domain.task import Question, TaskType, analyse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FILE = Path(__file__).parent / "golden" / "prompts.tsv"
# Vision and embedding follow from what is attached and asked of the API, not from words.
TYPES = tuple(t for t in TaskType if t not in {TaskType.VISION, TaskType.EMBEDDING})

_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Labelled:
    """A prompt and the type a person gave it."""

    type: TaskType
    prompt: str

    @property
    def held_out(self) -> bool:
        return hashlib.sha256(self.prompt.encode()).digest()[0] % 2 == 1


@dataclass(frozen=True, slots=True)
class Score:
    """How well one type is recognised."""

    prompts: int
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def labelled_prompts() -> list[Labelled]:
    """Every prompt of the file, in its order."""
    lines = FILE.read_text("utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return [Labelled(TaskType(kind), _unescaped(prompt)) for kind, prompt in pairs]


def confusion(prompts: Iterable[Labelled]) -> Counter[tuple[TaskType, TaskType]]:
    """How often each pair of (labelled, recognised) occurred."""
    return Counter((p.type, analyse(Question(p.prompt)).type) for p in prompts)


def scores(pairs: Mapping[tuple[TaskType, TaskType], int]) -> dict[TaskType, Score]:
    """Precision and recall of every type."""
    found: dict[TaskType, Score] = {}
    for kind in TYPES:
        right = pairs.get((kind, kind), 0)
        labelled = sum(n for (label, _), n in pairs.items() if label is kind)
        recognised = sum(n for (_, guess), n in pairs.items() if guess is kind)
        found[kind] = Score(labelled, right / max(1, recognised), right / max(1, labelled))
    return found


def macro_f1(of_types: Mapping[TaskType, Score]) -> float:
    """The mean F1 over the types, each counting alike."""
    return sum(score.f1 for score in of_types.values()) / len(of_types)


def _unescaped(text: str) -> str:
    return re.sub(r"\\([nt\\])", lambda found: _ESCAPES[found[1]], text)
