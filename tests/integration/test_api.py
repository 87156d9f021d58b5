"""The same from Python as from the command line."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import ollamamaster
from ollamamaster.domain.routing import Document
from ollamamaster.errors import TooLongError
from ollamamaster.simulator.sandbox import SimulatedFleet
from ollamamaster.storage.history import HistoryDatabase

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL = "llama3.2:3b"


@pytest.fixture(scope="module")
def duo() -> Iterator[SimulatedFleet]:
    with SimulatedFleet.start("duo", speed=200.0, seed=0) as fleet:
        yield fleet


@pytest.mark.anyio
async def test_a_program_finds_the_fleet_it_names(duo: SimulatedFleet) -> None:
    fleet = await ollamamaster.discover(duo["a"].id)
    assert [instance.id for instance in fleet] == [duo["a"].id]


@pytest.mark.anyio
async def test_a_program_gets_an_answer_and_who_gave_it(
    duo: SimulatedFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMAMASTER_HOME", str(duo.home))
    result = await ollamamaster.route("hello", performance="fast")
    assert result.response.startswith("[simulated]")
    assert result.instance in {duo["a"].id, duo["b"].id}


@pytest.mark.anyio
async def test_history_tells_that_a_program_asked(
    duo: SimulatedFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMAMASTER_HOME", str(duo.home))
    await ollamamaster.route("hello", performance="fast")
    database = HistoryDatabase(duo.home / "history.db", note=pytest.fail)
    with database.reading() as connection:
        last = connection.execute("SELECT who FROM requests ORDER BY at DESC LIMIT 1").fetchone()
    database.close()
    assert last == ("api",)


@pytest.mark.anyio
async def test_a_program_has_texts_read_in_parts_that_are_too_long(
    duo: SimulatedFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMAMASTER_HOME", str(duo.home))
    text = Document("tides.txt", "The tide comes twice a day.\n\n" * 2_000)
    options = {"num_ctx": 4096}
    asked: dict[str, Any] = {"model": MODEL, "options": options, "documents": (text,)}
    with pytest.raises(TooLongError):
        await ollamamaster.route("What comes?", **asked)
    result = await ollamamaster.route("What comes?", long="split", **asked)
    assert len(result.parts) > 2
    assert all(part.error is None for part in result.parts)
    assert result.response


def test_importing_the_package_loads_nothing_heavy() -> None:
    check = "import sys, ollamamaster; print(*sorted(m for m in sys.modules if 'ollamam' in m))"
    loaded = subprocess.run(
        [sys.executable, "-c", check], check=True, capture_output=True, text=True
    )
    assert loaded.stdout.split() == ["ollamamaster"]
