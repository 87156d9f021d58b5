"""What is sent to Ollama."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ollamamaster.domain.answers import AnswerRequest, Message

# Ollama cuts what does not fit in silence unless it is told not to: `truncate` for the prompt,
# `shift` for text generated past the end. Since 0.12.6; older servers ignore both.
_WHOLE = {"truncate": False, "shift": False}


def answer_path(request: AnswerRequest) -> str:
    """Where this request goes: a conversation to chat, a prompt to generate."""
    return "/api/chat" if request.messages else "/api/generate"


def answer_body(request: AnswerRequest) -> dict[str, Any]:
    """The request as generate or chat wants it, streaming and never truncated."""
    body: dict[str, Any] = {"model": request.model, "stream": True, **_WHOLE}
    if request.messages:
        body["messages"] = _messages(request)
    else:
        body["prompt"] = request.prompt
        if request.system is not None:
            body["system"] = request.system
        if request.images:
            body["images"] = _encoded(request.images)
    options = dict(request.options)
    if request.num_ctx is not None:
        options.setdefault("num_ctx", request.num_ctx)
    if options:
        body["options"] = options
    for key in ("format", "think", "keep_alive"):
        value = getattr(request, key)
        if value is not None:
            body[key] = value
    return body


def _messages(request: AnswerRequest) -> list[dict[str, Any]]:
    """The turns, the system text first, the request's own images at the last turn of the user."""
    turns = [_message(m) for m in request.messages]
    if request.images:
        last = next((t for t in reversed(turns) if t["role"] == "user"), turns[-1])
        last["images"] = [*last.get("images", []), *_encoded(request.images)]
    if request.system is not None:
        turns.insert(0, {"role": "system", "content": request.system})
    return turns


def _message(message: Message) -> dict[str, Any]:
    turn: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.images:
        turn["images"] = _encoded(message.images)
    return turn


def _encoded(images: Sequence[bytes]) -> list[str]:
    return [b64encode(image).decode("ascii") for image in images]


def load_body(model: str, num_ctx: int | None, keep_alive: str | int | None) -> dict[str, Any]:
    """A request without a prompt, which brings the model into memory and generates nothing."""
    body: dict[str, Any] = {"model": model, "stream": True}
    if num_ctx is not None:
        body["options"] = {"num_ctx": num_ctx}
    if keep_alive is not None:
        body["keep_alive"] = keep_alive
    return body


def unload_body(model: str) -> dict[str, Any]:
    """A request without a prompt that keeps the model for no time."""
    return {"model": model, "stream": True, "keep_alive": 0}


def embed_body(model: str, texts: Sequence[str]) -> dict[str, Any]:
    """Several texts at once, none truncated."""
    return {"model": model, "input": list(texts), "truncate": False}


def embed_one_body(model: str, text: str) -> dict[str, Any]:
    """One text for `/api/embeddings` of servers before 0.3."""
    return {"model": model, "prompt": text}


def show_body(model: str) -> dict[str, Any]:
    """Which model; servers of the first year know it as `name` only, newer ones take both."""
    return {"model": model, "name": model}


def pull_body(model: str) -> dict[str, Any]:
    """Which model, with a line for every step."""
    return {"model": model, "name": model, "stream": True}


def encode(body: Mapping[str, Any]) -> bytes:
    """The body as bytes. Raises ValueError or TypeError for what JSON cannot say."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # Half of a surrogate pair (from a file name, say) has no UTF-8; the model gets a question mark.
    return text.encode("utf-8", "replace")
