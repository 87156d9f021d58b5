"""What every test gets, and what many ask for; a module whose fleet differs has its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from fleets import known, use
from hypothesis import HealthCheck, settings
from program import PATIENCE_S, home_for

from ollamamaster.bootstrap import Application
from ollamamaster.services import residency

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from ollamamaster.simulator.sandbox import SimulatedFleet, SimulatedInstance

# How fast examples are made and run is the machine's matter, not a property of the code.
settings.register_profile(
    "ollamamaster", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ollamamaster")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own: nothing of the person's is read or written, by children either."""
    folder = tmp_path / "home"
    for name in os.environ:
        if name.startswith("OLLAMAMASTER_") or name == "OLLAMA_HOST":
            monkeypatch.delenv(name)
    monkeypatch.setenv("OLLAMAMASTER_HOME", str(folder))
    return folder


@pytest.fixture(scope="module")
def fleet() -> Iterator[SimulatedFleet]:
    """Two equal instances, which are known."""
    with known("duo", speed=50.0) as found:
        yield found


@pytest.fixture
def fresh(fleet: SimulatedFleet) -> SimulatedFleet:
    """The fleet of this module, with nothing in memory and nothing wrong."""
    for instance in fleet:
        instance.restart()
    return fleet


@pytest.fixture
def env(fresh: SimulatedFleet, tmp_path: Path) -> dict[str, str]:
    """The environment of commands that share one home."""
    return home_for(fresh, tmp_path / "home")


@pytest.fixture
async def application(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Application]:
    """What a command of that environment is made of."""
    use(monkeypatch, env)
    # A machine that is slow to run these tests is not taken for instances that are late.
    monkeypatch.setattr(residency, "WITHIN_S", PATIENCE_S)
    made = Application()
    yield made
    await made.ollama.aclose()
    made.history.close()


@pytest.fixture
def a(fresh: SimulatedFleet) -> SimulatedInstance:
    """The one that is tried first: the lower id of equals."""
    return min(fresh, key=lambda instance: instance.id)


@pytest.fixture
def b(fresh: SimulatedFleet) -> SimulatedInstance:
    return max(fresh, key=lambda instance: instance.id)
