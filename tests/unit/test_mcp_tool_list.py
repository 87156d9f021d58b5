"""The tools as agents see them: a change of a name, an argument or a hint is made on purpose."""

from __future__ import annotations

from typing import Any

import pytest

from ollamamaster.cli.json_keys import DATA, paths_of
from ollamamaster.mcp_server.tools import TOOLS, offered

# Written by hand: hosts and agents depend on each word here.
WAIT = {"type": "number", "minimum": 0, "maximum": 600}
PERFORMANCE = {"enum": ["fast", "balanced", "powerful"], "type": "string"}
RUN_ID = {"type": "string", "minLength": 1, "maxLength": 64}
NAMES = {
    "type": "array",
    "items": {"type": "string", "minLength": 1, "maxLength": 1000},
    "maxItems": 32,
}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "route_request": {
        "prompt": {"type": "string", "minLength": 1, "maxLength": 1_000_000},
        "model": {"type": "string", "minLength": 1, "maxLength": 1000},
        "performance": PERFORMANCE,
        "max_time": {"type": "number", "minimum": 1, "maximum": 86_400},
        "system": {"type": "string", "maxLength": 10_000},
        "files": NAMES,
        "wait": WAIT,
        "session": {"type": "string", "minLength": 1, "maxLength": 100},
    },
    "compare_models": {
        "prompt": {"type": "string", "minLength": 1, "maxLength": 1_000_000},
        "models": NAMES,
        "judge": {"type": "string", "minLength": 1, "maxLength": 1000},
        "wait": WAIT,
    },
    "assess_capability": {
        "task_description": {"type": "string", "minLength": 1, "maxLength": 10_000},
        "requirements": {
            "anyOf": [
                {
                    "type": "object",
                    "additionalProperties": {
                        "anyOf": [
                            {"type": "string"},
                            {"type": "number"},
                            {"type": "array", "items": {"type": "string"}},
                        ]
                    },
                },
                {"type": "string"},
            ]
        },
    },
    "list_models": {
        "pattern": {"type": "string", "maxLength": 1000},
        "tier": PERFORMANCE,
        "capability": {"type": "string", "maxLength": 1000},
    },
    "discover_instances": {"targets": NAMES, "refresh": {"type": "boolean", "default": False}},
    "fleet_status": {},
    "list_workflows": {},
    "run_workflow": {
        "name": {"type": "string", "minLength": 1, "maxLength": 1000},
        "inputs": {"type": "object", "additionalProperties": True, "maxProperties": 32},
        "wait": WAIT,
    },
    "get_result": {"run_id": RUN_ID, "wait": WAIT},
    "cancel_run": {"run_id": RUN_ID},
}
REQUIRED = {
    "route_request": ["prompt"],
    "compare_models": ["prompt"],
    "run_workflow": ["name"],
    "assess_capability": ["task_description"],
    "get_result": ["run_id"],
    "cancel_run": ["run_id"],
}
RUN_KEYS = {"status", "run_id", "partial", "elapsed_s", "remaining_s"}
# read_only, destructive, idempotent, open_world
HINTS = {
    "route_request": (True, None, None, True),
    "compare_models": (True, None, None, True),
    "list_workflows": (True, None, None, False),
    "run_workflow": (False, True, False, True),
    "assess_capability": (True, None, None, False),
    "list_models": (True, None, None, True),
    "discover_instances": (True, None, None, True),
    "fleet_status": (True, None, None, False),
    "get_result": (True, None, None, False),
    "cancel_run": (False, False, True, None),
}
# The command that says the same; what a tool adds to its `data`.
COMMANDS = {
    "route_request": ("route", RUN_KEYS),
    "compare_models": ("compare", RUN_KEYS),
    "assess_capability": ("assess", set()),
    "list_models": ("models", {"total"}),
    "discover_instances": ("discover", set()),
    "list_workflows": ("workflow list", set()),
    "run_workflow": ("workflow run", RUN_KEYS),
}
BY_NAME = {tool.name: tool for tool in TOOLS}


def test_these_tools_are_offered_in_this_order() -> None:
    assert [tool.name for tool in TOOLS] == list(ARGUMENTS)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_tool_takes_these_arguments_and_no_others(name: str) -> None:
    schema = BY_NAME[name].listed().input_schema
    plain = {
        argument: {key: value for key, value in each.items() if key != "description"}
        for argument, each in schema["properties"].items()
    }
    assert plain == ARGUMENTS[name]
    assert schema.get("required", []) == REQUIRED.get(name, [])
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("name", ARGUMENTS)
def test_every_argument_is_described(name: str) -> None:
    properties = BY_NAME[name].listed().input_schema["properties"]
    assert [argument for argument, each in properties.items() if not each.get("description")] == []


@pytest.mark.parametrize("name", HINTS)
def test_a_tool_says_what_it_may_do(name: str) -> None:
    hints = BY_NAME[name].hints
    assert (
        hints.read_only_hint,
        hints.destructive_hint,
        hints.idempotent_hint,
        hints.open_world_hint,
    ) == HINTS[name]


@pytest.mark.parametrize("name", ARGUMENTS)
def test_the_result_says_which_keys_are_always_there(name: str) -> None:
    assert BY_NAME[name].output["type"] == "object"
    assert BY_NAME[name].output["required"]


def paths(schema: dict[str, Any], place: str = "") -> dict[str, set[str]]:
    """Each place of the data that a schema tells of, with the keys there."""
    if "anyOf" in schema:
        schema = schema["anyOf"][0]
    if schema.get("type") == "array":
        return paths(schema.get("items", {}), f"{place}[]")
    if "properties" not in schema:
        return {}
    found = {place: set(schema["properties"])}
    for key, each in schema["properties"].items():
        found |= paths(each, f"{place}.{key}".lstrip("."))
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_the_result_is_told_to_its_last_key_as_the_commands_data_is(name: str) -> None:
    command, more = COMMANDS[name]
    expected = paths_of(DATA[command])
    expected[""] |= more
    assert paths(BY_NAME[name].output) == expected


def empty(schema: Any, place: str = "") -> list[str]:
    """The places of a schema at which anything goes without it being said."""
    if isinstance(schema, list):
        return [each for one in schema for each in empty(one, place)]
    if not isinstance(schema, dict):
        return []
    here = [] if schema else [place]
    return here + [each for key, one in schema.items() for each in empty(one, f"{place}/{key}")]


@pytest.mark.parametrize("name", ARGUMENTS)
def test_no_part_of_a_result_is_left_open_by_mistake(name: str) -> None:
    """The Inspector warns of it."""
    assert empty(BY_NAME[name].output) == []


def test_a_read_only_server_has_neither_sessions_nor_what_changes_something() -> None:
    by_name = {tool.name: tool for tool in offered(read_only=True)}
    assert set(ARGUMENTS) - set(by_name) == {"run_workflow", "cancel_run"}
    alone = by_name["route_request"].listed()
    assert set(ARGUMENTS["route_request"]) - set(alone.input_schema["properties"]) == {"session"}
    assert "session" not in (alone.description or "")


def test_a_description_fits_what_hosts_show_of_it() -> None:
    """Claude Code cuts descriptions at 2048 characters."""
    assert {tool.name for tool in TOOLS if not 200 < len(tool.description) < 2048} == set()
