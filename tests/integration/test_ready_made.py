"""The ready-made workflows, and one of every kind of step, with real MCP servers.

The servers are downloaded once by npx and uvx in their pinned versions; without Node.js, or
without uv, these tests are skipped. The web is never searched.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fleets import known
from program import home_for, run
from workflows import SERVER

from ollamamaster.domain.workflow import ToolWork
from ollamamaster.mcp_client.servers import McpServers
from ollamamaster.storage.workflow_file import read_workflow
from ollamamaster.storage.workflow_files import READY_MADE, ready_made_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from program import Done

    from ollamamaster.domain.workflow import ToolServer, Workflow
    from ollamamaster.simulator.sandbox import SimulatedFleet

MEMORY = "@modelcontextprotocol/server-memory@2026.8.31"
FILES = "@modelcontextprotocol/server-filesystem@2026.8.31"
EVERYTHING = "@modelcontextprotocol/server-everything@2026.8.31"

NODE = pytest.mark.skipif(
    shutil.which("npx") is None, reason="npx is not there: the MCP servers need Node.js"
)
# where pip puts it beside this Python, also when that is not on the PATH
PATH = os.pathsep.join([os.environ.get("PATH", ""), str(Path(sys.executable).parent)])
UVX = shutil.which("uvx", path=PATH)


@pytest.fixture(scope="module")
def fleet() -> Iterator[SimulatedFleet]:
    with known("home", speed=50.0) as found:
        yield found


@pytest.fixture(scope="module")
def npm(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The packages in npx's cache, by whatever way to the registry this machine has."""
    folder = tmp_path_factory.mktemp("npm")
    for words in ([MEMORY], [FILES, str(folder)], [EVERYTHING]):
        subprocess.run(
            ["npx", "-y", *words],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=300,
            check=True,
        )


@pytest.fixture
def env(fleet: SimulatedFleet, tmp_path: Path) -> dict[str, str]:
    return home_for(fleet, tmp_path / "home")


def folder_of(env: dict[str, str]) -> Path:
    folder = Path(env["OLLAMAMASTER_HOME"]) / "workflows"
    folder.mkdir(exist_ok=True)
    return folder


def new(env: dict[str, str], name: str) -> Path:
    """A copy of a ready-made workflow; what searches the web searches a fixed corpus instead."""
    path = Path(run("workflow", "new", name, "--from", name, env=env).out.strip())
    text = path.read_text("utf-8")
    corpus = f"command = {json.dumps(sys.executable)}\nargs = [{json.dumps(SERVER)}]"
    path.write_text(re.sub(r'command = "uvx"\nargs = \[.*\]', lambda _: corpus, text), "utf-8")
    return path


def ran(env: dict[str, str], name: str, *arguments: str) -> Done:
    checked = run("workflow", "run", name, *arguments, "--yes", "--dry-run", "--json", env=env)
    assert checked.data["problems"] == []
    done = run("workflow", "run", name, *arguments, "--json", env=env)
    assert done.code == 0, done.out
    statuses = {each["status"] for each in done.data["steps"]}
    assert statuses <= {"ok", "skipped"}
    assert "[simulated]" in done.data["output"]
    return done


def test_each_of_them_is_run_here() -> None:
    assert ready_made_names() == (
        "code-review",
        "consensus",
        "document-insights",
        "research-and-remember",
        "translate-and-check",
    )


@pytest.mark.parametrize("name", sorted({*ready_made_names()} - {"research-and-remember"}))
def test_each_is_found_right_before_its_inputs_are_known(env: dict[str, str], name: str) -> None:
    new(env, name)
    done = run("workflow", "check", name, "--json", env=env)
    assert (done.code, done.data["problems"]) == (0, [])
    assert done.data["expected_seconds"] > 0


def test_code_is_reviewed_by_two_models_and_judged(env: dict[str, str], tmp_path: Path) -> None:
    new(env, "code-review")
    (tmp_path / "code.diff").write_text("- a = 1\n+ a = 2\n", "utf-8")
    done = ran(env, "code-review", "--input-file", f"code={tmp_path / 'code.diff'}")
    reviews, _verdict = done.data["steps"]
    assert [each["outcome"] for each in reviews["data"]] == ["ok", "ok"]


