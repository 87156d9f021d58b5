"""`list_models`: which models are there, and where?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollamamaster.contract.models import models_data
from ollamamaster.domain.catalogue import ModelQuery, known_capabilities
from ollamamaster.domain.models import Tier
from ollamamaster.domain.plain_text import one_line
from ollamamaster.mcp_server.arguments import ModelsArguments
from ollamamaster.mcp_server.reply import RefusedError, Reply
from ollamamaster.mcp_server.schemas import MODELS
from ollamamaster.mcp_server.tool import Tool, reads
from ollamamaster.mcp_server.words import models_text

if TYPE_CHECKING:
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.mcp_server.runs import Tell
    from ollamamaster.mcp_server.served import Served


async def _call(served: Served, given: ModelsArguments, _tell: Tell) -> Reply:
    fleet = await served.live.fleet()
    _check(given.capability, fleet)
    service = served.application.models_service()
    tier = None if given.tier is None else Tier(given.tier)
    query = ModelQuery(given.pattern, tier, given.capability)
    found, total = service.matching(fleet, query), service.total(fleet)
    return Reply(models_text(found, total), {**models_data(found), "total": total})


def _check(capability: str | None, fleet: Fleet) -> None:
    """Raises RefusedError for one that nobody has heard of; an empty list would say nothing."""
    known = known_capabilities(fleet)
    if capability is not None and capability not in known:
        raise RefusedError(
            f"there is no capability {one_line(capability, 80)!r}. Next: call list_models without "
            f"it, or with one of {', '.join(sorted(known))}."
        )


LIST_MODELS = Tool(
    "list_models",
    "List the models of the fleet",
    "List every Ollama model that the person's machines have, each once: name, size in bytes, "
    "tier (fast, balanced, powerful), context length in tokens, what it can do, and which "
    "instances have it, or have it in memory now. Use it to learn which names route_request takes, "
    "or whether a model is there at all. Not needed before route_request, which chooses by itself. "
    "Answers at once, from what is known.",
    ModelsArguments,
    MODELS,
    reads(open_world=True),
    _call,
)
