"""Which words and shapes of a prompt tell its type, and which tell that it is hard?

A `*` stands for any ending of a word, a `_` for a space. The order of the rules decides where
several match.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORD = re.compile(r"[^\W_]+(?:[-;.][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as the rules see it: its text, and its words in lower case."""

    text: str
    spaced: str
    words: frozenset[str]

    @classmethod
    def of(cls, text: str) -> Prompt:
        """Split a text into words; a word with a hyphen counts whole and in parts."""
        found = _WORD.findall(text.lower())
        parts = [part for word in found if "-" in word for part in word.split("-")]
        return cls(text, f" {' '.join(found)} ", frozenset(found) | frozenset(parts))


class Rule:
    """Words, and shapes as regular expressions, under a name that may be shown.

    Words are looked up in a set, which costs less than compiling them to an expression.
    """

    def __init__(self, name: str, words: str = "", shapes: tuple[str, ...] = ()) -> None:
        self.name = name
        self._shapes = shapes
        given = words.split()
        self._phrases = tuple(f" {w.replace('_', ' ')} " for w in given if "_" in w)
        self._beginnings = tuple(w[:-1] for w in given if w.endswith("*"))
        self._words = frozenset(w for w in given if "_" not in w and not w.endswith("*"))

    def count(self, prompt: Prompt) -> int:
        """How many different words, phrases and shapes of this rule the prompt has."""
        begun = sum(word.startswith(self._beginnings) for word in prompt.words)
        phrases = sum(phrase in prompt.spaced for phrase in self._phrases)
        shapes = sum(bool(re.search(s, prompt.text, re.IGNORECASE)) for s in self._shapes)
        return len(self._words & prompt.words) + begun + phrases + shapes


CODE = Rule(
    "code words",
    """python javascript typescript java golang rust sql bash powershell regex* html css dockerfile
    kubernetes git rest_api endpoint unit_test unit_tests stack_trace traceback compil* refactor*
    debug* source_code pull_request codebase pytest numpy pandas react django segfault recursion
    linked_list binary_search hash_map null_pointer shell_script makefile""",
    (
        "```",
        r"\b(?:def|class|function|void|struct|impl)\s+\w+\s*[({<:]",
        r"\b(?:import|from)\s+\w+(?:\.\w+)*\s*(?:;|$|import)",
        r"\bselect\b.{1,80}\bfrom\b",
        r"(?<!\w)(?:c\+\+|c#|f#|\.net)(?!\w)",
        (
            r"\b(?:write|fix|implement|explain|review|optimi[sz]e|test|port)\b[^.\n]{0,40}"
            r"\b(?:code|function|script|program|method|class|query|bug|loop|parser|algorithm)s?\b"
        ),
    ),
)

MATH = Rule(
    "mathematics words",
    """prove proof theorem lemma integral integrate derivative differentiate equation* matrix
    eigenvalue* polynomial* prime_number prime_numbers primes probability factorial logarithm
    square_root modulo geometry triangle calculate compute solve_for how_many how_much percent
    percentage average_speed sum_of divisible remainder fraction* converge*""",
    (
        r"\d\s*[-+*/^=]\s*\d",
        r"\\(?:frac|int|sum|sqrt)\b",
        "[\u2211\u222b\u221a\u2264\u2265\u221e\u00d7\u00f7]",
    ),
)

DOCUMENT = Rule(
    "document words",
    """summarise summarize summary tldr tl;dr key_points key_insights key_findings insight insights
    extract this_document this_report this_paper this_article this_text this_contract
    this_transcript this_file the_attached the_following_text the_following_document
    the_following_report the_following_article according_to_the minutes_of""",
    (r"\b\d+[- ]pages?\b",),
)

WRITING = Rule(
    "writing words",
    """write draft compose rewrite rephrase paraphrase translate proofread polish poem essay story
    blog_post cover_letter email e-mail slogan speech lyrics haiku headline newsletter
    press_release limerick dialogue tagline letter caption""",
)

REASONING = Rule(
    "reasoning words",
    """why explain compare contrast analyse analyze evaluate tradeoff* trade-off* pros_and_cons
    step_by_step reason* argue argument* implication* strategy design plan puzzle riddle logic*
    deduce infer what_would_happen should_i should_we critique hypothes* assess justify""",
    (r"\bif\b.{3,80}\bthen\b",),
)

SMALL_TALK = Rule(
    "small talk",
    shapes=(
        (
            r"^\W*(?:hi|hello|hey|thanks?|thank you|good (?:morning|evening|night|day)|how are you"
            r"|bye|ok(?:ay)?|what'?s up|tell me a joke|nice to)\b"
        ),
    ),
)

QUESTION = Rule(
    "question form",
    shapes=(
        (
            r"^\W*(?:what|who|whom|whose|where|when|which|how|is|are|was|were|do|does|did|can|could"
            r"|will|define|name|list)\b"
        ),
        r"\?\s*$",
    ),
)

HARD = Rule(
    "hard words",
    """prove proof rigorous* derive in_depth in_detail detailed comprehensive thorough* complex
    advanced optimise optimize architect* distributed concurren* edge_case edge_cases tradeoff*
    trade-off* insight insights critical* step_by_step multi-step infinitely np-hard formal*
    expert research strategy refactor* scalab* production-ready""",
)

EASY = Rule(
    "easy words",
    """briefly in_one_word in_one_sentence in_one_line short_answer yes_or_no simple quick quickly
    just""",
)
