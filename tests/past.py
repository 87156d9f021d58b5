"""Past requests for tests: a decision, an attempt, and records of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ollamamaster.domain.answers import Usage
from ollamamaster.domain.attempt_record import AttemptRecord
from ollamamaster.domain.candidates import Wish
from ollamamaster.domain.estimate import Estimate
from ollamamaster.domain.instances import Instance, InstanceAddress, InstanceSettings, Status
from ollamamaster.domain.models import GB, Model, ModelName
from ollamamaster.domain.records import RouteRecord, Who
from ollamamaster.domain.selection import Decision, Demand, decide
from ollamamaster.domain.settings import HistorySettings, Settings
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.domain.task import Question, TaskType, analyse
from ollamamaster.errors import Outcome
from ollamamaster.storage.history import HistoryDatabase
from ollamamaster.storage.inventory import InventoryFile
from ollamamaster.storage.requests import RequestTables

if TYPE_CHECKING:
    from pathlib import Path

# 2026-11-22 12:00 UTC.
NOW = 1_795_348_800.0


def instance(name: str, *models: str, label: str | None = None) -> Instance:
    """An instance that is up and has these models."""
    has = tuple(
        Model(ModelName.parse(model), size_bytes=5 * GB, parameter_size="8.0B") for model in models
    )
    return Instance(
        InstanceAddress.from_id(name),
        status=Status.UP,
        models=has,
        settings=InstanceSettings(label=label),
    )


FLEET = Fleet((instance("a:1", "small:1b", label="desk"), instance("b:1", "small:1b", "big:70b")))


def decided(prompt: str = "What is the capital of France?", **wish: Any) -> Decision:
    """What is decided on FLEET."""
    return decide(analyse(Question(prompt)), FLEET, Settings(), Wish(**wish), Demand())


DECISION = decided()
ESTIMATE = Estimate(1.0, 2.0, 4.0, 0.25, 0.5, 0.25, 1.0)
ATTEMPT = AttemptRecord(
    model="small:1b",
    instance="a:1",
    outcome=Outcome.OK,
    error=None,
    started_at=NOW,
    seconds=2.5,
    usage=Usage(12, 100, 2.5, 0.5, 0.25, 1.5),
    first_token_s=0.75,
    estimate=ESTIMATE,
    size_bytes=5 * GB,
    active_fraction=0.5,
    in_vram=1.0,
    resident=True,
    others=1,
    limited=True,
    thought=True,
    num_ctx=4096,
)
_RECORD = RouteRecord(
    id="0123456789ab",
    at=NOW,
    who=Who.COMMAND,
    task_type=TaskType.QA,
    seconds=2.75,
    waited_s=0.25,
    outcome="ok",
    attempts=(ATTEMPT,),
    decision=DECISION,
    estimate=ESTIMATE,
    prompt="What is the capital of France?",
    answer="Paris.",
)


def remember(home: Path, *records: RouteRecord, store_text: bool = False) -> None:
    """Keep these in the history of a home, as finished routes do."""
    database = HistoryDatabase(home / "history.db", note=pytest.fail)
    try:
        tables = RequestTables(database, HistorySettings(store_text=store_text))
        for each in records:
            tables.record(each)
    finally:
        database.close()


def known(home: Path, fleet: Fleet = FLEET) -> None:
    """Put this fleet into the inventory of a home."""
    InventoryFile(home / "inventory.toml").update(lambda _: fleet)


def record(**changes: Any) -> RouteRecord:
    """A request that was answered, but for these changes."""
    return replace(_RECORD, **changes)
