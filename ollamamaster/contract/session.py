"""`data` of the commands of `session`, and the lines of an export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollamamaster.contract.times import rfc3339_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ollamamaster.domain.conversation import Conversation, PastSession


def list_data(sessions: Sequence[PastSession]) -> dict[str, Any]:
    """`{"sessions": [SESSION…]}`."""
    return {
        "sessions": [
            {
                "name": each.name,
                "turns": each.turns,
                "tokens": each.tokens,
                "model": each.model,
                "updated_at": rfc3339_of(each.updated_at),
            }
            for each in sessions
        ]
    }


def show_data(conversation: Conversation) -> dict[str, Any]:
    """All messages, also those that a summary stands for, and the summaries."""
    return {
        "name": conversation.name,
        "messages": list(messages(conversation)),
        "summaries": [
            {
                "text": summary.text,
                "turns": summary.turns,
                "model": summary.model,
                "at": rfc3339_of(summary.at),
            }
            for summary in conversation.summaries
        ],
    }


def messages(conversation: Conversation) -> Iterator[dict[str, Any]]:
    """One object a message: role, content, the model that wrote it, and when."""
    if conversation.system is not None:
        yield _message("system", conversation.system, None, None, 0)
    for turn in conversation.turns:
        yield _message("user", turn.prompt, None, turn.asked_at, len(turn.images))
        yield _message("assistant", turn.answer, turn.model, turn.at, 0)


def _message(
    role: str, content: str, model: str | None, at: float | None, images: int
) -> dict[str, Any]:
    return {
        "role": role,
        "content": content,
        "model": model,
        "at": None if at is None else rfc3339_of(at),
        "images": images,
    }
