"""In which order steps run, what is skipped, what a failure stops, and what is kept."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from program import PATIENCE_S
from workflows import Quiet, critical_path

from ollamamaster.bootstrap import SystemClock
from ollamamaster.domain.forecast import Place, forecast
from ollamamaster.domain.references import Given, MissingDataError, Scope, read_template
from ollamamaster.domain.workflow import ModelWork, OnError, Step, Workflow
from ollamamaster.domain.workflow_run import RunResult, RunStatus, StepResult, StepStatus
from ollamamaster.errors import FailedError
from ollamamaster.services.workflow_run import WorkflowRun

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ollamamaster.ports import RunStore
    from ollamamaster.services.workflow_steps import StepRunner

OK, FAILED, SKIPPED, CANCELLED = StepStatus


def step(step_id: str, *after: str, prompt: str = "hi", **more: Any) -> Step:
    return Step(step_id, ModelWork(read_template(prompt)), after, **more)


def workflow(*steps: Step, output: str | None = None) -> Workflow:
    template = None if output is None else read_template(output)
    return Workflow("w", "", (), steps, output=template)


@dataclass
class Recorder:
    """A store that remembers in which order it was told, and a runner that does as told."""

    fails: frozenset[str] = frozenset()
    gives: Mapping[str, Given] = field(default_factory=dict)
    events: list[tuple[str, str]] = field(default_factory=list)
    ended: list[tuple[RunStatus, str | None]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    hangs: frozenset[str] = frozenset()
    hung: asyncio.Event = field(default_factory=asyncio.Event)
    # How many of the steps that wait for no other meet before any goes on.
    meeting: asyncio.Barrier = field(default_factory=lambda: asyncio.Barrier(1))

    async def do(self, step: Step, scope: Scope) -> Given:
        self.events.append(("begins", step.id))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if step.id in self.hangs:
                self.hung.set()
                await anyio.sleep_forever()
            if not step.waits_for:
                await asyncio.wait_for(self.meeting.wait(), PATIENCE_S)
            assert isinstance(step.work, ModelWork)
            text = step.work.prompt.text(scope)
        finally:
            self.at_once -= 1
        if step.id in self.fails:
            raise FailedError("broken", hint="mend it")
        return self.gives.get(step.id, Given(f"{step.id}: {text}", None, "m", "i"))

    def step(self, run_id: str, result: StepResult) -> None:
        self.events.append((str(result.status), result.id))

    def end(self, run_id: str, status: RunStatus, seconds: float, output: str | None) -> None:
        self.ended.append((status, output))


def run_of(
    flow: Workflow, recorder: Recorder, done: Sequence[StepResult] = (), **inputs: Any
) -> WorkflowRun:
    return WorkflowRun(
        "id",
        flow,
        inputs,
        cast("StepRunner", recorder),
        cast("RunStore", recorder),
        Quiet(),
        SystemClock(),
        {each.id: each for each in done},
    )


def completed(
    flow: Workflow, recorder: Recorder, done: Sequence[StepResult] = (), **inputs: Any
) -> RunResult:
    return asyncio.run(run_of(flow, recorder, done, **inputs).complete())


def statuses(result: RunResult) -> dict[str, StepStatus]:
    return {each.id: each.status for each in result.steps}


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Step], frozenset[str]]:
    steps: list[Step] = []
    for number in range(draw(st.integers(1, 8))):
        before = draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        policy = draw(st.sampled_from(OnError))
        steps.append(step(f"s{number}", *(f"s{n}" for n in sorted(before)), on_error=policy))
    fails = draw(st.sets(st.sampled_from([each.id for each in steps]), max_size=3))
    return draw(st.permutations(steps)), frozenset(fails)


@given(graphs())
def test_each_step_begins_once_and_after_all_it_waits_for(
    graph: tuple[list[Step], frozenset[str]],
) -> None:
    steps, fails = graph
    recorder = Recorder(fails)
    result = completed(workflow(*steps), recorder)
    begun = [i for what, i in recorder.events if what == "begins"]
    assert len(begun) == len(set(begun))
    for each in steps:
        if each.id not in begun:
            assert statuses(result)[each.id] is CANCELLED
            continue
        at = recorder.events.index(("begins", each.id))
        over = {i for what, i in recorder.events[:at] if what != "begins"}
        assert each.waits_for <= over


@given(graphs())
def test_a_run_fails_exactly_when_a_step_that_may_not_fail_did(
    graph: tuple[list[Step], frozenset[str]],
) -> None:
    steps, fails = graph
    flow = workflow(*steps)
    result = completed(flow, Recorder(fails))
    grave = [i for i, s in statuses(result).items() if s is FAILED and _ends(flow, i)]
    assert (result.status is RunStatus.FAILED) == bool(grave)
    assert (CANCELLED in statuses(result).values()) <= bool(grave)
    assert {each.id for each in result.steps} == {each.id for each in steps}


def _ends(flow: Workflow, step_id: str) -> bool:
    return flow.step(step_id).on_error is OnError.FAIL


@given(graphs())
def test_going_on_runs_nothing_that_is_finished_and_all_that_is_not(
    graph: tuple[list[Step], frozenset[str]],
) -> None:
    steps, fails = graph
    flow = workflow(*steps)
    first = completed(flow, Recorder(fails))
    kept = [each for each in first.steps if each.finished]
    again = Recorder()
    second = completed(flow, again, kept)
    begun = {i for what, i in again.events if what == "begins"}
    assert begun == {each.id for each in first.steps if not each.finished}
    assert second.status is RunStatus.OK


def test_steps_that_are_ready_run_at_the_same_time() -> None:
    recorder = Recorder(meeting=asyncio.Barrier(3))
    completed(workflow(step("a"), step("b"), step("c"), step("d", "a", "b", "c")), recorder)
    assert recorder.most_at_once == 3


def test_a_step_that_fails_lets_those_that_run_finish_and_cancels_the_rest() -> None:
    flow = workflow(step("a"), step("b"), step("c", "a"), step("d", "b"))
    result = completed(flow, Recorder(frozenset({"a"}), meeting=asyncio.Barrier(2)))
    assert statuses(result) == {"a": FAILED, "b": OK, "c": CANCELLED, "d": CANCELLED}
    assert result.failed is not None
    assert result.failed.error == "broken; mend it"
    assert result.output is None


def test_the_step_that_failed_the_run_is_named_and_not_one_that_was_to_go_on() -> None:
    flow = workflow(step("a", on_error=OnError.CONTINUE), step("b", "a"), step("c", "b"))
    result = completed(flow, Recorder(frozenset({"a", "b"})))
    assert statuses(result) == {"a": FAILED, "b": FAILED, "c": CANCELLED}
    assert result.failed is not None
    assert result.failed.id == "b"


def test_a_step_that_may_fail_gives_nothing_and_the_others_go_on() -> None:
    flow = workflow(step("a", on_error=OnError.CONTINUE), step("b", prompt="[{{ steps.a.text }}]"))
    result = completed(flow, Recorder(frozenset({"a"})))
    assert statuses(result) == {"a": FAILED, "b": OK}
    assert result.output == "b: []"


@pytest.mark.parametrize("value", [False, None, 0, "", "  ", "false", "False", [], {}, 0.0])
def test_a_step_is_skipped_when_its_condition_is_empty(value: Any) -> None:
    flow = workflow(
        step("a"),
        step("b", when=read_template("{{ steps.a.data.x }}")),
        step("c", prompt="[{{ steps.b.text }}{{ steps.b.data }}]"),
    )
    result = completed(flow, Recorder(gives={"a": Given("", {"x": value})}))
    assert statuses(result) == {"a": OK, "b": SKIPPED, "c": OK}
    assert result.output == "c: [null]"


@pytest.mark.parametrize("value", [True, 1, "no", [0], {"a": None}])
def test_a_step_runs_when_its_condition_is_anything_else(value: Any) -> None:
    flow = workflow(step("a"), step("b", when=read_template("{{ steps.a.data.x }}")))
    assert statuses(completed(flow, Recorder(gives={"a": Given("", {"x": value})})))["b"] is OK


def test_a_missing_path_skips_by_when_and_fails_elsewhere() -> None:
    flow = workflow(
        step("a"),
        step("b", when=read_template("{{ steps.a.data.no }}")),
        step("c", prompt="{{ steps.a.data.no }}"),
    )
    result = completed(flow, Recorder(gives={"a": Given("", {"x": 1})}))
    assert statuses(result) == {"a": OK, "b": SKIPPED, "c": FAILED}


def test_an_answer_that_looks_like_a_reference_stays_what_it_is() -> None:
    flow = workflow(step("a"), step("b", prompt="{{ steps.a.text }}"))
    said = "{{ inputs.secret }} {{ steps.a.model }}"
    result = completed(flow, Recorder(gives={"a": Given(said)}), secret="s3cret")
    assert result.output == f"b: {said}"


def test_a_missing_path_in_the_output_fails_the_run_and_keeps_the_steps() -> None:
    flow = workflow(step("a"), output="{{ steps.a.data.no }}")
    result = completed(flow, Recorder())
    assert result.status is RunStatus.FAILED
    assert statuses(result) == {"a": OK}
    assert isinstance(result.errors["output"], MissingDataError)


def test_a_run_that_is_cancelled_is_stopped_and_keeps_what_is_finished() -> None:
    recorder = Recorder(hangs=frozenset({"b"}))
    flow = workflow(step("a"), step("b", "a"), step("c", "b"))

    async def main() -> None:
        task = asyncio.create_task(run_of(flow, recorder).complete())
        await asyncio.wait_for(recorder.hung.wait(), PATIENCE_S)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert recorder.ended == [(RunStatus.STOPPED, None)]
    assert [e for e in recorder.events if e[0] != "begins"] == [("ok", "a")]
    assert recorder.at_once == 0


# ---- what is expected


@given(graphs(), st.lists(st.floats(0.1, 9), min_size=8, max_size=8), st.integers(1, 3))
def test_a_forecast_lies_between_the_critical_path_and_one_after_the_other(
    graph: tuple[list[Step], frozenset[str]], seconds: list[float], machines: int
) -> None:
    steps, _ = graph
    took = {each.id: seconds[int(each.id[1:])] for each in steps}
    work = {i: (tuple(Place("m", f"i{n}", s) for n in range(machines)),) for i, s in took.items()}
    found = forecast(steps, work)
    ends = max(each.ends_s for each in found.values())
    assert critical_path(steps, took) - 1e-6 <= ends <= sum(took.values()) + 1e-6
    for each in steps:
        before = max((found[b].ends_s for b in each.waits_for), default=0.0)
        assert found[each.id].begins_s >= before - 1e-6


@given(graphs(), st.lists(st.floats(0.1, 9), min_size=8, max_size=8))
def test_with_a_machine_for_each_step_the_forecast_is_the_critical_path(
    graph: tuple[list[Step], frozenset[str]], seconds: list[float]
) -> None:
    steps, _ = graph
    took = {each.id: seconds[int(each.id[1:])] for each in steps}
    work = {i: ((Place("m", i, s),),) for i, s in took.items()}
    ends = max(each.ends_s for each in forecast(steps, work).values())
    assert ends == pytest.approx(critical_path(steps, took))


def test_a_model_is_loaded_once() -> None:
    steps = [step("a"), step("b", "a")]
    place = Place("m", "i", 5.0, load_s=3.0)
    found = forecast(steps, {"a": ((place,),), "b": ((place,),)})
    assert found["b"].ends_s == pytest.approx(7.0)
    cold = forecast(steps, {"a": ((place,),), "b": ((replace(place, model="n"),),)})
    assert cold["b"].ends_s == pytest.approx(10.0)


def test_a_tool_needs_no_machine() -> None:
    steps = [step("a"), step("b")]
    found = forecast(steps, {"a": 2.0, "b": ((Place("m", "i", 3.0),),)})
    assert max(each.ends_s for each in found.values()) == 3.0
