"""What does a rule of words and shapes find in a prompt?"""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W_]+(?:[-;.][^\W_]+)*")


def _phrases(words: str) -> tuple[str, ...]:
    return tuple(f" {w.replace('_', ' ')} ".replace("* ", "") for w in words.split())


# What may stand before a wish without changing it.
_POLITE = _phrases(
    """please pls plz kindly can_you could_you would_you will_you hey hi hello ok so
    i_want_you_to i_need_you_to i_would_like_you_to i_d_like_you_to help_me_to help_me
    quick_question bitte kannst_du könntest_du können_sie peux_tu pouvez_vous puedes por_favor
    s_il_te_plaît"""
)
# Words that are numbers to a person who counts.
_NUMBER_WORDS = frozenset({"half", "twice", "double", "triple", "dozen"})


class Prompt:
    """A prompt as the rules see it, stripped and in lower case.

    `spaced` is its words between single spaces, `wish` the same without what is only polite at
    its beginning; a word with a hyphen is in `words` whole and in parts; `length` counts the
    words, `numbers` those that are numbers. A plain class, as a dataclass costs every start.
    """

    __slots__ = ("length", "numbers", "spaced", "text", "wish", "words")

    def __init__(self, text: str) -> None:
        self.text = text.strip().lower()
        found = _WORD.findall(self.text)
        parts = [part for word in found if "-" in word for part in word.split("-")]
        self.words = frozenset(found + parts)
        self.spaced = self.wish = f" {' '.join(found)} "
        while polite := next(filter(self.wish.startswith, _POLITE), None):
            self.wish = self.wish[len(polite) - 1 :]
        self.length = len(found)
        self.numbers = sum(word[0].isdigit() or word in _NUMBER_WORDS for word in found)


class Rule:
    """Words, and shapes as regular expressions, under a name that may be shown.

    A `*` stands for any ending of a word, a `_` for a space. `openings` count at the beginning of
    the wish only. The rule is silent about prompts with fewer than `numbers` numbers, or with
    more than `at_most` words. Words are looked up in a set, which costs less than compiling them
    to an expression. A shape is searched for only where the part before it, which every match
    has, is found; that is cheaper by far.
    """

    def __init__(
        self,
        name: str,
        words: str = "",
        *,
        openings: str = "",
        shapes: tuple[tuple[str, str], ...] = (),
        numbers: int = 0,
        at_most: int | None = None,
    ) -> None:
        self.name = name
        self._openings = _phrases(openings)
        self._shapes = shapes
        self._numbers = numbers
        self._at_most = at_most
        given = words.split()
        # the first word of a phrase is looked up before the phrase is searched for
        several = [w for w in given if "_" in w or w.endswith("*")]
        self._phrases = tuple(
            (p.split()[0] if " " in p.strip() else "", p) for p in _phrases(" ".join(several))
        )
        self._words = frozenset(given).difference(several)

    def count(self, prompt: Prompt) -> int:
        """How many different words, phrases and shapes of this rule the prompt has."""
        if prompt.numbers < self._numbers:
            return 0
        if self._at_most is not None and prompt.length > self._at_most:
            return 0
        opening = bool(self._openings) and prompt.wish.startswith(self._openings)
        phrases = sum(
            (not first or first in prompt.words) and phrase in prompt.spaced
            for first, phrase in self._phrases
        )
        shapes = sum(
            part in prompt.text and bool(re.search(shape, prompt.text))
            for part, shape in self._shapes
        )
        return opening + len(self._words & prompt.words) + phrases + shapes
