"""What must hold for a task to be done well enough? As values, and as `key=value`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from ollamamaster.domain.models import Capability
from ollamamaster.domain.quantities import DURATION_UNITS, number
from ollamamaster.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ollamamaster.domain.settings import Performance


class Key(StrEnum):
    """The keys that a person may state."""

    LATENCY = "latency"
    MAX_TIME = "max_time"
    CONTEXT = "context"
    CAPABILITY = "capability"
    TOKENS_PER_S = "tokens_per_s"
    QUALITY = "quality"
    PRIVACY = "privacy"
    COUNT = "count"


class Privacy(StrEnum):
    """How far the prompt may go: this machine, the own network, anywhere."""

    LOCAL = "local"
    LAN = "lan"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Requirements:
    """What was asked for; None and empty where nothing was said.

    `latency_s` is the 80% quantile of the time to the first token, `quality` is in points, 100 x
    p(success). `input_tokens` and `images` are what each task brings that is not there yet,
    `output_tokens` is how long each answer is to be, `as_long` says as long as what is read (a
    translation). `conversation` says that one request follows the other, so that the model stays
    in memory. `assumed` says what was taken for granted.
    """

    latency_s: float | None = None
    max_time_s: float | None = None
    context_tokens: int | None = None
    capabilities: frozenset[str] = frozenset()
    tokens_per_s: float | None = None
    quality: float | None = None
    privacy: Privacy | None = None
    count: int | None = None
    language: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    images: int = 0
    as_long: bool = False
    conversation: bool = False
    performance: Performance | None = None
    evidence: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()

    @property
    def tasks(self) -> int:
        """How many there are to do."""
        return self.count or 1


def stated(pairs: Iterable[tuple[str, object]], read: Requirements) -> Requirements:
    """What was read from the words with what was stated as key and value, which goes before it.

    Raises UsageError that names the key and what its value may be.
    """
    found = read
    for key, value in pairs:
        found = _state(found, key, str(value).strip())
    return found


def pairs_of(texts: Iterable[str]) -> list[tuple[str, str]]:
    """`latency=100ms` as key and value, also several separated by commas or spaces."""
    found: list[tuple[str, str]] = []
    for text in texts:
        parts = [part for part in re.split(r"[,;\s]+(?=[a-z_]+\s*=)", text.strip()) if part]
        for part in parts or [text]:
            key, equals, value = part.partition("=")
            if not equals or not key.strip() or not value.strip():
                raise UsageError(
                    f"--requirement: {part!r} is not KEY=VALUE", hint=f"keys: {', '.join(Key)}"
                )
            found.append((key.strip(), value.strip()))
    return found


def _state(found: Requirements, key: str, value: str) -> Requirements:
    if key not in set(Key):
        raise UsageError(f"requirement {key!r} is not known", hint=f"keys: {', '.join(Key)}")
    known = Key(key)
    if known is Key.CAPABILITY:
        said = frozenset(_capability(word) for word in value.split("+"))
        changed = replace(found, capabilities=found.capabilities | said)
    elif known is Key.PRIVACY:
        changed = replace(found, privacy=_privacy(value))
    else:
        changed = _with_figure(found, known, value)
    return replace(changed, evidence=(*found.evidence, f"{known} = {value}"))


def _capability(word: str) -> str:
    meant = _CAPABILITY_WORDS.get(word.strip().lower(), word.strip().lower())
    if meant not in set(Capability):
        raise UsageError(f"capability: there is no {word!r}", hint=", ".join(Capability))
    return Capability(meant)


def _privacy(value: str) -> Privacy:
    if value.lower() not in set(Privacy):
        raise UsageError(f"privacy: {value!r} is none of {', '.join(Privacy)}")
    return Privacy(value.lower())


_CAPABILITY_WORDS = {"text": "completion", "images": "vision", "fill-in": "insert"}

_SECONDS = re.compile(rf"(?P<n>[\d.,]+)\s*(?P<unit>{'|'.join(DURATION_UNITS)})?", re.IGNORECASE)


def seconds_of(key: str, text: str) -> float:
    """`100ms`, `2s`, `10 min` or plain seconds. Raises UsageError."""
    match = _SECONDS.fullmatch(text)
    value = number(match["n"]) if match else None
    if match is None or not value:
        raise UsageError(f"{key}: {text!r} is no duration; write 100ms, 2s or 10min")
    return value * DURATION_UNITS[(match["unit"] or "s").lower()]


def _positive(key: str, text: str) -> float:
    value = number(text)
    if not value:
        raise UsageError(f"{key}: {text!r} is no number above 0")
    return value


def _whole(key: str, text: str) -> int:
    value = _positive(key, text)
    if value != int(value):
        raise UsageError(f"{key}: {text!r} is no whole number above 0")
    return int(value)


def _points(key: str, text: str) -> float:
    value = number(text.removesuffix("%").strip())
    if value is None or not 0 < value <= 100:
        raise UsageError(f"{key}: {text!r} is no number of points from 1 to 100")
    return value


def _with_figure(found: Requirements, key: Key, value: str) -> Requirements:
    if key is Key.LATENCY:
        return replace(found, latency_s=seconds_of(key, value))
    if key is Key.MAX_TIME:
        return replace(found, max_time_s=seconds_of(key, value))
    if key is Key.CONTEXT:
        return replace(found, context_tokens=_whole(key, value))
    if key is Key.TOKENS_PER_S:
        return replace(found, tokens_per_s=_positive(key, value))
    if key is Key.QUALITY:
        return replace(found, quality=_points(key, value))
    return replace(found, count=_whole(key, value))


@dataclass(frozen=True, slots=True)
class Reading:
    """What the words of a person say: the work itself, and what must hold for it.

    `work` is the task without the question about it ("can you …"); empty when only a question
    was left ("what is the best model for this?").
    """

    work: str
    requirements: Requirements = field(default_factory=Requirements)
