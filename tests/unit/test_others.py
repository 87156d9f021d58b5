"""Whether somebody else uses an instance, from what /api/ps says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.domain.instances import Instance, InstanceAddress, Status
from ollamamaster.domain.models import LoadedModel, ModelName
from ollamamaster.domain.others import (
    AGAIN_S,
    ANSWER_S,
    CLOCKS_S,
    LONGEST_S,
    Ours,
    Use,
    used_by_others,
)
from ollamamaster.domain.snapshot import Fleet

NOW = 1_800_000_000.0
ID, MODEL = "gpu:11434", "m:latest"
KEEP_ALIVE_S = 300.0
FOREVER_S = 2**63 / 1e9
NOTHING = Ours((), lambda _instance, _model: None)


def at(moment: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=moment)


def fleet(looked_at: float, *expires: float | None, status: Status = Status.UP) -> Fleet:
    """One instance with a model for each expiry, as it was seen at that moment."""
    loaded = tuple(
        LoadedModel(ModelName(f"m{n}" if n else "m"), expires_at=None if e is None else at(e))
        for n, e in enumerate(expires)
    )
    place = Instance(InstanceAddress("gpu"), status=status, loaded=loaded, last_seen=at(looked_at))
    return Fleet((place,), at(looked_at))


def use(before: Fleet, after: Fleet, ours: Ours = NOTHING, looked_at: float = 0.0) -> Use | None:
    return used_by_others(before, looked_at, after, NOW, ours).get(ID)


def ended(ago: float, keep_alive: float = KEEP_ALIVE_S) -> float:
    """The expiry that a request sets which ended so many seconds ago."""
    return NOW - ago + keep_alive


def last_used(moment: float) -> Ours:
    return Ours((), lambda _instance, _model: moment)


def test_an_expiry_that_stayed_is_nobodys_use() -> None:
    same = ended(100)
    assert use(fleet(NOW - 60, same), fleet(NOW, same)) is None


def test_an_expiry_that_moved_is_somebodys_use() -> None:
    found = use(fleet(NOW - 60, ended(100)), fleet(NOW, ended(1)))
    assert found is not None
    assert found.seconds == AGAIN_S
    assert MODEL in found.evidence


def test_a_model_that_came_into_memory_is_somebodys_use() -> None:
    assert use(fleet(NOW - 60), fleet(NOW, ended(1))) is not None


def test_what_moved_by_a_use_of_ours_is_not_anothers() -> None:
    seen = fleet(NOW - 60, ended(100)), fleet(NOW, ended(1))
    assert use(*seen, last_used(NOW - 1)) is None
    assert use(*seen, last_used(NOW - 100)) is not None


def test_what_ran_for_us_since_the_first_look_is_not_anothers() -> None:
    ours = Ours({(ID, MODEL)}, lambda _instance, _model: None)
    assert use(fleet(NOW - 60, ended(100)), fleet(NOW, ended(1)), ours) is None
    assert use(fleet(NOW - 60, NOW - 50), fleet(NOW, NOW - 50), ours) is None


def test_a_use_long_ago_says_nothing_of_now() -> None:
    before, after = fleet(NOW - 3600, ended(4000)), fleet(NOW, ended(ANSWER_S))
    assert use(before, after) is None


def test_with_an_unknown_keep_alive_it_may_have_been_right_after_the_last_look() -> None:
    def moved(look_ago: float) -> Use | None:
        before = fleet(NOW - look_ago, ended(7200, 86_400))
        return use(before, fleet(NOW, ended(1, 86_400)))

    found = moved(2)
    assert found is not None
    assert found.seconds == AGAIN_S
    assert moved(ANSWER_S) is None


def test_a_model_kept_for_ever_moves_too() -> None:
    before, after = fleet(NOW - 60, ended(100, FOREVER_S)), fleet(NOW, ended(1, FOREVER_S))
    found = use(before, after)
    assert found is not None
    assert found.seconds == AGAIN_S


def test_a_model_past_its_expiry_generates_now() -> None:
    passed = NOW - 20
    found = use(fleet(NOW - 1, passed), fleet(NOW, passed))
    assert found is not None
    assert found.seconds == 20
    assert "generates" in found.evidence


def test_what_seems_to_generate_for_longer_than_a_minute_is_not_waited_for() -> None:
    def passed(seconds: float) -> Use | None:
        return use(fleet(NOW - 1, NOW - seconds), fleet(NOW, NOW - seconds))

    assert passed(LONGEST_S - 1) is not None
    assert passed(LONGEST_S + 1) is None


def test_clocks_that_differ_by_a_little_make_nobody_busy() -> None:
    passed = NOW - CLOCKS_S / 2
    assert use(fleet(NOW - 60, passed), fleet(NOW, passed)) is None


def test_a_clock_that_is_known_to_be_behind_makes_nobody_busy() -> None:
    skew = 320.0
    expires = ended(30) - skew
    seen = fleet(NOW - 10, expires), fleet(NOW, expires)
    assert use(*seen, last_used(NOW - 30)) is None
    assert use(*seen) is not None


@given(skew=st.floats(10, 1e6), ago=st.floats(0, 1), look_ago=st.floats(2, 4.9))
def test_no_clock_hides_that_it_was_used_since_a_look_just_now(
    skew: float, ago: float, look_ago: float
) -> None:
    before = fleet(NOW - look_ago, ended(look_ago + 30) + skew)
    assert use(before, fleet(NOW, ended(ago) + skew)) is not None


@given(seconds=st.floats(0, 90), skew=st.floats(0, 1e6), keep_alive=st.floats(400, 1e6))
def test_one_use_holds_nobody_up_for_longer_than_an_answer_takes(
    seconds: float, skew: float, keep_alive: float
) -> None:
    # looked at before, used at once, then looked at again and again, as a route that waits does
    before = fleet(NOW - seconds, ended(seconds + 50, keep_alive) + skew)
    found = use(before, fleet(NOW, ended(seconds, keep_alive) + skew))
    assert found is None or found.seconds <= max(0.0, ANSWER_S - seconds) + CLOCKS_S
    assert found is None or seconds <= ANSWER_S + CLOCKS_S


@given(st.floats(-1e6, 1e6))
def test_an_idle_model_whose_clock_is_right_or_ahead_is_nobodys(ahead: float) -> None:
    expires = ended(100) + abs(ahead)
    assert use(fleet(NOW - 60, expires), fleet(NOW, expires)) is None


def test_a_model_without_a_time_yet_is_being_loaded() -> None:
    year_1 = datetime(1, 1, 1, tzinfo=UTC).timestamp()
    found = use(fleet(NOW - 1), fleet(NOW, year_1))
    assert found is not None
    assert "loaded" in found.evidence


def test_a_server_that_tells_no_times_tells_of_nobody() -> None:
    assert use(fleet(NOW - 60, None), fleet(NOW, None)) is None


def test_what_was_known_of_an_instance_that_did_not_answer_is_no_evidence() -> None:
    old = fleet(NOW - 3600, NOW - 600)
    assert use(old, Fleet(old.instances, at(NOW))) is None


def test_what_was_read_this_very_moment_counts_though_it_is_the_same() -> None:
    now = fleet(NOW, NOW - 20)
    assert use(now, now) is not None


def test_an_instance_that_is_down_is_not_used() -> None:
    after = fleet(NOW, ended(1), status=Status.DOWN)
    assert use(fleet(NOW - 60, ended(100)), after) is None


def test_an_instance_that_was_never_asked_before_tells_nothing() -> None:
    before = Fleet(tuple(replace(i, last_seen=None) for i in fleet(NOW - 60)))
    assert use(before, fleet(NOW, ended(1))) is None


def test_of_several_models_the_longest_use_counts() -> None:
    passed = NOW - 40
    found = use(fleet(NOW - 9, ended(100), passed), fleet(NOW, ended(1), passed))
    assert found is not None
    assert found.seconds == 40
