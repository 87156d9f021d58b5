"""A decision is drawn truly: why one candidate is before another, and how sure each figure is."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from ollamamaster.cli.render.explain import render_decision, why
from ollamamaster.domain.candidates import Reason, Rejection, Wish
from ollamamaster.domain.instances import Instance, InstanceAddress, Locality, Status
from ollamamaster.domain.models import GB, Model, ModelName
from ollamamaster.domain.rates import Rate, Rates, Source
from ollamamaster.domain.selection import Candidate, Decision, Demand, decide
from ollamamaster.domain.settings import Settings
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.domain.task import Question, analyse

if TYPE_CHECKING:
    from collections.abc import Mapping


def candidate(host: str, quality: float, seconds: float, locality: float = 0.0) -> Candidate:
    model = Model(ModelName("m"), size_bytes=4 * GB)
    place = Instance(
        InstanceAddress(host), locality=Locality.LAN, status=Status.UP, models=(model,)
    )
    made = decide(analyse(Question("hi")), Fleet((place,)), Settings(), Wish(), Demand()).chosen
    assert made is not None
    estimate = made.estimate._replace(p80_s=seconds, load_s=0.0)
    terms = {**made.terms, "quality": quality, "locality": locality}
    return made._replace(prospect=made.prospect._replace(estimate=estimate), terms=terms)


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


def drawn(decision: Decision, width: int = 120, names: Mapping[str, str] | None = None) -> str:
    out = io.StringIO()
    render_decision(Console(file=out, width=width, markup=False), decision, 0.03, names or {})
    return out.getvalue()


def decided(*candidates: Candidate, late: bool = False, **known: object) -> Decision:
    demand = Demand(max_time_s=10.0 if late else None)
    decision = Decision(analyse(Question("hi")), demand, candidates, (), late=late)
    return replace(decision, **known)  # type: ignore[arg-type]


def known_by(source: Source, judged: Source | None = None) -> Candidate:
    made = candidate("a", 0.8, 5.0)
    rates = Rates(*(Rate(50.0, 1.5, source, 3) for _ in range(3)))
    return made._replace(prospect=made.prospect._replace(rates=rates), judged=judged)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    names = ("gemma3:27b-instruct-with-a-long-tag", "llama3.1:8b")
    has = tuple(Model(ModelName.parse(name), size_bytes=9 * GB) for name in names)
    fleet = Fleet(
        tuple(
            Instance(InstanceAddress(f"machine-{n}.lab.example"), status=status, models=has)
            for n, status in enumerate((Status.UP, Status.UP, Status.DOWN, Status.DOWN))
        )
    )
    decision = decide(analyse(Question("Prove it")), fleet, Settings(), Wish(), Demand())
    assert max(len(line.rstrip()) for line in drawn(decision, width).splitlines()) <= width


def test_the_parts_of_the_time_are_shown_where_there_is_room() -> None:
    assert "reading" in drawn(decided(OTHER), 120)
    assert "reading" not in drawn(decided(OTHER), 80)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (Source.DERIVED, "~ derived from what is known of its like"),
        (Source.CONFIGURED, "= as your config says"),
        (Source.PRIOR, "? expected from size and hardware, not measured yet"),
    ],
)
def test_a_figure_that_was_not_measured_says_so(source: Source, said: str) -> None:
    assert said in drawn(decided(known_by(source)))
    assert said in drawn(decided(known_by(Source.MEASURED, judged=source)))


def test_what_was_measured_needs_no_mark() -> None:
    text = drawn(decided(known_by(Source.MEASURED, Source.MEASURED)))
    assert not any(mark in text for mark in "~=?")


def test_a_part_that_takes_hardly_any_time_makes_nothing_uncertain() -> None:
    made = known_by(Source.MEASURED)
    rates = made.prospect.rates._replace(prefill=Rate(50.0, 2.5, Source.PRIOR))
    estimate = made.estimate._replace(prompt_s=0.001, p50_s=5.0)
    quick = made._replace(prospect=made.prospect._replace(rates=rates, estimate=estimate))
    assert "?" not in drawn(decided(quick))


def test_a_machine_that_would_do_as_well_is_named_and_the_next_is_compared() -> None:
    twins = candidate("a", 0.8, 5.0), candidate("b", 0.8, 5.0)
    assert f"{RIVAL} would do as well" in drawn(decided(*twins))
    slower = candidate("c", 0.8, 10.0)
    text = drawn(decided(*twins, slower))
    assert "m:latest on a:11434 (or b:11434): as likely to be right as m:latest on c:11434" in text


def test_one_that_is_late_says_that_nothing_fits() -> None:
    late = decided(candidate("a", 0.8, 50.0), late=True)
    assert "nothing is likely to be done within 10 s, and it is the fastest" in drawn(late)


def test_instances_that_reject_a_model_for_one_reason_stand_together() -> None:
    rejected = tuple(
        Rejection("m:latest", f"{host}:11434", Reason.CAPABILITY_MISSING, "cannot see images")
        for host in "abc"
    )
    text = drawn(decided(rejected=rejected))
    assert "m:latest  3 instances  cannot see images" in text
    few = drawn(decided(rejected=rejected[:2]), names={"a:11434": "attic"})
    assert "m:latest  attic, b:11434  cannot see images" in few


def test_each_rejection_of_many_is_counted() -> None:
    rejected = tuple(
        Rejection(f"m{n}:latest", "a:11434", Reason.TOO_LARGE, f"{n} GB") for n in range(30)
    )
    text = drawn(decided(rejected=rejected))
    assert "18 more" in text
    assert "too large for the memory" in text


@pytest.mark.parametrize(
    ("quantiles", "said"),
    [
        ((3.0, 4.25, 8.0), "4.2 s (3.0-8.0)"),
        ((9.0, 13.2, 19.4), "13 s (9.0-19)"),
        ((120.0, 300.0, 900.0), "5 min (2.0-15)"),
    ],
)
def test_a_range_has_the_unit_of_its_middle(
    quantiles: tuple[float, float, float], said: str
) -> None:
    p20, p50, p80 = quantiles
    made = candidate("a", 0.8, p80)
    estimate = made.estimate._replace(p20_s=p20, p50_s=p50, p80_s=p80)
    shown = made._replace(prospect=made.prospect._replace(estimate=estimate))
    assert said in drawn(decided(shown))


def test_an_explanation_says_that_nothing_was_sent_unless_it_was() -> None:
    assert "nothing was sent" in drawn(decided(OTHER))
    out = io.StringIO()
    render_decision(Console(file=out, width=80), decided(OTHER), 0.03, {}, sent=True)
    assert "nothing was sent" not in out.getvalue()
