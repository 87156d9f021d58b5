"""Reading fleet files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ollamamaster.domain.instances import Locality
from ollamamaster.errors import FileUnusableError, UsageError
from ollamamaster.simulator.fleet import BUILT_IN, load_fleet, parse_fleet

if TYPE_CHECKING:
    from pathlib import Path

ONE = """
[[instances]]
name = "a"
bandwidth_gb_s = 100
prefill_tokens_s = 500
models = ["m"]

[[models]]
name = "m"
size_gb = 2
parameters_b = 3
"""


def problem_of(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        parse_fleet(text, name="my.toml")
    return caught.value.message


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_model_of_a_built_in_fleet_fits_where_it_is(name: str) -> None:
    fleet = load_fleet(name)
    for instance in fleet.instances:
        for model in instance.models:
            served = fleet.models[model].served()
            context = instance.hardware.context_for(served, None)
            assert instance.hardware.holds([instance.hardware.placement(served, context)])


def test_the_home_fleet_has_a_laptop_and_three_machines_of_the_network() -> None:
    localities = [instance.locality for instance in load_fleet("home").instances]
    assert localities == [Locality.LOCAL, *[Locality.LAN] * 3]


def test_the_duo_is_two_equal_machines_with_one_slot() -> None:
    a, b = load_fleet("duo").instances
    assert (a.name, b.name, a.hardware) == ("a", "b", b.hardware)
    assert a.hardware.slots == 1


def test_the_lab_is_twelve_machines_at_three_sites() -> None:
    instances = load_fleet("lab").instances
    assert len(instances) == 12
    assert len({instance.labels["site"] for instance in instances}) == 3


def test_the_shape_of_a_model_follows_from_its_parameters() -> None:
    model = parse_fleet(ONE.replace("parameters_b = 3", "parameters_b = 8"), name="x").models
    # Llama 3.1 8B: 32 layers, 131,072 bytes of cache a token.
    assert model["m:latest"].served().kv_bytes_per_token == pytest.approx(131072, rel=0.1)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "bandwidth_gb_s = 100",
            'bandwidth_gb_s = "fast"',
            "my.toml, line 4: instances.bandwidth_gb_s: must be a number, not 'fast'",
        ),
        (
            "prefill_tokens_s = 500",
            "prefil_tokens_s = 500",
            (
                "my.toml, line 5: instances.prefil_tokens_s: is no key of instances"
                ", did you mean 'prefill_tokens_s'?"
            ),
        ),
        (
            'models = ["m"]',
            'models = ["n"]',
            "my.toml, line 6: instances.models: 'n' is none of the [[models]]",
        ),
        (
            "size_gb = 2",
            "size_gb = -2",
            "my.toml, line 10: models.size_gb: must be at least 0.0001, not -2",
        ),
        ("size_gb = 2\n", "", "my.toml, line 8: models.size_gb: is missing"),
        (
            "parameters_b = 3",
            'parameters_b = 3\ncapabilities = ["sight"]',
            "my.toml, line 12: models.capabilities: 'sight' is no capability",
        ),
        (
            'models = ["m"]',
            'models = ["m"]\nlocality = "near"',
            "my.toml, line 7: instances.locality: 'near' is none of local, lan, remote",
        ),
        (
            'models = ["m"]',
            "slots = 1.5",
            "my.toml, line 6: instances.slots: must be a whole number, not 1.5",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line_and_key(old: str, new: str, problem: str) -> None:
    assert problem_of(ONE.replace(old, new)) == problem


def test_a_fault_of_an_instance_that_is_not_there_is_named() -> None:
    fault = '[[faults]]\ninstance = "b"\nkind = "hang"\n'
    assert problem_of(ONE + fault) == "my.toml, line 13: faults.instance: there is no instance 'b'"


def test_two_instances_of_one_name_are_refused() -> None:
    twice = ONE + ONE.partition("[[models]]")[0]
    assert problem_of(twice) == "my.toml, line 3: instances.name: two instances are called 'a'"


def test_a_file_without_instances_is_refused() -> None:
    assert problem_of("") == "my.toml: there are no [[instances]]"


def test_a_file_that_is_no_toml_is_refused_with_its_line() -> None:
    assert "line 2" in problem_of("[[instances]]\nname =\n")


def test_an_unknown_fleet_names_those_there_are() -> None:
    with pytest.raises(UsageError) as caught:
        load_fleet("castle")
    assert caught.value.hint == "there are home, duo, lab, or PATH.toml"


def test_a_fleet_file_that_is_missing_is_unusable(tmp_path: Path) -> None:
    with pytest.raises(FileUnusableError):
        load_fleet(tmp_path / "none.toml")
