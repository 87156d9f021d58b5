"""Which modules a command loads: imports are most of what a shell loop waits for."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from fleets import just_asked
from past import record, remember
from program import PATIENCE_S, home_for, run

from ollamamaster.domain.conversation import Turn
from ollamamaster.simulator.sandbox import SimulatedFleet
from ollamamaster.storage.history import HistoryDatabase
from ollamamaster.storage.sessions import SessionTable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Runs the program as its console script does, and tells on stderr what was loaded at the end.
_TELLING = """
import sys
import ollamamaster.__main__
from ollamamaster.cli.app import run
code = run()
sys.stderr.write("\\nLOADED " + " ".join(sorted(sys.modules)))
raise SystemExit(code)
"""
# Tells on stdout what the first question to the instance at a port has loaded.
_ASKING = """
import asyncio, sys
from ollamamaster.domain.instances import Endpoint, InstanceAddress
from ollamamaster.ollama.client import OllamaClient

async def ask(port):
    client = OllamaClient()
    before = set(sys.modules)
    await client.identify(Endpoint(InstanceAddress("127.0.0.1", port)), timeout_s=60)
    print(*sorted(set(sys.modules) - before))
    await client.aclose()

asyncio.run(ask(int(sys.argv[1])))
"""
FACES = {"mcp", "pydantic", "starlette", "uvicorn"}


@pytest.fixture(scope="module")
def fleet() -> Iterator[SimulatedFleet]:
    with SimulatedFleet.start("duo", speed=50.0) as found:
        assert run("models", "--refresh", env=found.environment()).code == 0
        yield found


def loaded_by(*arguments: str, env: dict[str, str] | None = None) -> set[str]:
    """The modules, and every package that they are in, that a run of the program has loaded."""
    done = subprocess.run(
        [sys.executable, "-c", _TELLING, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
        env=env,
    )
    assert done.stdout
    loaded = set(done.stderr.rpartition("LOADED ")[2].split())
    assert "ollamamaster.cli.app" in loaded
    return loaded


@pytest.mark.parametrize("arguments", [("--version",), ("--help",)])
def test_the_version_and_the_help_load_no_command(arguments: tuple[str, ...]) -> None:
    loaded = loaded_by(*arguments)
    assert not loaded & {"rich", "asyncio", "httpx", "sqlite3", "ollamamaster.bootstrap", *FACES}
    assert not [name for name in loaded if name.startswith("ollamamaster.cli.commands.")]


def test_the_models_of_a_fresh_inventory_are_read_from_a_file_and_nothing_else(
    fleet: SimulatedFleet, tmp_path: Path
) -> None:
    env = home_for(fleet, tmp_path / "home")
    just_asked(tmp_path / "home")
    loaded = loaded_by("models", "--json", env=env)
    heavy = {"httpx", "rich", "asyncio", "filelock", "sqlite3", "tomli_w", "anyio", "psutil"}
    assert not loaded & (heavy | FACES | {"ollamamaster.storage.abilities"})


def test_models_in_cells_loads_no_more_than_as_json(fleet: SimulatedFleet, tmp_path: Path) -> None:
    env = home_for(fleet, tmp_path / "home")
    just_asked(tmp_path / "home")
    loaded = loaded_by("models", env=env)
    assert not loaded & {"httpx", "rich", "asyncio", "filelock", "sqlite3", "tomli_w", *FACES}


def test_a_route_in_a_pipe_loads_no_face(fleet: SimulatedFleet, tmp_path: Path) -> None:
    asked = ("route", "hi", "-m", "llama3.2:3b", "--option", "num_predict=3")
    loaded = loaded_by(*asked, env=home_for(fleet, tmp_path / "home"))
    assert "httpx" in loaded
    assert not loaded & ({"rich", "ollamamaster.discovery.scan"} | FACES)


def test_an_assessment_in_a_pipe_loads_no_face(fleet: SimulatedFleet, tmp_path: Path) -> None:
    loaded = loaded_by("assess", "hi", env=home_for(fleet, tmp_path / "home"))
    assert not loaded & ({"rich", "ollamamaster.discovery.scan"} | FACES)


def test_the_help_of_a_command_loads_no_adapter() -> None:
    loaded = loaded_by("route", "--help")
    assert not loaded & {"httpx", "rich", "asyncio", "sqlite3", *FACES}


def test_nothing_is_loaded_on_the_time_of_the_instance_that_is_asked_first(
    fleet: SimulatedFleet,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _ASKING, str(fleet["a"].port)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert done.stdout == "\n"


@pytest.mark.parametrize("word", ["list", "stats", "export"])
def test_past_requests_are_read_from_a_file_and_nothing_else(word: str, home: Path) -> None:
    remember(home, record())
    loaded = loaded_by("history", word)
    assert "sqlite3" in loaded
    assert not loaded & {"httpx", "rich", "asyncio", "filelock", "tomli_w", "psutil", *FACES}


def test_sessions_are_read_from_a_file_and_nothing_else(home: Path) -> None:
    database = HistoryDatabase(home / "history.db", note=pytest.fail)
    turn = Turn("hello", "hi", "m:1b", "a:1", 1.0, 2.0)
    SessionTable(database).append("x", turn, system=None, cached_tokens=None)
    database.close()
    for words in (("list",), ("show", "x"), ("export", "x")):
        loaded = loaded_by("session", *words)
        assert "sqlite3" in loaded
        assert not loaded & {"httpx", "rich", "asyncio", "filelock", "tomli_w", "psutil", *FACES}


def test_a_route_without_a_session_loads_nothing_of_sessions(
    fleet: SimulatedFleet, tmp_path: Path
) -> None:
    asked = ("route", "hi", "-m", "llama3.2:3b", "--option", "num_predict=3")
    loaded = loaded_by(*asked, env=home_for(fleet, tmp_path / "home"))
    assert not loaded & {"ollamamaster.services.session", "ollamamaster.storage.sessions"}


def test_workflows_are_listed_and_written_without_mcp_or_a_client(home: Path) -> None:
    for words in (("new", "mine"), ("list",), ("list", "--json")):
        loaded = loaded_by("workflow", *words)
        assert not loaded & {"httpx", "rich", "sqlite3", "anyio", "psutil", *FACES}


def test_a_workflow_without_tools_runs_without_mcp(fleet: SimulatedFleet, tmp_path: Path) -> None:
    env = home_for(fleet, tmp_path / "home")
    file = tmp_path / "w.toml"
    file.write_text('name = "w"\n[[steps]]\nid = "a"\nprompt = "hi"\n', "utf-8")
    loaded = loaded_by("workflow", "run", str(file), env=env)
    assert not loaded & ({"rich"} | FACES)


def test_telling_a_host_of_the_server_does_not_load_it() -> None:
    loaded = loaded_by("install-mcp", "claude-code", "--print")
    assert not loaded & {"httpx", "rich", "asyncio", "sqlite3", "ollamamaster.ollama", *FACES}
