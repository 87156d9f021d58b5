"""Is an instance busy for somebody whose requests we do not send?

Ollama tells of no queue. But `expires_at` of a model in memory is set to the end of a request
plus its keep-alive, and only then: if it moved though none of ours ended there, somebody else's
did; if it lies in the past and the model is still there, it is generating right now.

It is told by the server's clock. Movements are compared with movements, which no clock spoils. The
past needs both clocks: a clock that is behind ours by more than the allowance makes a model seem
busy for as long before it is unloaded, a minute at most; where an expiry lies before the end of
our own last use, the clock is known to be behind, and nothing is concluded. A clock ahead hides
use, no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollamamaster.domain.instances import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ollamamaster.domain.instances import Instance
    from ollamamaster.domain.models import LoadedModel
    from ollamamaster.domain.snapshot import Fleet

# How long one answer takes: 211 tokens in the mean (Azure LLM inference trace 2023, conversations)
# at 42 tokens a second.
ANSWER_S = 5.0
# An answer that ended so short a time ago tells that somebody is there, and little of when they ask
# again: enough to prefer an equal machine that nobody uses, we ourselves included, not to load a
# model elsewhere.
AGAIN_S = 0.5
# What has gone on for so long past its expiry is expected to go on for as long again. Beyond this
# it is likelier that a clock is wrong than that an answer takes so long; and nobody is to wait for
# more than a minute for what may not be there.
LONGEST_S = 60.0

# Machines that keep their clocks by NTP are within a second; those that do not, drift by seconds
# a day.
CLOCKS_S = 5.0
# A movement below this is no use by somebody else: two of our own moments were rounded.
MOVED_S = 1.0
# What was read so short a time ago was read now.
FRESH_S = 1.0

# Ollama's default, and what it makes of -1: the longest duration of Go, 292 years.
_KEEP_ALIVES_S = (300.0, 2**63 / 1e9)


@dataclass(frozen=True, slots=True)
class Use:
    """For how many seconds more an instance is expected to be busy for others, and why so.

    `lately` says that they were only there a moment ago, and may come again.
    """

    seconds: float
    evidence: str
    lately: bool = False


@dataclass(frozen=True, slots=True)
class Ours:
    """What we did ourselves: the pairs (instance, model) that ran for us since the first look.

    `last_used` gives the end of our last use of an instance's model, None for never.
    """

    ran: Collection[tuple[str, str]]
    last_used: Callable[[str, str], float | None]


def uses_by_others(before: Fleet, after: Fleet, now: float, ours: Ours) -> Mapping[str, Use]:
    """The instances that others use since the fleet was read; see `used_by_others`."""
    if before.checked_at is None:
        return {}
    return used_by_others(before, before.checked_at.timestamp(), after, now, ours)


def used_by_others(
    before: Fleet, looked_at: float, after: Fleet, now: float, ours: Ours
) -> Mapping[str, Use]:
    """The instances that others use, by id. Times in seconds since the epoch, of our clock.

    `before` is the fleet as it was at `looked_at`, `after` as it is `now`.
    """
    known = {instance.id: instance for instance in before}
    found: dict[str, Use] = {}
    for instance in after:
        earlier = known.get(instance.id)
        if instance.status is Status.DOWN or earlier is None or earlier.last_seen is None:
            # there is nothing to compare with
            continue
        seen_at = max(looked_at, earlier.last_seen.timestamp())
        use = _use(earlier, seen_at, instance, now, ours)
        if use is not None:
            found[instance.id] = use
    return found


def _use(
    earlier: Instance, looked_at: float, after: Instance, now: float, ours: Ours
) -> Use | None:
    if after.loaded is earlier.loaded and now - looked_at > FRESH_S:
        # it did not answer this time: what is known is old, and the past in it means nothing
        return None
    was = {loaded.name: loaded for loaded in earlier.loaded}
    uses = [
        _generating(loaded, last, now) or _moved(was.get(loaded.name), loaded, looked_at, now, last)
        for loaded in after.loaded
        if (after.id, str(loaded.name)) not in ours.ran
        for last in [ours.last_used(after.id, str(loaded.name))]
    ]
    return max(filter(None, uses), key=lambda use: use.seconds, default=None)


def _generating(loaded: LoadedModel, last_used: float | None, now: float) -> Use | None:
    if loaded.expires_at is None:
        return None
    expires = loaded.expires_at.timestamp()
    if expires <= 0:
        # no time yet, which older servers say of a model that is being loaded
        return Use(ANSWER_S, f"{loaded.name} is being loaded there for somebody else")
    clock_is_behind = last_used is not None and expires < last_used
    past_s = now - expires
    if clock_is_behind or not CLOCKS_S <= past_s <= LONGEST_S:
        return None
    return Use(past_s, f"{loaded.name} generates there for somebody else")


def _moved(
    was: LoadedModel | None,
    loaded: LoadedModel,
    looked_at: float,
    now: float,
    last_used: float | None,
) -> Use | None:
    """Used by others since the last look, within the time of an answer from now."""
    if loaded.expires_at is None or (last_used is not None and last_used >= looked_at - CLOCKS_S):
        # a use of ours since then explains it
        return None
    expires = loaded.expires_at.timestamp()
    if was is not None:
        moved = was.expires_at is None or expires - was.expires_at.timestamp() > MOVED_S
        if not moved:
            return None
    ago = _ago(expires, now, now - looked_at)
    if ago >= ANSWER_S:
        return None
    return Use(AGAIN_S, f"somebody else used {loaded.name} there", lately=True)


def _ago(expires: float, now: float, at_most: float) -> float:
    """How long ago the request ended that set this expiry; at most since the last look."""
    for keep_alive in _KEEP_ALIVES_S:
        ago = now - (expires - keep_alive)
        if -CLOCKS_S <= ago <= at_most + CLOCKS_S:
            return min(max(ago, 0.0), at_most)
    # another keep-alive: it may have been right after the last look
    return at_most
