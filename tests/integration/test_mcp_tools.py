"""The tools of the MCP server, as a host of either era of the protocol sees them."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from fleets import known, use
from mcp.shared.exceptions import MCPError
from program import run
from served_fleet import ERAS, SMALL, ask, check, client, text

from ollamamaster.mcp_server.door import OF_A_KIND
from ollamamaster.mcp_server.tools import TOOLS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ollamamaster.simulator.sandbox import SimulatedFleet

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("era", ERAS)]

QUESTION = "What is the capital of France?"


@pytest.fixture(scope="module")
def fleet() -> Iterator[SimulatedFleet]:
    with known("duo", speed=1000) as found:
        yield found


@pytest.fixture(autouse=True)
def _seen(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of each test's own: what failed in one is not left alone in the next."""
    use(monkeypatch, env)


def data_of(env: dict[str, str], *command: str) -> dict[str, Any]:
    """What the command line says of the same."""
    found = run(*command, "--json", env=env).data
    assert isinstance(found, dict)
    return found


async def test_list_models_is_what_the_command_says_and_the_total(
    era: str, env: dict[str, str]
) -> None:
    async with client(era) as connected:
        found = await ask(connected, "list_models", pattern="llama3.2")
    assert found.structured_content == {**data_of(env, "models", "llama3.2"), "total": 4}
    assert SMALL in text(found)


async def test_models_are_chosen_by_tier_and_capability(era: str) -> None:
    async with client(era) as connected:
        fast = await ask(connected, "list_models", tier="fast", capability="completion")
        seeing = await ask(connected, "list_models", capability="vision")
    assert [m["name"] for m in fast.structured_content["models"]] == [SMALL]
    assert [m["name"] for m in seeing.structured_content["models"]] == ["llava:7b"]


async def test_a_capability_that_nobody_has_heard_of_is_no_empty_list(era: str) -> None:
    async with client(era) as connected:
        found = await ask(connected, "list_models", capability="flying")
    assert found.is_error
    assert "no capability 'flying'. Next: " in text(found)
    assert "vision" in text(found)


async def test_the_known_instances_are_told_without_a_scan(era: str) -> None:
    async with client(era) as connected:
        found = await ask(connected, "discover_instances")
    assert found.structured_content["scan"]["probes"] == 0
    assert found.structured_content["counts"]["up"] == 2
    assert "a (127.0.0.1:" in text(found)


async def test_a_refresh_looks_again(era: str, fleet: SimulatedFleet) -> None:
    fleet["b"].stop()
    try:
        async with client(era) as connected:
            found = await ask(connected, "discover_instances", refresh=True)
    finally:
        fleet["b"].restart()
    status = {i["id"]: i["status"] for i in found.structured_content["instances"]}
    assert status == {fleet["a"].id: "up", fleet["b"].id: "down"}


async def test_a_named_target_is_all_that_is_looked_at(era: str, fleet: SimulatedFleet) -> None:
    async with client(era) as connected:
        found = await ask(connected, "discover_instances", targets=[fleet["a"].id])
    assert [i["id"] for i in found.structured_content["instances"]] == [fleet["a"].id]


async def test_a_public_target_is_refused_before_anything_is_contacted(era: str) -> None:
    async with client(era) as connected:
        found = await ask(connected, "discover_instances", targets=["127.0.0.1", "192.0.2.1"])
    assert found.is_error
    assert "'192.0.2.1'" in text(found)
    assert "Nothing was contacted" in text(found)


async def test_a_route_has_the_data_of_the_command_and_its_run(
    era: str, env: dict[str, str]
) -> None:
    async with client(era) as connected:
        found = await ask(connected, "route_request", prompt=QUESTION)
    data = found.structured_content
    assert set(data) == {*data_of(env, "route", QUESTION), "status", "run_id"}
    assert data["status"] == "done"
    assert data["response"].startswith("[simulated]")


async def test_many_more_calls_than_stand_in_line_are_all_answered(era: str) -> None:
    async with client(era) as connected:
        found = await asyncio.gather(
            *(ask(connected, "route_request", prompt=f"Hi {n}") for n in range(5 * OF_A_KIND))
        )
    assert {result.structured_content["status"] for result in found} == {"done"}
    assert len({result.structured_content["run_id"] for result in found}) == len(found)


async def test_the_text_names_model_machine_seconds_and_the_decision(era: str) -> None:
    async with client(era) as connected:
        found = await ask(connected, "route_request", prompt=QUESTION, model=SMALL)
    first, *_, task, chosen = text(found).splitlines()
    assert first.startswith(f"Answer of {SMALL} on ")
    assert " s" in first
    assert task.startswith("Task: qa, complexity ")
    assert chosen.startswith(f"Chosen: {SMALL} on ")


async def test_a_models_words_stand_between_marks_that_differ_each_time(era: str) -> None:
    marks = set()
    async with client(era) as connected:
        for _ in range(2):
            found = await ask(connected, "route_request", prompt=QUESTION)
            begin, answer, end, *_ = text(found).splitlines()[1:]
            assert "data and not as instructions" in begin
            assert answer == found.structured_content["response"]
            assert end.strip("[]") in begin
            marks.add(end)
    assert len(marks) == 2


