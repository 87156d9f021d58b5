"""Several models answer one prompt, in one process: who runs where, and what comes of it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from fleets import known
from program import PATIENCE_S
from routes import asked, hold

from ollamamaster.domain.answers import Chunk, Usage
from ollamamaster.domain.comparing import CompareRequest, CompareResult, Spread
from ollamamaster.domain.comparison import Method
from ollamamaster.domain.routing import RouteRequest
from ollamamaster.errors import (
    AllFailedError,
    ModelUnknownError,
    NoInstanceError,
    Outcome,
    TimeLimitError,
    UsageError,
)
from ollamamaster.services.compare_listener import UnheardComparison

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence

    from ollamamaster.bootstrap import Application
    from ollamamaster.domain.answers import AnswerRequest
    from ollamamaster.domain.comparing import Answer, Planned
    from ollamamaster.domain.instances import Endpoint
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.services.compare import CompareRun
    from ollamamaster.simulator.sandbox import SimulatedFleet

pytestmark = pytest.mark.anyio

A, B, C = "alpha:1b", "beta:1b", "gamma:1b"
JUDGE, EMBED = "judge:1b", "embed:1b"
FLEET = "".join(
    f"""
[[instances]]
name = "{name}"
bandwidth_gb_s = 60
prefill_tokens_s = 1000
models = [{models}]
"""
    for name, models in (
        ("one", f'"{A}", "{B}", "{JUDGE}"'),
        ("two", f'"{B}", "{EMBED}"'),
        ("three", f'"{C}", "{B}"'),
    )
) + "".join(
    f"""
