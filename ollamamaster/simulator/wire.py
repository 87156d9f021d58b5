"""What an instance answers to each path, as recorded from a real Ollama 0.24."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ollamamaster.errors import UsageError
from ollamamaster.simulator import catalogue, faults
from ollamamaster.simulator.connection import Reply, json_reply
from ollamamaster.simulator.fields import WireError, field, read_json
from ollamamaster.simulator.generation import (
    asked_model,
    read_anthropic,
    read_chat,
    read_embed,
    read_generate,
    read_openai,
)
from ollamamaster.simulator.plan import FaultKind, FaultPlan
from ollamamaster.simulator.pulling import pull
from ollamamaster.simulator.shapes import (
    PLAIN_JSON,
    AnthropicShape,
    ChatShape,
    GenerateShape,
    OpenAIShape,
    anthropic_error,
    openai_error,
)
from ollamamaster.simulator.writing import embed, write

if TYPE_CHECKING:
    from ollamamaster.simulator.connection import Connection, HttpRequest, Sent
    from ollamamaster.simulator.server import Server

VERSION = "0.24.0-sandbox"

Handler = Callable[["Server", "Connection", bytes, "FaultPlan | None"], "Sent"]

_TEXT = "text/plain; charset=utf-8"
_KINDS = {404: "not_found_error", 400: "invalid_request_error"}


def answer(server: Server, connection: Connection, request: HttpRequest) -> Sent:
    """The answer to one request, or what will send it."""
    methods = _ROUTES.get(request.path)
    runs_model = request.path in _RUNS_MODEL and request.method == "POST"
    if request.path.startswith("/sandbox/"):
        return _control(server, request)
    fault = server.faults.take(request.path, runs_model=runs_model)
    server.requests += runs_model
    if fault is not None and (struck := _struck(server, connection, request, fault)) is not None:
        return struck
    if methods is None:
        return Reply(404, b"404 page not found", "text/plain")
    handler = methods.get(request.method)
    if handler is None:
        allowed = (("Allow", ", ".join(sorted(methods))),)
        return Reply(405, b"405 method not allowed", "text/plain", allowed)
    try:
        result = handler(server, connection, request.body, fault if runs_model else None)
    except WireError as error:
        result = refused(request.path, error)
    if fault is not None and not runs_model and isinstance(result, Reply):
        return _hostile(result) if fault.kind is FaultKind.CONTROL_CHARACTERS else result
    return result


def refused(path: str, error: WireError) -> Reply:
    """An error as this path's wire has it."""
    kind = _KINDS.get(error.status, "api_error")
    if path == "/v1/messages":
        return json_reply(anthropic_error(error.message, kind), error.status, PLAIN_JSON)
    if path.startswith("/v1/"):
        return json_reply(openai_error(error.message, kind), error.status, PLAIN_JSON)
    return json_reply({"error": error.message}, error.status)


def _struck(
    server: Server, connection: Connection, request: HttpRequest, fault: FaultPlan
) -> Sent | None:
    """What a fault makes of the request before it reaches any model; None to go on."""
    try:
        model = str(read_json(request.body).get("model", ""))
    except WireError:
        model = ""
    runs_model = request.path in _RUNS_MODEL
    match fault.kind:
        case FaultKind.HANG | FaultKind.HANG_GENERATE:
            return faults.never()
        case FaultKind.SLOW_DRIP:
            return faults.drip(connection, model)
        case FaultKind.HUGE_LINE:
            return faults.huge_line(connection, model)
        case kind if kind in faults.BREAKS_AFTER_TOKENS:
            tokens = faults.BREAKS_AFTER_TOKENS[kind] if fault.tokens is None else fault.tokens
            if runs_model and tokens:
                return None
            return _broken(server, connection, fault)
        case _:
            return faults.immediate(fault, model)


async def _broken(server: Server, connection: Connection, fault: FaultPlan) -> None:
    """End the connection before any byte of an answer."""
    if fault.kind in {FaultKind.TRUNCATE_STREAM, FaultKind.ERROR_IN_STREAM}:
        connection.close()
    else:
        connection.abort()
    if fault.kind in faults.WHOLE_INSTANCE:
        server.strike(fault)


def _hostile(reply: Reply) -> Reply:
    if not reply.content_type.startswith("application/json"):
        return reply
    document = faults.hostile(json.loads(reply.body))
    return json_reply(document, reply.status, reply.content_type)


def _control(server: Server, request: HttpRequest) -> Reply:
    """The sandbox's own paths, which no fault reaches."""
    match request.method, request.path:
        case "GET", "/sandbox/state":
            return json_reply(server.state())
        case "POST", "/sandbox/fault":
            try:
                server.set_fault(faults.read_fault(read_json(request.body)))
            except (UsageError, WireError) as error:
                return json_reply({"error": error.message}, 400)
            return json_reply({})
        case "DELETE", "/sandbox/fault":
            server.faults.clear()
            return json_reply({})
        case _:
            return Reply(404, b"404 page not found", "text/plain")


