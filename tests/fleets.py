"""Simulated fleets as tests begin with them: known to commands, with models in memory."""

from __future__ import annotations

import json
import urllib.request
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from program import PATIENCE_S, run

from ollamamaster.simulator.sandbox import SimulatedFleet
from ollamamaster.storage.inventory import InventoryFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pytest

    from ollamamaster.simulator.sandbox import SimulatedInstance

MODEL = "llama3.2:3b"
# By no proxy of whoever runs the tests.
_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_NARROW = """
[[instances]]
name = "here"
ram_gb = 16
bandwidth_gb_s = 100
prefill_tokens_s = 1000
models = ["narrow:8b", "quick:1b"]

[[models]]
name = "narrow:8b"
size_gb = 8.0
parameters_b = 8.0
context = {context}

[[models]]
name = "quick:1b"
size_gb = 0.8
parameters_b = 1.0
context = 32768
"""


@contextmanager
def known(fleet: str | Path, *, speed: float) -> Iterator[SimulatedFleet]:
    """A fleet that a discovery has found, so that each test starts with an inventory."""
    with SimulatedFleet.start(fleet, speed=speed) as found:
        assert run("discover", env=found.environment()).code == 0
        yield found


def just_asked(home: Path) -> None:
    """As if the fleet had been asked just now: after a minute its lists are asked for again."""
    stored = InventoryFile(home / "inventory.toml")
    stored.update(lambda fleet: replace(fleet, checked_at=datetime.now(UTC)))


def narrow_fleet(folder: Path, *, context: int) -> Path:
    """The file of one machine: one model has so small a context, another one reads more."""
    path = folder / "narrow.toml"
    path.write_text(_NARROW.format(context=context), "utf-8")
    return path


def load(instance: SimulatedInstance, model: str = MODEL, **options: Any) -> None:
    """Bring a model into the memory of an instance, so that generations begin at once."""
    body = {"model": model, "stream": False, "keep_alive": -1, "options": options}
    data = json.dumps(body).encode()
    with _DIRECTLY.open(f"{instance.url}/api/generate", data, timeout=PATIENCE_S) as answer:
        answer.read()


def use(monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> None:
    """This process sees the fleet of this environment."""
    for name in ("OLLAMAMASTER_HOME", "OLLAMA_HOST"):
        monkeypatch.delenv(name, raising=False)
        if name in environment:
            monkeypatch.setenv(name, environment[name])
