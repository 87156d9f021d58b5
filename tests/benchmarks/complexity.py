"""Does the complexity of a prompt tell when the strong model is needed? Prints a table.

    python tests/benchmarks/complexity.py PATH_TO/gsm8k-weak-strong.jsonl.gz

Each line of the file is a question of GSM8K with whether a weak model (Mixtral-8x7B) and a strong
one (GPT-4-1106) answered it correctly: {"prompt": …, "weak": bool, "strong": bool}. It is made
from evals/gsm8k of lm-sys/RouteLLM (Apache-2.0). For reporting only: nothing is tuned on it.

APGR: the prompts with the highest scores go to the strong model; the share of the gap between both
models' accuracies that is recovered, averaged over all shares of strong calls. Random is 0.50.
CPT(50): the share of strong calls that recovers half the gap; less is better, random is 50%.
Prompts with equal scores are taken in random order, as the mean over several seeds.

It also prints how much the difficulty of these questions differs: how often both models are right
together tells it, when an answer is right by the Rasch model and the difficulty is normal. Ability
is on a scale where benchmarks of such a spread give what is published (build_abilities.py).
"""

from __future__ import annotations

import gzip
import json
import math
import random
import sys
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from ollamamaster.domain.prompt_rule import Prompt
from ollamamaster.domain.task import Question, analyse
from ollamamaster.domain.task_rules import EASY, HARD, MATH, QUANTITIES, REASONING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SEEDS = range(100)
# Six standard deviations on each side, in steps of a tenth.
STEPS = [n / 10 for n in range(-60, 61)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A question and who answered it correctly."""

    prompt: str
    weak: bool
    strong: bool


@dataclass(frozen=True, slots=True)
class Routed:
    """What an order of the prompts is worth."""

    apgr: float
    cpt_50: float


def main() -> None:
    """Measure and print."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with gzip.open(Path(sys.argv[1]), "rt", encoding="utf-8") as file:
        outcomes = [Outcome(**json.loads(line)) for line in file]
    weak = fmean(o.weak for o in outcomes)
    strong = fmean(o.strong for o in outcomes)
    print("GSM8K, Mixtral-8x7B and GPT-4-1106 (lm-sys/RouteLLM, evals/gsm8k)")
    print(f"{len(outcomes)} questions, weak {weak:.1%}, strong {strong:.1%} correct")
    kinds = Counter(analyse(Question(o.prompt)).type.value for o in outcomes)
    print("taken for: " + ", ".join(f"{kind} {n}" for kind, n in kinds.most_common()))
    print(f"\n{'score':<26}{'APGR':>7}{'range':>17}{'CPT(50)':>10}{'range':>19}")
    rows = {
        "complexity (ours)": [analyse(Question(o.prompt)).complexity for o in outcomes],
        "prompt length": [float(len(o.prompt)) for o in outcomes],
        "keyword count": [_keywords(o.prompt) for o in outcomes],
        "random": [0.0] * len(outcomes),
    }
    for name, score in rows.items():
        runs = [_routed(outcomes, score, seed) for seed in SEEDS]
        apgr, cpt = [r.apgr for r in runs], [r.cpt_50 for r in runs]
        print(
            f"{name:<26}{fmean(apgr):>7.3f}{f'{min(apgr):.3f} to {max(apgr):.3f}':>17}"
            f"{fmean(cpt):>10.1%}{f'{min(cpt):.1%} to {max(cpt):.1%}':>19}"
        )
    print(f"\nmean complexity {fmean(rows['complexity (ours)']):.3f}")
    both = fmean(o.weak and o.strong for o in outcomes)
    print(f"both right {both:.1%}: a standard deviation of difficulty of", end=" ")
    print(f"{_halved(lambda spread: _both(weak, strong, spread) - both, 0, 5):.2f}")


def _both(weak: float, strong: float, spread: float) -> float:
    """How often two models of such accuracies are right together, by the spread of difficulty."""

    def of_accuracy(right: float) -> float:
        return _halved(lambda ability: _mean_right([ability], spread) - right, -20, 20)

    return _mean_right([of_accuracy(weak), of_accuracy(strong)], spread)


def _mean_right(abilities: Sequence[float], spread: float) -> float:
    """The mean over normal difficulties of the probability that all of these models are right."""
    weights = [math.exp(-z * z / 2) for z in STEPS]
    right = [math.prod(1 / (1 + math.exp(spread * z - a)) for a in abilities) for z in STEPS]
    return sum(w * r for w, r in zip(weights, right, strict=True)) / sum(weights)


def _halved(rising: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function is zero."""
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return low


def _keywords(text: str) -> float:
    """Words of reasoning, mathematics and difficulty, less the easy ones: a plain baseline."""
    prompt = Prompt(text)
    rules = (HARD, REASONING, MATH, QUANTITIES)
    return float(sum(rule.count(prompt) for rule in rules) - EASY.count(prompt))


def _routed(outcomes: list[Outcome], score: list[float], seed: int) -> Routed:
    """Send the highest scores to the strong model first; the seed orders equal ones."""
    chance = random.Random(seed)  # noqa: S311 - a repeatable shuffle, no secret
    order = sorted(range(len(outcomes)), key=lambda n: (-score[n], chance.random()))
    gap = sum(o.strong for o in outcomes) - sum(o.weak for o in outcomes)
    recovered = [0.0]
    for n in order:
        gain = outcomes[n].strong - outcomes[n].weak
        recovered.append(recovered[-1] + gain / gap)
    area = fmean((a + b) / 2 for a, b in pairwise(recovered))
    half = next(n for n, share in enumerate(recovered) if share >= 0.5)
    return Routed(area, half / len(outcomes))


if __name__ == "__main__":
    main()