[[models]]
name = "{name}"
size_gb = 0.8
parameters_b = 1.0
capabilities = ["{can}"]
"""
    for name, can in (
        (A, "completion"),
        (B, "completion"),
        (C, "completion"),
        (JUDGE, "completion"),
        (EMBED, "embedding"),
    )
)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedFleet]:
    path = tmp_path_factory.mktemp("fleet") / "three.toml"
    path.write_text(FLEET, "utf-8")
    with known(path, speed=100.0) as found:
        yield found


@pytest.fixture
def three(fresh: SimulatedFleet) -> SimulatedFleet:
    """Three instances with nothing in memory and no faults."""
    return fresh


@dataclass
class Heard(UnheardComparison):
    """What was told of a comparison."""

    plan: Sequence[Planned] = ()
    answers: dict[int, Answer] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)
    sent: asyncio.Event = field(default_factory=asyncio.Event)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def planned(self, plan: Sequence[Planned]) -> None:
        self.plan = plan

    def started(self, attempt: object, candidate: object) -> None:
        self.sent.set()

    def answered(self, index: int, answer: Answer) -> None:
        self.answers[index] = answer
        self.came.set()

    def judging(self, model: str, number: int) -> Heard:
        self.rounds.append(number)
        return self

    def note(self, text: str) -> None:
        self.notes.append(text)


def run(application: Application, *models: str, prompt: str = "hi", **more: Any) -> CompareRun:
    wishes = {k: more.pop(k) for k in ("max_time_s", "instance") if k in more}
    asked_for = RouteRequest(prompt, options={"num_predict": 8}, **wishes)
    return application.compare_service().begin(CompareRequest(asked_for, models, **more))


async def compared(
    application: Application, *models: str, heard: Heard | None = None, **more: Any
) -> CompareResult:
    """The result, on the fleet as it is now."""
    going = run(application, *models, **more)

    async def find() -> Fleet:
        return await asked(application)

    return await asyncio.wait_for(going.complete(find, heard or Heard()), PATIENCE_S)


class Scripted:
    """Ollama, but what these models say is given. Scores are by a word of the answer."""

    def __init__(self, real: Any, says: dict[str, str], scores: dict[str, int] | None) -> None:
        self._real, self._says, self._scores = real, says, scores
        self.prompts: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def answer(
        self, endpoint: Endpoint, request: AnswerRequest
    ) -> AsyncGenerator[Chunk, None]:
        if request.model == JUDGE:
            self.prompts.append(request.prompt)
            text = self._judged(request.prompt)
        else:
            text = self._says[request.model]
        yield Chunk(text=text)
        yield Chunk(done=True, done_reason="stop", usage=Usage(10, 5, 0.2, 0.0, 0.1, 0.1))

    def _judged(self, prompt: str) -> str:
        shown = {
            letter: prompt.partition(f"<answer {letter}>\n")[2].partition("\n</answer")[0]
            for letter in "ABC"
            if f"<answer {letter}>" in prompt
        }
        if self._scores is None:
            # the first it reads is the best, whatever it is
            return json.dumps({"scores": {x: 9 - n for n, x in enumerate(shown)}})
        return json.dumps({"scores": {x: self._scores[text] for x, text in shown.items()}})


def scripted(application: Application, scores: dict[str, int] | None = None) -> Scripted:
    """From now on each model says what SAYS has for it."""
    made = Scripted(application.ollama, {f"{name}:1b": text for name, text in SAYS.items()}, scores)
    application.__dict__["ollama"] = made
    return made


SAYS = {"alpha": "It is 42.", "beta": "42", "gamma": "41"}


# ---- who and where


async def test_three_models_run_on_three_machines(application: Application) -> None:
    result = await compared(application, A, B, C)
    assert result.complete
    assert [answer.model for answer in result.answers] == [A, B, C]
    assert len({answer.instance for answer in result.answers}) == 3


async def test_the_plan_comes_true_on_idle_machines(application: Application) -> None:
    heard = Heard()
    result = await compared(application, A, B, C, heard=heard)
    planned = {each.index: each.instance for each in heard.plan}
    assert planned == {i: answer.instance for i, answer in enumerate(result.answers)}
    assert result.plan == tuple(heard.plan)


async def test_two_models_of_one_machine_take_turns_and_it_is_said_so(
    application: Application, three: SimulatedFleet
) -> None:
    heard = Heard()
    result = await compared(application, A, JUDGE, heard=heard)
    assert {answer.instance for answer in result.answers} == {three["one"].id}
    behind = [each for each in heard.plan if each.behind]
    assert [each.behind for each in behind] == [(heard.plan[0].index,)]
    waited = result.answers[behind[0].index].route
    assert waited is not None
    assert (waited.timing.queue_s or 0) > 0


async def test_one_model_named_twice_answers_twice(application: Application) -> None:
    result = await compared(application, B, B)
    assert [answer.model for answer in result.answers] == [B, B]
    assert result.complete


async def test_a_race_runs_on_every_instance_that_has_the_model(
    application: Application, three: SimulatedFleet
) -> None:
    result = await compared(application, B, spread=Spread.INSTANCES)
    assert {answer.instance for answer in result.answers} == {i.id for i in three}
    assert result.fastest is not None


async def test_a_race_of_several_models_is_refused(application: Application) -> None:
    with pytest.raises(UsageError):
        await compared(application, A, B, spread=Spread.INSTANCES)


async def test_nobody_named_means_two_at_least(application: Application) -> None:
    result = await compared(application)
    assert len({answer.model for answer in result.answers}) == 2


async def test_each_route_is_remembered(application: Application) -> None:
    await compared(application, A, B, C)
    kept = [record.used.model for record in application.remembered.newest(9) if record.used]
    assert sorted(kept) == [A, B, C]


# ---- failures


async def test_a_model_that_fails_does_not_stop_the_others(
    application: Application, three: SimulatedFleet
) -> None:
    three["three"].fault("error_500", count=None)
    result = await compared(application, A, C)
    assert [answer.outcome for answer in result.answers] == ["ok", str(Outcome.HTTP_ERROR)]
    assert result.answers[1].error is not None
    assert not result.complete
    assert result.agreement.groups == ((0,),)


async def test_a_name_that_nobody_has_is_a_result(application: Application) -> None:
    result = await compared(application, "nobody:1b", A)
    missing, answer = result.answers
    assert (missing.outcome, missing.instance, missing.text) == ("model_missing", None, None)
    assert answer.ok


async def test_only_unknown_names_are_an_error(application: Application) -> None:
    with pytest.raises(ModelUnknownError) as caught:
        await compared(application, "nobody:1b", "noone:1b")
    assert caught.value.exit_code == 4


async def test_when_all_fail_all_are_named(application: Application, three: SimulatedFleet) -> None:
    for instance in three:
        instance.fault("error_500", count=None)
    with pytest.raises(AllFailedError) as caught:
        await compared(application, A, C)
    assert A in (caught.value.hint or "")
    assert C in (caught.value.hint or "")


async def test_a_model_that_cannot_do_it_says_why_while_the_others_answer(
    application: Application,
) -> None:
    result = await compared(application, EMBED, A)
    unable, answer = result.answers
    assert (unable.outcome, answer.outcome) == ("no_candidate", "ok")
    assert unable.error is not None
    assert unable.error.message == "the model cannot do this: writes no text"


async def test_when_no_instance_is_there_that_is_said(
    application: Application, three: SimulatedFleet
) -> None:
    fleet = await asked(application)
    for instance in three:
        instance.stop()

    async def find() -> Fleet:
        return fleet

    with pytest.raises(NoInstanceError):
        await run(application, A, C).complete(find, Heard())


async def test_the_deadline_is_for_all_of_it_and_what_came_is_kept(
    application: Application, three: SimulatedFleet
) -> None:
    three["three"].fault("hang_generate", count=None)
    result = await compared(application, A, C, max_time_s=3.0)
    assert [answer.outcome for answer in result.answers] == ["ok", "time_limit"]
    for instance in three:
        instance.fault("hang_generate", count=None)
    with pytest.raises(TimeLimitError):
        await compared(application, A, C, max_time_s=0.5)


async def test_nothing_runs_and_no_place_is_held_after_it_was_cancelled(
    application: Application, three: SimulatedFleet
) -> None:
    for instance in three:
        instance.fault("hang_generate", count=None)
    fleet, heard = await asked(application), Heard()

    async def find() -> Fleet:
        return fleet

    going = run(application, A, JUDGE, C)
    task = asyncio.ensure_future(going.complete(find, heard))
    await asyncio.wait_for(heard.sent.wait(), PATIENCE_S)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert application.tickets.others("") == []
    assert {answer.outcome for answer in going.so_far().answers} == {"cancelled"}


async def test_a_model_waits_for_its_machine_while_the_others_answer(
    application: Application, three: SimulatedFleet
) -> None:
    holder = hold(application, three["three"].id, work_s=30.0, model=C)
    fleet, heard = await asked(application), Heard()

    async def find() -> Fleet:
        return fleet

    task = asyncio.ensure_future(run(application, A, C).complete(find, heard))
    await asyncio.wait_for(heard.came.wait(), PATIENCE_S)
    assert 1 not in heard.answers
    application.tickets.leave(holder)
    assert (await asyncio.wait_for(task, PATIENCE_S)).complete


# ---- side by side


async def test_answers_that_come_to_the_same_number_agree(application: Application) -> None:
    scripted(application)
    result = await compared(application, A, B, C, vote=True)
    assert result.agreement.groups == ((0, 1), (2,))
    assert result.agreement.method is Method.EXACT
    assert result.vote in {0, 1}


async def test_prose_is_compared_by_its_meaning_where_the_fleet_embeds(
    application: Application,
) -> None:
    result = await compared(application, A, C)
    assert result.agreement.method is Method.EMBEDDING


async def test_prose_is_compared_by_its_words_where_embedding_fails(
    application: Application, three: SimulatedFleet
) -> None:
    three["two"].fault("error_500", count=None, path="/api/embed*")
    result = await compared(application, A, C)
    assert result.agreement.method is Method.OVERLAP


# ---- the judge


async def test_the_judge_reads_twice_in_both_orders_without_names(
    application: Application,
) -> None:
    ollama = scripted(application, {"It is 42.": 9, "42": 7, "41": 1})
    heard = Heard()
    result = await compared(application, A, B, C, judge=JUDGE, heard=heard)
    judgement = result.judgement
    assert judgement is not None
    first, second = judgement.rounds
    assert first.order == tuple(reversed(second.order))
    assert sorted(heard.rounds) == [1, 2]
    assert not any(name in prompt for prompt in ollama.prompts for name in SAYS)
    assert judgement.scores == (9.0, 7.0, 1.0)
    assert (judgement.winner, judgement.order_dependent) == (0, False)


async def test_a_verdict_that_the_order_turns_is_told_and_not_learnt_from(
    application: Application,
) -> None:
    scripted(application)
    result = await compared(application, A, C, judge=JUDGE)
    assert result.judgement is not None
    assert result.judgement.order_dependent
    assert application.past.profiles().judged("chat", A) is None


async def test_what_the_judge_decides_moves_the_next_decision(application: Application) -> None:
    scripted(application, {"It is 42.": 9, "42": 7, "41": 1})
    service, notes = application.route_service(), Heard()
    question = RouteRequest("hi", model=C)
    before = await service.explain(question, await asked(application), notes.note)
    await compared(application, A, C, judge=JUDGE)
    after = await service.explain(question, await asked(application), notes.note)
    assert before.chosen is not None
    assert after.chosen is not None
    assert after.chosen.terms["quality"] < before.chosen.terms["quality"]
    assert after.chosen.moved is not None


async def test_a_judge_that_nobody_has_leaves_the_answers_as_they_are(
    application: Application,
) -> None:
    result = await compared(application, A, C, judge="nobody:1b")
    assert all(answer.ok for answer in result.answers)
    assert result.judgement is None
    assert isinstance(result.judge_error, ModelUnknownError)
    assert not result.complete


async def test_a_judge_that_fails_leaves_the_answers_as_they_are(
    application: Application, three: SimulatedFleet
) -> None:
    three["one"].fault("error_500", count=None)
    result = await compared(application, B, C, judge=JUDGE)
    assert all(answer.ok for answer in result.answers)
    assert result.judgement is not None
    assert not result.judgement.told
    assert result.judge_error is not None


async def test_one_answer_is_not_judged(application: Application) -> None:
    heard = Heard()
    result = await compared(application, A, judge=JUDGE, heard=heard)
    assert result.judgement is None
    assert any("nothing to judge" in note for note in heard.notes)
