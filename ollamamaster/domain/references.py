"""How does a step name what an earlier one gave? `{{ inputs.x }}`, `{{ steps.id.data.0.field }}`.

    text   = { plain | "{{{{" | "{{" reference "}}" }
    reference = "inputs." NAME
              | "steps." ID ( ".text" | ".model" | ".instance" | ".data" { "." PART } )
              | "item" { "." PART }

A text is read once, before anything runs. What is put in is data: it is never read again, so
that an answer that looks like a reference stays what it is.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_OPEN, _CLOSE, _ESCAPED = "{{", "}}", "{{{{"
NAME = r"[A-Za-z_][A-Za-z0-9_-]*"
_PART = re.compile(r"[^\s.{}]+")


class Root(StrEnum):
    """Where a reference begins."""

    INPUTS = "inputs"
    STEPS = "steps"
    ITEM = "item"


class Face(StrEnum):
    """What of a step can be named."""

    TEXT = "text"
    DATA = "data"
    MODEL = "model"
    INSTANCE = "instance"


class NoReferenceError(ValueError):
    """What stands between the braces is no reference; the message says why."""


class MissingDataError(LookupError):
    """A path that is not in the data."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One name of a value. `of` is the input or the step, empty for the item."""

    root: Root
    of: str = ""
    face: Face = Face.TEXT
    path: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.root is Root.ITEM:
            return ".".join((self.root, *self.path))
        if self.root is Root.INPUTS:
            return f"{self.root}.{self.of}"
        return ".".join((self.root, self.of, self.face, *self.path))


@dataclass(frozen=True, slots=True)
class Given:
    """What one finished step gave. `data` is None where it gave none."""

    text: str = ""
    data: Any = None
    model: str = ""
    instance: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """Everything that can be named when a step begins."""

    inputs: Mapping[str, Any]
    steps: Mapping[str, Given]
    item: Any = None

    def value(self, reference: Reference) -> Any:
        """What the reference names. Raises MissingDataError."""
        if reference.root is Root.INPUTS:
            return self.inputs[reference.of]
        if reference.root is Root.ITEM:
            return _within(self.item, reference)
        given = self.steps[reference.of]
        if reference.face is Face.DATA:
            return _within(given.data, reference)
        return getattr(given, reference.face)


@dataclass(frozen=True, slots=True)
class Template:
    """A text with references. One that is a single reference keeps the type of its value."""

    parts: tuple[str | Reference, ...]

    @property
    def references(self) -> Iterator[Reference]:
        return (part for part in self.parts if isinstance(part, Reference))

    def fill(self, scope: Scope) -> Any:
        """The value. Raises MissingDataError."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Reference):
            return scope.value(self.parts[0])
        return self.text(scope)

    def text(self, scope: Scope) -> str:
        """The value as text, JSON where it is none. Raises MissingDataError."""
        return "".join(
            part if isinstance(part, str) else as_text(scope.value(part)) for part in self.parts
        )


def read_template(text: str) -> Template:
    """Read a text. Raises NoReferenceError for braces that hold no reference."""
    parts: list[str | Reference] = []
    plain, at = "", 0
    while (found := text.find(_OPEN, at)) >= 0:
        plain += text[at:found]
        if text.startswith(_ESCAPED, found):
            plain += _OPEN
            at = found + len(_ESCAPED)
            continue
        end = text.find(_CLOSE, found)
        if end < 0:
            raise NoReferenceError("a `{{` without its `}}`; `{{{{` writes `{{`")
        if plain:
            parts.append(plain)
            plain = ""
        parts.append(read_reference(text[found + len(_OPEN) : end]))
        at = end + len(_CLOSE)
    plain += text[at:]
    if plain or not parts:
        parts.append(plain)
    return Template(tuple(parts))


def read_reference(text: str) -> Reference:
    """Read what stands between the braces. Raises NoReferenceError."""
    shown = f"`{{{{{text}}}}}`"
    root, *rest = text.strip().split(".")
    if root == Root.ITEM:
        return Reference(Root.ITEM, path=_path(rest, shown))
    if root == Root.INPUTS:
        if len(rest) != 1 or not re.fullmatch(NAME, rest[0]):
            raise NoReferenceError(f"{shown} is not `inputs.NAME`")
        return Reference(Root.INPUTS, rest[0])
    if root != Root.STEPS:
        raise NoReferenceError(f"{shown} is no reference: one begins with inputs, steps or item")
    if len(rest) < 2 or not re.fullmatch(NAME, rest[0]):
        raise NoReferenceError(f"{shown} is not `steps.ID.text`, `.data`, `.model` or `.instance`")
    step, face, *path = rest
    if face not in tuple(Face):
        raise NoReferenceError(f"{shown}: of a step there are text, data, model and instance")
    if path and face != Face.DATA:
        raise NoReferenceError(f"{shown}: only data has parts")
    return Reference(Root.STEPS, step, Face(face), _path(path, shown))


def as_text(value: Any) -> str:
    """A value inside a text: as it is, or JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def is_empty(value: Any) -> bool:
    """Whether a `when` of this value skips its step."""
    if isinstance(value, str):
        return not value.strip() or value.strip().lower() == "false"
    return not value


def read_tree(value: Any) -> Any:
    """The same value with every text in it read as a template. Raises NoReferenceError."""
    if isinstance(value, str):
        return read_template(value)
    if isinstance(value, dict):
        return {key: read_tree(each) for key, each in value.items()}
    if isinstance(value, list):
        return [read_tree(each) for each in value]
    return value


def fill_tree(value: Any, scope: Scope) -> Any:
    """A value of `read_tree` with every template filled. Raises MissingDataError."""
    if isinstance(value, Template):
        return value.fill(scope)
    if isinstance(value, dict):
        return {key: fill_tree(each, scope) for key, each in value.items()}
    if isinstance(value, list):
        return [fill_tree(each, scope) for each in value]
    return value


def references_in(value: Any) -> Iterator[Reference]:
    """Every reference of a value of `read_tree`."""
    if isinstance(value, Template):
        yield from value.references
    elif isinstance(value, dict):
        for each in value.values():
            yield from references_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from references_in(each)


def _path(parts: Sequence[str], shown: str) -> tuple[str, ...]:
    if not all(_PART.fullmatch(part) for part in parts):
        raise NoReferenceError(f"{shown} has an empty part")
    return tuple(parts)


def _within(value: Any, reference: Reference) -> Any:
    for part in reference.path:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and (index := _index(part)) is not None and index < len(value):
            value = value[index]
        else:
            raise MissingDataError(f"{{{{ {reference} }}}} is not in the data: no {part!r}")
    return value


def _index(part: str) -> int | None:
    # longer ones are the index of nothing, and int() refuses very long ones
    return int(part) if part.isascii() and part.isdigit() and len(part) < 10 else None
