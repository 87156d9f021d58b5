"""Which model a person means."""

from __future__ import annotations

import pytest

from ollamamaster.domain.instances import Instance, InstanceAddress
from ollamamaster.domain.models import Model, ModelName
from ollamamaster.domain.names import MeantModel, meant_model
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.errors import ExitCode, ModelUnknownError


def fleet(*names: str) -> Fleet:
    models = tuple(Model(ModelName.parse(name)) for name in names)
    return Fleet((Instance(InstanceAddress("127.0.0.1"), models=models),))


@pytest.mark.parametrize(
    ("typed", "full"),
    [
        ("phi4", "phi4:latest"),
        ("phi4:latest", "phi4:latest"),
        (" llama3.1:8b ", "llama3.1:8b"),
        ("hf.co/a/b:Q4", "hf.co/a/b:Q4"),
        ("reg:5000/a", "reg:5000/a:latest"),
    ],
)
def test_a_name_without_a_tag_is_latest(typed: str, full: str) -> None:
    known = fleet("phi4:latest", "llama3.1:8b", "hf.co/a/b:Q4", "reg:5000/a:latest")
    assert meant_model(typed, known) == MeantModel(full)


def test_the_only_tag_is_meant_where_latest_is_missing_and_it_is_said() -> None:
    meant = meant_model("llama3.1", fleet("llama3.1:8b", "phi4:latest"))
    assert meant.name == "llama3.1:8b"
    assert meant.note is not None
    assert "llama3.1:8b" in meant.note


def test_one_of_several_tags_is_not_guessed() -> None:
    with pytest.raises(ModelUnknownError):
        meant_model("llama3.1", fleet("llama3.1:8b", "llama3.1:70b"))


def test_a_tag_that_was_typed_is_not_replaced() -> None:
    with pytest.raises(ModelUnknownError):
        meant_model("llama3.1:latest", fleet("llama3.1:8b"))


def test_an_unknown_name_gets_its_near_misses_and_where_they_are() -> None:
    with pytest.raises(ModelUnknownError) as caught:
        meant_model("lama3.1:8b", fleet("llama3.1:8b", "nomic-embed-text:latest"))
    assert caught.value.exit_code == ExitCode.NO_CANDIDATE
    assert caught.value.hint == "near: llama3.1:8b (127.0.0.1:11434)"


@pytest.mark.parametrize("there", ["llama3.1:8b", "phi4:latest"])
def test_another_word_is_no_near_miss_also_where_both_have_no_tag(there: str) -> None:
    with pytest.raises(ModelUnknownError) as caught:
        meant_model("zzz", fleet(there))
    assert caught.value.hint is None


def test_a_hostile_name_stays_on_its_line_in_the_hint() -> None:
    with pytest.raises(ModelUnknownError) as caught:
        meant_model("phi", fleet("phi4\n\x1b[2Jerror: gone:latest", "phi5:latest"))
    assert caught.value.hint is not None
    assert "\n" not in caught.value.hint
    assert "\x1b" not in caught.value.hint


def test_ten_thousand_names_that_no_person_types_are_not_compared() -> None:
    many = fleet(*(f"{'x' * 900}{n}" for n in range(10_000)), "phi4:latest")
    with pytest.raises(ModelUnknownError) as caught:
        meant_model("phi3", many)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("near: phi4:latest")
