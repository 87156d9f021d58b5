"""Answers to learn from: recorded on a real Ollama, or as a machine of known rates gives them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.answers import Usage
from ollamamaster.domain.attempt_record import AttemptRecord
from ollamamaster.domain.instances import Gpu, GpuSource, Instance, InstanceAddress, Locality
from ollamamaster.domain.learning import keys_of, learnt
from ollamamaster.domain.models import GB, Model, ModelName
from ollamamaster.domain.pair import Pair
from ollamamaster.domain.profiles import Profiles
from ollamamaster.domain.records import RouteRecord, Who
from ollamamaster.domain.task import TaskType
from ollamamaster.errors import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ollamamaster.domain.estimate import Estimate
    from ollamamaster.domain.profile_rows import Key, Row
    from ollamamaster.domain.selection import Decision

WIRE = Path(__file__).parent / "golden" / "ollama-wire"
NOW = 1_795_348_800.0
NAME = "llama3.1:8b"
SIZE = round(4.92 * GB)


def pair(
    model: str = NAME,
    size_bytes: int | None = SIZE,
    instance: Instance | None = None,
    **more: Any,
) -> Pair:
    """A model on an instance with a graphics card of 24 GB."""
    return Pair(Model(ModelName.parse(model), size_bytes=size_bytes, **more), instance or machine())


def machine(**more: Any) -> Instance:
    """An instance on the network."""
    gpu = Gpu(1, GpuSource.CONFIG, 24 * GB)
    return Instance(InstanceAddress("127.0.0.1"), **{"locality": Locality.LAN, "gpu": gpu, **more})


ID = machine().id


def usage(
    *,
    decode: float = 50.0,
    prefill: float = 1000.0,
    load_s: float = 0.0,
    tokens: int = 201,
    prompt: int = 200,
    wait_s: float = 0.0,
) -> Usage:
    """What a machine of these rates says: the first token comes with the prompt's end."""
    prompt_s, generation_s = prompt / prefill, (tokens - 1) / decode
    total_s = load_s + prompt_s + generation_s + wait_s
    return Usage(prompt, tokens, total_s, load_s, prompt_s, generation_s)


def recorded(name: str) -> Usage:
    """The usage of an answer recorded on Ollama 0.24."""
    response = json.loads((WIRE / f"{name}.json").read_text("utf-8"))["response"]
    said = response["json"]
    return Usage(
        said.get("prompt_eval_count"),
        said.get("eval_count"),
        *(
            said[key] / 1e9 if key in said else None
            for key in (
                "total_duration",
                "load_duration",
                "prompt_eval_duration",
                "eval_duration",
            )
        ),
    )


def attempt(said: Usage | None = None, **more: Any) -> AttemptRecord:
    """An answered attempt that saw what the server says, and a hundredth of a second more."""
    said = said or usage()
    seen = {
        "model": NAME,
        "instance": ID,
        "outcome": Outcome.OK,
        "error": None,
        "started_at": NOW,
        "seconds": (said.total_s or 1.0) + 0.01,
        "usage": said,
        "size_bytes": SIZE,
        "in_vram": 1.0,
        "resident": True,
    }
    return AttemptRecord(**{**seen, **more})


def route(
    *attempts: AttemptRecord,
    kind: TaskType = TaskType.CHAT,
    decision: Decision | None = None,
    estimate: Estimate | None = None,
    seconds: float = 0.0,
) -> RouteRecord:
    """A finished route of these attempts, which took no longer than they unless it is said."""
    outcome = "ok" if attempts and attempts[-1].outcome is Outcome.OK else "all_failed"
    return RouteRecord(
        "r1", NOW, Who.COMMAND, kind, seconds, 0.0, outcome, attempts, decision, estimate
    )


def taught(records: Iterable[RouteRecord | AttemptRecord]) -> dict[Key, Row]:
    """The rows after these, through the storage's own format and by the declared keys only."""
    rows: dict[Key, Row] = {}
    for record in records:
        whole = route(record) if isinstance(record, AttemptRecord) else record
        keys = keys_of(whole)
        changed = learnt({key: rows[key] for key in keys if key in rows}, whole)
        assert changed.keys() <= keys
        rows |= {key: json.loads(json.dumps(row)) for key, row in changed.items()}
    return rows


def profiles(records: Iterable[RouteRecord | AttemptRecord]) -> Profiles:
    """What these records teach."""
    return Profiles.from_rows(taught(records))
