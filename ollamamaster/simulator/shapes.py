"""How an answer looks on each wire: Ollama's own two, OpenAI's and Anthropic's."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ollamamaster.simulator.catalogue import now_text
from ollamamaster.simulator.connection import JSON_UTF8, NDJSON, encode

if TYPE_CHECKING:
    from collections.abc import Iterable

EVENTS = "text/event-stream"
PLAIN_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Timing:
    """Counts, and nanoseconds as the client sees them pass."""

    prompt_tokens: int
    output_tokens: int
    total_ns: int
    load_ns: int
    prompt_ns: int
    generation_ns: int

    def fields(self) -> dict[str, int]:
        """As Ollama writes them: what is zero is left out."""
        written = {
            "total_duration": self.total_ns,
            "load_duration": self.load_ns,
            "prompt_eval_count": self.prompt_tokens,
            "prompt_eval_duration": self.prompt_ns,
            "eval_count": self.output_tokens,
            "eval_duration": self.generation_ns,
        }
        return {key: value for key, value in written.items() if value}


@dataclass(frozen=True, slots=True)
class Piece:
    """One token."""

    text: str
    thinking: bool = False


class Shape(Protocol):
    """One answer on one wire. All methods return what is sent next."""

    stream_type: str
    whole_type: str
    headers: tuple[tuple[str, str], ...]

    def opening(self) -> bytes: ...

    def pieces(self, pieces: Iterable[Piece]) -> bytes: ...

    def closing(self, done_reason: str, timing: Timing) -> bytes: ...

    def whole(
        self, text: str, thinking: str, done_reason: str, timing: Timing
    ) -> dict[str, Any]: ...

    def error(self, message: str, kind: str) -> dict[str, Any]: ...


class GenerateShape:
    """`/api/generate`."""

    stream_type, whole_type = NDJSON, JSON_UTF8
    headers: tuple[tuple[str, str], ...] = ()

    def __init__(self, model: str) -> None:
        self._model = model

    def opening(self) -> bytes:
        return b""

    def pieces(self, pieces: Iterable[Piece]) -> bytes:
        at = now_text()
        return b"".join(
            encode({"model": self._model, "created_at": at, **self._said(p), "done": False}) + b"\n"
            for p in pieces
        )

    def closing(self, done_reason: str, timing: Timing) -> bytes:
        return encode(self.whole("", "", done_reason, timing)) + b"\n"

    def whole(self, text: str, thinking: str, done_reason: str, timing: Timing) -> dict[str, Any]:
        written = {"response": text, **({"thinking": thinking} if thinking else {})}
        tokens = timing.prompt_tokens + timing.output_tokens
        return {
            "model": self._model,
            "created_at": now_text(),
            **written,
            "done": True,
            "done_reason": done_reason,
            "context": list(range(300, 300 + tokens)),
            **timing.fields(),
        }

    def loaded(self, done_reason: str) -> dict[str, Any]:
        """The answer to a request that only loads or unloads."""
        return {
            "model": self._model,
            "created_at": now_text(),
            "response": "",
            "done": True,
            "done_reason": done_reason,
        }

    def error(self, message: str, kind: str) -> dict[str, Any]:
        del kind
        return {"error": message}

    def _said(self, piece: Piece) -> dict[str, Any]:
        if piece.thinking:
            return {"response": "", "thinking": piece.text}
        return {"response": piece.text}


class ChatShape(GenerateShape):
    """`/api/chat`."""

    def whole(self, text: str, thinking: str, done_reason: str, timing: Timing) -> dict[str, Any]:
        return {**self._done(text, thinking, done_reason), **timing.fields()}

    def loaded(self, done_reason: str) -> dict[str, Any]:
        return self._done("", "", done_reason)

    def _done(self, text: str, thinking: str, done_reason: str) -> dict[str, Any]:
        message = {"role": "assistant", "content": text}
        return {
            "model": self._model,
            "created_at": now_text(),
            "message": {**message, **({"thinking": thinking} if thinking else {})},
            "done": True,
            "done_reason": done_reason,
        }

    def _said(self, piece: Piece) -> dict[str, Any]:
        if piece.thinking:
            return {"message": {"role": "assistant", "content": "", "thinking": piece.text}}
        return {"message": {"role": "assistant", "content": piece.text}}


class OpenAIShape:
    """`/v1/chat/completions`."""

    stream_type, whole_type = EVENTS, PLAIN_JSON
    headers: tuple[tuple[str, str], ...] = ()

    def __init__(self, model: str, number: int, *, include_usage: bool) -> None:
        self._model = model
        self._id = f"chatcmpl-{number % 1000}"
        self._include_usage = include_usage

    def opening(self) -> bytes:
        return b""

    def pieces(self, pieces: Iterable[Piece]) -> bytes:
        return b"".join(
            self._chunk(
                {"content": "", "reasoning": p.text} if p.thinking else {"content": p.text}, None
            )
            for p in pieces
        )

    def closing(self, done_reason: str, timing: Timing) -> bytes:
        last = self._chunk({"content": ""}, done_reason)
        if self._include_usage:
            usage = {**self._head("chat.completion.chunk"), "choices": [], "usage": _usage(timing)}
            last += _event(usage)
        return last + b"data: [DONE]\n\n"

    def whole(self, text: str, thinking: str, done_reason: str, timing: Timing) -> dict[str, Any]:
        message = {"role": "assistant", "content": text}
        if thinking:
            message["reasoning"] = thinking
        choice = {"index": 0, "message": message, "finish_reason": done_reason}
        return {**self._head("chat.completion"), "choices": [choice], "usage": _usage(timing)}

    def error(self, message: str, kind: str) -> dict[str, Any]:
        return openai_error(message, kind)

    def _chunk(self, delta: dict[str, str], finish_reason: str | None) -> bytes:
        choice = {
            "index": 0,
            "delta": {"role": "assistant", **delta},
            "finish_reason": finish_reason,
        }
        return _event({**self._head("chat.completion.chunk"), "choices": [choice]})

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": kind,
            "created": int(time.time()),
            "model": self._model,
            "system_fingerprint": "fp_ollama",
        }


class AnthropicShape:
    """`/v1/messages`."""

    stream_type, whole_type = EVENTS, PLAIN_JSON
    headers: tuple[tuple[str, str], ...] = (
        ("Cache-Control", "no-cache"),
        ("Connection", "keep-alive"),
    )

    def __init__(self, model: str, number: int, prompt_tokens: int) -> None:
        self._model = model
        self._id = f"msg_{number:024x}"
        self._prompt_tokens = prompt_tokens
        self._block = -1
        self._thinking = False

    def opening(self) -> bytes:
        message = {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [],
            "usage": {"input_tokens": self._prompt_tokens, "output_tokens": 0},
        }
        return _named({"type": "message_start", "message": message})

    def pieces(self, pieces: Iterable[Piece]) -> bytes:
        return b"".join(self._open(p.thinking) + self._delta(p) for p in pieces)

    def closing(self, done_reason: str, timing: Timing) -> bytes:
        usage = {"input_tokens": timing.prompt_tokens, "output_tokens": timing.output_tokens}
        delta = {"stop_reason": _stop_reason(done_reason)}
        return (
            self._close()
            + _named({"type": "message_delta", "delta": delta, "usage": usage})
            + _named({"type": "message_stop"})
        )

    def whole(self, text: str, thinking: str, done_reason: str, timing: Timing) -> dict[str, Any]:
        thought = [{"type": "thinking", "thinking": thinking}] if thinking else []
        return {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [*thought, {"type": "text", "text": text}],
            "stop_reason": _stop_reason(done_reason),
            "usage": {
                "input_tokens": timing.prompt_tokens,
                "output_tokens": timing.output_tokens,
            },
        }

    def error(self, message: str, kind: str) -> dict[str, Any]:
        return anthropic_error(message, kind)

    def _open(self, thinking: bool) -> bytes:
        if self._block >= 0 and thinking is self._thinking:
            return b""
        closed = self._close()
        self._block += 1
        self._thinking = thinking
        block = {"type": "thinking", "thinking": ""} if thinking else {"type": "text", "text": ""}
        return closed + _named(
            {"type": "content_block_start", "index": self._block, "content_block": block}
        )

    def _close(self) -> bytes:
        if self._block < 0:
            return b""
        return _named({"type": "content_block_stop", "index": self._block})

    def _delta(self, piece: Piece) -> bytes:
        delta = (
            {"type": "thinking_delta", "thinking": piece.text}
            if piece.thinking
            else {"type": "text_delta", "text": piece.text}
        )
        return _named({"type": "content_block_delta", "index": self._block, "delta": delta})


def openai_error(message: str, kind: str) -> dict[str, Any]:
    """An error on OpenAI's wire."""
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def anthropic_error(message: str, kind: str) -> dict[str, Any]:
    """An error on Anthropic's wire."""
    return {"type": "error", "error": {"type": kind, "message": message}}


def _usage(timing: Timing) -> dict[str, int]:
    return {
        "prompt_tokens": timing.prompt_tokens,
        "completion_tokens": timing.output_tokens,
        "total_tokens": timing.prompt_tokens + timing.output_tokens,
    }


def _stop_reason(done_reason: str) -> str:
    return "max_tokens" if done_reason == "length" else "end_turn"


def _event(document: Any) -> bytes:
    return b"data: " + encode(document) + b"\n\n"


def _named(document: dict[str, Any]) -> bytes:
    return f"event: {document['type']}\n".encode() + _event(document)
