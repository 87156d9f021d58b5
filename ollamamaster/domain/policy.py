"""Which candidates do the person's own rules allow?"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ollamamaster.domain.instances import Locality

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollamamaster.domain.instances import Instance
    from ollamamaster.domain.models import Model
    from ollamamaster.domain.settings import PolicySettings

# What staying on this machine is worth: the round trip is small, but nobody else is disturbed and
# nothing leaves the machine. A machine of the network is used when it is five times as fast (2.3
# doublings), or as much more able as that time is worth; never is more than 7 points given up. To
# stand behind one's own requests is worth none of it: of eight short ones at once on the simulated
# home, nothing learnt, the last had waited three times as long for this machine.
LOCALITY_DOUBLINGS = 2.3
MOST_FOR_LOCALITY = 0.07

_DISTANCE: Mapping[Locality, float] = {
    Locality.LOCAL: 0.0,
    Locality.LAN: 1.0,
    Locality.REMOTE: 2.0,
}


def denied_by(policy: PolicySettings, model: Model, instance: Instance) -> str | None:
    """The rule that denies this pair, as a person would say it; None when it is allowed."""
    if not (policy.deny or policy.allow):
        return None
    for rule in policy.deny:
        if _matches(rule, model, instance):
            return f"your policy denies it (deny {rule})"
    if policy.allow and not any(_matches(rule, model, instance) for rule in policy.allow):
        return "your policy does not allow it"
    return None


def _matches(rule: str, model: Model, instance: Instance) -> bool:
    kind, _, pattern = rule.partition(":")
    if kind == "model":
        return fnmatchcase(str(model.name), pattern) or fnmatchcase(model.name.name, pattern)
    if kind == "instance":
        return any(fnmatchcase(text, pattern) for text in (instance.id, instance.name))
    key, _, wanted = pattern.partition("=")
    return key in instance.labels and fnmatchcase(instance.labels[key], wanted or "*")


def locality_term(
    policy: PolicySettings, locality: Locality, price: float, *, here: bool = True
) -> float:
    """What the distance takes from the utility, in p(success); 0 for this machine.

    `price` is what a doubling of the time must buy. `here` says that this machine has room; else
    the nearest of the others counts as being as near, unless the person has set the weight.
    """
    distance = _DISTANCE[locality]
    weight = policy.weights.get("locality")
    if weight is None:
        weight = min(MOST_FOR_LOCALITY, LOCALITY_DOUBLINGS * price)
        if not here:
            distance = max(0.0, distance - 1)
    return 0.0 - weight * distance
