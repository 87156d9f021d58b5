"""How an instance of the fleet is named by a person."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ollamamaster.domain.instances import Instance, InstanceAddress, InstanceSettings
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.errors import UsageError

LAPTOP = Instance(InstanceAddress("127.0.0.1"), aliases=("[::1]:11434",))
GPU = Instance(InstanceAddress("gpu"), settings=InstanceSettings(label="Gaming PC"))
FLEET = Fleet((LAPTOP, GPU))


@pytest.mark.parametrize("text", ["127.0.0.1:11434", "127.0.0.1", "[::1]:11434", "::1", " ::1 "])
def test_an_instance_is_found_by_its_id_and_its_aliases(text: str) -> None:
    assert FLEET.find(text) is LAPTOP


def test_an_instance_is_found_by_its_label_whatever_the_case() -> None:
    assert FLEET.find("gaming pc") is GPU


def test_a_label_that_two_have_names_neither() -> None:
    twin = replace(GPU, address=InstanceAddress("other"))
    with pytest.raises(UsageError, match="several"):
        Fleet((GPU, twin)).find("Gaming PC")


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_name_is_no_name_even_of_the_only_instance(text: str) -> None:
    with pytest.raises(UsageError, match="missing"):
        Fleet((LAPTOP,)).find(text)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        FLEET.find("nowhere")
    assert caught.value.hint == "known instances: 127.0.0.1:11434, Gaming PC"
