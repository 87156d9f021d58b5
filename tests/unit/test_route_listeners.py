"""What a person is told while waiting for the first token."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ollamamaster.cli.output import OUTPUT
from ollamamaster.cli.route_listeners import NdjsonListener, expectation, ordinal, turn
from ollamamaster.cli.route_progress import Progress
from ollamamaster.domain.candidates import Wish
from ollamamaster.domain.instances import Instance, InstanceAddress, Locality, Status
from ollamamaster.domain.models import GB, Model, ModelName
from ollamamaster.domain.selection import Candidate, Demand, decide
from ollamamaster.domain.settings import Settings
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.domain.task import Question, analyse


@pytest.fixture
def candidate() -> Candidate:
    model = Model(ModelName("m"), size_bytes=6 * GB, capabilities=frozenset({"completion"}))
    place = Instance(
        InstanceAddress("gpu"), locality=Locality.LAN, status=Status.UP, models=(model,)
    )
    task = analyse(Question("hello"))
    chosen = decide(task, Fleet((place,)), Settings(), Wish(), Demand()).chosen
    assert chosen is not None
    estimate = chosen.estimate._replace(load_s=6.0, p50_s=26.0)
    return chosen._replace(prospect=chosen.prospect._replace(estimate=estimate))


@pytest.mark.parametrize(
    ("elapsed_s", "said"),
    [
        (0.0, "m:latest on gpu:11434 · loading, about 6.0 s · then about 20 s"),
        (4.0, "m:latest on gpu:11434 · loading, about 2.0 s · then about 20 s"),
        (10.0, "m:latest on gpu:11434 · about 16 s"),
        (30.0, "m:latest on gpu:11434 · 30 s, longer than expected"),
    ],
)
def test_the_time_that_is_left_is_counted_down(
    candidate: Candidate, elapsed_s: float, said: str
) -> None:
    assert expectation(candidate, elapsed_s) == said


@pytest.mark.parametrize(
    ("position", "wait_s", "said"),
    [
        (2, 12.0, "2nd in line on gaming-pc, starts in about 12 s"),
        (1, 0.4, "1st in line on gaming-pc, starts in about 0.4 s"),
        (1, -3.0, "1st in line on gaming-pc, starts any moment"),
    ],
)
def test_who_waits_is_told_the_place_and_the_time(position: int, wait_s: float, said: str) -> None:
    assert turn("gaming-pc", position, wait_s) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (13, "13th"),
     (21, "21st"), (102, "102nd"), (111, "111th")],
)  # fmt: skip
def test_places_are_said_as_a_person_says_them(number: int, said: str) -> None:
    assert ordinal(number) == said


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_progress_says_tokens_their_rate_and_what_is_left(candidate: Candidate) -> None:
    watch = Watch()
    progress = Progress(candidate, watch)
    watch.now += 2.0
    for _ in range(21):
        progress.came(thinks=False)
        watch.now += 0.1
    tokens, rate, left = progress.figures().split(" · ")
    # 20 tokens after the first one took 2.1 s
    assert (tokens, rate) == ("21 tokens", "9.5 tok/s")
    assert left.startswith("about ")
    assert left.endswith(" left")
    assert progress.with_place().startswith("m:latest on gpu:11434 · 21 tokens")


def test_the_first_token_has_no_rate(candidate: Candidate) -> None:
    progress = Progress(candidate, Watch())
    assert progress.came(thinks=False)
    assert not progress.came(thinks=False)
    assert progress.figures().startswith("2 tokens")


def test_thoughts_are_said_to_be_thoughts(candidate: Candidate) -> None:
    progress = Progress(candidate, Watch())
    assert progress.came(thinks=True)
    assert progress.figures().startswith("thinking · 1 token ·")
    assert progress.came(thinks=False)
    assert progress.figures().startswith("2 tokens")


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def telling(monkeypatch: pytest.MonkeyPatch) -> NdjsonListener:
    monkeypatch.setattr(OUTPUT, "json", True)
    return NdjsonListener()


def test_waiting_is_a_line_of_json(
    telling: NdjsonListener, candidate: Candidate, capsys: pytest.CaptureFixture[str]
) -> None:
    task = analyse(Question("hello"))
    labelled = replace(
        candidate.pair.instance,
        settings=replace(candidate.pair.instance.settings, label="gaming-pc"),
    )
    pair = candidate.pair._replace(instance=labelled)
    known = candidate._replace(prospect=candidate.prospect._replace(pair=pair))
    decision = replace(decide(task, Fleet(), Settings(), Wish(), Demand()), ranked=(known,))
    telling.decided(decision)
    telling.waiting("gaming-pc", 2, 12.0)
    assert lines_of(capsys) == [
        {"type": "waiting", "instance": "gpu:11434", "position": 2, "starts_in_s": 12.0}
    ]


def test_waiting_is_told_again_only_when_it_is_news(
    telling: NdjsonListener,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watch = Watch()
    monkeypatch.setattr("time.monotonic", watch)
    for wait_s in (12.0, 11.0, 10.0, 20.0):
        telling.waiting("a", 2, wait_s)
        watch.now += 1.0
    telling.waiting("a", 1, 19.0)
    told = [(line["position"], line["starts_in_s"]) for line in lines_of(capsys)]
    assert told == [(2, 12.0), (2, 20.0), (1, 19.0)]
