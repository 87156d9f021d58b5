"""What a person is told while waiting for the first token."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ollamamaster.cli.route_listeners import expectation
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
    estimate = replace(chosen.estimate, load_s=6.0, p50_s=26.0)
    return replace(chosen, prospect=replace(chosen.prospect, estimate=estimate))


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
