"""Who is compared when nobody was named, and in which order they get in line."""

from __future__ import annotations

from past import NOW

from ollamamaster.domain.candidates import Wish
from ollamamaster.domain.comparing import Spread
from ollamamaster.domain.instances import Instance, InstanceAddress, Status
from ollamamaster.domain.lineup import entrants, in_best_order, seconds_of
from ollamamaster.domain.machines import machines
from ollamamaster.domain.models import GB, Model, ModelName, Tier
from ollamamaster.domain.profiles import Profiles
from ollamamaster.domain.selection import Decision, Demand, decide
from ollamamaster.domain.settings import ModelSettings, Settings
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.domain.task import Question, analyse
from ollamamaster.domain.tickets import Option, Priority

SIZES = {"tiny:1b": 1, "small:3b": 2, "mid:8b": 5, "large:30b": 18}


def place(name: str, *models: str) -> Instance:
    has = tuple(
        Model(
            ModelName.parse(model),
            size_bytes=SIZES[model] * GB,
            parameter_size=f"{model.partition(':')[2].upper()}",
        )
        for model in models
    )
    return Instance(InstanceAddress.from_id(name), status=Status.UP, models=has)


def decided(*instances: Instance, settings: Settings | None = None) -> Decision:
    task = analyse(Question("What is the capital of France?"))
    return decide(task, Fleet(instances), settings or Settings(), Wish(), Demand())


def names(decision: Decision, spread: Spread, settings: Settings | None = None) -> list[str]:
    return [e.model for e in entrants(decision, spread, settings or Settings())]


def test_there_is_one_of_each_tier_the_small_one_first() -> None:
    found = names(decided(place("a:1", *SIZES)), Spread.TIERS)
    assert found[0] in {"tiny:1b", "small:3b"}
    assert found[1:] == ["mid:8b", "large:30b"]


def test_two_are_compared_where_there_is_only_one_tier() -> None:
    decision = decided(place("a:1", "tiny:1b", "small:3b"))
    assert len(names(decision, Spread.GOOD)) == 2
    assert len(names(decision, Spread.TIERS)) == 1


def test_the_tier_that_the_person_gave_counts() -> None:
    settings = Settings(models={"small:3b": ModelSettings(tier=Tier.POWERFUL)})
    decision = decided(place("a:1", "tiny:1b", "small:3b"), settings=settings)
    assert names(decision, Spread.TIERS, settings) == ["tiny:1b", "small:3b"]


def test_a_race_is_between_the_places_of_one_model() -> None:
    decision = decided(place("a:1", "small:3b", "mid:8b"), place("b:1", "small:3b"))
    found = entrants(decision, Spread.INSTANCES, Settings())
    assert [(e.model, e.instance) for e in found] == [("small:3b", "a:1"), ("small:3b", "b:1")]


def option(model: str, instance: str, *, work_s: float, load_s: float = 0.0) -> Option:
    return Option(model, instance, fixed=1.0, work_s=work_s, load_s=load_s, bytes=GB)


def planned(*wanted: tuple[Option, ...]) -> list[tuple[int, str, float]]:
    fleet = Fleet((place("a:1"), place("b:1")))
    there = machines(fleet, Profiles(), {})
    found = in_best_order(list(wanted), (), there, 0.03, Priority.NORMAL, NOW)
    return [(i, c.option.instance, seconds_of(c)) for i, c in found if c.option is not None]


def test_each_has_a_machine_of_its_own_where_there_are_enough() -> None:
    both = (option("m:1b", "a:1", work_s=5), option("m:1b", "b:1", work_s=5))
    assert {where for _, where, _ in planned(both, both)} == {"a:1", "b:1"}


def test_two_that_share_a_machine_take_turns() -> None:
    first, second = planned((option("x:1b", "a:1", work_s=4),), (option("y:1b", "a:1", work_s=4),))
    assert first[2] < second[2]


def test_the_short_one_goes_first_where_nobody_else_is_held_up_by_it() -> None:
    order = planned((option("x:1b", "a:1", work_s=9),), (option("y:1b", "a:1", work_s=1),))
    assert [index for index, _, _ in order] == [1, 0]


def test_the_long_one_has_the_machine_it_needs() -> None:
    # the first could take the only machine of the second, though it has another one as good
    anywhere = (option("x:1b", "a:1", work_s=5), option("x:1b", "b:1", work_s=6))
    only_there = (option("y:1b", "a:1", work_s=5),)
    assert {(i, where) for i, where, _ in planned(anywhere, only_there)} == {(0, "b:1"), (1, "a:1")}


def test_those_that_nothing_can_run_are_left_out() -> None:
    assert [i for i, _, _ in planned((), (option("x:1b", "a:1", work_s=1),))] == [1]


def test_many_are_planned_too() -> None:
    wanted = [(option(f"m{n}:1b", "a:1", work_s=n + 1),) for n in range(9)]
    assert len(planned(*wanted)) == 9
