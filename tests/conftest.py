"""What every test gets."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from pathlib import Path

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
