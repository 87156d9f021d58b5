"""Reading the bodies of requests, on every wire."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ollamamaster.simulator.fields import WireError, read_json, read_keep_alive
from ollamamaster.simulator.fleet import load_fleet
from ollamamaster.simulator.generation import (
    read_anthropic,
    read_chat,
    read_embed,
    read_generate,
    read_openai,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollamamaster.simulator.generation import Generation

MODELS = dict(load_fleet("home").models)

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("role", "content", "images", "type", "text", "schema", "json_schema"),
                    *("num_ctx", "num_predict", "seed", "stop", "temperature", "properties"),
                    *("minItems", "minLength", "maxLength", "minimum", "items", "$ref", "enum"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
BODIES = st.fixed_dictionaries(
    {"model": st.sampled_from(["phi4-mini", "qwen3:8b", "nomic-embed-text"]) | ANYTHING},
    optional=dict.fromkeys(
        (
            *("prompt", "system", "images", "messages", "format", "options", "keep_alive"),
            *("stream", "think", "tools", "truncate", "shift", "suffix", "input", "max_tokens"),
            *("response_format", "max_completion_tokens"),
        ),
        ANYTHING,
    ),
)


def status_of(read: Callable[[], object]) -> int:
    """200 when it can be read, else the status of the refusal; any other error goes through."""
    try:
        read()
    except WireError as refused:
        return refused.status
    return 200


@settings(deadline=None, max_examples=300)
@given(body=BODIES)
def test_whatever_is_sent_is_read_or_refused(body: dict[str, Any]) -> None:
    readers = (read_generate, read_chat, read_openai, read_anthropic)
    statuses = {status_of(partial(read, body, MODELS, 0)) for read in readers}
    statuses |= {status_of(partial(read_embed, body, MODELS, key)) for key in ("input", "prompt")}
    assert statuses <= {200, 400, 404, 500}


@settings(deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes_are_an_object_or_a_400(body: bytes) -> None:
    assert status_of(partial(read_json, body)) in {200, 400}


@pytest.mark.parametrize(
    ("given_value", "seconds"),
    [
        (None, None),
        (0, 0.0),
        (90, 90.0),
        (-1, -1.0),
        ("5m", 300.0),
        ("1h30m", 5400.0),
        ("1.5s", 1.5),
        ("250ms", 0.25),
        ("0", 0.0),
        ("-1m", -1.0),
        (1e300, -1.0),
    ],
)
def test_a_keep_alive_is_a_number_or_a_duration(given_value: Any, seconds: float | None) -> None:
    assert read_keep_alive(given_value) == seconds


@pytest.mark.parametrize(
    ("given_value", "text"),
    [
        ("10", 'time: missing unit in duration "10"'),
        ("soon", 'time: invalid duration "soon"'),
        ("", 'time: invalid duration ""'),
        ("99999999999h", 'time: invalid duration "99999999999h"'),
    ],
)
def test_a_keep_alive_that_is_none_is_refused_in_gos_words(given_value: str, text: str) -> None:
    with pytest.raises(WireError) as caught:
        read_keep_alive(given_value)
    assert (caught.value.status, caught.value.message) == (400, text)


def generate(**body: Any) -> Generation:
    return read_generate({"model": "phi4-mini", "prompt": "hello", **body}, MODELS, 0)


def test_a_prompt_without_text_only_loads() -> None:
    assert generate(prompt="").load_only
    assert not generate().load_only


def test_a_prompt_without_text_and_keep_alive_zero_unloads() -> None:
    assert generate(prompt="", keep_alive=0).unload
    assert not generate(prompt="", keep_alive="5m").unload


def test_an_image_costs_tokens_only_where_it_is_seen() -> None:
    def tokens(model: str) -> int:
        return generate(model=model, images=["aGVsbG8="]).prompt_tokens

    assert tokens("llava:7b") > tokens("phi4-mini") + 500


def test_the_names_of_models_are_compared_without_case() -> None:
    assert generate(model="PHI4-mini:LATEST").model.name == "phi4-mini"


def test_the_name_is_given_back_as_asked() -> None:
    assert generate(model="phi4-mini").asked == "phi4-mini"
