"""On which line of a TOML text does each key stand? tomllib does not tell."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Path = tuple[str, ...]
# With the number, from 0, of each table of an array of tables.
NumberedPath = tuple[str | int, ...]

_BLANK = re.compile(r"[ \t]*")
_BLANK_LINES = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LITERAL = re.compile(r"'([^'\n]*)'")
_BASIC = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
# The three quotes that end the text may follow one or two that belong to it.
_LONG_LITERAL = re.compile(r"'''.*?'{3,5}", re.DOTALL)
_LONG_BASIC = re.compile(r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}', re.DOTALL)
_OTHER_VALUE = re.compile(r"[^,\]}#\n]*")


def key_lines(text: str) -> Mapping[Path, int]:
    """The first line, from 1, on which each table and key of a valid TOML text is named.

    A key inside an array of tables has the path of the array, without a number. Of a text that
    is not valid, the lines up to where it goes wrong.
    """
    lines: dict[Path, int] = {}
    for path, line in numbered_key_lines(text).items():
        lines.setdefault(tuple(part for part in path if isinstance(part, str)), line)
    return lines


def numbered_key_lines(text: str) -> Mapping[NumberedPath, int]:
    """The same, each table of an array of tables `[[...]]` under its number."""
    reader = _Reader(text.replace("\r\n", "\n"))
    with contextlib.suppress(_UnreadableError, RecursionError):
        reader.document()
    return reader.lines


class _UnreadableError(Exception):
    """The text is not TOML from here on."""


class _Reader:
    """Walks over the text; knows just enough TOML to step over every kind of value."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[NumberedPath, int] = {}
        self._tables: dict[NumberedPath, int] = {}
        self._counted, self._line = 0, 1

    def document(self) -> None:
        table: NumberedPath = ()
        self._skip(_BLANK_LINES)
        while self.at < len(self.text):
            if self._next() == "[":
                brackets = 2 if self.text.startswith("[[", self.at) else 1
                self.at += brackets
                line = self._line_here()
                table = self._key((), header=True)
                self._expect("]" * brackets)
                if brackets == 2:
                    number = self._tables[table] = self._tables.get(table, -1) + 1
                    table = (*table, number)
                    self.lines.setdefault(table, line)
            else:
                self._pair(table)
            self._skip(_BLANK_LINES)

    def _pair(self, table: NumberedPath) -> None:
        path = self._key(table)
        self._expect("=")
        self._skip(_BLANK)
        self._value(path)

    def _key(self, table: NumberedPath, *, header: bool = False) -> NumberedPath:
        """A dotted key; each of its parts is named on this line, unless it was before.

        In a header, an array of tables on the way means the table of it that was begun last.
        """
        path = table
        while True:
            if header and path in self._tables:
                path = (*path, self._tables[path])
            self._skip(_BLANK)
            line = self._line_here()
            path = (*path, self._part())
            self.lines.setdefault(path, line)
            self._skip(_BLANK)
            if self._next() != ".":
                return path
            self.at += 1

    def _part(self) -> str:
        if self._next() == '"':
            inside = self._match(_BASIC).group()
            return _unescaped(inside) if "\\" in inside else inside[1:-1]
        if self._next() == "'":
            return self._match(_LITERAL).group(1)
        return self._match(_BARE_KEY).group()

    def _value(self, path: NumberedPath) -> None:
        if self.text.startswith('"""', self.at):
            self._match(_LONG_BASIC)
        elif self.text.startswith("'''", self.at):
            self._match(_LONG_LITERAL)
        elif self._next() == '"':
            self._match(_BASIC)
        elif self._next() == "'":
            self._match(_LITERAL)
        elif self._next() == "[":
            self._members("]", path)
        elif self._next() == "{":
            self._members("}", path)
        else:
            self._match(_OTHER_VALUE)

    def _members(self, end: str, path: NumberedPath) -> None:
        """What stands in an array or an inline table, up to and with its end."""
        self.at += 1
        self._skip(_BLANK_LINES)
        while self._next() != end:
            if end == "]":
                self._value(path)
            else:
                self._pair(path)
            self._skip(_BLANK_LINES)
            if self._next() == ",":
                self.at += 1
                self._skip(_BLANK_LINES)
            elif self._next() != end:
                raise _UnreadableError
        self.at += 1

    def _next(self) -> str:
        return self.text[self.at : self.at + 1]

    def _skip(self, blank: re.Pattern[str]) -> None:
        self._match(blank)

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise _UnreadableError
        self.at = found.end()
        return found

    def _expect(self, wanted: str) -> None:
        if not self.text.startswith(wanted, self.at):
            raise _UnreadableError
        self.at += len(wanted)

    def _line_here(self) -> int:
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line


def _unescaped(quoted: str) -> str:
    import tomllib

    try:
        value: str = tomllib.loads(f"key = {quoted}")["key"]
    except ValueError:
        raise _UnreadableError from None
    return value
