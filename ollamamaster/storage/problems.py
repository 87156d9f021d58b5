"""What is wrong with the configuration, where, and what to write instead."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollamamaster.errors import ConfigInvalidError
from ollamamaster.storage.paths import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. `line` is None for a variable of the environment or the file as a whole."""

    key: str
    message: str
    line: int | None = None
    hint: str | None = None

    def sentence(self, file: Path) -> str:
        """Where and what, on one line."""
        where = str(file) if self.line is None else f"{file}:{self.line}"
        if not self.key:
            return f"{where}: {self.message}"
        if self.line is None and self.key.startswith(PREFIX):
            return f"{self.key}: {self.message}"
        return f"{where}: {self.key}: {self.message}"


def refusal(problems: Sequence[Problem], file: Path) -> ConfigInvalidError:
    """The error for a command that cannot go on: the first problem, and how many there are."""
    first = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    hints = [first.hint] if first.hint else []
    if more:
        hints.append("ollamamaster config check lists them all")
    return ConfigInvalidError(
        first.sentence(file) + more,
        hint="\n".join(hints) or "ollamamaster config check",
    )


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    from difflib import get_close_matches

    by_lower = {each.lower(): each for each in known}
    # lower than difflib's 0.6 would suggest words that share little more than their length
    found = get_close_matches(word.lower().replace("-", "_"), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


_BARE = r"[A-Za-z0-9_-]+"


def dotted(path: Sequence[str]) -> str:
    """The key as TOML writes it: a part with dots or colons in quotes."""
    return ".".join(part if re.fullmatch(_BARE, part) else f'"{part}"' for part in path)
