"""Workflows as another face uses them: by name, with values, for someone who is no person."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from program import PATIENCE_S
from workflows import SERVER, Quiet, corpus

from ollamamaster.domain.workflow_run import RunStatus, StepStatus
from ollamamaster.errors import (
    FileUnusableError,
    NotAllowedError,
    UsageError,
    WorkflowInvalidError,
)
from ollamamaster.ollama.client import OllamaClient
from ollamamaster.services.route import RouteService
from ollamamaster.services.workflow_errors import failure

if TYPE_CHECKING:
    from pathlib import Path

    from ollamamaster.bootstrap import Application
    from ollamamaster.domain.instances import Endpoint
    from ollamamaster.domain.models import LoadedModel
    from ollamamaster.domain.routing import RouteRequest
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.domain.workflow_plan import Plan
    from ollamamaster.domain.workflow_run import RunResult, StepResult
    from ollamamaster.services.route import RouteRun
    from ollamamaster.simulator.sandbox import SimulatedFleet

pytestmark = pytest.mark.anyio


@pytest.fixture
def application(application: Application) -> Application:
    application.paths.workflows.mkdir()
    return application


def write(application: Application, name: str, text: str) -> Path:
    path = application.paths.workflows / f"{name}.toml"
    path.write_text(f'name = "{name}"\n{text}', "utf-8")
    return path


class Telling(Quiet):
    """Remembers in which order it was told what."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.at_work = asyncio.Event()

    def planned(self, run_id: str, plan: Plan) -> None:
        self.told.append(("planned", plan.workflow.name))

    def began(self, step: str) -> None:
        self.told.append(("began", step))

    def working(self, step: str, model: str, instance_name: str) -> None:
        self.told.append(("working", step))
        self.at_work.set()

    def ended(self, result: StepResult) -> None:
        self.told.append((str(result.status), result.id))


async def ran(
    application: Application, name: str, values: dict[str, Any] | None = None
) -> RunResult:
    """As an agent runs it."""
    service = application.workflow_service()
    wanted = service.wanted(service.named(name), {}, values or {}, person=False)
    return await service.run(wanted, Quiet())


ASKS = """
[inputs.topic]
[[steps]]
id = "a"
prompt = "About {{ inputs.topic }}"
options = { num_predict = 5 }
"""


async def test_a_workflow_runs_by_name_with_values(application: Application) -> None:
    write(application, "w", ASKS)
    result = await ran(application, "w", {"topic": "tides"})
    assert result.status is RunStatus.OK
    assert failure(result) is None
    assert result.expected_s is not None
    (kept,) = application.workflow_service().runs.newest(5)
    assert (kept.id, kept.inputs) == (result.run_id, {"topic": "tides"})


@pytest.mark.parametrize("name", ["./w.toml", "../w", "/tmp/w.toml", "w.toml", "W", "", "nobody"])
async def test_a_path_is_never_a_name(application: Application, name: str) -> None:
    write(application, "w", ASKS)
    with pytest.raises(UsageError):
        await ran(application, name, {"topic": "x"})


@pytest.mark.parametrize("values", [{}, {"topic": 1}, {"topic": "x", "more": "y"}])
async def test_wrong_values_are_refused(application: Application, values: dict[str, Any]) -> None:
    write(application, "w", ASKS)
    with pytest.raises(UsageError):
        await ran(application, "w", values)


async def test_a_server_that_was_never_allowed_is_refused_for_an_agent_too(
    application: Application,
) -> None:
    write(
        application,
        "w",
        '[mcp.s]\ncommand = "true"\ntools = ["t"]\n[[steps]]\nid = "a"\nmcp = "s"\ntool = "t"\n',
    )
    with pytest.raises(NotAllowedError) as refused:
        await ran(application, "w")
    assert "workflow allow" in (refused.value.hint or "")


