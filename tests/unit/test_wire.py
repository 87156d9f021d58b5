from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.domain.answers import Chunk, PullProgress, Usage
from ollamamaster.domain.models import LoadedModel, Model, ModelName, ModelShape
from ollamamaster.ollama import wire
from ollamamaster.ollama.stream import WireError, parse, parse_object

if TYPE_CHECKING:
    from collections.abc import Callable

RECORDED = Path(__file__).parents[1] / "golden" / "ollama-wire"

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
# The keys that the reader looks at, so that arbitrary values meet it.
keys = st.sampled_from(
    [
        "models", "name", "model", "details", "family", "families", "model_info", "capabilities",
        "general.architecture", "llama", "llama.attention.head_count_kv", "llama.context_length",
        "llama.attention.head_count", "llama.embedding_length", "projector_info", "template",
        "message", "content", "response", "thinking", "done", "error", "status", "total", "digest",
        "eval_count", "eval_duration", "total_duration", "embeddings", "embedding", "version",
        "expires_at", "modified_at", "size", "size_vram", "context_length", "remote_host",
    ]
)  # fmt: skip
documents = st.recursive(
    scalars | st.just("llama"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6),
    max_leaves=30,
)
objects = st.dictionaries(keys, documents, max_size=8)


def recorded(case: str) -> Any:
    response = json.loads((RECORDED / f"{case}.json").read_text("utf-8"))["response"]
    return response.get("json", response.get("lines"))


def show(**document: Any) -> Model:
    return wire.read_show(document, Model(ModelName("m")))


def test_tags_give_name_digest_size_and_details() -> None:
    tiny = wire.read_tags(recorded("tags"))[2]
    assert tiny == Model(
        ModelName("fleet-tiny"),
        digest="ef675b384563ca23483d6ad3f61f59d9ed6701f0358bdf20fe1d45b9c219fe39",
        size_bytes=6098642,
        family="llama",
        parameter_size="3.04M",
        quantization="F16",
        modified_at=datetime(2026, 11, 22, 13, 35, 15, 260119, UTC),
    )


def test_tags_of_a_newer_server_give_capabilities_context_and_the_remote_host() -> None:
    entry = {
        "name": "gpt-oss:120b-cloud",
        "remote_model": "gpt-oss:120b",
        "remote_host": "https://ollama.com:443",
        "capabilities": ["completion", "thinking", "tools"],
        "details": {"context_length": 131072, "embedding_length": 2880},
    }
    (model,) = wire.read_tags({"models": [entry]})
    assert model.cloud
    assert model.context_length == 131072
    assert model.capabilities == frozenset({"completion", "thinking", "tools"})


def test_capabilities_that_the_tags_do_not_have_stay_unknown() -> None:
    assert all(m.capabilities is None for m in wire.read_tags(recorded("tags")))


def test_an_empty_remote_host_is_no_cloud_model() -> None:
    (model,) = wire.read_tags({"models": [{"name": "m", "remote_host": ""}]})
    assert not model.cloud


def test_models_null_is_an_instance_without_models() -> None:
    assert wire.read_tags({"models": None}) == ()


def test_an_entry_without_a_name_is_passed_over() -> None:
    entries: list[Any] = [{"size": 1}, "x", None, {"name": " "}, {"name": 7}, {"model": "phi4"}]
    assert [str(m.name) for m in wire.read_tags({"models": entries})] == ["phi4:latest"]


def test_a_name_that_comes_twice_is_one_model() -> None:
    assert len(wire.read_tags({"models": [{"name": "a"}, {"name": "a:latest"}]})) == 1


@pytest.mark.parametrize(("read", "most"), [(wire.read_tags, 2_000), (wire.read_ps, 200)])
def test_more_models_than_anyone_has_are_refused(
    read: Callable[[dict[str, Any]], tuple[object, ...]], most: int
) -> None:
    models = [{"name": f"m{n}"} for n in range(most + 1)]
    assert len(read({"models": models[:most]})) == most
    with pytest.raises(WireError, match="more than"):
        read({"models": models})


def test_labels_that_are_longer_than_any_name_are_unknown() -> None:
    long = "x" * 201
    details = {"family": long, "parameter_size": long, "quantization_level": long}
    [model] = wire.read_tags({"models": [{"name": "a", "digest": long, "details": details}]})
    assert model == Model(ModelName("a"))


def test_an_entry_with_a_name_that_ollama_would_refuse_is_passed_over() -> None:
    assert wire.read_tags({"models": [{"name": "x" * 601}]}) == ()


