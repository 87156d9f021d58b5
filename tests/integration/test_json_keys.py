"""The keys that the help names are those of the real output, on a simulated fleet."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from past import decided, record, remember
from program import PATIENCE_S
from workflows import corpus

from ollamamaster.cli.json_keys import DATA, ENVELOPE, ERROR, LINES, OPEN, paths_of
from ollamamaster.domain.conversation import Summary
from ollamamaster.simulator.sandbox import SimulatedFleet
from ollamamaster.storage.history import HistoryDatabase
from ollamamaster.storage.sessions import SessionTable

if TYPE_CHECKING:
    from collections.abc import Iterator

Keys = dict[str, set[str]]


@pytest.fixture(scope="module")
def fleet() -> Iterator[SimulatedFleet]:
    """A fleet that has been asked, so that there are models in memory to show."""
    with SimulatedFleet.start("home", speed=1000) as running:
        env = running.environment()
        lines(env, "discover")
        write_workflow(running.home)
        lines(env, "workflow", "allow", "keys")
        lines(env, "workflow", "run", "keys")
        lines(env, "route", "hello", "--session", "kept")
        lines(env, "discover")
        database = HistoryDatabase(running.home / "history.db", note=pytest.fail)
        SessionTable(database).add_summary("kept", Summary("a greeting", 1, "m:1b", time.time()))
        database.close()
        # on an instance that this fleet does not have, so that a replay goes elsewhere; earlier,
        # so that the last one is the one above
        remember(running.home, record(at=time.time() - 60, decision=decided()))
        yield running


@pytest.fixture
def env(fleet: SimulatedFleet, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of that fleet, whose home is afterwards as it was before.

    In a copy the server of the workflow would not be allowed: another file is another workflow.
    """
    before = shutil.copytree(fleet.home, tmp_path / "before")
    yield fleet.environment()
    shutil.rmtree(fleet.home)
    shutil.copytree(before, fleet.home)


def write_workflow(home: Path) -> None:
    """A workflow with an input, two kinds of step, and a server that nobody starts twice."""
    folder = home / "workflows"
    folder.mkdir()
    text = f"""
name = "keys"
[inputs.topic]
default = "tides"
{corpus("search")}[[steps]]
id = "found"
mcp = "corpus"
tool = "search"
with = {{ query = "{{{{ inputs.topic }}}}" }}
[[steps]]
id = "answer"
prompt = "From {{{{ steps.found.text }}}}"
"""
    (folder / "keys.toml").write_text(text, "utf-8")


def lines(env: dict[str, str] | None, *arguments: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "ollamamaster", *arguments, "--json"],
        check=False,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE_S,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def keys_of(value: Any, path: str = "") -> Keys:
    """Each place of this document that has keys, and which; entries of lists must agree."""
    found: Keys = {}
    if isinstance(value, list):
        for entry in value:
            for place, keys in keys_of(entry, path + "[]").items():
                assert found.setdefault(place, keys) == keys, f"{place} differs between entries"
    elif isinstance(value, dict):
        found[path] = set(value)
        for key, inner in value.items():
            if key not in OPEN:
                found |= keys_of(inner, f"{path}.{key}".removeprefix("."))
    return found


COMMANDS = {
    "discover": ["discover"],
    "models": ["models"],
    "route": ["route", "What is the capital of France?"],
    "route --explain": ["route", "hi", "--explain"],
    "session list": ["session", "list"],
    "session show": ["session", "show", "kept"],
    "session export": ["session", "export", "kept", "-o", os.devnull],
    "session rename": ["session", "rename", "kept", "named"],
    "session delete": ["session", "delete", "kept"],
    "assess": ["assess", "Summarise this 20-page report within 1 s"],
    "compare": ["compare", "hi", "-m", "llama3.2:3b,llama3.1:8b", "--judge", "qwen3:8b"],
    "pull": ["pull", "qwen3:8b"],
    "workflow run": ["workflow", "run", "keys"],
    "workflow show": ["workflow", "show", "keys"],
    "workflow list": ["workflow", "list"],
    "workflow allow": ["workflow", "allow", "keys"],
    "workflow runs": ["workflow", "runs"],
    "install-mcp": ["install-mcp", "claude-code", "--print"],
    "history list": ["history", "list"],
    "history show": ["history", "show", "last"],
    "history stats": ["history", "stats"],
    "history replay": ["history", "replay"],
    "history path": ["history", "path"],
    "history export": ["history", "export", "-o", os.devnull],
    "history clear": ["history", "clear", "--before", "1000w", "--yes"],
    "config path": ["config", "path"],
    "config show": ["config", "show"],
    "help": ["help", "json"],
}


