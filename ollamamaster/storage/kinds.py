"""What types of value may stand in config.toml, and how is each one read?"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of value; `words` completes the sentence "it must be ...".

    `read` turns a TOML value into the setting, and raises ValueError that says what is wrong.
    `from_text` turns a variable's text into a TOML value; None where no variable can hold it. A
    table has the kind of its `entries`, and the only `names` they may have; None allows any.
    """

    words: str
    read: Callable[[Any], Any]
    from_text: Callable[[str], Any] | None = None
    entries: Kind | None = None
    names: Callable[[], tuple[str, ...]] | None = None


_YES = frozenset({"true", "yes", "on", "1"})
_NO = frozenset({"false", "no", "off", "0"})


def _switch_from_text(text: str) -> bool:
    if text.lower() in _YES | _NO:
        return text.lower() in _YES
    raise ValueError(f"{quoted(text)} is not true or false")


def _read_switch(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError(f"{quoted(value)} is not true or false")


SWITCH = Kind("true or false", _read_switch, _switch_from_text)


# Infinity, and what a float cannot hold; nothing that is configured comes near.
_TOO_LARGE = 1e300


def number(
    least: float, most: float = math.inf, *, above: bool = False, whole: bool = False
) -> Kind:
    """A number in a range; with `above` more than `least`, with `whole` an integer."""
    noun = "a whole number" if whole else "a number"
    if above:
        words = f"{noun} above {least:g}" + (f", at most {most:g}" if most < math.inf else "")
    elif most < math.inf:
        words = f"{noun} from {least:g} to {most:g}"
    else:
        words = f"{noun}, {least:g} or more"

    def read(value: Any) -> Any:
        kinds = (int,) if whole else (int, float)
        right = isinstance(value, kinds) and not isinstance(value, bool)
        if not right or not least <= value <= most or value >= _TOO_LARGE:
            raise ValueError(f"{quoted(value)} is not {words}")
        if above and value == least:
            raise ValueError(f"{quoted(value)} is not {words}")
        return value

    def from_text(text: str) -> Any:
        try:
            return int(text)
        except ValueError:
            pass
        try:
            return float(text)
        except ValueError:
            raise ValueError(f"{quoted(text)} is not {words}") from None

    return Kind(words, read, from_text)


def _read_text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{quoted(value)} is not a text")
    if not value.isprintable():
        raise ValueError("it has control characters, or characters that cannot be seen")
    return value


TEXT = Kind("a text", _read_text, str)


def checked_text(words: str, check: Callable[[str], str]) -> Kind:
    """A text that `check` accepts and puts in its normal form; UsageError is a ValueError here."""
    from ollamamaster.errors import UsageError

    def read(value: Any) -> str:
        try:
            return check(_read_text(value))
        except UsageError as error:
            raise ValueError(error.message) from error

    return Kind(words, read, str)


def choice(options: type[StrEnum]) -> Kind:
    """One of a few words."""
    words = _or([str(option) for option in options])

    def read(value: Any) -> StrEnum:
        try:
            return options(value)
        except ValueError:
            raise ValueError(f"{quoted(value)} is not {words}") from None

    return Kind(words, read, str)


def several(of: Kind, words: str, *, or_one: bool = False) -> Kind:
    """A list; in a variable its parts are separated by commas. With `or_one` one may stand bare."""

    def read(value: Any) -> tuple[Any, ...]:
        if or_one and isinstance(value, (str, int)) and not isinstance(value, bool):
            value = [value]
        if not isinstance(value, list):
            raise ValueError(f"{quoted(value)} is not {words}: a list stands in brackets")  # noqa: TRY004 - every reader raises ValueError
        return tuple(of.read(item) for item in value)

    def from_text(text: str) -> list[str]:
        return [part.strip() for part in text.split(",") if part.strip()]

    return Kind(words, read, from_text)


def table(entries: Kind, words: str, names: Callable[[], tuple[str, ...]] | None = None) -> Kind:
    """A table of values of one kind."""
    return Kind(words, _read_table, entries=entries, names=names)


def _read_table(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise ValueError(f"{quoted(value)} is not a table")


# What the shell can export; everything else would never be found in the environment.
_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"
# Names are written in capitals. A long run of small letters with digits, or of hexadecimal
# digits, is a key that was pasted where its name belongs (sk_..., ghp_..., hf_...).
_PASTED_KEY = r"(?=.*[a-z])(?=.*[0-9]).{20,}|[0-9A-Fa-f_]{24,}|(?i:(sk|ghp|gho|hf|pat)_).*"
_LONGEST_NAME = 64


def _read_variable(value: Any) -> str:
    # what is refused is never quoted: it may be the secret itself
    if not isinstance(value, str) or not re.fullmatch(_VARIABLE, value):
        raise ValueError("it is not the name of an environment variable")
    if len(value) > _LONGEST_NAME or re.fullmatch(_PASTED_KEY, value):
        raise ValueError("it looks like a secret, not like the name of a variable")
    return value


VARIABLE = Kind("the name of an environment variable, never the secret itself", _read_variable)


def quoted(value: Any) -> str:
    """The value as an error shows it: short, and in TOML's words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _or(words: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
