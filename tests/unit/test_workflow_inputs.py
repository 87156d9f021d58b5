"""What is given to a workflow is what its inputs say, or it is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.domain.trust import fingerprint, shown
from ollamamaster.domain.workflow import Input, InputType, ToolServer
from ollamamaster.domain.workflow_inputs import given_inputs
from ollamamaster.errors import UsageError
from ollamamaster.mcp_client.environment import server_environment

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (InputType.TEXT, "7", "7"),
        (InputType.INTEGER, "7", 7),
        (InputType.NUMBER, "7.5", 7.5),
        (InputType.BOOLEAN, "yes", True),
        (InputType.BOOLEAN, "False", False),
        (InputType.JSON, '["a"]', ["a"]),
    ],
)
def test_a_typed_text_is_read_by_the_type_of_the_input(
    kind: InputType, text: str, value: Any
) -> None:
    assert given_inputs([Input("x", type=kind)], {"x": text}) == {"x": value}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (InputType.INTEGER, "7.5"),
        (InputType.NUMBER, "seven"),
        (InputType.NUMBER, "nan"),
        (InputType.BOOLEAN, "maybe"),
        (InputType.JSON, "{"),
        (InputType.JSON, "[NaN]"),
        (InputType.JSON, "[1e999]"),
        (InputType.JSON, "[" * 100_000),
        # a byte of a command line that is no UTF-8
        (InputType.TEXT, "\udcff"),
    ],
)
def test_a_text_of_another_type_is_refused(kind: InputType, text: str) -> None:
    with pytest.raises(UsageError, match="'x'"):
        given_inputs([Input("x", type=kind)], {"x": text})


@given(JSON)
def test_json_comes_out_as_it_went_in(value: Any) -> None:
    wanted = [Input("x", type=InputType.JSON)]
    assert given_inputs(wanted, {"x": json.dumps(value)}) == {"x": value}
    assert given_inputs(wanted, {}, {"x": value}) == {"x": value}


def test_a_value_of_another_type_is_refused() -> None:
    for kind, value in (
        (InputType.TEXT, 1),
        (InputType.INTEGER, True),
        (InputType.NUMBER, "1"),
        (InputType.BOOLEAN, 1),
        (InputType.JSON, [float("inf")]),
    ):
        with pytest.raises(UsageError):
            given_inputs([Input("x", type=kind)], {}, {"x": value})


def test_what_is_missing_is_told_with_how_to_give_it() -> None:
    with pytest.raises(UsageError, match="'a' is missing") as refused:
        given_inputs([Input("a", "What it is"), Input("b")], {})
    assert refused.value.hint == "--input a=…  What it is\n--input b=…"


def test_an_input_that_is_none_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="no input 'topik'") as refused:
        given_inputs([Input("topic")], {"topik": "x"})
    assert refused.value.hint == "did you mean topic?"


def test_a_default_counts_where_nothing_is_given_and_choices_always() -> None:
    wanted = [Input("x", required=False, default="a", choices=("a", "b"))]
    assert given_inputs(wanted, {}) == {"x": "a"}
    assert given_inputs(wanted, {"x": "b"}) == {"x": "b"}
    with pytest.raises(UsageError) as refused:
        given_inputs(wanted, {"x": "c"})
    assert refused.value.hint == "it is one of a, b"


# ---- trust

SERVER = ToolServer("m", "npx", ("-y", "server"), {"A": "1"}, tools=("t",))


@pytest.mark.parametrize(
    "other",
    [
        ToolServer("m", "npm", ("-y", "server"), {"A": "1"}),
        ToolServer("m", "npx", ("-y", "server2"), {"A": "1"}),
        ToolServer("m", "npx", ("-y server",), {"A": "1"}),
        ToolServer("m", "npx", ("-y", "server"), {"A": "2"}),
        ToolServer("m", "npx", ("-y", "server"), {}),
        ToolServer("m", url="https://npx"),
    ],
)
def test_another_command_argument_variable_or_url_is_another_server(other: ToolServer) -> None:
    assert fingerprint(SERVER, "/home/me") != fingerprint(other, "/home/me")


def test_another_header_is_another_server() -> None:
    one = ToolServer("m", url="https://x", headers={"A": "1"})
    other = ToolServer("m", url="https://x", headers={"A": "2"})
    assert fingerprint(one, "/a") != fingerprint(other, "/a")
    assert fingerprint(one, "/a") == fingerprint(one, "/b")


def test_the_same_command_in_another_folder_is_another_program() -> None:
    assert fingerprint(SERVER, "/home/me") != fingerprint(SERVER, "/tmp")


def test_its_name_and_its_tools_are_not_what_is_run() -> None:
    renamed = ToolServer("n", "npx", ("-y", "server"), {"A": "1"}, tools=("u",))
    assert fingerprint(SERVER, "/home/me") == fingerprint(renamed, "/home/me")


def test_the_value_of_a_variable_is_never_shown() -> None:
    assert shown(ToolServer("m", "x", ("y",), {"TOKEN": "secret"})) == "TOKEN=… x y"


def test_a_server_gets_a_few_variables_and_those_listed_and_nothing_else() -> None:
    mine = {"PATH": "p", "HOME": "h", "LC_ALL": "l", "AWS_SECRET_ACCESS_KEY": "s", "PATHEXT": "e"}
    got = server_environment(mine, {"TOKEN": "t", "HOME": "other"}, windows=False)
    assert got == {"PATH": "p", "HOME": "other", "LC_ALL": "l", "TOKEN": "t"}
    assert "PATHEXT" in server_environment(mine, {}, windows=True)