def test_a_model_stays_a_cloud_model_however_long_the_name_of_its_host() -> None:
    [model] = wire.read_tags({"models": [{"name": "a", "remote_host": "h" * 5_000}]})
    assert model.remote_host == "h" * 200


def test_capabilities_are_a_few_words() -> None:
    said = ["completion", "y" * 33, *(f"c{n}" for n in range(1_000))]
    [model] = wire.read_tags({"models": [{"name": "a", "capabilities": said}]})
    assert model.capabilities == frozenset({"completion", *(f"c{n}" for n in range(31))})


@given(
    st.lists(
        st.fixed_dictionaries(
            {"name": st.sampled_from(["a" * 600, "b", "\u202e" * 600])},
            optional={
                "digest": st.sampled_from(["d", "d" * 5_000]),
                "remote_host": st.sampled_from(["r", "r" * 5_000]),
                "capabilities": st.sampled_from([[f"{n:05}" for n in range(5_000)], ["c" * 5_000]]),
            },
        ),
        max_size=5,
    )
)
def test_what_is_kept_of_a_model_is_small(models: list[dict[str, Any]]) -> None:
    assert all(len(repr(model)) < 10_000 for model in wire.read_tags({"models": models}))


def test_ps_gives_memory_context_and_expiry() -> None:
    (loaded,) = wire.read_ps(recorded("ps-loaded"))
    assert loaded == LoadedModel(
        ModelName("fleet-small"),
        digest="ad4ca72a288a91fb02f2bfe5cbc881be5fb484fd2b44560ab378447dbc5a740c",
        size=322179072,
        size_vram=0,
        context_length=4096,
        expires_at=datetime(2026, 11, 22, 13, 41, 37, 470933, UTC),
    )


def test_a_model_kept_for_ever_expires_in_a_far_year() -> None:
    loaded = wire.read_ps(recorded("ps-forever"))[0]
    assert loaded.expires_at is not None
    assert loaded.expires_at.year == 2319


def test_show_gives_capabilities_context_and_shape() -> None:
    model = wire.read_show(recorded("show"), Model(ModelName("fleet-tiny"), size_bytes=6098642))
    assert model.capabilities == frozenset({"completion", "tools"})
    assert model.context_length == 8192
    assert model.size_bytes == 6098642
    assert model.shape == ModelShape(parameter_count=3036416, layers=4, kv_heads=4, key_length=64)


def test_show_keeps_what_it_does_not_say() -> None:
    known = Model(ModelName("m"), context_length=8192, capabilities=frozenset({"vision"}))
    assert wire.read_show({}, known) == known


def test_head_counts_that_differ_by_layer_are_averaged_upwards() -> None:
    info = {
        "general.architecture": "lfm2",
        "lfm2.block_count": 4,
        "lfm2.attention.head_count": 32,
        "lfm2.attention.head_count_kv": [0, 8, 0, 5],
    }
    shape = show(model_info=info).shape
    assert shape is not None
    assert shape.kv_heads == 4


def test_head_counts_that_the_server_left_out_as_null_are_unknown() -> None:
    info = {
        "general.architecture": "gemma",
        "gemma.attention.head_count": 8,
        "gemma.attention.head_count_kv": None,
    }
    model = show(model_info=info)
    assert model.shape is None


def test_experts_are_read() -> None:
    info = {
        "general.architecture": "qwen3moe",
        "qwen3moe.expert_count": 128,
        "qwen3moe.expert_used_count": 8,
    }
    assert show(model_info=info).active_fraction == 8 / 128


@pytest.mark.parametrize(
    ("document", "capabilities"),
    [
        ({"details": {"family": "llama"}}, {"completion"}),
        ({"details": {"family": "nomic-bert"}}, {"embedding"}),
        ({"model_info": {"general.architecture": "bert"}}, {"embedding"}),
        (
            {"model_info": {"general.architecture": "qwen3", "qwen3.pooling_type": 3}},
            {"embedding"},
        ),
        ({"details": {"family": "llama", "families": ["llama", "clip"]}}, {"completion", "vision"}),
        (
            {"details": {"family": "llama"}, "projector_info": {"clip.has_vision_encoder": True}},
            {"completion", "vision"},
        ),
        (
            {"details": {"family": "qwen2"}, "template": "{{ .Suffix }}{{ if .Tools }}"},
            {"completion", "insert", "tools"},
        ),
    ],
)
def test_capabilities_that_an_old_server_does_not_name_follow_from_the_model(
    document: dict[str, Any], capabilities: set[str]
) -> None:
    assert show(**document).capabilities == frozenset(capabilities)


