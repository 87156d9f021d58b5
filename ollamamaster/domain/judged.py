"""What do judged comparisons say of a model's ability? Little, and never more than so much.

A model is not better because it beats a smaller one: what counts is by how much it did better, or
worse, than its ability and that of the other let expect, as in Elo's rating of chess players and
the Bradley-Terry model behind it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollamamaster.domain.measures import number
from ollamamaster.domain.profile_rows import judged_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ollamamaster.domain.profile_rows import Key, Row, Rows
    from ollamamaster.domain.verdict import Judgement

# On the scale of ability. The models of a family that follow each other in size, 3, 8 and 20
# billion, lie half a unit apart (0.53 for an e-fold, data/models.toml): verdicts make up for one
# size at most. They are one judge's taste: even GPT-4 agrees with people in 66% of votes only, ties
# counted (MT-Bench, arXiv 2306.05685).
BOUND = 0.5
# How far a model is expected to lie off what is published, as the standard deviation of a normal
# prior: such that two of three lie within the bound with room to spare. A comparison between
# equals then moves it by 0.06, eight won in a row by 0.4.
_SPREAD = 0.35
# A row that claims more is damaged, or was written by somebody else.
_MOST = 1e6


@dataclass(frozen=True, slots=True)
class Bout:
    """One comparison of two models that a judge decided the same way in both orders.

    `expected` is how likely the winner was to win by what was known; `weight` is its share of
    the comparison, so that one of five models counts no more than one of two.
    """

    winner: str
    loser: str
    expected: float
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The bouts of one judged comparison. `at` is seconds since the epoch."""

    at: float
    task_type: str
    bouts: tuple[Bout, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """By how much judged comparisons moved p(success) of a candidate, and what they were."""

    judged: Judged
    by: float


@dataclass(frozen=True, slots=True)
class Judged:
    """All that was judged of a model for a type of task; wins and losses in comparisons."""

    wins: float = 0.0
    losses: float = 0.0
    surprise: float = 0.0
    information: float = 0.0
    last: float | None = None

    @property
    def shift(self) -> float:
        """What it adds to the ability: the surprise, held back by how little it rests on."""
        shift = self.surprise / (self.information + 1 / _SPREAD**2)
        return min(BOUND, max(-BOUND, shift))

    def after(self, bout: Bout, model: str, at: float) -> Judged:
        """With one more bout of this model."""
        won = bout.winner == model
        less_likely = 1 - bout.expected
        return Judged(
            self.wins + bout.weight * won,
            self.losses + bout.weight * (not won),
            self.surprise + bout.weight * (less_likely if won else -less_likely),
            self.information + bout.weight * bout.expected * less_likely,
            max(at, self.last or 0.0),
        )

    def row(self) -> Row:
        """To be stored."""
        return {
            "wins": self.wins,
            "losses": self.losses,
            "surprise": self.surprise,
            "information": self.information,
            "last": self.last,
        }


def judged_in(row: Row) -> Judged | None:
    """What a row says; None where nothing, or what cannot be."""
    wins, losses = number(row.get("wins"), 0, _MOST), number(row.get("losses"), 0, _MOST)
    surprise = number(row.get("surprise"), -_MOST, _MOST)
    information = number(row.get("information"), 0, _MOST)
    if wins is None or losses is None or surprise is None or information is None:
        return None
    if not wins + losses or abs(surprise) > wins + losses or information > wins + losses:
        return None
    return Judged(wins, losses, surprise, information, number(row.get("last"), 0, 1e11))


def bouts_of(
    judgement: Judgement, models: Sequence[str], ability: Mapping[str, float]
) -> tuple[Bout, ...]:
    """What a judgement decided, by the models' names and abilities as they are published.

    The judge's own answers are left out: a model prefers what it wrote itself.
    """
    able = [i for i, m in enumerate(models) if m in ability and m != judgement.model]
    pairs = [
        (one, other)
        for one in able
        for other in able
        if models[one] != models[other] and judgement.won(one, other)
    ]
    share = 1 / max(1, len({models[i] for i in able}) - 1)
    return tuple(
        Bout(
            models[one],
            models[other],
            1 / (1 + math.exp(ability[models[other]] - ability[models[one]])),
            share,
        )
        for one, other in pairs
    )


def keys_of(verdict: Verdict) -> frozenset[Key]:
    """The rows that learning from this verdict reads and may change."""
    models = {model for bout in verdict.bouts for model in (bout.winner, bout.loser)}
    return frozenset(judged_key(verdict.task_type, model) for model in models)


def learnt(rows: Rows, verdict: Verdict) -> dict[Key, Row]:
    """The rows that this verdict changes, given those of `keys_of`; a missing one is empty."""
    known = {key: judged_in(rows.get(key, {})) or Judged() for key in keys_of(verdict)}
    for bout in verdict.bouts:
        for model in (bout.winner, bout.loser):
            key = judged_key(verdict.task_type, model)
            known[key] = known[key].after(bout, model, verdict.at)
    return {key: found.row() for key, found in known.items()}