async def test_a_file_that_an_agent_chose_must_lie_beside_the_workflow(
    application: Application, tmp_path: Path
) -> None:
    write(
        application,
        "w",
        '[inputs.file]\n[[steps]]\nid = "a"\nprompt = "x"\nfiles = ["{{ inputs.file }}"]\n'
        "options = { num_predict = 5 }\n",
    )
    secret = tmp_path / "secret.txt"
    secret.write_text("s", "utf-8")
    beside = application.paths.workflows / "notes.txt"
    beside.write_text("n", "utf-8")
    link = application.paths.workflows / "link.txt"
    link.symlink_to(secret)
    outside = application.paths.workflows / "outside"
    outside.symlink_to(tmp_path, target_is_directory=True)
    refused = (str(secret), "../config.toml", "link.txt", "~/.bashrc", "lin*.txt", "out*/*.txt")
    for path in (*refused, "outside", "a\0b", "x" * 5000):
        with pytest.raises(FileUnusableError):
            await ran(application, "w", {"file": path})
    with pytest.raises(UsageError, match="is a text"):
        await ran(application, "w", {"file": "a\ud800"})
    for path in ("notes.txt", "not*.txt"):
        assert (await ran(application, "w", {"file": path})).status is RunStatus.OK
    service = application.workflow_service()
    typed = service.wanted(service.named("w"), {"file": str(secret)})
    assert (await service.run(typed, Quiet())).status is RunStatus.OK


