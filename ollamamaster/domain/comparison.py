"""How alike are several answers to one question? Groups, a score, and the answer of most."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Method(StrEnum):
    """How answers were compared."""

    EXACT = "exact"
    OVERLAP = "overlap"
    EMBEDDING = "embedding"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Indexes of answers that agree, the largest group first, and how alike all are (0..1).

    `score` is the mean likeness over pairs, None with fewer than two answers.
    """

    groups: tuple[tuple[int, ...], ...]
    score: float | None
    method: Method


# Two texts of one meaning share about half of their words, two of different meaning on one
# subject a fifth to a third (Jaccard of content words).
_SAME_WORDS = 0.5
# Cosine of sentence embeddings: paraphrases are above 0.85 in the common models.
_SAME_MEANING = 0.85

_CODE = re.compile(r"```[^\n`]*\n(.*?)```", re.DOTALL)
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![\w.])[-+]?\d+(?:\.\d+)?")
_CHOICE = re.compile(
    r"(?:(?:the|my)?\s*(?:correct\s+|best\s+)?(?:answer|option|choice))?\s*(?:is|:)?\s*"
    r"\(?([A-H])\)?[.)]?",
    re.IGNORECASE,
)
_YES_NO = re.compile(r"(yes|no|true|false)\b[.,!]?", re.IGNORECASE)
_WORD = re.compile(r"\w+", re.UNICODE)
# What says nothing of the subject.
_FILLERS = frozenset(
    {
        "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "from", "has", "have", "i",
        "in", "is", "it", "its", "of", "on", "or", "that", "the", "their", "this", "to", "was",
        "were", "will", "with", "you", "your",
    }
)  # fmt: skip
# An answer of so many words or fewer is its number; in a longer one the last number counts only
# where it is said to be the answer.
_SHORT_WORDS = 12
_SAID_ANSWER = re.compile(
    r"(?:answer|result|total|therefore|thus|so|equals|=)[^\n]{0,60}?"
    r"([-+]?\d[\d,]*(?:\.\d+)?)(?!.*\d)",
    re.IGNORECASE | re.DOTALL,
)


def gist(answer: str) -> str | None:
    """What can be compared as such: a number, a choice, yes or no, code; None for other text."""
    text = answer.strip()
    if code := _CODE.findall(text):
        return "code " + "\n".join(_squeezed(block) for block in code)
    words = len(text.split())
    bare = text.strip("*_` .")
    if found := _CHOICE.fullmatch(bare):
        return f"choice {found.group(1).upper()}"
    if (found := _YES_NO.match(bare)) and words <= _SHORT_WORDS:
        return "choice " + {"true": "yes", "false": "no"}.get(
            found.group(1).lower(), found.group(1).lower()
        )
    numbers = _NUMBER.findall(text)
    if len(set(numbers)) == 1 and words <= _SHORT_WORDS:
        return _number(numbers[0])
    if said := _SAID_ANSWER.search(text):
        return _number(said.group(1))
    return None


def agreement(
    answers: Sequence[str | None], likeness: Callable[[int, int], float] | None = None
) -> Agreement:
    """Group answers; None is a model that gave none, and stands in no group.

    `likeness` gives the cosine of two answers' embeddings, where the fleet has them.
    """
    given = [index for index, answer in enumerate(answers) if answer is not None]
    gists = {index: gist(answers[index] or "") for index in given}
    exact = bool(given) and all(each is not None for each in gists.values())
    by_text = Method.EMBEDDING if likeness is not None else Method.OVERLAP
    method = Method.EXACT if exact else by_text
    words = {index: _words(answers[index] or "") for index in given}

    def alike(one: int, other: int) -> float:
        if gists[one] is not None and gists[other] is not None:
            return 1.0 if gists[one] == gists[other] else 0.0
        if likeness is not None:
            return likeness(one, other)
        return _overlap(words[one], words[other])

    pairs = {(a, b): alike(a, b) for a, b in combinations(given, 2)}
    same = _SAME_MEANING if method is Method.EMBEDDING else _SAME_WORDS
    groups: list[list[int]] = []
    for index in given:
        # with everyone in the group, so that a chain of small differences does not join extremes
        home = next((g for g in groups if all(pairs[o, index] >= same for o in g)), None)
        if home is None:
            groups.append([index])
        else:
            home.append(index)
    groups.sort(key=lambda group: (-len(group), group[0]))
    score = sum(pairs.values()) / len(pairs) if pairs else None
    return Agreement(tuple(map(tuple, groups)), score, method)


def majority(found: Agreement, trust: Callable[[int], float]) -> int | None:
    """The answer of the largest group, by its most trusted member; a tie goes by trust."""
    if not found.groups:
        return None
    most = len(found.groups[0])
    largest = [group for group in found.groups if len(group) == most]
    best = max(largest, key=lambda group: max(map(trust, group)))
    return max(best, key=trust)


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Cosine of two vectors; 0 where one has no length."""
    lengths = math.sqrt(sum(x * x for x in one)) * math.sqrt(sum(x * x for x in other))
    return sum(x * y for x, y in zip(one, other, strict=True)) / lengths if lengths else 0.0


def _number(text: str) -> str:
    try:
        return f"number {Decimal(text.replace(',', '')).normalize():f}"
    except InvalidOperation:
        return f"number {text}"


def _squeezed(code: str) -> str:
    """Code without comments of its own line, blank lines and trailing blanks."""
    lines = (line.rstrip() for line in code.splitlines())
    return "\n".join(line for line in lines if line and not line.lstrip().startswith(("#", "//")))


def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in map(str.lower, _WORD.findall(text)) if word not in _FILLERS)


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard index; two empty ones are equal."""
    union = one | other
    return len(one & other) / len(union) if union else 1.0
