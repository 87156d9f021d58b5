"""The person's own rules."""

from __future__ import annotations

import pytest

from ollamamaster.domain.instances import Instance, InstanceAddress, InstanceSettings, Locality
from ollamamaster.domain.models import Model, ModelName
from ollamamaster.domain.policy import MOST_FOR_LOCALITY, denied_by, locality_term
from ollamamaster.domain.settings import PolicySettings

MODEL = Model(ModelName("llama3.1", "8b"))
INSTANCE = Instance(
    InstanceAddress("192.168.1.7"),
    labels={"site": "lab"},
    settings=InstanceSettings(label="gaming-pc"),
)


@pytest.mark.parametrize(
    "rule",
    [
        "model:llama3.1:8b",
        "model:llama3.1",
        "model:llama*",
        "instance:192.168.1.7:11434",
        "instance:192.168.*",
        "instance:gaming-*",
        "label:site=lab",
        "label:site=l*",
        "label:site",
    ],
)
def test_a_rule_matches_what_it_names(rule: str) -> None:
    assert denied_by(PolicySettings(deny=(rule,)), MODEL, INSTANCE) is not None
    assert denied_by(PolicySettings(allow=(rule,)), MODEL, INSTANCE) is None


@pytest.mark.parametrize(
    "rule", ["model:qwen*", "instance:10.*", "label:site=office", "label:region=lab"]
)
def test_a_rule_leaves_others_alone(rule: str) -> None:
    assert denied_by(PolicySettings(deny=(rule,)), MODEL, INSTANCE) is None
    assert denied_by(PolicySettings(allow=(rule,)), MODEL, INSTANCE) is not None


def test_deny_wins_over_allow() -> None:
    both = PolicySettings(allow=("model:*",), deny=("label:site=lab",))
    assert denied_by(both, MODEL, INSTANCE) == "your policy denies it (deny label:site=lab)"


def test_without_rules_everything_is_allowed() -> None:
    assert denied_by(PolicySettings(), MODEL, INSTANCE) is None


def test_farther_is_worth_less() -> None:
    terms = [locality_term(PolicySettings(), at, 0.1) for at in Locality]
    assert terms == [0.0, -MOST_FOR_LOCALITY, -2 * MOST_FOR_LOCALITY]


def test_where_this_machine_has_no_room_the_next_is_as_near() -> None:
    terms = [locality_term(PolicySettings(), at, 0.1, here=False) for at in Locality]
    assert terms == [0.0, 0.0, -MOST_FOR_LOCALITY]


def test_the_person_sets_what_nearness_is_worth() -> None:
    assert locality_term(PolicySettings(weights={"locality": 0.5}), Locality.LAN, 0.1) == -0.5
    assert locality_term(PolicySettings(weights={"locality": 0.0}), Locality.REMOTE, 0.1) == 0.0


def test_what_the_person_set_holds_also_where_this_machine_has_no_room() -> None:
    policy = PolicySettings(weights={"locality": 0.5})
    assert locality_term(policy, Locality.LAN, 0.1, here=False) == -0.5


def test_where_time_is_cheap_distance_is_cheap_too() -> None:
    assert -0.01 < locality_term(PolicySettings(), Locality.LAN, 0.003) < 0