async def test_what_an_agent_gave_stays_an_agents_when_a_person_goes_on_with_its_run(
    application: Application, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("s", "utf-8")
    path = write(
        application,
        "w",
        f"[inputs.file]\n[mcp.s]\ncommand = {json.dumps(sys.executable)}\n"
        f'args = [{json.dumps(SERVER)}]\ntools = ["tell"]\n'
        '[[steps]]\nid = "a"\nmcp = "s"\ntool = "tell"\nwith = { text = "[5]" }\n'
        '[[steps]]\nid = "b"\nprompt = "x"\nfiles = ["{{ inputs.file }}"]\n'
        # not known before `a` has run, so that the run begins although the file may not be read
        'options = { num_predict = "{{ steps.a.data.0 }}" }\n',
    )
    service = application.workflow_service()
    workflow = service.named("w")
    service.allow(workflow, workflow.servers)
    begun = await ran(application, "w", {"file": str(secret)})
    assert [step.status for step in begun.steps] == [StepStatus.OK, StepStatus.FAILED]
    again = await service.resume(begun.run_id, workflow, Quiet(), changed_ok=False)
    assert again.failed is not None
    assert "not below the folder of the workflow" in (again.failed.error or "")
    # the same file elsewhere would have what the agent named looked for there
    elsewhere = tmp_path / "w.toml"
    elsewhere.write_bytes(path.read_bytes())
    service.allow(service.typed(str(elsewhere)), workflow.servers)
    with pytest.raises(UsageError, match="begun by an agent"):
        await service.resume(begun.run_id, service.typed(str(elsewhere)), Quiet(), changed_ok=True)


async def test_an_earlier_step_may_name_the_models_that_compare(application: Application) -> None:
    write(
        application,
        "w",
        f"""
{corpus("say")}[[steps]]
id = "name"
mcp = "corpus"
tool = "say"
with = {{ text = "llama3.2:3b" }}
[[steps]]
id = "answers"
prompt = "Why?"
models = ["{{{{ steps.name.text }}}}"]
options = {{ num_predict = 5 }}
""",
    )
    service = application.workflow_service()
    workflow = service.named("w")
    service.allow(workflow, workflow.servers)
    _, answers = (await ran(application, "w")).steps
    assert [each["model"] for each in answers.data] == ["llama3.2:3b"]
    assert answers.text.startswith("## llama3.2:3b")


async def test_a_wrong_file_is_told_by_name(application: Application) -> None:
    write(application, "w", "oops = 1\n" + ASKS)
    with pytest.raises(WorkflowInvalidError, match=r"w\.toml:2"):
        await ran(application, "w")
    assert application.workflow_service().readings()["w"].problems


async def test_a_listener_hears_a_run_in_its_order(application: Application) -> None:
    write(application, "w", ASKS + '[[steps]]\nid = "b"\nprompt = "{{ steps.a.text }}"\n')
    service, telling = application.workflow_service(), Telling()
    await service.run(service.wanted(service.named("w"), {"topic": "x"}), telling)
    assert telling.told == [
        ("planned", "w"),
        ("began", "a"),
        ("working", "a"),
        ("ok", "a"),
        ("began", "b"),
        ("working", "b"),
        ("ok", "b"),
    ]


async def test_steps_that_are_ready_run_on_different_machines(
    application: Application, fleet: SimulatedFleet
) -> None:
    steps = "".join(
        f'[[steps]]\nid = "s{n}"\nprompt = "Write an essay, number {n}"\nmodel = "llama3.2:3b"\n'
        for n in range(4)
    )
    write(application, "w", steps)
    result = await ran(application, "w")
    assert len({step.instance for step in result.steps}) == 2
    service = application.workflow_service()
    plan = await service.plan(service.named("w"), {}, Quiet())
    assert len(plan.instances) == 2


async def test_what_many_steps_have_in_common_is_found_out_once(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    alike = "".join(f'[[steps]]\nid = "a{n}"\nprompt = "Hello"\n' for n in range(40))
    others = "".join(f'[[steps]]\nid = "b{n}"\nprompt = "Hello, {n}"\n' for n in range(40))
    write(application, "w", alike + others)
    service = application.workflow_service()
    now = application.clock.now()
    # so old that what is in memory has to be asked, and the lists of models have not
    fleet = replace(await service.find(), checked_at=now - timedelta(seconds=5))

    async def find() -> Fleet:
        return fleet

    service.find = find
    decided: list[str] = []
    asked: list[str] = []
    begin, ps = RouteService.begin, OllamaClient.ps

    def counted(routes: RouteService, request: RouteRequest) -> RouteRun:
        decided.append(request.prompt)
        return begin(routes, request)

    async def counted_ps(
        client: OllamaClient, endpoint: Endpoint, *, timeout_s: float
    ) -> tuple[LoadedModel, ...]:
        asked.append(endpoint.address.id)
        return await ps(client, endpoint, timeout_s=timeout_s)

    monkeypatch.setattr(RouteService, "begin", counted)
    monkeypatch.setattr(OllamaClient, "ps", counted_ps)
    plan = await service.plan(service.named("w"), {}, Quiet())
    assert len(plan.expected) == 80
    assert sorted(decided) == sorted(["Hello", *(f"Hello, {n}" for n in range(40))])
    # and is not asked again for each of them
    assert 0 < len(asked) < len(decided)


async def test_a_tool_that_dies_fails_its_step_and_the_fleet_goes_on(
    application: Application,
) -> None:
    write(
        application,
        "w",
        f"{corpus('die', 'say')}"
        '[[steps]]\nid = "a"\nmcp = "corpus"\ntool = "die"\non_error = "continue"\n'
        '[[steps]]\nid = "b"\nmcp = "corpus"\ntool = "say"\nwith = { text = "x" }\n'
        'after = ["a"]\non_error = "continue"\n'
        '[[steps]]\nid = "c"\nprompt = "hello {{ steps.a.text }}"\n',
    )
    service = application.workflow_service()
    workflow = service.named("w")
    service.allow(workflow, service.strangers(workflow))
    result = await ran(application, "w")
    assert [step.status for step in result.steps] == [
        StepStatus.FAILED,
        StepStatus.FAILED,
        StepStatus.OK,
    ]
    assert "the disk is on fire" in (result.steps[0].error or "")
    assert result.status is RunStatus.OK


async def test_a_step_that_is_too_slow_names_the_key_that_gives_it_more_time(
    application: Application,
) -> None:
    write(
        application,
        "w",
        # too little for any: the fastest is used all the same, and cut off
        '[[steps]]\nid = "a"\nprompt = "Write an essay"\nmax_time = 0.001\n',
    )
    result = await ran(application, "w")
    assert result.failed is not None
    error = result.failed.error or ""
    assert "allow more time with max_time" in error
    assert "--max-time" not in error


async def test_a_run_that_is_cancelled_lets_go_of_its_place(application: Application) -> None:
    write(application, "w", '[[steps]]\nid = "a"\nprompt = "Write an essay"\n')
    service, telling = application.workflow_service(), Telling()
    task = asyncio.create_task(service.run(service.wanted(service.named("w"), {}), telling))
    await asyncio.wait_for(telling.at_work.wait(), PATIENCE_S)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(application.tickets.others("")) == []
    (kept,) = service.runs.newest(1)
    assert kept.status is RunStatus.STOPPED
