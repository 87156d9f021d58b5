"""What Ollama says, as values of the domain.

Every field may be missing, null or of another type on some server from 0.1 to 0.33; then the value
is unknown (None), never a guess. Only what makes the whole answer meaningless is a WireError: no
object where there must be one, a text of an answer that is no text.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.answers import Chunk, Embeddings, PullProgress, Usage
from ollamamaster.domain.models import Capability, LoadedModel, Model, ModelName, ModelShape
from ollamamaster.ollama.stream import WireError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Far more than anyone keeps; what sends more is not Ollama, or means harm: all of it is written to
# the inventory, which every command reads.
MAX_MODELS = 2_000
# Three for each GPU are Ollama's default.
MAX_LOADED = 200
# Ollama allows a host of 350 characters and 80 each for namespace, model and tag.
_MAX_NAME_CHARS = 600
# A digest has 71 characters; a family, a size or a quantization a dozen.
_MAX_LABEL_CHARS = 200
# Ollama knows eight capabilities, the longest has ten characters.
_MAX_CAPABILITIES = 32
_MAX_CAPABILITY_CHARS = 32
# Numbers go into TOML and SQLite, whose integers are 64 bits wide.
_MAX_INTEGER = 2**63 - 1
_NS_PER_S = 1e9
# `0.24.0`, `0.5.1-rc2`, `0.0.0` of a build from source.
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]{0,63}", re.ASCII)
# Architectures that only embed; the same that llama.cpp gives a pooling type.
_EMBEDDERS = frozenset({"bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "xlm-roberta"})
# Families of a vision projector in `details.families`.
_PROJECTORS = frozenset({"clip", "mllama"})


def read_version(document: Mapping[str, Any]) -> str:
    """The version. Raises WireError when there is none."""
    version = document.get("version")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise WireError("/api/version has no version")
    return version


def read_tags(document: Mapping[str, Any]) -> tuple[Model, ...]:
    """The models on disk, each name once; entries without a usable name are passed over."""
    models: dict[ModelName, Model] = {}
    for entry, name in _entries(document, MAX_MODELS):
        details = _object(entry.get("details"))
        models.setdefault(
            name,
            Model(
                name,
                digest=_label(entry.get("digest")) or "",
                size_bytes=_count(entry.get("size")),
                family=_label(details.get("family")),
                parameter_size=_label(details.get("parameter_size")),
                quantization=_label(details.get("quantization_level")),
                context_length=_positive(details.get("context_length")),
                capabilities=_capabilities(entry.get("capabilities")),
                remote_host=_remote_host(entry),
                modified_at=read_time(entry.get("modified_at")),
            ),
        )
    return tuple(models.values())


def read_ps(document: Mapping[str, Any]) -> tuple[LoadedModel, ...]:
    """The models in memory, each name once."""
    loaded: dict[ModelName, LoadedModel] = {}
    for entry, name in _entries(document, MAX_LOADED):
        loaded.setdefault(
            name,
            LoadedModel(
                name,
                digest=_label(entry.get("digest")) or "",
                size=_count(entry.get("size")),
                size_vram=_count(entry.get("size_vram")),
                context_length=_positive(entry.get("context_length")),
                expires_at=read_time(entry.get("expires_at")),
            ),
        )
    return tuple(loaded.values())


def read_show(document: Mapping[str, Any], model: Model) -> Model:
    """The model with what `/api/show` adds; what it does not say stays as it was."""
    details = _object(document.get("details"))
    info = _object(document.get("model_info"))
    architecture = _label(info.get("general.architecture"))
    capabilities = _capabilities(document.get("capabilities"))
    if capabilities is None:
        capabilities = model.capabilities or _derived_capabilities(document)
    context = _positive(info.get(f"{architecture}.context_length"))
    return replace(
        model,
        family=model.family or _label(details.get("family")) or architecture,
        parameter_size=model.parameter_size or _label(details.get("parameter_size")),
        quantization=model.quantization or _label(details.get("quantization_level")),
        context_length=context or _positive(details.get("context_length")) or model.context_length,
        capabilities=capabilities,
        remote_host=_remote_host(document) or model.remote_host,
        shape=_shape(info, architecture) or model.shape,
    )


def _derived_capabilities(document: Mapping[str, Any]) -> frozenset[str] | None:
    """What a server without the field `capabilities` (before 0.6.4) lets conclude.

    The rules that Ollama itself applies since (`Model.Capabilities` in server/images.go): a pooling
    type is an embedding model, anything else completes; a projector sees; the template's variables
    tell tools and insertion. Thinking came later than the field, so such a server has none. None
    when not even the architecture is known.
    """
    info = _object(document.get("model_info"))
    details = _object(document.get("details"))
    architecture = _label(info.get("general.architecture")) or _label(details.get("family"))
    if architecture is None:
        return None
    if architecture in _EMBEDDERS or f"{architecture}.pooling_type" in info:
        return frozenset({Capability.EMBEDDING})
    found = {Capability.COMPLETION}
    families = details.get("families")
    names = {f for f in families if isinstance(f, str)} if isinstance(families, list) else set()
    if (
        names & _PROJECTORS
        or _object(document.get("projector_info"))
        or f"{architecture}.vision.block_count" in info
    ):
        found.add(Capability.VISION)
    template = _text(document.get("template")) or ""
    if ".Tools" in template:
        found.add(Capability.TOOLS)
    if ".Suffix" in template:
        found.add(Capability.INSERT)
    return frozenset(found)


def _shape(info: Mapping[str, Any], architecture: str | None) -> ModelShape | None:
    def number(key: str) -> int | None:
        return _positive(info.get(f"{architecture}.{key}"))

    heads = _largest(info.get(f"{architecture}.attention.head_count"))
    embedding = number("embedding_length")
    derived = embedding // heads if embedding and heads else None
    kv_key = f"{architecture}.attention.head_count_kv"
    shape = ModelShape(
        parameter_count=_positive(info.get("general.parameter_count")),
        layers=number("block_count"),
        # The file format says that without this key every head has its own keys and values.
        kv_heads=_mean(info[kv_key]) if kv_key in info else heads,
        key_length=number("attention.key_length") or derived or None,
        value_length=number("attention.value_length"),
        expert_count=number("expert_count"),
        expert_used_count=number("expert_used_count"),
    )
    return None if shape == ModelShape() else shape


def _largest(value: Any) -> int | None:
    if isinstance(value, list):
        return max((n for n in map(_positive, value) if n), default=None)
    return _positive(value)


def _mean(value: Any) -> int | None:
    """A head count that may be one a layer, then rounded up, so that memory is not underrated."""
    if not isinstance(value, list):
        return _positive(value)
    counts = [_count(n) for n in value]
    known = [n for n in counts if n is not None]
    if not known or len(known) != len(counts):
        return None
    return -(-sum(known) // len(known)) or None


def read_answer(line: Mapping[str, Any]) -> Chunk:
    """One line of generate or chat. Raises WireError when a text is no text."""
    message = line.get("message")
    if message is not None and not isinstance(message, dict):
        raise WireError("`message` is no object")
    source = line if message is None else message
    text = _answer_text(source, "response" if message is None else "content")
    thinking = _answer_text(source, "thinking")
    if line.get("done") is not True:
        return Chunk(text, thinking)
    return Chunk(text, thinking, True, _label(line.get("done_reason")), read_usage(line))


def read_usage(line: Mapping[str, Any]) -> Usage:
    """Counts as they are, durations from nanoseconds to seconds."""
    return Usage(
        prompt_tokens=_count(line.get("prompt_eval_count")),
        output_tokens=_count(line.get("eval_count")),
        total_s=_seconds(line.get("total_duration")),
        load_s=_seconds(line.get("load_duration")),
        prompt_s=_seconds(line.get("prompt_eval_duration")),
        generation_s=_seconds(line.get("eval_duration")),
    )


def read_embeddings(document: Mapping[str, Any], count: int) -> Embeddings:
    """`count` vectors. Raises WireError when there are more, fewer, or something is no number."""
    vectors = document.get("embeddings")
    if not isinstance(vectors, list) or len(vectors) != count:
        raise WireError(f"{count} embeddings were expected")
    return Embeddings(tuple(_vector(v) for v in vectors), read_usage(document))


def read_embedding(document: Mapping[str, Any]) -> tuple[float, ...]:
    """The vector of `/api/embeddings`, which servers before 0.3 have instead of `/api/embed`."""
    return _vector(document.get("embedding"))


def read_pull(line: Mapping[str, Any]) -> PullProgress:
    """One line of a pull."""
    status = _label(line.get("status")) or ""
    return PullProgress(
        status,
        layer=_label(line.get("digest")),
        total_bytes=_count(line.get("total")),
        completed_bytes=_count(line.get("completed")),
        done=status == "success",
    )


def error_of(document: Any) -> str | None:
    """The text of `{"error": …}`, also where a gateway nests a message in it."""
    error = document.get("error") if isinstance(document, dict) else None
    if isinstance(error, dict):
        error = error.get("message")
    return _text(error)


def read_time(value: Any) -> datetime | None:
    """RFC 3339 with any number of decimals, in UTC; None for what cannot be a date here."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return aware.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _entries(
    document: Mapping[str, Any], most: int
) -> Iterator[tuple[Mapping[str, Any], ModelName]]:
    models = document.get("models")
    if models is None:
        return
    if not isinstance(models, list):
        raise WireError("`models` is no list")
    if len(models) > most:
        raise WireError(f"more than {most:,} models")
    for entry in models:
        if isinstance(entry, dict):
            name = _text(entry.get("name")) or _text(entry.get("model"))
            if name and name.strip() and len(name) <= _MAX_NAME_CHARS:
                yield entry, ModelName.parse(name)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _capabilities(value: Any) -> frozenset[str] | None:
    if not isinstance(value, list):
        return None
    words = (c for c in map(_label, value) if c and len(c) <= _MAX_CAPABILITY_CHARS)
    return frozenset(islice(words, _MAX_CAPABILITIES))


