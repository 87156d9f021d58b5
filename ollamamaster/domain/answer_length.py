"""Does the prompt say how long the answer is to be? In words, sentences, or by its form."""

from __future__ import annotations

import re

from ollamamaster.domain.tokens import estimate_tokens

# 20, 50 and 80 of 100 answers are at most so long.
Tokens = tuple[float, float, float]

# Tokens: 4 in 3 words of English, a sentence of 18 words, a paragraph of five sentences. Models
# keep to such a wish by about a fifth when they keep to it, and often add a line around it.
_WORD, _SENTENCE, _PARAGRAPH = 1.33, 25.0, 120.0
# A page of text.
_PAGE = 500.0
_LEAST, _MOST = 0.7, 1.6

_NUMBERS = {
    "a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "ein": 1, "einem": 1, "zwei": 2, "drei": 3, "une": 1, "deux": 2,
    "trois": 3, "una": 1, "dos": 2, "tres": 3,
}  # fmt: skip
_FIGURE = r"(\d{1,3}(?:,\d{3})+|\d{1,5})"
_COUNT = _FIGURE[:-1] + "|" + "|".join(sorted(_NUMBERS, key=len, reverse=True)) + r")"
# After "in", "at most" and the like, or where a piece of writing is named by it: a prompt that
# speaks of "a book of 90,000 words" says nothing of the answer.
_UNIT = (
    r"\b(?:in|using|with|at most|no more than|under|maximum|max|exactly|write|auf|mit"
    r"|en)\s+(?:only |just |exactly |at most |about |under )?" + _COUNT + r"[ -]"
    r"(?:short |simple |single )?"
    r"(?:(?P<word>words?|wörtern?|mots?|palabras?)|(?P<sentence>sentences?|lines?|sätzen?|satz"
    r"|phrases?|frases?)|(?P<paragraph>paragraphs?|absätzen?|paragraphes?|párrafos?))\b"
)
_TOKENS_OF = {"word": _WORD, "sentence": _SENTENCE, "paragraph": _PARAGRAPH, "page": _PAGE}

# "Write a 500-word essay", "write me an essay of about 2,000 words": the verb, what is written, and
# its length, with nothing between them that would make it the length of something else.
_BETWEEN = r"(?:of|about|on|for|from|to|by|and|in|at|that|this|my|your|which|with)\b"
_PIECE_OF = (
    r"\b(?:write|draft|compose|generate|create|produce|schreibe?|verfasse|écris|rédige|escribe"
    r"|redacta)\s+(?:(?:me|us|mir|uns)\s+)?(?:(?:an?|the|eine?n?|une?|una?)\s+)?"
    rf"(?:(?!{_BETWEEN})[^\W\d][\w-]*\s+){{0,3}}?(?:(?:of|with|von|mit|de|con)\s+)?"
    r"(?:(?:about|around|roughly|at least|at most|up to|etwa|environ|unos)\s+)?"
)
_PIECE = (
    _PIECE_OF + _FIGURE + r"[ -](?:(?P<word>words?|wörtern?|wörter|mots?|palabras?)"
    r"|(?P<page>pages?|seiten?|páginas?))\b"
)
# What each length needs; most prompts have none of them, and looking is cheaper than searching.
_UNIT_HINTS = (
    "word", "wört", "mot", "palabra", "sentence", "line", "sätze", "satz", "phrase", "frase",
    "paragraph", "absätz", "párraf", "page", "seite", "págin",
)  # fmt: skip
# Whoever asks how it is done wants to be told that, and not a piece of that length.
_HOW_TO = r"how (?:to|(?:do|can|could|should|would) (?:i|we|you|one))\b"

# Forms that are as long as they are; the shortest wish stands first.
_FORMS: tuple[tuple[str, Tokens], ...] = (
    ("yes or no|ja oder nein|oui ou non|sí o no|true or false", (2, 5, 25)),
    ("one word|single word|ein wort", (2, 5, 25)),
    ("just the number|just the name|just the answer|just the word", (2, 5, 25)),
    ("only the number|only the name|only the answer|only the word", (2, 5, 25)),
    ("haiku|slogan|headline|subject line|caption|tagline|one-liner", (12, 25, 60)),
    ("tweet|limerick|couplet", (25, 50, 90)),
    ("briefly|short answer|tl;dr|kurz|brièvement|brevemente", (20, 60, 160)),
)

# One sum of small numbers, which every model knows by heart.
_SUM = (
    r"^(?:what(?:'s| is)?|calculate|compute|how much is|was (?:ist|sind)|wie viel ist"
    r"|combien font|cuánto es)?\s*\d{1,4}\s*(?:[-+*/x\u00d7\u00f7]|plus|minus|times|mal|durch"
    r"|divided by|fois|por)\s*\d{1,4}\s*=?\s*\??$"
)
SUM_TOKENS = (3, 10, 60)

# A longer one is more than a sum.
_SUM_CHARACTERS = 40

_TRANSLATION = (
    "translate ", "rewrite ", "correct ", "proofread ", "paraphrase ", "rephrase ",
    "fix the grammar ", "fix the spelling ", "fix the typos ", "übersetze ", "traduis ",
    "traduisez ", "traduce ",
)  # fmt: skip
# What tells what to do stands in about so many tokens; the rest is the text.
_INSTRUCTION_TOKENS = 5


def said_length(prompt: str) -> Tokens | None:
    """Tokens of the answer as the prompt asks for them; None where it does not."""
    text = " ".join(prompt.lower().split())
    if any(hint in text for hint in _UNIT_HINTS):
        how_to = re.match(_HOW_TO, text)
        asked = re.search(_UNIT, text) or (None if how_to else re.search(_PIECE, text))
        if asked:
            count = _NUMBERS.get(asked[1]) or int(asked[1].replace(",", ""))
            return _around(count * _TOKENS_OF[asked.lastgroup or "word"])
    for forms, tokens in _FORMS:
        if any(form in text and re.search(rf"\b{form}s?\b", text) for form in forms.split("|")):
            return tokens
    if text.removeprefix("please ").startswith(_TRANSLATION):
        return _around(max(3.0, estimate_tokens(prompt) - _INSTRUCTION_TOKENS))
    return None


def names_a_piece(head: str) -> bool:
    """Whether a length that follows these words is that of what is to be written."""
    return re.search(f"{_PIECE_OF}$", head.lower()) is not None


def is_small_sum(prompt: str) -> bool:
    """Whether the prompt asks for one operation on two small numbers."""
    asked = prompt.strip().lower()
    return len(asked) <= _SUM_CHARACTERS and re.match(_SUM, asked) is not None


def _around(tokens: float) -> Tokens:
    return tokens * _LEAST, tokens, tokens * _MOST
