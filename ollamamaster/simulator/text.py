"""What does a simulated model say? Seeded, marked as simulated, as long as such answers are."""

from __future__ import annotations

import hashlib
import json
import math
import random
import re
from dataclasses import dataclass
from typing import Any

MARK = "[simulated]"

# Median tokens of an answer by what is asked, and how wide the lengths spread (sigma of the
# logarithm). The conversations of the Azure LLM inference trace 2023 have a median of 129
# output tokens and a sigma of about 0.9; kinds set apart spread less.
_SPREAD = 0.6
_KINDS: tuple[tuple[re.Pattern[str], int], ...] = (
    (
        re.compile(
            r"```|\b(code|function|python|javascript|sql|regex|bug|refactor)\b", re.IGNORECASE
        ),
        320,
    ),
    (re.compile(r"\b(essay|story|poem|letter|article|report|blog)\b", re.IGNORECASE), 450),
    (
        re.compile(
            r"\b(prove|proof|solve|equation|calculate|why|explain|compare)\b", re.IGNORECASE
        ),
        260,
    ),
    (re.compile(r"\b(summari[sz]e|summary|insights|translate|rewrite)\b", re.IGNORECASE), 200),
    (re.compile(r"\b(who|what|when|where|which|capital|how many|define)\b", re.IGNORECASE), 40),
)
_CHAT = 120
# A thinking model writes about as much before its answer as in it.
_THINKING = 150

_FIRST = "This text was made by the sandbox and says nothing about the question."
_SENTENCES = (
    "No model was asked, only the time it would take is real.",
    "The words are drawn at random from a short list, always the same for the same prompt.",
    "A slower machine would say the same thing later.",
    "Ask a real instance to get a real answer.",
    "What counts here is which machine answers, and when.",
    "The length follows what such answers usually are.",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """Tokens of an answer: first those of the thinking, then those of the text."""

    thinking: tuple[str, ...]
    text: tuple[str, ...]
    done_reason: str = "stop"

    @property
    def tokens(self) -> int:
        return len(self.thinking) + len(self.text)


def count_tokens(text: str) -> int:
    """About 4 characters a token in Latin text, 1.5 in other scripts."""
    if text.isascii():
        return math.ceil(len(text) / 4)
    latin = sum(1 for character in text if character.isascii())
    return math.ceil(latin / 4 + (len(text) - latin) / 1.5)


def seeded(*parts: object) -> random.Random:
    """A source of randomness that depends on these parts only, also in another process."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode("utf-8", "replace")).digest()
    return random.Random(digest)  # noqa: S311 (a simulation, no secret)


def compose(
    prompt: str, rng: random.Random, *, form: Any = None, think: bool = False, limit: int = -1
) -> Answer:
    """The answer to a prompt. `form` is "json" or a JSON schema; `limit` cuts it."""
    thinking = _prose(_length(_THINKING, rng), rng) if think else []
    if form is None:
        text = _prose(_length(_median(prompt), rng), rng)
    else:
        document = {"answer": MARK} if form == "json" else document_for(form)
        text = _pieces(json.dumps(document, ensure_ascii=False))
    if limit < 0 or limit >= len(thinking) + len(text):
        return Answer(tuple(thinking), tuple(text))
    kept = thinking[:limit]
    return Answer(tuple(kept), tuple(text[: limit - len(kept)]), "length")


def _median(prompt: str) -> int:
    # Only the end says what is asked; before it may stand a whole document.
    asked = prompt[:500] + prompt[-500:]
    return next((median for pattern, median in _KINDS if pattern.search(asked)), _CHAT)


def _length(median: int, rng: random.Random) -> int:
    return max(8, round(median * math.exp(rng.gauss(0.0, _SPREAD))))


def _prose(tokens: int, rng: random.Random) -> list[str]:
    """Whole sentences, until there are so many tokens."""
    pieces = [MARK, *_words(_FIRST)]
    while len(pieces) < tokens:
        pieces += _words(rng.choice(_SENTENCES))
    return pieces


def _words(sentence: str) -> list[str]:
    return [f" {word}" for word in sentence.split()]


def _pieces(text: str) -> list[str]:
    """Text cut as a tokenizer would: words, and what stands between them; the mark in one piece."""
    return re.findall(r"\[simulated\]|\s*\w+|\s*[^\w\s]|\s+", text)


# A schema may refer to itself; nothing that a person writes for an answer is deeper.
_DEEPEST = 12
# A schema may ask for a text or a list of any size; nobody waits for more than this.
_LARGEST = 1000


def document_for(schema: Any) -> Any:
    """A value that a JSON schema allows, with the mark in the first text that is free."""
    marked = [False]
    return _value(schema, schema, marked, 0)


def _value(schema: Any, root: Any, marked: list[bool], depth: int) -> Any:
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return None
    if "$ref" in schema:
        return _value(_resolve(schema["$ref"], root), root, marked, depth + 1)
    if "const" in schema:
        return schema["const"]
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        return schema["enum"][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if isinstance(schema.get(key), list) and schema[key]:
            return _value(schema[key][0], root, marked, depth + 1)
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0] if kind else None
    match kind or ("object" if "properties" in schema else "string"):
        case "object":
            return _object(schema, root, marked, depth)
        case "array":
            items = min(max(1, _size(schema, "minItems", 1)), _size(schema, "maxItems", _LARGEST))
            return [_value(schema.get("items", {}), root, marked, depth + 1) for _ in range(items)]
        case "integer":
            return math.ceil(_least(schema))
        case "number":
            return float(_least(schema))
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return _string(schema, marked)


def _object(schema: dict[str, Any], root: Any, marked: list[bool], depth: int) -> Any:
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return {}
    required = schema.get("required")
    # Deep down only what must be there, so that a schema that holds itself comes to an end.
    only = required if isinstance(required, list) and depth > 3 else None
    return {
        name: _value(inner, root, marked, depth + 1)
        for name, inner in properties.items()
        if only is None or name in only
    }


def _string(schema: dict[str, Any], marked: list[bool]) -> str:
    text = "text" if marked[0] else f"{MARK} text"
    marked[0] = True
    shortest = _size(schema, "minLength", 0)
    longest = _size(schema, "maxLength", _LARGEST)
    return (text + " more" * shortest)[: min(max(shortest, len(text)), longest)]


def _size(schema: dict[str, Any], key: str, default: int) -> int:
    value = schema.get(key)
    if isinstance(value, bool) or not isinstance(value, int):
        return default
    return max(0, min(value, _LARGEST))


def _least(schema: dict[str, Any]) -> float:
    """The least number that is allowed, 1 where nothing is said."""
    for key, more in (("minimum", 0), ("exclusiveMinimum", 1)):
        value = schema.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value + more
    return 1


def _resolve(reference: Any, root: Any) -> Any:
    found = root
    for part in str(reference).removeprefix("#/").split("/"):
        found = found.get(part) if isinstance(found, dict) else None
    return found
