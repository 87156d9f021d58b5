"""What stands in each resource? The same JSON as in tools, without what changes with every look."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from ollamamaster.contract.discover import instance_data
from ollamamaster.contract.models import models_data
from ollamamaster.contract.workflow import described_data
from ollamamaster.domain.catalogue import ModelQuery
from ollamamaster.errors import UsageError
from ollamamaster.mcp_server.reply import RefusedError
from ollamamaster.mcp_server.runs import RunStatus

if TYPE_CHECKING:
    from ollamamaster.bootstrap import Application
    from ollamamaster.domain.instances import Instance
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.mcp_server.runs import Runs

INSTANCES = "ollama://instances"
MODELS = "ollama://models"
RUNS = "ollama://runs"
STATS = "ollama://history/stats"
WORKFLOWS = "ollama://workflows"


def fleet_contents(fleet: Fleet, application: Application) -> dict[str, str]:
    """The text of each resource that the fleet makes, by URI."""
    found = application.models_service().matching(fleet, ModelQuery())
    models = models_data(found)
    texts = {
        INSTANCES: as_text({"instances": [_lasting(instance) for instance in fleet]}),
        MODELS: as_text(models),
    }
    for model in models["models"]:
        texts[model_uri(model["name"])] = as_text(model)
    return texts


def stats_text(application: Application) -> str:
    """What past requests came to. Raises StateUnusableError."""
    from ollamamaster.contract.history import stats_data

    found = application.history_service().stats(application.past.profiles())
    return as_text(stats_data(found))


def workflow_text(uri: str, application: Application) -> str | None:
    """The workflow of this URI; None where there is none."""
    name = unquote(uri.removeprefix(f"{WORKFLOWS}/"))
    try:
        reading = application.workflow_files.named(name)
    except UsageError:
        return None
    return as_text(described_data(name, reading))


def run_state(uri: str, runs: Runs) -> str | None:
    """What subscribers of a run hear of: its text and its end, not the seconds that pass."""
    try:
        run = runs.find(unquote(uri.removeprefix(f"{RUNS}/")))
    except RefusedError:
        return None
    going = run.status is RunStatus.RUNNING
    return f"{run.status} {run.work.standing().partial if going else ''}"


def model_uri(name: str) -> str:
    """The URI of a model; its name is percent-encoded."""
    return f"{MODELS}/{quote(name, safe='')}"


def as_text(data: Any) -> str:
    """JSON for a reader, with letters of every script as they are."""
    return json.dumps(data, ensure_ascii=False, indent=1)


def _lasting(instance: Instance) -> dict[str, Any]:
    """An instance without latency and dates: a subscriber is told of changes, not of looks."""
    data = instance_data(instance)
    for key in ("latency_ms", "last_seen"):
        del data[key]
    del data["gpu"]["vram_used"]
    for loaded in data["loaded"]:
        del loaded["expires_at"]
    return data
