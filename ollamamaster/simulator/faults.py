"""Which request does a fault strike, and what does the client get then?"""

from __future__ import annotations

import asyncio
import fnmatch
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ollamamaster.errors import UsageError
from ollamamaster.simulator.connection import NDJSON, Reply, encode, json_reply
from ollamamaster.simulator.plan import FaultKind, FaultPlan

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollamamaster.simulator.connection import Connection

# These concern the whole instance, not some requests: `count` says nothing of them.
WHOLE_INSTANCE = frozenset({FaultKind.REFUSE, FaultKind.HANG, FaultKind.DIE, FaultKind.RESTART})
# These end an answer that has begun; how much of it comes before.
BREAKS_AFTER_TOKENS = {
    FaultKind.TRUNCATE_STREAM: 3,
    FaultKind.ERROR_IN_STREAM: 3,
    FaultKind.DIE: 3,
    FaultKind.RESTART: 3,
    FaultKind.RESET: 0,
    FaultKind.REFUSE: 0,
}
# How much slower a disturbed machine works: a laptop on battery, another program on the GPU.
SLOWNESS = 10.0

MODEL_DIED = "an error was encountered while running the model: unexpected EOF"
BUSY = "server busy, please try again.  maximum pending requests exceeded"
_RUNNER_DIED = "llama runner process has terminated: exit status 2"
_HTML = (
    b"<!DOCTYPE html>\n<html><head><title>Sign in to the network</title></head>"
    b"<body><h1>Please sign in</h1></body></html>\n"
)
# What a terminal must never see as it is: colours, a window title, a bell, cursor movement, a
# C1 control, and markup that a rich console would interpret.
HOSTILE = "\x1b[31mred\x1b]0;title\x07\x1b[2J\r\x9b1m\x00[bold red]markup[/]\ttab"
# Larger than any line an instance has a reason to send.
_HUGE_BYTES = 64 * 1024 * 1024
_PART = b"a" * 65536
_DRIP_S = 1.0


@dataclass(slots=True, eq=False)
class _Set:
    plan: FaultPlan
    set_at: float
    seen: int = 0
    struck: int = 0
    began_at: float | None = None


class Faults:
    """The faults that are set on one instance. `clock` gives the client's seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._set: list[_Set] = []

    def add(self, plan: FaultPlan) -> None:
        """Set a fault; its `after_…` count from now."""
        self._set.append(_Set(plan, self._clock()))

    def clear(self) -> None:
        """Nothing is wrong any more."""
        self._set.clear()

    def take(self, path: str, *, runs_model: bool) -> FaultPlan | None:
        """The fault that strikes this request; the one set first wins."""
        now = self._clock()
        found: FaultPlan | None = None
        for fault in list(self._set):
            plan = fault.plan
            if not _concerns(plan, path, runs_model=runs_model):
                continue
            fault.seen += 1
            if found or now < fault.set_at + plan.after_s or fault.seen <= plan.after_requests:
                continue
            if fault.began_at is None:
                fault.began_at = now
            if plan.for_s is not None and now >= fault.began_at + plan.for_s:
                self._set.remove(fault)
                continue
            fault.struck += 1
            if plan.kind is not FaultKind.HANG and fault.struck == plan.count:
                self._set.remove(fault)
            found = plan
        return found


def _concerns(plan: FaultPlan, path: str, *, runs_model: bool) -> bool:
    if plan.path is not None:
        return fnmatch.fnmatchcase(path, plan.path)
    return runs_model or plan.kind is FaultKind.HANG


def read_fault(document: dict[str, Any]) -> FaultPlan:
    """A fault from JSON, as `POST /sandbox/fault` gets it. Raises UsageError."""
    unknown = set(document) - set(FaultPlan.__dataclass_fields__)
    if unknown:
        raise UsageError(f"unknown key {min(unknown)!r}")
    if document.get("kind") not in list(FaultKind):
        raise UsageError(f"kind must be one of {', '.join(FaultKind)}")
    for key, value in document.items():
        wanted = str if key in {"kind", "path"} else (int, float)
        if value is not None and (isinstance(value, bool) or not isinstance(value, wanted)):
            raise UsageError(f"{key}: {value!r} is of the wrong type")
    given = {key: value for key, value in document.items() if value is not None}
    return FaultPlan(**{**given, "kind": FaultKind(document["kind"])})


def immediate(plan: FaultPlan, model: str) -> Reply | None:
    """The complete answer of a fault that needs no model; None for the other kinds."""
    match plan.kind:
        case FaultKind.ERROR_500:
            return json_reply({"error": _RUNNER_DIED}, 500)
        case FaultKind.BUSY_503:
            return json_reply({"error": BUSY}, 503)
        case FaultKind.NOT_FOUND:
            return json_reply({"error": f"model '{model}' not found"}, 404)
        case FaultKind.GARBAGE:
            return Reply(200, _HTML, "text/html; charset=utf-8")
        case FaultKind.WRONG_JSON:
            line = {"model": 7, "models": "none", "version": [], "response": {"a": []}}
            wrong = {**line, "message": "hello", "embeddings": 1, "done": "yes"}
            return Reply(200, encode(wrong) + b"\n", NDJSON)
        case _:
            return None


async def never() -> None:
    """Answer nothing, until the client gives up."""
    await asyncio.get_running_loop().create_future()


async def drip(connection: Connection, model: str) -> None:
    """A line that never ends, one byte a second."""
    connection.begin(NDJSON)
    connection.send(b'{"model":' + json.dumps(model).encode() + b',"response":"')
    while True:
        connection.send(b"a")
        await asyncio.sleep(_DRIP_S)


async def huge_line(connection: Connection, model: str) -> None:
    """A line that is larger than anything a client should take."""
    connection.begin(NDJSON)
    connection.send(b'{"model":' + json.dumps(model).encode() + b',"response":"')
    for _ in range(_HUGE_BYTES // len(_PART)):
        connection.send(_PART)
        await connection.drain()
        # Without a breath here a client in the same process could never read.
        await asyncio.sleep(0)
    connection.send(b'","done":true}\n')
    connection.end()


def hostile(document: Any) -> Any:
    """The same document with control characters in every name and text."""
    if isinstance(document, dict):
        return {key: hostile(value) for key, value in document.items()}
    if isinstance(document, list):
        return [hostile(value) for value in document]
    return document + HOSTILE if isinstance(document, str) else document
