"""What does a client ask for? Reads the bodies of all wires into one value."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ollamamaster.simulator.catalogue import find
from ollamamaster.simulator.fields import (
    WireError,
    field,
    read_form,
    read_keep_alive,
    read_options,
)
from ollamamaster.simulator.text import Answer, compose, count_tokens, seeded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ollamamaster.simulator.plan import ModelPlan

# What the chat template puts around a prompt, and around each further message.
_TEMPLATE_TOKENS = 10
_MESSAGE_TOKENS = 4
# One image as CLIP ViT-L/14 at 336 pixels gives it to LLaVA: 24 x 24 patches. A model without
# vision sees no more than a placeholder in the text.
_IMAGE_TOKENS = 576
_PLACEHOLDER_TOKENS = 7

INPUT_TOO_LONG = "the input length exceeds the context length"


@dataclass(frozen=True, slots=True)
class Generation:
    """A request to write: all that is known before the model is loaded.

    `refusal` is what only the loaded model refuses. `keep_alive_s` is None where the caller
    left it out, negative for ever.
    """

    asked: str
    model: ModelPlan
    prompt: str
    prompt_tokens: int
    answer: Answer
    stream: bool
    context: int | None = None
    keep_alive_s: float | None = None
    load_only: bool = False
    truncate: bool = True
    shift: bool = True
    refusal: WireError | None = None

    @property
    def unload(self) -> bool:
        return self.load_only and self.keep_alive_s == 0.0


@dataclass(frozen=True, slots=True)
class Embedding:
    """A request to embed."""

    asked: str
    model: ModelPlan
    texts: tuple[str, ...]
    prompt_tokens: int
    context: int | None = None
    keep_alive_s: float | None = None
    truncate: bool = True


def asked_model(body: Mapping[str, Any], models: dict[str, ModelPlan]) -> tuple[str, ModelPlan]:
    """The name as asked, and the model. Raises WireError 404."""
    asked = field(body, "model", str, "") or field(body, "name", str, "")
    model = find(models, asked)
    if model is None:
        raise WireError(404, f"model '{asked}' not found")
    return asked, model


def read_generate(body: dict[str, Any], models: dict[str, ModelPlan], seed: int) -> Generation:
    """The body of `/api/generate`."""
    asked, model = asked_model(body, models)
    prompt = field(body, "prompt", str, "")
    system = field(body, "system", str, "")
    images = field(body, "images", list, [])
    tokens = count_tokens(prompt) + count_tokens(system) + _TEMPLATE_TOKENS
    tokens += _image_tokens(model, len(images))
    if "completion" not in model.capabilities:
        raise WireError(400, f'"{asked}" does not support generate')
    needs = ["insert"] if field(body, "suffix", str, "") else []
    whole = f"{system}\n{prompt}" if system else prompt
    return _generation(body, asked, model, whole, tokens, seed, needs, empty=not prompt)


def read_chat(body: dict[str, Any], models: dict[str, ModelPlan], seed: int) -> Generation:
    """The body of `/api/chat`."""
    asked, model = asked_model(body, models)
    messages = field(body, "messages", list, [])
    if "completion" not in model.capabilities:
        raise WireError(400, f'"{asked}" does not support chat')
    needs = ["tools"] if field(body, "tools", list, []) else []
    prompt, tokens = _conversation(messages, model)
    return _generation(body, asked, model, prompt, tokens, seed, needs, empty=not messages)


def read_openai(body: dict[str, Any], models: dict[str, ModelPlan], seed: int) -> Generation:
    """The body of `/v1/chat/completions`."""
    wanted = field(body, "response_format", dict, {})
    native: dict[str, Any] = {
        "model": body.get("model"),
        "messages": body.get("messages"),
        "tools": body.get("tools"),
        "stream": field(body, "stream", bool, False),
        "options": _limits(body, "max_tokens", "max_completion_tokens"),
    }
    if wanted.get("type") == "json_object":
        native["format"] = "json"
    elif wanted.get("type") == "json_schema":
        native["format"] = field(wanted, "json_schema", dict, {}).get("schema")
    if not native["messages"]:
        raise WireError(400, "[] is too short - 'messages'")
    return read_chat(native, models, seed)


def read_anthropic(body: dict[str, Any], models: dict[str, ModelPlan], seed: int) -> Generation:
    """The body of `/v1/messages`."""
    if not field(body, "model", str, ""):
        raise WireError(400, "model is required")
    if field(body, "max_tokens", int, 0) <= 0:
        raise WireError(400, "max_tokens is required and must be positive")
    messages = list(field(body, "messages", list, []))
    if not messages:
        raise WireError(400, "messages is required")
    if body.get("system"):
        messages.insert(0, {"role": "system", "content": body["system"]})
    native = {
        "model": body["model"],
        "messages": messages,
        "tools": body.get("tools"),
        "stream": field(body, "stream", bool, False),
        "options": _limits(body, "max_tokens"),
    }
    return read_chat(native, models, seed)


def read_embed(body: dict[str, Any], models: dict[str, ModelPlan], key: str = "input") -> Embedding:
    """The body of `/api/embed`, `/api/embeddings` (its key is `prompt`) and `/v1/embeddings`."""
    asked = field(body, "model", str, "")
    model = find(models, asked)
    if model is None:
        raise WireError(404, f'model "{asked}" not found, try pulling it first')
    given = body.get(key)
    texts = [given] if isinstance(given, str) else given or []
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise WireError(400, "invalid input type")
    options = read_options(body)
    return Embedding(
        asked,
        model,
        tuple(texts),
        sum(count_tokens(text) + 2 for text in texts),
        options.get("num_ctx"),
        read_keep_alive(body.get("keep_alive")),
        truncate=field(body, "truncate", bool, True),
    )


def _generation(
    body: dict[str, Any],
    asked: str,
    model: ModelPlan,
    prompt: str,
    tokens: int,
    seed: int,
    needs: Sequence[str],
    *,
    empty: bool,
) -> Generation:
    keep_alive_s = read_keep_alive(body.get("keep_alive"))
    think = body.get("think")
    if think and "thinking" not in model.capabilities:
        raise WireError(400, f'"{asked}" does not support thinking')
    for need in needs:
        if need not in model.capabilities:
            name = f"registry.ollama.ai/library/{model.full_name}"
            raise WireError(400, f"{name} does not support {need}")
    options = read_options(body)
    form, refusal = read_form(body.get("format"))
    limit = options.get("num_predict", -1 if model.num_predict is None else model.num_predict)
    answer = compose(
        prompt,
        seeded(seed, model.full_name, prompt, options.get("seed", 0), json.dumps(form)),
        form=form,
        # A model that thinks does so unless it is told not to.
        think=think is not False and "thinking" in model.capabilities,
        limit=limit if limit > 0 else -1,
    )
    return Generation(
        asked,
        model,
        prompt,
        tokens,
        answer,
        field(body, "stream", bool, True),
        options.get("num_ctx"),
        keep_alive_s,
        load_only=empty,
        truncate=field(body, "truncate", bool, True),
        shift=field(body, "shift", bool, True),
        refusal=refusal,
    )


def _image_tokens(model: ModelPlan, images: int) -> int:
    return images * (_IMAGE_TOKENS if "vision" in model.capabilities else _PLACEHOLDER_TOKENS)


def _conversation(messages: list[Any], model: ModelPlan) -> tuple[str, int]:
    lines, tokens = [], _TEMPLATE_TOKENS
    for message in messages:
        if not isinstance(message, dict):
            raise WireError(400, "json: cannot unmarshal value into Go struct field .messages")
        text, images = _content(message.get("content"))
        images += len(field(message, "images", list, []))
        lines.append(f"{field(message, 'role', str, '')}: {text}")
        tokens += count_tokens(text) + _MESSAGE_TOKENS + _image_tokens(model, images)
    return "\n".join(lines), tokens


def _content(content: Any) -> tuple[str, int]:
    """Text and number of images; OpenAI and Anthropic also write content as a list of parts."""
    if content is None or isinstance(content, str):
        return content or "", 0
    if not isinstance(content, list):
        raise WireError(400, "invalid message content type")
    parts = [part for part in content if isinstance(part, dict)]
    texts = [str(part["text"]) for part in parts if part.get("text")]
    return "\n".join(texts), sum(1 for part in parts if "image" in str(part.get("type")))


def _limits(body: Mapping[str, Any], *keys: str) -> dict[str, int]:
    for key in keys:
        if (limit := field(body, key, int, None)) is not None:
            return {"num_predict": limit}
    return {}
