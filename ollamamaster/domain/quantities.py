"""Numbers and durations in the words of people: English, German, French, Spanish."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def _units(seconds_by_words: Mapping[float, str]) -> dict[str, float]:
    """Unit words by length, so that `minutes` is found before `min`."""
    pairs = [(word, s) for s, words in seconds_by_words.items() for word in words.split()]
    return dict(sorted(pairs, key=lambda pair: -len(pair[0])))


DURATION_UNITS: Mapping[str, float] = _units(
    {
        0.001: (
            "ms millisecond milliseconds msec millisekunde millisekunden milliseconde "
            "millisecondes milisegundo milisegundos"
        ),
        1.0: (
            "s sec secs second seconds sek sekunde sekunden seconde secondes segundo segundos seg"
        ),
        60.0: "min mins minute minutes minuten minuto minutos",
        3600.0: "h hr hrs hour hours std stunde stunden heure heures hora horas",
        86_400.0: "day days tag tage tagen jour jours día días",
    }
)

_WORDS: Mapping[str, float] = {
    word: value
    for value, words in (
        (0.5, "half halbe halben demi demie media medio"),
        (1, "a an one single ein eine einen einer einem un une una"),
        (2, "two zwei deux dos"),
        (3, "three drei trois tres"),
        (4, "four vier quatre cuatro"),
        (5, "five fünf cinq cinco"),
        (6, "six sechs seis"),
        (7, "seven sieben sept siete"),
        (8, "eight acht huit ocho"),
        (9, "nine neun neuf nueve"),
        (10, "ten zehn dix diez"),
        (12, "twelve dozen zwölf douze doce dutzend douzaine docena"),
        (15, "fifteen fünfzehn quinze quince"),
        (20, "twenty zwanzig vingt veinte"),
        (30, "thirty dreißig dreissig trente treinta"),
        (40, "forty vierzig quarante cuarenta"),
        (50, "fifty fünfzig cinquante cincuenta"),
        (60, "sixty sechzig soixante sesenta"),
        (100, "hundred hundert cent cien"),
        (1000, "thousand tausend mille mil"),
    )
    for word in words.split()
}
_SUFFIXES: Mapping[str, float] = {"k": 1e3, "m": 1e6}
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:[.,]\d{3})+")

_HALF_A = r"half\s+an?|(?:einer?\s+)?halben?|(?:une\s+)?demi(?:e)?|medi[ao]"
_WORD_NUMBER = "|".join(sorted(_WORDS, key=len, reverse=True))
_HUNDREDS = "hundred|thousand|hundert|tausend|cent|mille|mil"
_IN_WORDS = rf"(?:{_HALF_A}|(?:(?:{_WORD_NUMBER})\s+)?(?:{_HUNDREDS})|{_WORD_NUMBER})\b"
_IN_DIGITS = r"\d(?:[\d.,]*\d)?(?:\s?[km](?![a-z]))?"


def named_number(name: str = "n") -> str:
    """The expression of a number in digits or in words, in a group of this name."""
    return rf"(?<![\w.,])(?P<{name}>{_IN_DIGITS}|{_IN_WORDS})"


def number(text: str) -> float | None:
    """The number that a text says; None when it says none, or nothing finite.

    `1,000` and `1.000` are a thousand, as no one writes three digits behind the point of a count.
    """
    text = text.strip().lower()
    words = text.replace("-", " ").split()
    if words and words[0] in _WORDS:
        values = [_WORDS[word] for word in words if word in _WORDS]
        return math.prod(values) if values[-1] >= 100 else min(values)
    factor = _SUFFIXES.get(text[-1:], 1.0)
    digits = text[:-1].strip() if factor != 1.0 else text
    if _GROUPED.fullmatch(digits):
        digits = re.sub(r"[.,]", "", digits)
    elif digits.count(",") == 1 and "." not in digits:
        digits = digits.replace(",", ".")
    elif digits.count(",") > 1 or ("," in digits and "." in digits):
        digits = digits.replace(",", "")
    try:
        value = float(digits) * factor
    except ValueError:
        return None
    # more than any context, count or wait there is: a slip of the keyboard
    return value if 0 <= value < 1e12 else None


_UNIT = "|".join(DURATION_UNITS)


def named_duration(name: str = "n") -> str:
    """The expression of a duration; its groups are `name` and `name_unit`."""
    return rf"{named_number(name)}[\s-]*(?P<{name}_unit>{_UNIT})\b"


def seconds_in(match: re.Match[str], name: str = "n") -> float | None:
    """The seconds of a duration that was found; None for zero."""
    value = number(match[name])
    return value * DURATION_UNITS[match[f"{name}_unit"]] if value else None