# ---- paths that answer at once


def _root(_server: Server, _connection: Connection, _body: bytes, _fault: Any) -> Reply:
    return Reply(200, b"Ollama is running", _TEXT)


def _version(_server: Server, _connection: Connection, _body: bytes, _fault: Any) -> Reply:
    return json_reply({"version": VERSION})


def _tags(server: Server, _connection: Connection, _body: bytes, _fault: Any) -> Reply:
    return json_reply(catalogue.tags(server.models.values()))


def _ps(server: Server, _connection: Connection, _body: bytes, _fault: Any) -> Reply:
    return json_reply(catalogue.ps(server.loaded()))


def _v1_models(server: Server, _connection: Connection, _body: bytes, _fault: Any) -> Reply:
    return json_reply(catalogue.v1_models(server.models.values()), 200, PLAIN_JSON)


def _show(server: Server, _connection: Connection, body: bytes, _fault: Any) -> Reply:
    asked = read_json(body)
    _, model = asked_model(asked, server.models)
    return json_reply(catalogue.show(model, verbose=field(asked, "verbose", bool, False)))


def _delete(server: Server, _connection: Connection, body: bytes, _fault: Any) -> Reply:
    _, model = asked_model(read_json(body), server.models)
    server.unload(model.full_name)
    del server.models[model.full_name]
    return Reply(200, b"")


# A name as Ollama's names.go allows it: host, namespace, model and tag.
_NAME = re.compile(r"(?:[\w.-]+(?::\d+)?/)?(?:[\w.-]+/)?[\w][\w.-]*(?::[\w][\w.-]*)?")


def _pull(server: Server, connection: Connection, body: bytes, _fault: Any) -> Sent:
    document = read_json(body)
    asked = field(document, "model", str, "") or field(document, "name", str, "")
    if not _NAME.fullmatch(asked):
        raise WireError(400, "invalid model name")
    return pull(server, connection, asked, stream=field(document, "stream", bool, True))


# ---- paths that run a model


def _generate(server: Server, connection: Connection, body: bytes, fault: FaultPlan | None) -> Sent:
    asked = read_generate(read_json(body), server.models, server.seed)
    return write(server, connection, asked, GenerateShape(asked.asked), fault)


def _chat(server: Server, connection: Connection, body: bytes, fault: FaultPlan | None) -> Sent:
    asked = read_chat(read_json(body), server.models, server.seed)
    return write(server, connection, asked, ChatShape(asked.asked), fault)


def _openai(server: Server, connection: Connection, body: bytes, fault: FaultPlan | None) -> Sent:
    document = read_json(body)
    asked = read_openai(document, server.models, server.seed)
    options = field(document, "stream_options", dict, {})
    server.numbers += 1
    shape = OpenAIShape(
        asked.asked, server.numbers, include_usage=bool(options.get("include_usage"))
    )
    return write(server, connection, asked, shape, fault)


def _anthropic(
    server: Server, connection: Connection, body: bytes, fault: FaultPlan | None
) -> Sent:
    asked = read_anthropic(read_json(body), server.models, server.seed)
    server.numbers += 1
    shape = AnthropicShape(asked.asked, server.numbers, asked.prompt_tokens)
    return write(server, connection, asked, shape, fault)


def _embed(server: Server, connection: Connection, body: bytes, fault: FaultPlan | None) -> Sent:
    asked = read_embed(read_json(body), server.models)
    return embed(server, connection, asked, "/api/embed", fault)


def _embeddings(
    server: Server, connection: Connection, body: bytes, fault: FaultPlan | None
) -> Sent:
    asked = read_embed(read_json(body), server.models, "prompt")
    return embed(server, connection, asked, "/api/embeddings", fault)


def _v1_embeddings(
    server: Server, connection: Connection, body: bytes, fault: FaultPlan | None
) -> Sent:
    asked = read_embed(read_json(body), server.models)
    return embed(server, connection, asked, "/v1/embeddings", fault)


_ROUTES: dict[str, dict[str, Handler]] = {
    "/": {"GET": _root, "HEAD": _root},
    "/api/version": {"GET": _version, "HEAD": _version},
    "/api/tags": {"GET": _tags, "HEAD": _tags},
    "/api/ps": {"GET": _ps},
    "/api/show": {"POST": _show},
    "/api/delete": {"DELETE": _delete},
    "/api/pull": {"POST": _pull},
    "/v1/models": {"GET": _v1_models},
    "/api/generate": {"POST": _generate},
    "/api/chat": {"POST": _chat},
    "/api/embed": {"POST": _embed},
    "/api/embeddings": {"POST": _embeddings},
    "/v1/chat/completions": {"POST": _openai},
    "/v1/embeddings": {"POST": _v1_embeddings},
    "/v1/messages": {"POST": _anthropic},
}
_RUNS_MODEL = frozenset(
    {
        "/api/generate",
        "/api/chat",
        "/api/embed",
        "/api/embeddings",
        "/v1/chat/completions",
        "/v1/embeddings",
        "/v1/messages",
    }
)
