"""The fields of a request's body: their types, and what Ollama says when one is wrong."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.keep_alive import LONGEST_S, UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping


class WireError(Exception):
    """A request is refused with this status and text."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def read_json(body: bytes) -> dict[str, Any]:
    """The JSON object of a request; the texts of the errors are Go's."""
    if not body:
        raise WireError(400, "missing request body")
    try:
        document = json.loads(body, parse_float=_finite, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        rest = error.doc[error.pos :]
        if not rest.strip():
            raise WireError(400, "unexpected EOF") from error
        raise WireError(
            400, f"invalid character '{rest.lstrip()[0]}' looking for beginning of value"
        ) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise WireError(400, "invalid character looking for beginning of value") from error
    if not isinstance(document, dict):
        raise WireError(400, "json: cannot unmarshal value into Go value of type api.Request")
    return document


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise WireError(400, f"json: cannot unmarshal number {text} into a value of type float64")
    return number


def _no_number(text: str) -> float:
    raise WireError(400, f"invalid character '{text[0]}' looking for beginning of value")


def field(body: Mapping[str, Any], key: str, kind: type, default: Any) -> Any:
    """A value of this type; null is the default."""
    value = body.get(key)
    if value is None:
        return default
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        names = {str: "string", bool: "bool", list: "array", dict: "object", int: "int"}
        raise WireError(
            400,
            f"json: cannot unmarshal {_json_kind(value)} into Go struct field .{key} "
            f"of type {names[kind]}",
        )
    return value


def _json_kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    kinds: dict[type, str] = {str: "string", list: "array", dict: "object"}
    return kinds.get(type(value), "number")


def read_form(given: Any) -> tuple[Any, WireError | None]:
    """The form of the answer; "" and null are none."""
    if given in (None, ""):
        return None, None
    if given == "json" or isinstance(given, dict):
        return given, None
    quoted = json.dumps(json.dumps(given))
    return None, WireError(
        500, f'invalid format: {quoted}; expected "json" or a valid JSON Schema object'
    )


# The options that are numbers or switches, as api.Options in Ollama's source types them.
_WHOLE = frozenset(
    [
        "num_ctx",
        "num_batch",
        "num_gpu",
        "main_gpu",
        "num_thread",
        "num_keep",
        "seed",
        "num_predict",
        "top_k",
        "repeat_last_n",
    ]
)
_REAL = frozenset(
    [
        "top_p",
        "min_p",
        "typical_p",
        "temperature",
        "repeat_penalty",
        "presence_penalty",
        "frequency_penalty",
    ]
)


def read_options(body: Mapping[str, Any]) -> dict[str, Any]:
    """The options; an unknown one is ignored, a wrong type is status 500, as Ollama has it."""
    options = field(body, "options", dict, {})
    for key, value in options.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is None:
            continue
        if key in _WHOLE and not number:
            raise WireError(500, f'option "{key}" must be of type integer')
        if key in _REAL and not number:
            raise WireError(500, f'option "{key}" must be of type float32')
        if key == "use_mmap" and not isinstance(value, bool):
            raise WireError(500, f'option "{key}" must be of type boolean')
        if key == "stop" and not isinstance(value, list):
            raise WireError(500, f'option "{key}" must be of type array')
    return {k: int(v) if k in _WHOLE else v for k, v in options.items() if v is not None}


_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")


def read_keep_alive(given: Any) -> float | None:
    """Seconds of a number, or of a duration as Go writes it; negative is for ever.

    What Ollama makes of a number that it cannot count is not defined; here it is for ever.
    """
    if given is None:
        return None
    if isinstance(given, int | float) and not isinstance(given, bool):
        return float(given) if 0 <= given <= LONGEST_S else -1.0
    if not isinstance(given, str):
        raise WireError(400, f"Unsupported type: '{_json_kind(given)}'")
    text = given.lstrip("+-")
    seconds = math.fsum(float(number) * UNITS[unit] for number, unit in _DURATION.findall(text))
    too_long = seconds > LONGEST_S
    if text != "0" and (not text or too_long or _DURATION.sub("", text)):
        missing = "missing unit in" if text.replace(".", "").isdigit() else "invalid"
        raise WireError(400, f'time: {missing} duration "{given}"')
    return -1.0 if given.startswith("-") and seconds else seconds
