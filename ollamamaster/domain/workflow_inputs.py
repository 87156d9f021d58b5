"""What is given to a workflow, read by the types of its inputs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.json_values import is_json, read_json
from ollamamaster.domain.references import as_text
from ollamamaster.domain.sendable import sendable
from ollamamaster.domain.workflow import InputType
from ollamamaster.domain.workflow_problems import near
from ollamamaster.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ollamamaster.domain.workflow import Input

_YES = frozenset({"true", "yes", "on", "1"})
_NO = frozenset({"false", "no", "off", "0"})
_WORDS = {
    InputType.TEXT: "a text",
    InputType.INTEGER: "a whole number",
    InputType.NUMBER: "a number",
    InputType.BOOLEAN: "true or false",
    InputType.JSON: "JSON",
}


def given_inputs(
    inputs: Sequence[Input], texts: Mapping[str, str], values: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Every input with its value: typed as `texts`, given as `values`, or its default.

    Raises UsageError for one that is missing, unknown, of the wrong type, or none of its choices.
    """
    values = values or {}
    known = {each.name: each for each in inputs}
    for name in (*texts, *values):
        if name not in known:
            raise UsageError(f"the workflow has no input {name!r}", hint=near(name, known))
    found: dict[str, Any] = {}
    missing = []
    for each in inputs:
        if each.name in texts:
            found[each.name] = _chosen(each, from_text(each, texts[each.name]))
        elif each.name in values:
            found[each.name] = _chosen(each, checked(each, values[each.name]))
        elif each.required:
            missing.append(each)
        else:
            found[each.name] = each.default
    if missing:
        raise UsageError(
            f"the input {missing[0].name!r} is missing",
            hint="\n".join(f"--input {i.name}=…  {i.description}".rstrip() for i in missing),
        )
    return found


def from_text(wanted: Input, text: str) -> Any:
    """The value that a person typed. Raises UsageError."""
    try:
        match wanted.type:
            case InputType.TEXT:
                return checked(wanted, text)
            case InputType.INTEGER:
                return int(text)
            case InputType.NUMBER:
                return checked(wanted, float(text))
            case InputType.BOOLEAN:
                word = text.strip().lower()
                if word in _YES | _NO:
                    return word in _YES
            case InputType.JSON:
                return read_json(text)
    except ValueError:
        pass
    raise _wrong(wanted, text)


def checked(wanted: Input, value: Any) -> Any:
    """The value, which has the type that is wanted. Raises UsageError."""
    match wanted.type:
        case InputType.TEXT:
            # bytes of a command line that are no UTF-8 come as halves of characters
            right = isinstance(value, str) and sendable(value) == value
        case InputType.INTEGER:
            right = isinstance(value, int) and not isinstance(value, bool)
        case InputType.NUMBER:
            right = isinstance(value, int | float) and not isinstance(value, bool)
            right = right and math.isfinite(value)
        case InputType.BOOLEAN:
            right = isinstance(value, bool)
        case InputType.JSON:
            right = is_json(value)
    if not right:
        raise _wrong(wanted, value)
    return value


def _chosen(wanted: Input, value: Any) -> Any:
    # 1 equals True in Python, and is another value here
    same = [c for c in wanted.choices if c == value and isinstance(c, bool) == _is_bool(value)]
    if wanted.choices and not same:
        raise UsageError(
            f"the input {wanted.name!r} cannot be {_short(value)}",
            hint=f"it is one of {', '.join(as_text(each) for each in wanted.choices)}",
        )
    return value


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _wrong(wanted: Input, value: Any) -> UsageError:
    return UsageError(f"the input {wanted.name!r} is {_WORDS[wanted.type]}, not {_short(value)}")


def _short(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else as_text(value)
    return text if len(text) <= 60 else text[:57] + "..."
