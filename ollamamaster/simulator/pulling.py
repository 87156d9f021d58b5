"""How a simulated instance downloads a model: a name of the fleet's models, or an error."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.models import ModelName
from ollamamaster.simulator.catalogue import find
from ollamamaster.simulator.connection import NDJSON, encode, json_reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollamamaster.simulator.connection import Connection
    from ollamamaster.simulator.plan import ModelPlan
    from ollamamaster.simulator.server import Server

# A good line at home; sped up like everything else.
_BYTES_PER_S = 100_000_000
# Ollama writes a line of progress this often.
_LINE_S = 0.06


async def pull(server: Server, connection: Connection, asked: str, *, stream: bool) -> None:
    """Answer `/api/pull`; errors come inside the stream, with status 200."""
    model = find(dict(server.catalogue), asked)
    if model is None:
        name = ModelName.parse(asked)
        library = name.name if "/" in name.name else f"library/{name.name}"
        # The sandbox has no network; the address is one that documentation uses.
        error = {
            "error": "pull model manifest: Get "
            f'"https://registry.ollama.ai/v2/{library}/manifests/{name.tag}": dial tcp: '
            "lookup registry.ollama.ai on 192.0.2.53:53: no such host"
        }
        if not stream:
            connection.reply(json_reply(error, 500))
            return
        connection.begin(NDJSON)
        connection.send(_line({"status": "pulling manifest"}) + _line(error))
        connection.end()
        return
    if stream:
        connection.begin(NDJSON)
    present = model.full_name in server.models
    for document in _progress(model, server.speed, present=present):
        if stream:
            connection.send(_line(document))
        if document.get("completed", model.size_bytes) < model.size_bytes:
            await asyncio.sleep(_LINE_S)
    server.models[model.full_name] = model
    if stream:
        connection.send(_line({"status": "success"}))
        connection.end()
    else:
        connection.reply(json_reply({"status": "success"}))


def _progress(model: ModelPlan, speed: float, *, present: bool) -> Iterator[dict[str, Any]]:
    layer = {
        "status": f"pulling {model.digest[:12]}",
        "digest": f"sha256:{model.digest}",
        "total": model.size_bytes,
    }
    step = int(_BYTES_PER_S * speed * _LINE_S)
    yield {"status": "pulling manifest"}
    for completed in range(step, model.size_bytes, step) if not present else ():
        yield {**layer, "completed": completed}
    yield {**layer, "completed": model.size_bytes}
    yield {"status": "verifying sha256 digest"}
    yield {"status": "writing manifest"}


def _line(document: dict[str, Any]) -> bytes:
    return encode(document) + b"\n"
