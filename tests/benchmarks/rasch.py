"""A Rasch-like model of published scores: abilities and difficulties, fitted together.

    logit(score) = ability(model, type) - difficulty(benchmark, kind of run)

    ability = slopes x (ln size, date, thinks, made for code) + family + model, each also by type
    difficulty = benchmark + kind of run + (reported by the maker: a common and an own offset)

Everything is a number with a normal prior around zero (`SPREAD`, in logits), so that one solve of
regularised least squares gives all of them, and a model with few scores leans on its size and date,
then on its family. Guessing is taken out of the score first. The weight of a score falls towards
0 and 100, where a point says little, and is smaller where the maker reports it.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# Standard deviations, in logits, by what a parameter is. Halving or doubling one of them changes
# the median error of the held-out families by at most 0.1 points.
SPREAD: Mapping[str, float] = {
    "slope": 2.0,  # free, nearly
    "slope of a type": 0.3,
    "made for code": 0.6,
    "family": 0.35,
    "family, type": 0.2,
    "model": 0.3,
    "model, type": 0.25,
    "benchmark": 10.0,  # free
    "kind of run": 0.5,
    "maker": 1.0,
    "maker, benchmark": 0.4,
}
# Two runs of one benchmark differ by so much (logits), and by so many points of score.
NOISE = 0.25
MAKERS_NOISE = 0.4
POINTS = 0.03
# Outside of these, a score is at the floor or the ceiling.
FLOOR, CEILING = 0.02, 0.98
ELO_PER_LOGIT = 400 / math.log(10)

Parameter: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class Subject:
    """A model as the fit sees it. `size` is ln(billions / 8), `date` years since January 2025."""

    name: str
    family: str
    size: float
    date: float
    thinks: bool
    coder: bool

    def terms(
        self, task_type: str, *, thinking: bool, known: bool = True
    ) -> dict[Parameter, float]:
        """What the ability is the sum of; without `known`, of what any model is judged by."""
        # Small models gain little from their thoughts or lose: nothing at 1 billion, all at 8.
        gain = min(1.0, max(0.0, 1 + self.size / math.log(8))) if thinking else 0.0
        features = {"size": self.size, "date": self.date, "thinking": gain}
        terms: dict[Parameter, float] = {}
        for feature, value in features.items():
            terms["slope", feature] = value
            terms["slope of a type", feature, task_type] = value
        if self.coder:
            terms["made for code", "code" if task_type == "code" else "other"] = 1.0
        if known:
            terms["family", self.family] = 1.0
            terms["family, type", self.family, task_type] = 1.0
            terms["model", self.name] = 1.0
            terms["model, type", self.name, task_type] = 1.0
        return terms


@dataclass(frozen=True)
class Score:
    """One published score, as a share of what guessing leaves (or Elo as logits)."""

    subject: Subject
    task_type: str
    benchmark: str
    kind: str
    maker: bool
    thinking: bool
    points: float
    chance: float
    elo: bool = False

    @property
    def logit(self) -> float:
        if self.elo:
            return (self.points - 1200) / ELO_PER_LOGIT
        share = min(CEILING, max(FLOOR, self._share))
        return math.log(share / (1 - share))

    @property
    def deviation(self) -> float:
        """How far the logit may be off, one standard deviation."""
        own = MAKERS_NOISE if self.maker else NOISE
        if self.elo:
            return own
        share = min(CEILING, max(FLOOR, self._share))
        return math.hypot(own, POINTS / (1 - self.chance) / (share * (1 - share)))

    @property
    def _share(self) -> float:
        return (self.points / 100 - self.chance) / (1 - self.chance)

    def as_points(self, logit: float) -> float:
        """A predicted logit in the units of the benchmark."""
        if self.elo:
            return 1200 + logit * ELO_PER_LOGIT
        return 100 * (self.chance + (1 - self.chance) / (1 + math.exp(-logit)))

    def difficulty_terms(self) -> dict[Parameter, float]:
        terms: dict[Parameter, float] = {
            ("benchmark", self.benchmark): -1.0,
            ("kind of run", self.benchmark, self.kind): -1.0,
        }
        if self.maker:
            terms["maker",] = 1.0
            terms["maker, benchmark", self.benchmark] = 1.0
        return terms


@dataclass
class Fit:
    """The fitted numbers; what was never seen is zero, its prior."""

    numbers: Mapping[Parameter, float]
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)

    def total(self, terms: Mapping[Parameter, float]) -> float:
        return sum(value * self.numbers.get(name, 0.0) for name, value in terms.items())

    def ability(
        self, subject: Subject, task_type: str, *, known: bool = True, thinking: bool | None = None
    ) -> float:
        thinks = subject.thinks if thinking is None else thinking
        return self.total(subject.terms(task_type, thinking=thinks, known=known))

    def predicted(self, score: Score, *, known: bool = True) -> float:
        """The logit that this model of the world expects."""
        ability = self.ability(score.subject, score.task_type, known=known, thinking=score.thinking)
        return ability + self.total(score.difficulty_terms())


def fit(scores: Sequence[Score]) -> Fit:
    """Weighted, regularised least squares over all scores at once."""
    index: dict[Parameter, int] = {}
    rows: list[tuple[list[tuple[int, float]], float, float]] = []
    for score in scores:
        terms = score.subject.terms(score.task_type, thinking=score.thinking)
        terms |= score.difficulty_terms()
        row = [(index.setdefault(name, len(index)), value) for name, value in terms.items()]
        rows.append((row, score.logit, score.deviation**-2))
    ridge = [SPREAD[name[0]] ** -2 for name in index]
    solved = _solve(rows, ridge)
    seen = Counter((s.subject.name, s.task_type) for s in scores)
    return Fit({name: solved[n] for name, n in index.items()}, seen)


def _solve(
    rows: Iterable[tuple[list[tuple[int, float]], float, float]], ridge: list[float]
) -> list[float]:
    """Conjugate gradients on the normal equations, with their diagonal as preconditioner."""
    rows = list(rows)
    size = range(len(ridge))
    right = [0.0 for _ in size]
    diagonal = list(ridge)
    for row, wanted, weight in rows:
        for n, value in row:
            right[n] += weight * value * wanted
            diagonal[n] += weight * value * value

    def product(vector: list[float]) -> list[float]:
        result = [r * v for r, v in zip(ridge, vector, strict=True)]
        for row, _, weight in rows:
            inner = weight * sum(value * vector[n] for n, value in row)
            for n, value in row:
                result[n] += inner * value
        return result

    found = [0.0 for _ in size]
    residual = right
    direction = [r / d for r, d in zip(residual, diagonal, strict=True)]
    slope = sum(r * p for r, p in zip(residual, direction, strict=True))
    enough = 1e-10 * slope
    while slope > enough:
        image = product(direction)
        step = slope / sum(p * i for p, i in zip(direction, image, strict=True))
        found = [f + step * p for f, p in zip(found, direction, strict=True)]
        residual = [r - step * i for r, i in zip(residual, image, strict=True)]
        scaled = [r / d for r, d in zip(residual, diagonal, strict=True)]
        after = sum(r * s for r, s in zip(residual, scaled, strict=True))
        direction = [s + after / slope * p for s, p in zip(scaled, direction, strict=True)]
        slope = after
    return found
