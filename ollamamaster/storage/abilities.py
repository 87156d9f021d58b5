"""The published abilities that come with the package."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path

from ollamamaster.domain.ability import Abilities, Line, PublishedModel

_FILE = Path(__file__).parent.parent / "data" / "models.toml"
_BILLION = 1e9


def load_abilities(path: Path = _FILE) -> Abilities:
    """Read a file of abilities; its comments say what its columns are."""
    read = tomllib.loads(path.read_text(encoding="utf-8"))
    rows = dict(read["models"])
    columns = rows.pop("columns").split()
    return Abilities(
        {name: _model(dict(zip(columns, row.split(), strict=True))) for name, row in rows.items()},
        {task_type: Line(**line) for task_type, line in read["fallback"].items()},
    )


def _model(cells: dict[str, str]) -> PublishedModel:
    parameters = float(cells.pop("billions")) * _BILLION
    active = float(cells.pop("active")) * _BILLION or parameters
    released = cells.pop("released")
    thinks = cells.pop("thinks") == "yes"
    return PublishedModel(
        parameters,
        math.sqrt(parameters * active),
        None if released == "-" else _years(released),
        thinks,
        {task_type: float(ability) for task_type, ability in cells.items()},
    )


def _years(month: str) -> float:
    """`2025-07` in years since the beginning of 2025."""
    year, _, number = month.partition("-")
    return int(year) - 2025 + (int(number) - 1) / 12