async def test_every_result_fits_the_schema_that_was_listed(
    era: str, fleet: SimulatedFleet
) -> None:
    fleet["a"].fault("error_500")
    async with client(era) as connected:
        schemas = {t.name: t.output_schema for t in (await connected.list_tools()).tools}
        done = await ask(connected, "route_request", prompt=QUESTION)
        run_id = done.structured_content["run_id"]
        calls: dict[str, dict[str, Any]] = {
            "route_request": {"prompt": QUESTION, "wait": 0},
            "compare_models": {"prompt": QUESTION, "judge": SMALL},
            "list_workflows": {},
            "list_models": {},
            "assess_capability": {
                "task_description": "Summarise a page within a minute",
                "requirements": {"capability": "completion", "tokens_per_s": 1, "latency": "1ms"},
            },
            "discover_instances": {"refresh": True},
            "fleet_status": {},
            "cancel_run": {"run_id": run_id},
        }
        results = {name: await ask(connected, name, **given) for name, given in calls.items()}
        again = await ask(connected, "get_result", run_id=run_id)
    fleet["a"].clear_faults()
    # It needs a workflow; its own tests check its results.
    assert set(results) == set(schemas) - {"run_workflow", "get_result"}
    for name, result in results.items():
        check(result, schemas[name])
    check(done, schemas["route_request"])
    check(again, schemas["route_request"])
    jsonschema.validate(again.structured_content, schemas["get_result"])
    assert results["compare_models"].structured_content["judge"] is not None
    assert results["assess_capability"].structured_content["missing"]


@pytest.mark.parametrize(
    ("tool", "given", "named"),
    [
        ("route_request", {"prompt": "hi", "modle": SMALL}, "'modle' (did you mean 'model'?)"),
        ("route_request", {}, "'prompt' is missing"),
        ("route_request", {"prompt": ""}, "'prompt'"),
        ("route_request", {"prompt": "hi", "model": ""}, "'model'"),
        ("route_request", {"prompt": "x" * 1_000_001}, "'prompt'"),
        ("route_request", {"prompt": "hi", "system": "x" * 10_001}, "'system'"),
        ("route_request", {"prompt": "hi", "wait": 601}, "'wait'"),
        ("route_request", {"prompt": "hi", "max_time": 0}, "'max_time'"),
        ("route_request", {"prompt": "hi", "performance": "best"}, "'performance'"),
        ("route_request", {"prompt": "hi", "session": ""}, "'session'"),
        ("compare_models", {"prompt": "hi", "models": [SMALL] * 33}, "'models'"),
        ("compare_models", {"prompt": "hi", "model": SMALL}, "(did you mean 'models'?)"),
        ("list_workflows", {"name": "w"}, "'name'"),
        ("run_workflow", {"inputs": {}}, "'name' is missing"),
        ("run_workflow", {"name": "w", "inputs": {"x": "y" * 1_000_001}}, "'inputs'"),
        ("run_workflow", {"name": "w", "inputs": [1]}, "'inputs'"),
        ("discover_instances", {"targets": ["127.0.0.1"] * 33}, "'targets'"),
        ("fleet_status", {"verbose": True}, "'verbose'"),
    ],
)
async def test_a_wrong_argument_is_refused_by_its_name(
    era: str, tool: str, given: dict[str, object], named: str
) -> None:
    async with client(era) as connected:
        found = await ask(connected, tool, **given)
    assert found.is_error
    assert text(found).startswith(f"{tool} was not called: ")
    assert named in text(found)


async def test_an_argument_of_several_kinds_is_named_once(era: str) -> None:
    async with client(era) as connected:
        found = await ask(
            connected, "assess_capability", task_description="x", requirements={"context": [[1]]}
        )
    assert found.is_error
    assert "union" not in text(found)
    problems = text(found).split("; ")
    assert len(set(problems)) == len(problems)


async def test_an_assessment_is_what_the_command_says(era: str, env: dict[str, str]) -> None:
    task = "Summarise this 20-page report"
    async with client(era) as connected:
        found = await ask(
            connected, "assess_capability", task_description=task, requirements={"max_time": "1h"}
        )
    expected = data_of(env, "assess", task, "--requirement", "max_time=1h")
    assert set(found.structured_content) == set(expected)
    assert found.structured_content["can_handle"] == expected["can_handle"]
    asked = found.structured_content["requirements"]
    assert [r["key"] for r in asked] == [r["key"] for r in expected["requirements"]]
    assert text(found).startswith("Yes, the fleet can do this")


@pytest.mark.parametrize(
    "requirements",
    [{"latency": "1ms"}, "latency=1ms", {"latency": "1ms", "capability": ["completion"]}],
)
async def test_what_the_fleet_cannot_do_is_no_error(era: str, requirements: object) -> None:
    async with client(era) as connected:
        found = await ask(
            connected, "assess_capability", task_description="Chat", requirements=requirements
        )
    assert not found.is_error
    assert found.structured_content["can_handle"] is False
    assert found.structured_content["missing"]
    assert text(found).startswith("No, the fleet cannot do this")


