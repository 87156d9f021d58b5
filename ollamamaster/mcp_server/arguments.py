"""What may be given to a tool, and how is it refused when it is something else?"""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ollamamaster.domain.conversation import LONGEST_NAME
from ollamamaster.domain.plain_text import one_line
from ollamamaster.mcp_server.reply import RefusedError

# The limits of the contract with hosts. A million characters is more than any context takes.
PROMPT_LENGTH = 1_000_000
TEXT_LENGTH = 10_000
LIST_LENGTH = 32
LONGEST_WAIT_S = 600
LONGEST_RUN_S = 86_400
# A name of a model, a path, a host: what is longer is none.
NAME_LENGTH = 1000
RUN_ID_LENGTH = 64
# Who mends so many knows how it goes.
_MOST_PROBLEMS = 5

Name = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH)]
RunId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=RUN_ID_LENGTH,
        description="The run_id that a call with status=running gave.",
    ),
]
Wait = Annotated[
    float | None,
    Field(
        ge=0,
        le=LONGEST_WAIT_S,
        description=(
            "Seconds to wait here, at most 600; 45 if left out. What takes longer goes on and "
            "comes back as status=running with a run_id. 0 only starts it."
        ),
    ),
]


class Arguments(BaseModel):
    """The arguments of one tool; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid")


class NoArguments(Arguments):
    """A tool that is only called."""


class DiscoverArguments(Arguments):
    targets: Annotated[
        list[Name] | None,
        Field(
            max_length=LIST_LENGTH,
            description=(
                "Where to look, and nowhere else: host, address, CIDR up to /22, host:port or "
                "host:port-port, such as 192.168.1.0/24. Private networks only; no URLs."
            ),
        ),
    ] = None
    refresh: Annotated[
        bool,
        Field(description="Look again now, instead of what was found within the last seconds."),
    ] = False


class ModelsArguments(Arguments):
    pattern: Annotated[
        str | None,
        Field(max_length=NAME_LENGTH, description="Part of a name, or a glob such as qwen*."),
    ] = None
    tier: Annotated[
        Literal["fast", "balanced", "powerful"] | None,
        Field(description="By size: below 3 GB, 3 to 10 GB, above 10 GB."),
    ] = None
    capability: Annotated[
        str | None,
        Field(
            max_length=NAME_LENGTH,
            description="completion, vision, tools, thinking, embedding or insert.",
        ),
    ] = None


class AloneArguments(Arguments):
    """A prompt that stands alone: nothing of it is kept."""

    prompt: Annotated[
        str,
        Field(
            min_length=1,
            max_length=PROMPT_LENGTH,
            description="The whole task; the model sees nothing else of this conversation.",
        ),
    ]
    model: Annotated[
        Name | None,
        Field(description="Only this model, as list_models names it. Leave out to get the best."),
    ] = None
    performance: Annotated[
        Literal["fast", "balanced", "powerful"] | None,
        Field(description="fast saves time, powerful takes the best answer; balanced is usual."),
    ] = None
    max_time: Annotated[
        float | None,
        Field(
            ge=1,
            le=LONGEST_RUN_S,
            description="Seconds after which the answer is useless; it is cut there.",
        ),
    ] = None
    system: Annotated[
        str | None, Field(max_length=TEXT_LENGTH, description="A system prompt for the model.")
    ] = None
    files: Annotated[
        list[Name] | None,
        Field(
            max_length=LIST_LENGTH,
            description=(
                "Paths of text files or images that belong to the prompt, inside the folders "
                "that the person allowed (mcp.file_roots); no URLs."
            ),
        ),
    ] = None
    wait: Wait = None


class RouteArguments(AloneArguments):
    """A prompt, alone or as the next turn of a session."""

    session: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=LONGEST_NAME,
            description=(
                "The name of a conversation that goes on from call to call: the model gets what "
                "was asked and answered under it before. A new name begins one."
            ),
        ),
    ] = None


class CompareArguments(Arguments):
    prompt: Annotated[
        str,
        Field(
            min_length=1,
            max_length=PROMPT_LENGTH,
            description="The whole task; the models see nothing else of this conversation.",
        ),
    ]
    models: Annotated[
        list[Name] | None,
        Field(
            max_length=LIST_LENGTH,
            description="These models, as list_models names them. Leave out to get good ones.",
        ),
    ] = None
    judge: Annotated[
        Name | None,
        Field(description="A model, as list_models names it, that scores the answers."),
    ] = None
    wait: Wait = None


class WorkflowArguments(Arguments):
    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=NAME_LENGTH,
            description="The name of the workflow, as list_workflows tells it; never a path.",
        ),
    ]
    inputs: Annotated[
        dict[str, Any] | None,
        Field(
            max_length=LIST_LENGTH,
            description="An object with a value for each input; what has a default may be missing.",
        ),
    ] = None
    wait: Wait = None

    @field_validator("inputs")
    @classmethod
    def _not_too_long(cls, value: Any) -> Any:
        # They become prompts.
        if value is not None and len(json.dumps(value, ensure_ascii=False)) > PROMPT_LENGTH:
            raise ValueError(f"it has more than {PROMPT_LENGTH:,} characters")
        return value


class AssessArguments(Arguments):
    task_description: Annotated[
        str,
        Field(
            min_length=1,
            max_length=TEXT_LENGTH,
            description="The task in plain words, with sizes, counts and deadlines.",
        ),
    ]
    requirements: Annotated[
        dict[str, str | float | list[str]] | str | None,
        Field(
            description=(
                "What must hold, as an object or as text such as latency=2s: latency (to the "
                "first token) and max_time (2s, 10min), context (tokens), tokens_per_s, quality "
                "(1 to 100), capability (vision, tools), privacy (local, lan, any), count."
            ),
        ),
    ] = None

    @field_validator("requirements")
    @classmethod
    def _not_too_much(cls, value: Any) -> Any:
        if isinstance(value, dict) and len(value) > LIST_LENGTH:
            raise ValueError(f"it has more than {LIST_LENGTH} keys")
        if len(str(value)) > TEXT_LENGTH:
            raise ValueError(f"it has more than {TEXT_LENGTH} characters")
        return value


class ResultArguments(Arguments):
    run_id: RunId
    wait: Wait = None


class CancelArguments(Arguments):
    run_id: RunId


Model = TypeVar("Model", bound=Arguments)


def read(tool: str, of: type[Model], given: dict[str, Any]) -> Model:
    """The arguments of a call. Raises RefusedError that names each one that is wrong."""
    try:
        return of.model_validate(_unpacked(of, given))
    except ValidationError as error:
        # Of an argument that may be one of several kinds, each kind says the same.
        problems = dict.fromkeys(_problem(of, e) for e in error.errors(include_url=False))
        said = "; ".join(list(problems)[:_MOST_PROBLEMS])
        raise RefusedError(f"{tool} was not called: {said}.") from None


def schema_of(of: type[Arguments]) -> dict[str, Any]:
    """The JSON Schema of the arguments, without what only repeats itself."""
    schema = of.model_json_schema()
    properties = {name: _plain(each) for name, each in schema.get("properties", {}).items()}
    required = list(schema.get("required", ()))
    return {
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """One argument: `null` is taken as well, but nobody needs to be told."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind.get("type") != "null"]
    rest = {k: v for k, v in schema.items() if k not in {"anyOf", "title"} and v is not None}
    if len(kinds) > 1:
        return {"anyOf": kinds, **rest}
    return {**(kinds[0] if kinds else {}), **rest}