def test_several_models_come_to_a_consensus(env: dict[str, str]) -> None:
    new(env, "consensus")
    done = ran(env, "consensus", "--input", "question=Is 91 a prime number?")
    assert len(done.data["steps"][1]["data"]) == 3
    two = '["phi4", "llama3.1:8b"]'
    fewer = ("--input", "question=Is 91 a prime number?", "--input", f"models={two}")
    assert len(ran(env, "consensus", *fewer).data["steps"][0]["data"]) == 2


def test_a_document_is_asked_its_questions_side_by_side(
    env: dict[str, str], tmp_path: Path
) -> None:
    new(env, "document-insights")
    (tmp_path / "report.txt").write_text("Costs rose by 4 percent. " * 2000, "utf-8")
    done = ran(env, "document-insights", "--input", f"document={tmp_path / 'report.txt'}")
    questions, answers, _insights = done.data["steps"]
    assert len(answers["data"]) == len(questions["data"]["questions"])


def test_a_translation_is_translated_back_and_mended(env: dict[str, str]) -> None:
    new(env, "translate-and-check")
    inputs = ("--input", "text=The tide is high.", "--input", "language=French")
    done = ran(env, "translate-and-check", *inputs)
    steps = {each["id"]: each for each in done.data["steps"]}
    # the sandbox's answers differ from the question, so there is something to mend
    assert steps["check"]["data"]["differences"]
    assert steps["mended"]["status"] == "ok"


@NODE
@pytest.mark.usefixtures("npm")
def test_research_that_found_nothing_is_not_remembered(env: dict[str, str]) -> None:
    path = new(env, "research-and-remember")
    text = path.read_text("utf-8")
    # as a model says it of a search that failed
    none = 'items = { type = "string" }, maxItems = 0 }'
    path.write_text(text.replace('items = { type = "string" } }', none), "utf-8")
    done = ran(env, "research-and-remember", "--input", "topic=tidal power")
    steps = {each["id"]: each["status"] for each in done.data["steps"]}
    assert (steps["entity"], steps["remember"]) == ("skipped", "skipped")
    assert not (folder_of(env) / "memory.jsonl").exists()


@NODE
@pytest.mark.usefixtures("npm")
def test_research_is_remembered_by_the_next_run(env: dict[str, str]) -> None:
    new(env, "research-and-remember")
    done = ran(env, "research-and-remember", "--input", "topic=tidal power")
    found, known, *_ = done.data["steps"]
    assert "240 MW" in found["text"]
    assert known["data"]["entities"] == []
    memory = folder_of(env) / "memory.jsonl"
    assert "tidal power" in memory.read_text("utf-8")
    again = ran(env, "research-and-remember", "--input", "topic=tidal power")
    (entity,) = again.data["steps"][1]["data"]["entities"]
    assert entity["name"] == "tidal power"
    assert entity["observations"] == [done.data["output"]]


@pytest.fixture
def research() -> Workflow:
    path = READY_MADE / "research-and-remember.toml"
    workflow = read_workflow(path.read_text("utf-8"), path).workflow
    assert workflow is not None
    return workflow


@pytest.fixture
def search(research: Workflow, monkeypatch: pytest.MonkeyPatch) -> ToolServer:
    """Its search server in uv's cache, by whatever way to the registry this machine has."""
    (server,) = (each for each in research.servers if each.name == "search")
    assert server.command == "uvx"
    if UVX is None:
        pytest.skip("uvx is not there: the search server needs uv")
    monkeypatch.setenv("PATH", PATH)
    # it ends with its input
    subprocess.run(
        [UVX, *server.args], stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=True
    )
    return replace(server, env={"UV_OFFLINE": "1"})


@pytest.mark.anyio
async def test_the_search_server_of_research_takes_what_it_is_given(
    research: Workflow, search: ToolServer, tmp_path: Path
) -> None:
    running = await McpServers().start(search, str(tmp_path))
    await running.aclose()
    used = [step.work for step in research.steps if isinstance(step.work, ToolWork)]
    (asked,) = (work for work in used if work.server == "search")
    tool = running.tools[asked.tool]
    types = {name: argument["type"] for name, argument in tool.schema["properties"].items()}
    given = {name: types[name] for name in asked.arguments}
    assert given == {"query": "string", "max_results": "integer"}
    assert set(tool.required) <= set(given)


