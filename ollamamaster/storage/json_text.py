"""Change one entry of a JSON text and leave every other character as it is, comments too."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

# White space and the comments that editors allow in their settings.
_BETWEEN = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_OTHER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")
_INDENT = re.compile(r"^([ \t]+)\S", re.MULTILINE)
# Deeper than any settings file; Python's own limit is a thousand.
_DEEPEST = 200


class JsonTextError(ValueError):
    """The text is not JSON, not even with comments and trailing commas."""


@dataclass(slots=True)
class _Member:
    key: str
    begin: int
    value: _Node


@dataclass(slots=True)
class _Node:
    """A value and where it stands: text[begin:end]."""

    begin: int
    end: int = 0
    data: Any = None
    members: list[_Member] | None = None
    commas: list[int] = field(default_factory=list)

    def member(self, key: str) -> _Member | None:
        """The last of this name, which is the one that readers take."""
        return next((m for m in reversed(self.members or ()) if m.key == key), None)


def value_of(text: str) -> Any:
    """What the text means. Raises JsonTextError."""
    return _parsed(text).data


def with_entry(text: str, path: Sequence[str], value: Any) -> str:
    """The text with `value` at this path of objects, which are made where they are missing.

    Raises JsonTextError, also when something on the way is no object.
    """
    if not text.strip().removeprefix("\ufeff").strip():
        inner: Any = value
        for key in reversed(path):
            inner = {key: inner}
        return json.dumps(inner, indent=2, ensure_ascii=False) + "\n"
    node, done = _parsed(text), 0
    style = _Style(text)
    for depth, key in enumerate(path):
        if node.members is None:
            raise JsonTextError(f"{'.'.join(path[:depth]) or 'the whole'} is no object")
        found = node.member(key)
        if found is None:
            inner = value
            for missing in reversed(path[depth + 1 :]):
                inner = {missing: inner}
            return style.inserted(node, key, inner, depth + 1)
        node, done = found.value, depth + 1
    written = style.written(value, done)
    return text[: node.begin] + written + text[node.end :]


def without_entry(text: str, path: Sequence[str]) -> str:
    """The text without the entry at this path, and without the comma it needed."""
    node = _parsed(text)
    parent = node
    for key in path:
        parent = node
        found = node.member(key)
        if found is None:
            return text
        node = found.value
    members = parent.members or []
    index = next(i for i, member in enumerate(members) if member.value is node)
    begin, end = members[index].begin, node.end
    if index < len(parent.commas):
        # up to and with the comma after it, and the line it stood on
        end = parent.commas[index] + 1
        line = text.rfind("\n", 0, begin) + 1
        if not text[line:begin].strip():
            after = _end_of_line(text, end)
            return text[:line] + text[after:] if after is not None else text[:begin] + text[end:]
        return text[:begin] + text[end:].lstrip(" ")
    previous = parent.commas[index - 1] if index else None
    kept = text[:begin].rstrip(" \t\r\n")
    if previous is not None:
        kept = kept[:previous] + kept[previous + 1 :]
    return kept + text[end:]


def _end_of_line(text: str, at: int) -> int | None:
    """Where the next line begins when nothing else stands on this one."""
    line_end = text.find("\n", at)
    if line_end < 0 or text[at:line_end].strip():
        return None
    return line_end + 1


class _Style:
    """How this text is indented, and how its lines end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._newline = "\r\n" if "\r\n" in text else "\n"
        found = _INDENT.search(text)
        self._unit = found.group(1) if found else "  "

    def written(self, value: Any, depth: int) -> str:
        """A value as it would stand so deep in this text."""
        unit = "\t" if "\t" in self._unit else len(self._unit)
        lines = json.dumps(value, indent=unit, ensure_ascii=False).split("\n")
        return (self._newline + self._unit * depth).join(lines)

    def inserted(self, node: _Node, key: str, value: Any, depth: int) -> str:
        """The text with a new member at the end of an object."""
        text, members = self._text, node.members or []
        name = json.dumps(key, ensure_ascii=False)
        if members and "\n" not in text[node.begin : node.end]:
            last = members[-1].value.end if len(node.commas) < len(members) else node.commas[-1]
            entry = f"{name}: {json.dumps(value, ensure_ascii=False)}"
            return f"{text[:last]}, {entry}{text[last:]}"
        entry = f"{name}: {self.written(value, depth)}"
        # after the last thing that stands in the object, a comment perhaps
        at = len(text[: node.end - 1].rstrip())
        head, tail = text[:at], text[node.end - 1 :]
        if members and len(node.commas) < len(members):
            last = members[-1].value.end
            head = head[:last] + "," + head[last:]
        begins, ends = self._newline + self._unit * depth, self._newline + self._unit * (depth - 1)
        return f"{head}{begins}{entry}{ends}{tail}"


def _parsed(text: str) -> _Node:
    return _Reader(text).document()


class _Reader:
    """Reads JSON with comments and trailing commas, and remembers where everything stands."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 1 if text.startswith("\ufeff") else 0

    def document(self) -> _Node:
        self._skip()
        node = self._value(0)
        self._skip()
        if self._at != len(self._text):
            raise self._wrong("something follows the end")
        return node

    def _value(self, depth: int) -> _Node:
        if depth > _DEEPEST:
            raise self._wrong("it is nested too deeply")
        node = _Node(self._at)
        match self._peek():
            case "{":
                self._object(node, depth)
            case "[":
                self._array(node, depth)
            case '"':
                node.data = self._string()
            case _:
                found = _OTHER.match(self._text, self._at)
                if found is None:
                    raise self._wrong("a value is missing")
                self._at = found.end()
                node.data = json.loads(found.group())
        node.end = self._at
        return node

    def _object(self, node: _Node, depth: int) -> None:
        node.members, node.data = [], {}
        self._at += 1
        self._skip()
        while self._peek() != "}":
            begin = self._at
            key = self._string()
            self._skip()
            self._take(":")
            self._skip()
            value = self._value(depth + 1)
            node.members.append(_Member(key, begin, value))
            node.data[key] = value.data
            self._comma(node, "}")
        self._at += 1

    def _array(self, node: _Node, depth: int) -> None:
        node.data = []
        self._at += 1
        self._skip()
        while self._peek() != "]":
            node.data.append(self._value(depth + 1).data)
            self._comma(node, "]")
        self._at += 1

    def _comma(self, node: _Node, end: str) -> None:
        self._skip()
        if self._peek() != end:
            node.commas.append(self._at)
            self._take(",")
            self._skip()

    def _string(self) -> str:
        found = _STRING.match(self._text, self._at)
        if found is None:
            raise self._wrong("a name in quotes is missing")
        self._at = found.end()
        try:
            return str(json.loads(found.group()))
        except ValueError:
            raise self._wrong("a text is not well written") from None

    def _take(self, character: str) -> None:
        if self._peek() != character:
            raise self._wrong(f"{character!r} is missing")
        self._at += 1

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip(self) -> None:
        found = _BETWEEN.match(self._text, self._at)
        if found is not None:
            self._at = found.end()

    def _wrong(self, what: str) -> JsonTextError:
        return JsonTextError(f"line {self._text.count(chr(10), 0, self._at) + 1}: {what}")