@pytest.mark.parametrize("command", list(COMMANDS))
def test_data_has_exactly_the_keys_that_the_help_names(command: str, env: dict[str, str]) -> None:
    (envelope,) = lines(env, *COMMANDS[command])
    assert set(envelope) == set(ENVELOPE.split())
    assert envelope["errors"] == []
    # an answer in parts, and the plan of one, is held to its keys where there is one
    alone = {"parts[]", "plan", "plan.readers[]"} if command.startswith("route") else set()
    said = {k: v for k, v in paths_of(DATA[command]).items() if k not in alone}
    assert keys_of(envelope["data"]) == said


def test_config_init_has_the_keys_that_the_help_names() -> None:
    (envelope,) = lines(None, "config", "init")
    assert keys_of(envelope["data"]) == paths_of(DATA["config init"])


def test_a_mistake_in_the_config_has_the_keys_that_the_help_names(env: dict[str, str]) -> None:
    wrong = {**env, "OLLAMAMASTER_ROUTE_PERFORMANCE": "faster"}
    (envelope,) = lines(wrong, "config", "check")
    assert keys_of(envelope["data"]) == paths_of(DATA["config check"])


def test_a_new_workflow_has_the_keys_that_the_help_names() -> None:
    (envelope,) = lines(None, "workflow", "new", "mine")
    assert keys_of(envelope["data"]) == paths_of(DATA["workflow new"])


def test_a_check_of_a_workflow_has_the_keys_that_the_help_names(env: dict[str, str]) -> None:
    folder = Path(env["OLLAMAMASTER_HOME"]) / "workflows"
    text = (folder / "keys.toml").read_text("utf-8")
    wrong_text = text.replace('"keys"', '"wrong"').replace("query", "qery")
    (folder / "wrong.toml").write_text(wrong_text, "utf-8")
    (right,) = lines(env, "workflow", "check", "keys")
    (wrong,) = lines(env, "workflow", "check", "wrong")
    both = keys_of(right["data"]) | keys_of(wrong["data"])
    assert both == paths_of(DATA["workflow check"])


def test_an_error_has_the_keys_that_the_help_names(env: dict[str, str]) -> None:
    (envelope,) = lines(env, "route", "hi", "-m", "no-such-model")
    assert [set(error) for error in envelope["errors"]] == [set(ERROR.split())]


def test_the_lines_of_a_stream_have_the_keys_that_the_help_names(env: dict[str, str]) -> None:
    *events, _envelope = lines(env, "route", "hello", "--stream")
    assert {event["type"] for event in events} >= {"attempt", "token"}
    assert [e for e in events if set(e) != set(LINES[e["type"]].split())] == []


def test_sandbox_up_has_the_keys_that_the_help_names() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "ollamamaster", "sandbox", "up", "--fleet", "duo", "--json"],
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        envelope = json.loads(process.stdout.readline())
        process.terminate()
        process.wait(PATIENCE_S)
    assert keys_of(envelope["data"]) == paths_of(DATA["sandbox up"])


def test_every_command_that_the_help_names_is_held_to_its_output() -> None:
    others = {"config init", "config check", "sandbox up", "workflow new", "workflow check"}
    assert {*COMMANDS, *others} == set(DATA)
