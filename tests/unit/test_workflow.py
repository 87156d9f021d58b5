"""A workflow's graph: who waits for whom, what may run together, and rings."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workflows import critical_path

from ollamamaster.domain.references import read_template
from ollamamaster.domain.workflow import ModelWork, Step, cycle, longest_chain, waves


def step(step_id: str, *, after: tuple[str, ...] = (), prompt: str = "hi") -> Step:
    return Step(step_id, ModelWork(read_template(prompt)), after)


@st.composite
def graphs(draw: st.DrawFn, *, rings: bool = False) -> list[Step]:
    count = draw(st.integers(1, 8))
    steps = []
    for number in range(count):
        others = [n for n in range(count) if rings or n < number]
        chosen = draw(st.sets(st.sampled_from(others))) if others else set()
        steps.append(step(f"s{number}", after=tuple(f"s{n}" for n in sorted(chosen))))
    return draw(st.permutations(steps))


@given(graphs())
def test_every_step_of_a_graph_without_rings_is_in_one_wave_after_all_it_waits_for(
    steps: list[Step],
) -> None:
    found = waves(steps)
    wave_of = {step_id: number for number, wave in enumerate(found) for step_id in wave}
    assert sorted(wave_of) == sorted(each.id for each in steps)
    for each in steps:
        assert all(wave_of[before] < wave_of[each.id] for before in each.waits_for)


def test_a_long_chain_is_gone_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def waits_for(each: Step) -> frozenset[str]:
        asked.append(each.id)
        return frozenset(each.after)

    monkeypatch.setattr(Step, "waits_for", property(waits_for))
    chain = [step("s0"), *(step(f"s{n}", after=(f"s{n - 1}",)) for n in range(1, 2000))]
    assert waves(chain) == tuple((each.id,) for each in chain)
    assert sorted(asked) == sorted(each.id for each in chain)


@given(graphs(rings=True))
def test_what_is_in_no_wave_has_a_ring_and_the_ring_is_one(steps: list[Step]) -> None:
    placed = {step_id for wave in waves(steps) for step_id in wave}
    ring = cycle(steps)
    assert bool(ring) == (len(placed) < len(steps))
    by_id = {each.id: each for each in steps}
    for one, following in zip(ring, (*ring[1:], *ring[:1]), strict=True):
        assert following in by_id[one].waits_for


@given(graphs(), st.floats(0.1, 10))
def test_the_critical_path_is_between_the_longest_step_and_their_sum(
    steps: list[Step], seconds: float
) -> None:
    took = {each.id: seconds * (1 + len(each.id)) for each in steps}
    path = critical_path(steps, took)
    assert max(took.values()) - 1e-6 <= path <= sum(took.values()) + 1e-6


@given(graphs(), st.lists(st.floats(0.1, 10), min_size=8, max_size=8))
def test_the_longest_chain_is_a_chain_and_none_is_longer(
    steps: list[Step], seconds: list[float]
) -> None:
    took = {each.id: seconds[int(each.id[1:])] for each in steps}
    by_id = {each.id: each for each in steps}
    chain = longest_chain(steps, took)
    for one, following in pairwise(chain):
        assert one in by_id[following].waits_for

    def longest_to(step_id: str) -> float:
        before = (longest_to(each) for each in by_id[step_id].waits_for)
        return took[step_id] + max(before, default=0.0)

    assert sum(took[i] for i in chain) == pytest.approx(max(map(longest_to, by_id)))


def test_a_reference_is_an_order() -> None:
    digest, answer = step("digest"), step("answer", prompt="from {{ steps.digest.text }}")
    assert waves([answer, digest]) == (("digest",), ("answer",))


def test_steps_that_do_not_name_each_other_run_together() -> None:
    assert waves([step("a"), step("b")]) == (("a", "b"),)
