"""What hosts hear of the fleet while the server runs: resources, changes and completions."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import anyio
import mcp_types
import pytest
from fleets import known, load, use
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError
from program import home_for, run, until
from served_fleet import ERAS, SMALL, STORY, ask, client, unhurried

from ollamamaster.mcp_server.live import Pace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from mcp import Client

    from ollamamaster.simulator.sandbox import SimulatedFleet

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("era", ERAS)]

BRISK = Pace(look_s=0.05, scan_s=1000.0, inventory_s=0.05)
ONLY_READING = Pace(look_s=1000.0, scan_s=1000.0, inventory_s=0.05)
INSTANCES, MODELS = "ollama://instances", "ollama://models"
STATS = "ollama://history/stats"


@pytest.fixture(scope="module")
def quiet() -> Iterator[SimulatedFleet]:
    """A fleet in which nothing changes."""
    with found_fleet() as found:
        yield found


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedFleet]:
    """A fleet of the test's own, to change."""
    with found_fleet() as found:
        use(monkeypatch, found.environment())
        yield found


@pytest.fixture
def _seen(quiet: SimulatedFleet, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, quiet.environment())


@contextmanager
def found_fleet() -> Iterator[SimulatedFleet]:
    with known("duo", speed=100.0) as found:
        yield found


@asynccontextmanager
async def hearing(era: str, pace: Pace, *uris: str) -> AsyncIterator[tuple[Client, list[str]]]:
    """A client that subscribed, and the resources of which it heard that they changed."""
    heard: list[str] = []

    async def hear(message: Any) -> None:
        if era == "legacy" and isinstance(message, mcp_types.ResourceUpdatedNotification):
            heard.append(str(message.params.uri))

    async with client(era, pace=pace, message_handler=hear) as connected:
        if era == "legacy":
            for uri in uris:
                with pytest.warns(MCPDeprecationWarning):
                    await connected.subscribe_resource(uri)
            yield connected, heard
            return

        async def listen(*, task_status: Any = anyio.TASK_STATUS_IGNORED) -> None:
            async with connected.listen(resource_subscriptions=uris) as subscription:
                task_status.started()
                async for event in subscription:
                    heard.append(event.uri)  # type: ignore[union-attr]  # noqa: PERF401 (told as they come)

        async with anyio.create_task_group() as group:
            await group.start(listen)
            yield connected, heard
            group.cancel_scope.cancel()


async def content(connected: Client, uri: str) -> Any:
    (found,) = (await connected.read_resource(uri)).contents
    assert isinstance(found, mcp_types.TextResourceContents)
    return json.loads(found.text)


async def last_seen(connected: Client) -> str:
    found = await ask(connected, "discover_instances")
    return str(min(i["last_seen"] for i in found.structured_content["instances"]))


async def test_an_instance_that_vanishes_and_comes_back_is_told(
    era: str, fleet: SimulatedFleet
) -> None:
    async with hearing(era, BRISK, INSTANCES) as (connected, heard):
        fleet["b"].stop()
        await until(lambda: len(heard) == 1, "its end is heard of")
        gone = await content(connected, INSTANCES)
        fleet["b"].restart()
        await until(lambda: len(heard) == 2, "its return is heard of")
        back = await content(connected, INSTANCES)
    status = [{i["id"]: i["status"] for i in found["instances"]} for found in (gone, back)]
    assert status[0][fleet["b"].id] == "down"
    assert status[1][fleet["b"].id] == "up"
    assert heard == [INSTANCES, INSTANCES]


async def test_a_model_that_loads_is_told_once_for_each_resource(
    era: str, fleet: SimulatedFleet
) -> None:
    one = f"{MODELS}/llama3.2%3A3b"
    async with hearing(era, BRISK, INSTANCES, MODELS, one) as (connected, heard):
        await anyio.to_thread.run_sync(load, fleet["a"])
        await until(lambda: len(heard) == 3, "the loading is heard of")
        found = await content(connected, one)
    assert sorted(heard) == sorted([INSTANCES, MODELS, one])
    assert {i["id"] for i in found["instances"] if i["loaded"]} == {fleet["a"].id}


@pytest.mark.usefixtures("_seen")
async def test_looking_without_a_change_tells_nothing(era: str) -> None:
    async with hearing(era, BRISK, INSTANCES, MODELS) as (connected, heard):
        before = await content(connected, INSTANCES)
        seen = await last_seen(connected)

        async def looked_again() -> bool:
            return await last_seen(connected) > seen

        await until(looked_again, "the fleet is looked at again")
        assert await content(connected, INSTANCES) == before
    assert heard == []


async def test_what_another_process_finds_is_told(era: str, fleet: SimulatedFleet) -> None:
    async with hearing(era, ONLY_READING, INSTANCES) as (_, heard):
        fleet["b"].stop()
        await anyio.to_thread.run_sync(lambda: run("discover"))
        await until(lambda: heard == [INSTANCES], "the other process's look is heard of")


async def test_an_inventory_that_could_not_be_read_for_a_while_is_told_again(
    era: str, fleet: SimulatedFleet
) -> None:
    inventory, away = fleet.home / "inventory.toml", fleet.home / "away"
    async with hearing(era, BRISK, MODELS) as (connected, heard):
        await ask(connected, "list_models")
        inventory.rename(away)
        inventory.mkdir()
        await until(lambda: bool(heard), "it is told")
        inventory.rmdir()
        away.rename(inventory)
        heard.clear()
        fleet["b"].stop()
        await until(lambda: bool(heard), "what comes later is told as well")