def _remote_host(entry: Mapping[str, Any]) -> str | None:
    """Where a cloud model runs. Cut, not dropped: without it the model would count as local."""
    return (_text(entry.get("remote_host")) or "")[:_MAX_LABEL_CHARS] or None


def _text(value: Any) -> str | None:
    """A text that is not empty and can be written anywhere."""
    return _encodable(value) or None if isinstance(value, str) else None


def _label(value: Any) -> str | None:
    """A text that names something; what is longer than any name says nothing."""
    text = _text(value)
    return text if text and len(text) <= _MAX_LABEL_CHARS else None


def _answer_text(source: Mapping[str, Any], key: str) -> str:
    value = source.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise WireError(f"`{key}` is no text")
    return _encodable(value)


def _encodable(text: str) -> str:
    """Half of a surrogate pair can be written in JSON, but in no encoding: it becomes U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _count(value: Any) -> int | None:
    """A whole number that is not negative, also when it is written as 3.0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= _MAX_INTEGER else None


def _positive(value: Any) -> int | None:
    return _count(value) or None


def _seconds(value: Any) -> float | None:
    count = _count(value)
    return None if count is None else count / _NS_PER_S


def _vector(value: Any) -> tuple[float, ...]:
    if not isinstance(value, list) or not value:
        raise WireError("an embedding is no list of numbers")
    try:
        numbers = tuple(float(n) for n in value if type(n) in {int, float})
    except OverflowError:
        raise WireError("an embedding has a number beyond all bounds") from None
    if len(numbers) != len(value):
        raise WireError("an embedding has something that is no number")
    return numbers
