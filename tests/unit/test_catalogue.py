"""The models of the fleet, each once."""

from __future__ import annotations

import pytest

from ollamamaster.domain.catalogue import ModelQuery, catalogue, name_matches
from ollamamaster.domain.instances import Instance, InstanceAddress, Status
from ollamamaster.domain.models import GB, LoadedModel, Model, ModelName, Tier
from ollamamaster.domain.settings import ModelSettings, Settings
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.errors import UsageError


def model(name: str, gb: float, *capabilities: str) -> Model:
    known = frozenset(capabilities) if capabilities else None
    return Model(ModelName.parse(name), size_bytes=round(gb * GB), capabilities=known)


SMALL = model("llama3.2:3b", 2, "completion")
SEES = model("llava:7b", 4.7, "completion", "vision")
LARGE = model("gemma3:27b", 17)
HERE = Instance(
    InstanceAddress("127.0.0.1", 1),
    status=Status.UP,
    models=(SMALL, SEES),
    loaded=(LoadedModel(SEES.name, size_vram=5),),
)
THERE = Instance(InstanceAddress("127.0.0.1", 2), status=Status.UP, models=(LARGE, SMALL))
DOWN = Instance(InstanceAddress("127.0.0.1", 3), models=(SMALL, model("phi4", 9)))
FLEET = Fleet((DOWN, HERE, THERE))


def names(query: ModelQuery, settings: Settings | None = None) -> list[str]:
    return [str(m.model.name) for m in catalogue(FLEET, query, settings or Settings())]


def test_each_model_is_listed_once_and_in_order() -> None:
    assert names(ModelQuery()) == ["gemma3:27b", "llama3.2:3b", "llava:7b", "phi4:latest"]


def test_every_place_of_a_model_is_told_reachable_ones_first() -> None:
    found = {str(m.model.name): m for m in catalogue(FLEET, ModelQuery(), Settings())}
    places = [(p.instance.id, p.instance.status) for p in found["llama3.2:3b"].places]
    assert places == [
        ("127.0.0.1:1", Status.UP),
        ("127.0.0.1:2", Status.UP),
        ("127.0.0.1:3", Status.DOWN),
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (ModelQuery(pattern="LLA"), ["llama3.2:3b", "llava:7b"]),
        (ModelQuery(pattern="*:7b"), ["llava:7b"]),
        (ModelQuery(pattern="lla?a:*"), ["llava:7b"]),
        (ModelQuery(pattern="nothing"), []),
        (ModelQuery(tier=Tier.FAST), ["llama3.2:3b"]),
        (ModelQuery(tier=Tier.BALANCED), ["llava:7b", "phi4:latest"]),
        (ModelQuery(tier=Tier.POWERFUL), ["gemma3:27b"]),
        (ModelQuery(capability="vision"), ["llava:7b"]),
        (ModelQuery(loaded=True), ["llava:7b"]),
        (ModelQuery(instance="127.0.0.1:2"), ["gemma3:27b", "llama3.2:3b"]),
        (ModelQuery(instance="127.0.0.1:2", tier=Tier.FAST), ["llama3.2:3b"]),
    ],
)
def test_a_query_keeps_what_matches(query: ModelQuery, expected: list[str]) -> None:
    assert names(query) == expected


def test_loaded_is_told_of_the_place_where_it_is() -> None:
    (found,) = catalogue(FLEET, ModelQuery(loaded=True), Settings())
    assert [p.loaded is not None for p in found.places] == [True]


def test_the_person_decides_the_tier() -> None:
    settings = Settings(models={"llava:7b": ModelSettings(tier=Tier.FAST)})
    assert names(ModelQuery(tier=Tier.FAST), settings) == ["llama3.2:3b", "llava:7b"]


def test_the_person_decides_what_a_model_can() -> None:
    can = ModelSettings(capabilities=frozenset({"vision"}))
    assert names(ModelQuery(capability="vision"), Settings(models={"gemma3:27b": can})) == [
        "gemma3:27b",
        "llava:7b",
    ]


def test_an_unknown_instance_is_a_usage_error_that_lists_the_known() -> None:
    with pytest.raises(UsageError) as caught:
        names(ModelQuery(instance="nowhere"))
    assert "127.0.0.1:2" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [("phi", True), ("PHI4", True), ("phi4:*", True), ("phi?", False), ("", True)],
)
def test_a_pattern_is_a_part_or_a_glob_of_the_whole(pattern: str, matches: bool) -> None:
    assert name_matches("phi4:latest", pattern) is matches
