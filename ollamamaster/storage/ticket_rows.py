"""How is a ticket kept in a row? What is no ticket is left out: other versions write there too."""

from __future__ import annotations

import json
import math
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.tickets import Option, Priority, ProcessId, Ticket

if TYPE_CHECKING:
    from collections.abc import Callable

# What stands beside the options, in the order in which `ticket_of` reads it.
COLUMNS = (
    "id, pid, started, entered_at, price, priority, runs_on, started_at, overtaken_s, most_others"
)

_FIELDS = fields(Option)
_NEEDED = sum(f.default is MISSING for f in _FIELDS)


def options_text(options: tuple[Option, ...]) -> str:
    """Options as JSON, each a list in the order of its fields."""
    rows = [[getattr(option, f.name) for f in _FIELDS] for option in options]
    return json.dumps(rows, separators=(",", ":"))


def options_of(text: Any) -> tuple[Option, ...] | None:
    """The options that were written; None when one of them is none."""
    try:
        rows = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None
    if not isinstance(rows, list):
        return None
    found = [_option(row) for row in rows]
    return None if None in found else tuple(filter(None, found))


def option_text(option: Option | None) -> str | None:
    """One option as JSON; None where there is none."""
    return None if option is None else options_text((option,))


def _option(row: Any) -> Option | None:
    # a newer version may say more, an older one less of what has a default
    if not isinstance(row, list) or len(row) < _NEEDED:
        return None
    given = row[: len(_FIELDS)]
    right = all(_IS[str(f.type)](value) for f, value in zip(_FIELDS, given, strict=False))
    return Option(*given) if right else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


# By the annotations of Option, which are text; a new kind of field fails at once, in any test.
_IS: dict[str, Callable[[Any], bool]] = {
    "str": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "float": _is_number,
    "float | None": lambda value: value is None or _is_number(value),
    "int": lambda value: isinstance(value, int),
    "int | None": lambda value: value is None or isinstance(value, int),
}


def process_of(row: tuple[Any, ...]) -> ProcessId | None:
    """The process in a row of COLUMNS; None where there is none."""
    pid, started = row[1:3]
    return ProcessId(pid, started) if isinstance(pid, int) and _is_number(started) else None


def ticket_of(
    row: tuple[Any, ...], process: ProcessId, options: tuple[Option, ...]
) -> Ticket | None:
    """The ticket in a row of COLUMNS; None when it is none."""
    id_, _, _, entered_at, price, priority, runs_on, started_at, overtaken_s, _ = row
    on = options_of(runs_on) if runs_on is not None else ()
    right = (
        isinstance(id_, str)
        and _is_number(entered_at)
        and _is_number(price)
        and _is_number(overtaken_s)
        and (started_at is None or _is_number(started_at))
        and priority in Priority.__members__.values()
        and on is not None
    )
    if not right or on is None:
        return None
    return Ticket(
        id=id_,
        entered_at=entered_at,
        options=options,
        process=process,
        price=price,
        priority=Priority(priority),
        on=on[0] if on else None,
        started_at=started_at if on else None,
        overtaken_s=overtaken_s,
    )
