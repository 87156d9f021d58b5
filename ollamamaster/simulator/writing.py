"""How an answer is written: as the engine makes its tokens, in the shape of its wire."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.serving import ModelTooLargeError, QueueFullError, Request
from ollamamaster.simulator import faults
from ollamamaster.simulator.connection import JSON_UTF8, Reply, encode, json_reply
from ollamamaster.simulator.fields import WireError
from ollamamaster.simulator.generation import INPUT_TOO_LONG, Embedding, Generation
from ollamamaster.simulator.plan import FaultKind, FaultPlan
from ollamamaster.simulator.shapes import EVENTS, PLAIN_JSON, GenerateShape, Piece, Shape, Timing
from ollamamaster.simulator.text import seeded

if TYPE_CHECKING:
    from ollamamaster.domain.serving import Job
    from ollamamaster.simulator.connection import Connection
    from ollamamaster.simulator.server import Server


async def write(
    server: Server,
    connection: Connection,
    asked: Generation,
    shape: Shape,
    fault: FaultPlan | None,
) -> None:
    """Answer a request to write; ends its generation when the client goes away."""
    arrived = time.perf_counter_ns()
    try:
        if asked.unload and isinstance(shape, GenerateShape):
            server.unload(asked.model.full_name)
            connection.reply(json_reply(shape.loaded("unload")))
            return
        asked, request = _fitted(server, asked, fault)
        job = _submitted(server, request)
        try:
            overhead_ns = time.perf_counter_ns() - arrived
            if asked.load_only or asked.refusal is not None:
                await server.progress(job, None)
                if asked.refusal is not None:
                    raise asked.refusal
                if isinstance(shape, GenerateShape):
                    connection.reply(json_reply(shape.loaded("load")))
                    return
            await _Writing(server, connection, asked, shape, job, fault, overhead_ns).run()
        finally:
            server.cancel(job)
    except WireError as error:
        kind = {404: "not_found_error", 400: "invalid_request_error"}.get(error.status, "api_error")
        connection.reply(
            json_reply(shape.error(error.message, kind), error.status, shape.whole_type)
        )


async def embed(
    server: Server, connection: Connection, asked: Embedding, path: str, fault: FaultPlan | None
) -> None:
    """Answer a request for embeddings."""
    arrived = time.perf_counter_ns()
    try:
        job = _submitted(server, _to_embed(server, asked, fault))
        try:
            overhead_ns = time.perf_counter_ns() - arrived
            await server.progress(job, None)
        finally:
            server.cancel(job)
        timing = _timing(server, job, overhead_ns)
    except WireError as error:
        connection.reply(json_reply({"error": error.message}, error.status))
        return
    if fault is not None and fault.kind in faults.BREAKS_AFTER_TOKENS:
        _break(server, connection, fault)
        return
    vectors = [_vector(text, asked.model.embedding_length) for text in asked.texts]
    connection.reply(_embeddings(path, asked, vectors, timing))


class _Writing:
    """One answer on its way to one client."""

    def __init__(
        self,
        server: Server,
        connection: Connection,
        asked: Generation,
        shape: Shape,
        job: Job,
        fault: FaultPlan | None,
        overhead_ns: int,
    ) -> None:
        self._server = server
        self._connection = connection
        self._asked = asked
        self._shape = shape
        self._job = job
        self._overhead_ns = overhead_ns
        self._fault = fault
        answer = asked.answer
        self._pieces = [
            *(Piece(text, thinking=True) for text in answer.thinking),
            *(Piece(text) for text in answer.text),
        ]
        self._breaks_at: int | None = None
        if fault is not None and fault.kind in faults.BREAKS_AFTER_TOKENS:
            usual = faults.BREAKS_AFTER_TOKENS[fault.kind]
            tokens = usual if fault.tokens is None else fault.tokens
            self._breaks_at = min(tokens, len(self._pieces))
        elif fault is not None and fault.kind is FaultKind.CONTROL_CHARACTERS:
            self._pieces = [replace(p, text=p.text + faults.HOSTILE) for p in self._pieces]

    async def run(self) -> None:
        if self._asked.stream:
            await self._stream()
        elif self._breaks_at is not None:
            await self._server.progress(self._job, self._breaks_at - 1)
            self._break()
        else:
            await self._server.progress(self._job, None)
            text = "".join(p.text for p in self._pieces if not p.thinking)
            thinking = "".join(p.text for p in self._pieces if p.thinking)
            document = self._shape.whole(
                text, thinking, self._asked.answer.done_reason, self._timing()
            )
            self._connection.reply(json_reply(document, 200, self._shape.whole_type))

    async def _stream(self) -> None:
        server, connection, shape = self._server, self._connection, self._shape
        sent = 0
        while True:
            await server.progress(self._job, sent)
            written = server.engine.tokens(self._job)
            if self._breaks_at is not None:
                written = min(written, self._breaks_at)
            data = shape.pieces(self._pieces[sent:written])
            if not sent:
                # As Ollama does: the status comes with the first token, so that what goes
                # wrong before it still has a status of its own.
                connection.begin(shape.stream_type, shape.headers)
                data = shape.opening() + data
            sent = written
            if sent == self._breaks_at:
                connection.send(data)
                self._break()
                return
            if self._job.ended:
                closing = shape.closing(self._asked.answer.done_reason, self._timing())
                connection.send(data + closing)
                connection.end()
                return
            connection.send(data)
            await connection.drain()

    def _break(self) -> None:
        fault = self._fault
        if fault is None:
            return
        if fault.kind is FaultKind.ERROR_IN_STREAM:
            error = self._shape.error(faults.MODEL_DIED, "api_error")
            if self._asked.stream:
                event = self._shape.stream_type == EVENTS
                line = b"data: %s\n\n" if event else b"%s\n"
                self._connection.send(line % encode(error))
                self._connection.end()
            else:
                self._connection.reply(json_reply(error, 500, self._shape.whole_type))
            return
        if fault.kind is FaultKind.TRUNCATE_STREAM and not self._asked.stream:
            # The half of a document, as a proxy leaves it when its server dies.
            self._connection.begin(self._shape.whole_type)
            self._connection.send(b'{"model":"')
        _break(self._server, self._connection, fault)

    def _timing(self) -> Timing:
        return _timing(self._server, self._job, self._overhead_ns)


def _break(server: Server, connection: Connection, fault: FaultPlan) -> None:
    if fault.kind is FaultKind.ERROR_IN_STREAM:
        connection.reply(json_reply({"error": faults.MODEL_DIED}, 500))
    elif fault.kind is FaultKind.TRUNCATE_STREAM:
        connection.close()
    else:
        connection.abort()
    if fault.kind in faults.WHOLE_INSTANCE:
        server.strike(fault)


def _fitted(
    server: Server, asked: Generation, fault: FaultPlan | None
) -> tuple[Generation, Request]:
    """The request cut to the context, as the server would: in silence, unless it may not."""
    served = asked.model.served()
    context = server.plan.hardware.context_for(served, asked.context)
    if asked.prompt_tokens > context and not asked.truncate and asked.refusal is None:
        asked = replace(asked, refusal=WireError(400, INPUT_TOO_LONG))
    prompt_tokens = min(asked.prompt_tokens, context)
    room = max(1, context - prompt_tokens)
    if not asked.shift and asked.answer.tokens > room:
        thinking = asked.answer.thinking[:room]
        text = asked.answer.text[: room - len(thinking)]
        asked = replace(
            asked, answer=replace(asked.answer, thinking=thinking, text=text, done_reason="length")
        )
    request = Request(
        served,
        prompt_tokens,
        max(1, asked.answer.tokens),
        context=asked.context,
        keep_alive_s=_scaled(asked.keep_alive_s, server.speed),
        prompt=asked.prompt,
        load_only=asked.load_only or asked.refusal is not None,
        slowness=_slowness(fault),
    )
    return asked, request


def _to_embed(server: Server, asked: Embedding, fault: FaultPlan | None) -> Request:
    served = asked.model.served()
    room = server.plan.hardware.context_for(served, asked.context) * max(1, len(asked.texts))
    if asked.prompt_tokens > room and not asked.truncate:
        raise WireError(400, INPUT_TOO_LONG)
    return Request(
        served,
        min(asked.prompt_tokens, room),
        context=asked.context,
        keep_alive_s=_scaled(asked.keep_alive_s, server.speed),
        load_only=not asked.texts,
        slowness=_slowness(fault),
    )


def _submitted(server: Server, request: Request) -> Job:
    try:
        return server.submit(request)
    except QueueFullError:
        raise WireError(503, faults.BUSY) from None
    except ModelTooLargeError as error:
        raise WireError(
            500,
            f"model requires more system memory ({_gib(error.needed)}) "
            f"than is available ({_gib(error.available)})",
        ) from None


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"


def _slowness(fault: FaultPlan | None) -> float:
    return faults.SLOWNESS if fault is not None and fault.kind is FaultKind.SLOW else 1.0


def _scaled(keep_alive_s: float | None, speed: float) -> float | None:
    # Keep-alive runs in the client's seconds, see Server.
    return keep_alive_s * speed if keep_alive_s is not None and keep_alive_s > 0 else keep_alive_s


def _timing(server: Server, job: Job, overhead_ns: int) -> Timing:
    """How long the parts took, as the client saw it; they and the slot wait make the total."""

    def ns(start: float | None, end: float | None) -> int:
        return 0 if start is None or end is None else round((end - start) / server.speed * 1e9)

    read = job.read_at if job.request.output_tokens else job.finished_at
    return Timing(
        prompt_tokens=job.request.prompt_tokens,
        output_tokens=job.request.output_tokens,
        total_ns=ns(job.submitted_at, job.finished_at) + overhead_ns,
        load_ns=ns(job.submitted_at, job.ready_at) + overhead_ns,
        prompt_ns=ns(job.started_at, read),
        generation_ns=ns(job.read_at, job.finished_at),
    )


# How many coordinates a word has in the simulated vectors: texts that share words are near.
_COORDINATES = 8


def _vector(text: str, length: int) -> list[float]:
    values = [0.0] * length
    for word in text.lower().split() or [""]:
        rng = seeded("word", word)
        for _ in range(_COORDINATES):
            values[rng.randrange(length)] += rng.choice((-1.0, 1.0))
    norm = math.sqrt(math.fsum(v * v for v in values)) or 1.0
    return [round(v / norm, 8) for v in values]


def _embeddings(path: str, asked: Embedding, vectors: list[list[float]], timing: Timing) -> Reply:
    document: dict[str, Any]
    if path == "/v1/embeddings":
        items = [
            {"object": "embedding", "embedding": vector, "index": index}
            for index, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": timing.prompt_tokens, "total_tokens": timing.prompt_tokens}
        document = {"object": "list", "data": items, "model": asked.asked, "usage": usage}
        return json_reply(document, 200, PLAIN_JSON)
    if path == "/api/embeddings":
        return json_reply({"embedding": vectors[0] if vectors else []})
    fields = timing.fields()
    document = {"model": asked.asked, "embeddings": vectors}
    kept = ("total_duration", "load_duration", "prompt_eval_count")
    document |= {key: fields[key] for key in kept if key in fields}
    return Reply(200, encode(document), JSON_UTF8)
