"""What is sent to a model, and what comes back?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: str
    content: str
    images: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """One request to one model, already fitted to the instance.

    With `messages` it is a conversation (`/api/chat`), else a prompt (`/api/generate`).
    `num_ctx` is the context in tokens the instance must have, None to leave what it has.
    `format` is "json" or a JSON schema; `keep_alive` a duration such as "10m", or seconds.
    """

    model: str
    prompt: str = ""
    system: str | None = None
    images: tuple[bytes, ...] = ()
    messages: tuple[Message, ...] = ()
    format: str | Mapping[str, Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    think: bool | None = None
    keep_alive: str | int | None = None
    num_ctx: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts and durations in seconds as Ollama gave them; None where it gave none."""

    prompt_tokens: int | None = None
    output_tokens: int | None = None
    total_s: float | None = None
    load_s: float | None = None
    prompt_s: float | None = None
    generation_s: float | None = None

    @property
    def slot_wait_s(self) -> float | None:
        """Seconds spent waiting for a slot: total - load - prompt - generation, exactly."""
        if self.total_s is None:
            return None
        parts = (self.load_s or 0.0) + (self.prompt_s or 0.0) + (self.generation_s or 0.0)
        return max(0.0, self.total_s - parts)

    @property
    def tokens_per_s(self) -> float | None:
        """Decode rate."""
        if not self.output_tokens or not self.generation_s:
            return None
        return self.output_tokens / self.generation_s


@dataclass(frozen=True, slots=True)
class Chunk:
    """One line of a stream. The last one has `done`, its reason and the usage."""

    text: str = ""
    thinking: str = ""
    done: bool = False
    done_reason: str | None = None
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class Embeddings:
    """One vector a text."""

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class PullProgress:
    """One line of a pull: what it does, and bytes of the layer it is at."""

    status: str
    layer: str | None = None
    total_bytes: int | None = None
    completed_bytes: int | None = None
    done: bool = False
