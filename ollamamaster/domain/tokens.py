"""About how many tokens is a text?"""

from __future__ import annotations

import re

# Characters a token, by script. Latin prose 4 and code 3 are what Llama-3, Qwen and GPT
# vocabularies give; CJK is between 1 and 1.5; other scripts (Cyrillic, Greek, Arabic, Indic) are
# around 2, because their words are split.
LATIN_CHARACTERS = 4.0
CODE_CHARACTERS = 3.0
CJK_CHARACTERS = 1.25
OTHER_CHARACTERS = 2.0

# What a chat template adds around a prompt: about 15 to 30 tokens for the common ones.
TEMPLATE_TOKENS = 16

# And around each further message of a conversation: role and end marks are 4 or 5 in ChatML and
# Llama-3 templates.
MESSAGE_TOKENS = 5

# A model's own preprocessing of one image: 576 (CLIP at 336 px) to about 1,500 (tiles).
IMAGE_TOKENS = 1000

# A longer text is judged by this many characters of its beginning, middle and end each.
_SAMPLE = 4000

# Runs, as counting characters one by one takes milliseconds.
_CJK = "[\u2e80-\ud7ff\uf900-\ufaff]+"
_OTHER = "[\u0250-\u1fff\U00010000-\U0010ffff]+"

_CODE_MARKS = frozenset("{}[]()<>=;_#$&|\\/*+")
# Beyond this share of such marks among all characters a text is more code than prose: English
# prose has 1 to 2%, Python and JavaScript 8 to 15%.
_CODE_SHARE = 0.06


def estimate_tokens(text: str) -> int:
    """Estimated number of tokens of a text, 0 for an empty one."""
    if not text:
        return 0
    sample = _sample(text)
    return max(1, round(len(text) * _tokens_per_character(sample)))


def _sample(text: str) -> str:
    if len(text) <= 3 * _SAMPLE:
        return text
    middle = len(text) // 2
    return text[:_SAMPLE] + text[middle : middle + _SAMPLE] + text[-_SAMPLE:]


def _tokens_per_character(sample: str) -> float:
    latin = CODE_CHARACTERS if looks_like_code(sample) else LATIN_CHARACTERS
    if _western(sample):
        return 1 / latin
    cjk = sum(map(len, re.findall(_CJK, sample)))
    other = sum(map(len, re.findall(_OTHER, sample)))
    plain = len(sample) - cjk - other
    tokens = plain / latin + cjk / CJK_CHARACTERS + other / OTHER_CHARACTERS
    return tokens / len(sample)


def _western(text: str) -> bool:
    """Whether no character is of another script; to encode it is quicker than to search it."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


def looks_like_code(text: str) -> bool:
    """Whether brackets and operators are as frequent as in source code."""
    return sum(map(text.count, _CODE_MARKS)) > _CODE_SHARE * len(text)
