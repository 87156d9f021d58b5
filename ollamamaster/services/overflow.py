"""How much of a conversation must go into a summary, so that the next turn fits?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ollamamaster.domain.candidates import Reason, sift
from ollamamaster.domain.conversation import most_context, room_beside, to_summarise
from ollamamaster.domain.task import analyse

if TYPE_CHECKING:
    from ollamamaster.domain.conversation import Conversation
    from ollamamaster.domain.routing import RouteRequest
    from ollamamaster.domain.selection import Decision
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.services.route import RouteService

_TOO_LONG = frozenset({Reason.CONTEXT_TOO_SMALL, Reason.TOO_LARGE})
# Where nothing limits the context of any candidate there is nothing to summarise for.
_UNLIMITED = 2**31


def with_conversation(request: RouteRequest, conversation: Conversation) -> RouteRequest:
    """The request as the next turn of this conversation."""
    if request.system is not None:
        conversation = replace(conversation, system=request.system)
    return replace(
        request,
        system=conversation.system_text,
        messages=conversation.messages,
        prefix=conversation.prefix,
        keep_text=False,
    )


def alone(request: RouteRequest, conversation: Conversation) -> RouteRequest:
    """The request as if it were the first turn."""
    return with_conversation(request, replace(conversation, turns=(), summaries=()))


def is_too_long(decision: Decision) -> bool:
    """Whether it is for any pair."""
    return any(rejection.reason in _TOO_LONG for rejection in decision.rejected)


def fitting(
    routes: RouteService,
    request: RouteRequest,
    conversation: Conversation,
    fleet: Fleet,
    decision: Decision,
) -> tuple[int, int, int] | None:
    """How many turns must go, into which room, of how long a context.

    None when that would not help: the prompt alone fits nowhere either.
    """
    question = analyse(alone(request, conversation).question)
    fit = sift(question, fleet, routes.means.settings, decision.wish).fit
    limits = [most_context(pair, request.options) for pair in fit]
    if not limits:
        return None
    context = max(_UNLIMITED if limit is None else limit for limit in limits)
    room = room_beside(context, question)
    # when the server says that it is too long, the estimate was too short
    room = min(room, sum(turn.tokens for turn in conversation.current))
    count = to_summarise(conversation.current, room)
    return (count, room, context) if count else None
