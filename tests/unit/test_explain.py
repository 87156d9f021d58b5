"""The sentence that says why one candidate is before another is true of both."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ollamamaster.cli.render.explain import why
from ollamamaster.domain.candidates import Wish
from ollamamaster.domain.instances import Instance, InstanceAddress, Locality, Status
from ollamamaster.domain.models import GB, Model, ModelName
from ollamamaster.domain.selection import Candidate, Demand, decide
from ollamamaster.domain.settings import Settings
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.domain.task import Question, analyse


def candidate(host: str, quality: float, seconds: float, locality: float = 0.0) -> Candidate:
    model = Model(ModelName("m"), size_bytes=4 * GB)
    place = Instance(
        InstanceAddress(host), locality=Locality.LAN, status=Status.UP, models=(model,)
    )
    made = decide(analyse(Question("hi")), Fleet((place,)), Settings(), Wish(), Demand()).chosen
    assert made is not None
    estimate = replace(made.estimate, p80_s=seconds, load_s=0.0)
    terms = {**made.terms, "quality": quality, "locality": locality}
    return replace(made, prospect=replace(made.prospect, estimate=estimate), terms=terms)


OTHER = candidate("b", 0.70, 10.0, -0.07)


RIVAL = "m:latest on b:11434"


@pytest.mark.parametrize(
    ("quality", "seconds", "locality", "said"),
    [
        (0.71, 5.0, -0.07, f"1 point likelier to be right than {RIVAL}, in 0.50x the time"),
        (0.60, 5.0, -0.07, f"10 points less likely to be right than {RIVAL}, in 0.50x the time"),
        (0.702, 5.0, -0.07, f"as likely to be right as {RIVAL}, in 0.50x the time"),
        (0.70, 20.0, 0.0, f"as likely to be right as {RIVAL}, in 2.0x the time, but nearer"),
        (0.72, 10.0, -0.07, f"2 points likelier to be right than {RIVAL}, in about the same time"),
    ],
)
def test_the_sentence_is_true_of_both(
    quality: float, seconds: float, locality: float, said: str
) -> None:
    assert why(candidate("a", quality, seconds, locality), OTHER, "balanced", 0.03) == said


def test_a_slower_choice_says_what_its_points_may_cost() -> None:
    said = why(candidate("a", 0.80, 20.0, -0.07), OTHER, "balanced", 0.03)
    assert said == (
        f"10 points likelier to be right than {RIVAL} and takes 2.0x the time; "
        "balanced pays up to 3.0 points for that"
    )
