"""How well do the rules tell the type of a prompt, and how long do they take? Prints tables.

    python tests/benchmarks/task_types.py

The held-out half is for reporting: do not tune on it, and do not look at its errors. Its prompts
and the rules have the same author, so it is easier than what strangers type.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))  # a script finds its own folder only

from labelled import TYPES, Labelled, confusion, labelled_prompts, macro_f1, scores
from measure import line

from ollamamaster.domain.task import Question, analyse

ROUNDS = 20
MUST_MS = 1.0
LONG = 100_000


def main() -> None:
    """Measure and print."""
    prompts = labelled_prompts()
    for name, held_out in (("tuning half", False), ("held-out half", True)):
        half = [p for p in prompts if p.held_out is held_out]
        print(f"\n{name}: {len(half)} prompts")
        _agreement(half)
    print()
    _time("median of the labelled prompts", [p.prompt for p in prompts])
    for name, text in _long_prompts().items():
        _time(f"{LONG:,} characters of {name}", [text])


def _agreement(half: list[Labelled]) -> None:
    pairs = confusion(half)
    found = scores(pairs)
    print(f"{'':<11}{'prompts':>8}{'precision':>11}{'recall':>8}{'F1':>7}   recognised as")
    print(f"{'':<48}{''.join(f'{kind.value[:5]:>6}' for kind in TYPES)}")
    for kind, score in found.items():
        guesses = "".join(f"{pairs[kind, guess] or '.':>6}" for guess in TYPES)
        print(
            f"{kind.value:<11}{score.prompts:>8}{score.precision:>11.2f}{score.recall:>8.2f}"
            f"{score.f1:>7.2f}   {guesses}"
        )
    print(f"{'macro-F1':<11}{macro_f1(found):>34.3f}")


def _long_prompts() -> dict[str, str]:
    """Texts of one length that are costly in different ways."""
    pieces = {
        "English": "The committee met on Tuesday, and nobody knew what to do next. ",
        "German": "Über die Änderung müssen die Bürger später entscheiden, größtenteils. ",
        "Chinese": "委员会星期二开会没有人知道下一步该做什么。",
        "Python": "def area(r):\n    return {'a': [3.14 * r ** 2, (r + 1)]}\n\n",
        "digits": "12,5 ",
        "blank lines": "\n",
        "question marks": "?",
    }
    return {name: (piece * (LONG // len(piece) + 1))[:LONG] for name, piece in pieces.items()}


def _time(name: str, prompts: list[str]) -> None:
    """The median over prompts and rounds; the first round compiles the shapes, uncounted."""
    taken: list[float] = []
    for counted in range(-1, ROUNDS):
        for prompt in prompts:
            began = time.perf_counter()
            analyse(Question(prompt))
            if counted >= 0:
                taken.append((time.perf_counter() - began) * 1000)
    middle = median(taken)
    line(name, f"{middle:.3f} ms", f"< {MUST_MS:g} ms", good=middle < MUST_MS)


if __name__ == "__main__":
    main()