async def test_one_who_did_not_subscribe_to_a_resource_hears_nothing_of_it(
    era: str, fleet: SimulatedFleet
) -> None:
    async with hearing(era, BRISK, f"{MODELS}/llava%3A7b", INSTANCES) as (_, heard):
        await anyio.to_thread.run_sync(load, fleet["a"])
        await until(lambda: INSTANCES in heard, "the loading is heard of")
    assert heard == [INSTANCES]


async def test_a_workflow_that_is_written_changed_and_deleted_is_told(
    era: str, fleet: SimulatedFleet
) -> None:
    uri = "ollama://workflows/w"
    path = fleet.home / "workflows" / "w.toml"
    body = 'name = "w"\n[[steps]]\nid = "a"\nprompt = "Hi"\n'
    async with hearing(era, ONLY_READING, uri) as (connected, heard):
        path.parent.mkdir()
        path.write_text(body, "utf-8")
        await until(lambda: heard == [uri], "the new one is heard of")
        path.write_text(body.replace('"a"', '"b"'), "utf-8")
        await until(lambda: heard == [uri] * 2, "the change is heard of")
        changed = await content(connected, uri)
        path.unlink()
        await until(lambda: heard == [uri] * 3, "the end is heard of")
    assert [step["id"] for step in changed["steps"]] == ["b"]


async def test_an_answer_changes_the_history(era: str, fleet: SimulatedFleet) -> None:
    async with hearing(era, ONLY_READING, STATS) as (connected, heard):
        before = await content(connected, STATS)
        await ask(connected, "route_request", prompt="Hi", model=SMALL)
        await until(lambda: heard == [STATS], "the answer is heard of")
        after = await content(connected, STATS)
    assert before["pairs"] == []
    assert [pair["model"] for pair in after["pairs"]] == [SMALL]


@pytest.fixture
def known_run(monkeypatch: pytest.MonkeyPatch) -> str:
    """The resource of the next run, whose id nobody could know otherwise."""
    monkeypatch.setattr("secrets.token_urlsafe", lambda _bytes: "known")
    return "ollama://runs/known"


async def test_the_text_of_a_run_is_told_as_it_grows(
    era: str, known_run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with unhurried() as fleet:
        use(monkeypatch, home_for(fleet, tmp_path / "home"))
        async with hearing(era, ONLY_READING, known_run) as (connected, heard):
            await ask(connected, "route_request", prompt=STORY, model=SMALL, wait=0)
            await until(lambda: len(heard) > 3, "its text is heard of")
            assert (await content(connected, known_run))["partial"]


@pytest.mark.usefixtures("_seen")
async def test_a_run_that_is_over_is_read_as_its_result(era: str) -> None:
    async with client(era) as connected:
        begun = await ask(connected, "route_request", prompt=STORY, model=SMALL, wait=0)
        done = await ask(connected, "get_result", run_id=begun.structured_content["run_id"])
        found = await content(connected, f"ollama://runs/{begun.structured_content['run_id']}")
    assert found == done.structured_content


@pytest.mark.usefixtures("_seen")
async def test_the_templates_are_listed(era: str) -> None:
    async with client(era) as connected:
        listed = {str(r.uri) for r in (await connected.list_resources()).resources}
        templates = (await connected.list_resource_templates()).resource_templates
    assert listed == {INSTANCES, MODELS, STATS}
    assert {t.uri_template for t in templates} == {
        f"{MODELS}/{{name}}",
        "ollama://runs/{id}",
        "ollama://workflows/{name}",
    }


@pytest.mark.usefixtures("_seen")
async def test_a_model_is_read_however_its_name_is_encoded(era: str) -> None:
    async with client(era) as connected:
        plain = await content(connected, f"{MODELS}/{SMALL}")
        encoded = await content(connected, f"{MODELS}/llama3.2%3a3b")
    assert plain == encoded
    assert plain["name"] == SMALL


@pytest.mark.usefixtures("_seen")
@pytest.mark.parametrize(
    "uri", [f"{MODELS}/none", "ollama://other", "file:///etc/passwd", f"{MODELS}/"]
)
async def test_what_is_no_resource_is_an_error(era: str, uri: str) -> None:
    async with client(era) as connected:
        with pytest.raises(MCPError, match="there is no resource"):
            await connected.read_resource(uri)


@pytest.mark.usefixtures("_seen")
async def test_names_of_models_are_completed(era: str) -> None:
    ref = mcp_types.ResourceTemplateReference(type="ref/resource", uri=f"{MODELS}/{{name}}")
    async with client(era) as connected:
        found = await connected.complete(ref, {"name": "name", "value": "LLAMA3"})
    assert found.completion.values == ["llama3.1:8b", "llama3.2:3b"]


@pytest.mark.usefixtures("_seen")
async def test_each_of_several_names_is_completed(era: str) -> None:
    ref = mcp_types.PromptReference(type="ref/prompt", name="compare")
    async with client(era) as connected:
        first = await connected.complete(ref, {"name": "models", "value": "3b"})
        second = await connected.complete(ref, {"name": "models", "value": "llava:7b, LLAMA3"})
    assert first.completion.values == [SMALL]
    assert second.completion.values == ["llava:7b, llama3.1:8b", "llava:7b, llama3.2:3b"]


async def test_ids_of_instances_and_runs_are_completed(era: str, fleet: SimulatedFleet) -> None:
    of_instance = mcp_types.PromptReference(type="ref/prompt", name="any")
    of_run = mcp_types.ResourceTemplateReference(type="ref/resource", uri="ollama://runs/{id}")
    async with client(era) as connected:
        begun = await ask(connected, "route_request", prompt="Hi", model=SMALL, wait=0)
        instances = await connected.complete(of_instance, {"name": "instance", "value": "127"})
        runs = await connected.complete(of_run, {"name": "id", "value": ""})
    assert instances.completion.values == sorted(instance.id for instance in fleet)
    assert runs.completion.values == [begun.structured_content["run_id"]]