def test_capabilities_are_unknown_when_nothing_is_known_of_the_model() -> None:
    assert show(license="MIT").capabilities is None


def test_an_empty_list_of_capabilities_is_an_answer() -> None:
    assert show(capabilities=[], details={"family": "llama"}).capabilities == frozenset()


def test_the_last_line_of_a_stream_has_reason_counts_and_seconds() -> None:
    chunk = wire.read_answer(recorded("generate-stream")[-1])
    assert chunk == Chunk(
        done=True,
        done_reason="length",
        usage=Usage(17, 6, 0.327486175, 0.271207881, 0.013961294, 0.041298064),
    )


def test_the_text_of_a_chat_is_in_its_message() -> None:
    text = "".join(wire.read_answer(line).text for line in recorded("chat-stream"))
    assert text == " te wher abou canb"


@pytest.mark.parametrize(
    "line",
    [
        {"response": "", "thinking": "hm"},
        {"message": {"role": "assistant", "content": "", "thinking": "hm"}},
    ],
)
def test_thoughts_are_kept_apart_from_the_answer(line: dict[str, Any]) -> None:
    assert wire.read_answer(line) == Chunk(thinking="hm")


@pytest.mark.parametrize(
    "line", [{"response": 5}, {"message": "x"}, {"message": {"content": ["x"]}}]
)
def test_a_text_that_is_no_text_is_refused(line: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        wire.read_answer(line)


def test_a_line_of_a_pull_names_the_layer_and_its_bytes() -> None:
    line = {"status": "pulling 8eeb52dfb3bb", "digest": "sha256:8e", "total": 10, "completed": 4}
    assert wire.read_pull(line) == PullProgress("pulling 8eeb52dfb3bb", "sha256:8e", 10, 4)


def test_only_success_ends_a_pull() -> None:
    assert [wire.read_pull({"status": s}).done for s in ("writing manifest", "success")] == [
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22T13:35:18.564588153Z", datetime(2026, 11, 22, 13, 35, 18, 564588, UTC)),
        ("2024-03-01T10:00:00.1234567-07:00", datetime(2024, 3, 1, 17, 0, 0, 123456, UTC)),
        ("2024-03-01T10:00:00Z", datetime(2024, 3, 1, 10, tzinfo=UTC)),
        ("0001-01-01T00:00:00+01:00", None),
        ("12026-01-01T00:00:00Z", None),
        ("yesterday", None),
        (7, None),
    ],
)
def test_times_are_rfc_3339_with_any_number_of_decimals(
    text: object, moment: datetime | None
) -> None:
    assert wire.read_time(text) == moment


@pytest.mark.parametrize("version", ["0.24.0", "0.5.1-rc2", "0.24.0-sandbox", "0.0.0"])
def test_versions_of_every_kind_are_read(version: str) -> None:
    assert wire.read_version({"version": version}) == version


@pytest.mark.parametrize("version", [None, 3, "", "\x1b[31m0.24", "0.1 " * 40])
def test_a_version_that_is_none_is_refused(version: object) -> None:
    with pytest.raises(WireError):
        wire.read_version({"version": version})


def test_embeddings_are_as_many_as_the_texts() -> None:
    with pytest.raises(WireError):
        wire.read_embeddings({"embeddings": [[1.0]]}, 2)


def test_an_embedding_has_numbers_only() -> None:
    with pytest.raises(WireError):
        wire.read_embedding({"embedding": [1.0, True]})


def test_half_a_surrogate_pair_becomes_a_replacement_character() -> None:
    chunk = wire.read_answer(parse_object(b'{"response":"a\\ud83d"}'))
    assert chunk.text == "a\ufffd"


@given(document=objects)
def test_reading_anything_gives_a_value_or_a_wire_error(document: dict[str, Any]) -> None:
    for read in (
        wire.read_version,
        wire.read_tags,
        wire.read_ps,
        wire.read_answer,
        wire.read_pull,
        wire.read_embedding,
        lambda d: wire.read_embeddings(d, 1),
        lambda d: wire.read_show(d, Model(ModelName("m"))),
    ):
        try:
            read(document)
        except WireError:
            continue


@given(data=st.binary(max_size=200) | documents.map(lambda d: json.dumps(d).encode()))
def test_parsing_anything_gives_a_value_or_a_wire_error(data: bytes) -> None:
    try:
        parse(data)
    except WireError:
        return


@given(line=objects)
def test_what_was_read_can_be_written_as_utf_8(line: dict[str, Any]) -> None:
    try:
        chunk = wire.read_answer(line)
    except WireError:
        return
    for field in fields(chunk):
        str(getattr(chunk, field.name)).encode()
