"""Which keys may stand in a workflow file, and what may their values be?"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.references import NAME, read_template, read_tree
from ollamamaster.domain.settings import Performance
from ollamamaster.domain.workflow import InputType, OnError
from ollamamaster.storage.kinds import SWITCH, Kind, choice, number, quoted, several

if TYPE_CHECKING:
    from collections.abc import Mapping

WORKFLOW_NAME = r"[a-z0-9-]{1,64}"
# More tries than that are no trying any more.
_MOST_RETRIES = 100


def _read_name(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(WORKFLOW_NAME, value):
        return value
    raise ValueError(
        f"{quoted(value)} is no name: lower-case letters, digits and -, at most 64 characters"
    )


def _read_id(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(NAME, value):
        return value
    raise ValueError(f"{quoted(value)} is no name: letters, digits, _ and -, a letter first")


def _read_plain(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{quoted(value)} is not a text")  # noqa: TRY004 - every reader raises ValueError
    return value


def _read_some(value: Any) -> str:
    if not _read_plain(value).strip():
        raise ValueError("it is empty")
    return str(value)


def _as_json(value: Any) -> Any:
    """The value, which must be one that JSON has, because it goes to models and tools."""
    try:
        json.dumps(value, allow_nan=False)
    except TypeError:
        raise ValueError("dates and times are written as texts, in quotes") from None
    except ValueError:
        raise ValueError("nan and inf are no numbers in JSON") from None
    return value


def _read_list(value: Any) -> list[Any]:
    _as_json(value)
    if not isinstance(value, list):
        raise ValueError(f"{quoted(value)} is not a list")  # noqa: TRY004 - every reader raises ValueError
    return value


def _read_texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError(f"{quoted(value)} is not a table")  # noqa: TRY004 - every reader raises ValueError
    return {key: _read_plain(each) for key, each in value.items()}


def _read_fixed(value: Any) -> str:
    """Text of a server's table: what a model or a tool said never gets there."""
    if "{{" in _read_plain(value):
        raise ValueError("references are not read here: what a server is cannot depend on a run")
    return str(value)


def _read_models(value: Any) -> Any:
    if isinstance(value, str):
        template = read_template(value)
        if len(template.parts) != 1 or not list(template.references):
            raise ValueError(f"{quoted(value)} is neither a list nor a reference to one")
        return template
    if not isinstance(value, list) or not value:
        raise ValueError(f"{quoted(value)} is no list of models")
    return tuple(read_template(_read_some(each)) for each in value)


def _read_format(value: Any) -> Any:
    if value == "json" or isinstance(value, dict):
        return read_tree(_as_json(value))
    raise ValueError(f'{quoted(value)} is neither "json" nor a JSON schema')


def _read_table(value: Any) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"{quoted(value)} is not a table")  # noqa: TRY004 - every reader raises ValueError
    return read_tree(_as_json(value))


_NAME = Kind("a name", _read_id)
_PLAIN = Kind("a text", _read_plain)
_SOME = Kind("a text", _read_some)
_FIXED = Kind("a text without references", _read_fixed)
_FIXED_LIST = several(_FIXED, "a list of texts without references")
_TEXTS = Kind("a table of texts", _read_texts)
_ANY = Kind("any value", _as_json)
_TEMPLATE = Kind("a text", lambda value: read_template(_read_some(value)))
_TREE = Kind("a table", _read_table)

TOP: Mapping[str, Kind] = {
    "name": Kind("a name", _read_name),
    "description": _PLAIN,
}
TABLES = ("inputs", "mcp", "steps", "output")
INPUT: Mapping[str, Kind] = {
    "description": _PLAIN,
    "type": choice(InputType),
    "default": _ANY,
    "choices": Kind("a list", _read_list),
}
SERVER: Mapping[str, Kind] = {
    "command": Kind("a text without references", lambda v: _read_fixed(_read_some(v))),
    "args": _FIXED_LIST,
    "env": _TEXTS,
    "url": Kind("a text without references", lambda v: _read_fixed(_read_some(v))),
    "headers": _TEXTS,
    "tools": several(_SOME, "a list of names of tools"),
}
STEP: Mapping[str, Kind] = {
    "id": _NAME,
    "after": several(_NAME, "a list of ids of steps"),
    "when": _TEMPLATE,
    "for_each": _TEMPLATE,
    "on_error": choice(OnError),
    "retries": number(0, _MOST_RETRIES, whole=True),
}
MODEL_STEP: Mapping[str, Kind] = {
    "prompt": _TEMPLATE,
    "model": _TEMPLATE,
    "models": Kind("a list of models", _read_models),
    "performance": choice(Performance),
    "instance": _TEMPLATE,
    "max_time": number(0, above=True),
    "system": _TEMPLATE,
    "format": Kind('"json" or a JSON schema', _read_format),
    "options": _TREE,
    "files": several(_TEMPLATE, "a list of paths"),
    "think": SWITCH,
}
TOOL_STEP: Mapping[str, Kind] = {
    "mcp": _SOME,
    "tool": _SOME,
    "with": _TREE,
}
OUTPUT: Mapping[str, Kind] = {
    "text": Kind("a text", lambda value: read_template(_read_plain(value)))
}
