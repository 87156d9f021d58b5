"""Past requests as a file: JSON lines, or a table of attempts."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from ollamamaster.cli.export_file import writer
from ollamamaster.contract.history import EXPORT_COLUMNS, export_rows, show_data

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ollamamaster.domain.records import RouteRecord

# Spreadsheets take a text that begins so for a formula, which may run programs; texts come from
# models. https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_export(records: Iterable[RouteRecord], form: str, file: Path | None) -> int:
    """Write the records to the file, or to stdout; returns how many there were.

    Raises FileUnusableError when the file cannot be written.
    """
    count = 0
    lines = _CSV if form == "csv" else _JSON_LINES
    with writer(file) as write:
        write(lines.head())
        for record in records:
            count += 1
            write(lines.of(record))
    return count


class _JsonLines:
    def head(self) -> str:
        return ""

    def of(self, record: RouteRecord) -> str:
        return json.dumps(show_data(record), separators=(",", ":"), allow_nan=False) + "\n"


class _Csv:
    def head(self) -> str:
        return _csv_line(EXPORT_COLUMNS)

    def of(self, record: RouteRecord) -> str:
        rows = export_rows(record)
        return "".join(_csv_line([_csv_cell(row[c]) for c in EXPORT_COLUMNS]) for row in rows)


_JSON_LINES, _CSV = _JsonLines(), _Csv()


def _csv_line(cells: Iterable[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _csv_cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return int(value) if isinstance(value, bool) else value