# Web search, digest, save to memory, final answer; and a file, a structured result, a comparison.
DESCRIBED = f"""
name = "described"

[inputs.topic]

[mcp.search]
command = {json.dumps(sys.executable)}
args = [{json.dumps(SERVER)}]
tools = ["search"]
[mcp.files]
command = "npx"
args = ["-y", "{FILES}", "."]
tools = ["read_text_file", "write_file"]
[mcp.memory]
command = "npx"
args = ["-y", "{MEMORY}"]
env = {{ MEMORY_FILE_PATH = "KEPT_HERE" }}
tools = ["create_entities", "read_graph"]
[mcp.everything]
command = "npx"
args = ["-y", "{EVERYTHING}"]
tools = ["echo", "get-sum", "get-structured-content"]

[[steps]]
id = "found"
mcp = "search"
tool = "search"
with = {{ query = "{{{{ inputs.topic }}}}", max_results = 2 }}
[[steps]]
id = "notes"
mcp = "files"
tool = "read_text_file"
with = {{ path = "notes.txt" }}
[[steps]]
id = "weather"
mcp = "everything"
tool = "get-structured-content"
with = {{ location = "New York" }}
[[steps]]
id = "sum"
mcp = "everything"
tool = "get-sum"
with = {{ a = 240, b = 254 }}
[[steps]]
id = "digest"
performance = "fast"
prompt = "Digest {{{{ steps.found.text }}}} with {{{{ steps.notes.text }}}}"
[[steps]]
id = "opinions"
models = ["llama3.2:3b", "llama3.1:8b"]
prompt = "Is this right? {{{{ steps.digest.text }}}}"
[[steps]]
id = "remember"
mcp = "memory"
tool = "create_entities"
[[steps.with.entities]]
name = "{{{{ inputs.topic }}}}"
entityType = "topic"
observations = ["{{{{ steps.digest.text }}}}", "{{{{ steps.found.text }}}}"]
[[steps]]
id = "answer"
performance = "powerful"
prompt = "Answer from {{{{ steps.opinions.text }}}}, {{{{ steps.sum.text }}}}"
after = ["remember"]
[[steps]]
id = "kept"
mcp = "files"
tool = "write_file"
with = {{ path = "answer.txt", content = "{{{{ steps.answer.text }}}}" }}
[[steps]]
id = "graph"
mcp = "memory"
tool = "read_graph"
after = ["remember"]
[output]
text = "{{{{ steps.answer.text }}}}"
"""


@NODE
@pytest.mark.usefixtures("npm")
def test_search_digest_memory_and_answer_work_from_end_to_end(env: dict[str, str]) -> None:
    folder = folder_of(env)
    memory = folder / "memory.jsonl"
    (folder / "notes.txt").write_text("The Severn has no power station.", "utf-8")
    path = folder / "described.toml"
    path.write_text(DESCRIBED.replace("KEPT_HERE", memory.as_posix()), "utf-8")
    done = ran(env, "described", "--input", "topic=tidal power station")
    steps = {each["id"]: each for each in done.data["steps"]}
    assert "La Rance" in steps["found"]["text"]
    assert steps["notes"]["text"] == "The Severn has no power station."
    assert "temperature" in steps["weather"]["data"]
    assert "494" in steps["sum"]["text"]
    (entity,) = steps["graph"]["data"]["entities"]
    assert entity["observations"] == [steps["digest"]["text"], steps["found"]["text"]]
    assert json.loads(memory.read_text("utf-8").splitlines()[0])["name"] == "tidal power station"
    assert (folder / "answer.txt").read_text("utf-8") == done.data["output"]
    order = run("workflow", "show", "described", "--json", env=env).data["order"]
    assert order[0] == ["found", "notes", "weather", "sum"]


@NODE
@pytest.mark.usefixtures("npm")
def test_a_file_outside_the_folder_is_refused_by_the_server(env: dict[str, str]) -> None:
    folder = folder_of(env)
    text = f"""
name = "w"
[mcp.files]
command = "npx"
args = ["-y", "{FILES}", "."]
tools = ["read_text_file"]
[[steps]]
id = "a"
mcp = "files"
tool = "read_text_file"
with = {{ path = "../config.toml" }}
"""
    (folder / "w.toml").write_text(text, "utf-8")
    done = run("workflow", "run", "w", "--yes", "--json", env=env)
    assert done.code == 5
    assert "denied" in done.envelope["errors"][0]["message"].lower()