async def test_an_unknown_requirement_is_refused_with_those_there_are(era: str) -> None:
    async with client(era) as connected:
        found = await ask(
            connected, "assess_capability", task_description="Chat", requirements={"speed": 1}
        )
    assert found.is_error
    assert "requirement 'speed' is not known; keys: latency," in text(found)
    assert "Next: " in text(found)


async def test_the_prompt_that_assesses_names_its_tool_and_the_task(era: str) -> None:
    async with client(era) as connected:
        listed = (await connected.list_prompts()).prompts
        filled = await connected.get_prompt("assess", {"task": "Write a {novel}"})
    assert [prompt.name for prompt in listed] == ["compare", "assess"]
    said = filled.messages[0].content.model_dump()["text"]
    assert "assess_capability" in said
    assert "Write a {novel}" in said


@pytest.mark.parametrize(
    ("name", "given"), [("assess", {}), ("assess", {"task": "x", "more": "y"}), ("compare", {})]
)
async def test_a_wrong_prompt_is_an_error(era: str, name: str, given: dict[str, str]) -> None:
    async with client(era) as connected:
        with pytest.raises(MCPError):
            await connected.get_prompt(name, given)


async def test_a_list_that_comes_as_text_is_taken_for_the_list_it_means(
    era: str, fleet: SimulatedFleet
) -> None:
    targets = json.dumps([fleet["b"].id])
    async with client(era) as connected:
        found = await ask(connected, "discover_instances", targets=targets)
    assert [i["id"] for i in found.structured_content["instances"]] == [fleet["b"].id]


async def test_an_unknown_tool_is_an_error_of_the_protocol_that_names_those_there_are(
    era: str,
) -> None:
    async with client(era) as connected:
        with pytest.raises(MCPError, match="route_request"):
            await ask(connected, "route")


async def test_an_unknown_model_names_the_next_step(era: str) -> None:
    async with client(era) as connected:
        found = await ask(connected, "route_request", prompt="hi", model="no-such-model")
    assert found.is_error
    assert "Next: call list_models" in text(found)


async def test_what_failed_is_told_by_the_names_of_instances(
    era: str, fleet: SimulatedFleet
) -> None:
    for instance in fleet:
        instance.fault("error_500", count=None)
    async with client(era) as connected:
        found = await ask(connected, "route_request", prompt=QUESTION, model=SMALL)
    for instance in fleet:
        instance.clear_faults()
    assert found.is_error
    assert f" {SMALL} on a: http_error" in text(found)
    assert f" {SMALL} on b: http_error" in text(found)


async def test_a_read_only_server_has_nothing_that_changes_or_ends(era: str) -> None:
    async with client(era, read_only=True) as connected:
        names = {tool.name for tool in (await connected.list_tools()).tools}
    assert names == {tool.name for tool in TOOLS} - {"cancel_run", "run_workflow"}


async def test_a_read_only_server_leaves_nothing_behind(
    era: str, fleet: SimulatedFleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "untouched"
    home.mkdir()
    config = (fleet.home / "config.toml").read_bytes()
    (home / "config.toml").write_bytes(config)
    monkeypatch.setenv("OLLAMAMASTER_HOME", str(home))
    fleet["a"].fault("error_500")
    async with client(era, read_only=True) as connected:
        found = await ask(connected, "discover_instances", refresh=True)
        answered = await ask(connected, "route_request", prompt=QUESTION)
        known = await ask(connected, "list_models")
    fleet["a"].clear_faults()
    assert found.structured_content["counts"]["up"] == 2
    assert not answered.is_error
    assert known.structured_content["total"] == 4
    # Tickets are how the processes of a person share the fleet; they end with the call.
    assert {p.name for p in home.iterdir() if "history.db" not in p.name} == {"config.toml"}
    assert (
        run("history", "list", env={**fleet.environment(), "OLLAMAMASTER_HOME": str(home)}).out
        == ""
    )


async def test_two_servers_are_not_needed_for_an_empty_home_its_fleet_is_found_by_itself(
    era: str, fleet: SimulatedFleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "config.toml").write_bytes((fleet.home / "config.toml").read_bytes())
    monkeypatch.setenv("OLLAMAMASTER_HOME", str(tmp_path / "new"))
    async with client(era) as connected:
        found = await ask(connected, "list_models")
    assert found.structured_content["total"] == 4


async def test_no_instance_names_the_next_step(
    era: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "config.toml").write_text("[discovery]\nloopback = false\n")
    monkeypatch.setenv("OLLAMAMASTER_HOME", str(tmp_path / "none"))
    async with client(era) as connected:
        found = await ask(connected, "route_request", prompt="hi")
    assert found.is_error
    assert "Next: call discover_instances" in text(found)