def _unpacked(of: type[Arguments], given: dict[str, Any]) -> dict[str, Any]:
    """Lists and objects that came as JSON in a string, as some hosts send them."""
    found = dict(given)
    for name, value in given.items():
        field = of.model_fields.get(name)
        kinds = {get_origin(kind) for kind in get_args(field.annotation)} if field else set()
        if not isinstance(value, str) or not kinds & {list, dict}:
            continue
        try:
            unpacked = json.loads(value)
        except (ValueError, RecursionError):
            unpacked = value
        if type(unpacked) in kinds:
            found[name] = unpacked
        elif dict not in kinds:
            # one name instead of a list of one
            found[name] = [value]
    return found


def _problem(of: type[Arguments], entry: Any) -> str:
    place = entry["loc"]
    name = one_line(str(place[0]), 80) if place else "arguments"
    at = f"{name}[{place[1]}]" if len(place) > 1 and isinstance(place[1], int) else name
    if entry["type"] == "extra_forbidden":
        known = list(of.model_fields)
        near = get_close_matches(name, known, 1, 0.5)
        meant = f"did you mean {near[0]!r}?" if near else f"it knows {', '.join(known) or 'none'}"
        return f"unknown argument {name!r} ({meant})"
    if entry["type"] == "missing":
        return f"the argument {at!r} is missing"
    said = str(entry["msg"])
    return f"argument {at!r}: {said[:1].lower()}{said[1:]}"
