"""The schedule: whose turn comes where and when, and what no order of events may break."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ollamamaster.domain.candidates import Wish
from ollamamaster.domain.instances import (
    Gpu,
    GpuSource,
    Instance,
    InstanceAddress,
    InstanceSettings,
    Locality,
    Status,
)
from ollamamaster.domain.knowledge import Knowledge
from ollamamaster.domain.machines import Held, Machine, Residency, bytes_needed, machines
from ollamamaster.domain.models import GB, LoadedModel, Model, ModelName, ModelShape
from ollamamaster.domain.options import options_of
from ollamamaster.domain.others import Use
from ollamamaster.domain.outlook import prospect
from ollamamaster.domain.pair import Pair
from ollamamaster.domain.profiles import Profiles
from ollamamaster.domain.queues import Queues
from ollamamaster.domain.schedule import choose, in_order, keep_alive_for, plan, queues
from ollamamaster.domain.selection import Demand, decide
from ollamamaster.domain.settings import Settings
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.domain.task import Question, analyse
from ollamamaster.domain.tickets import Choice, Option, Priority, ProcessId, Ticket, TicketState
from ollamamaster.domain.time_price import time_term

NOW = 1000.0
HERE = ProcessId(1, 0.0)
# What those ahead may be held up by shorter ones, as a share of their own wait.
BEARABLE = 0.5


def option(instance: str = "a", work_s: float = 10.0, **known: object) -> Option:
    plain = Option("m", instance, 0.0, work_s, 0.0, context=100)
    return replace(plain, **known)  # type: ignore[arg-type]


def ticket(name: str, *options: Option, waited_s: float = 0.0, **known: object) -> Ticket:
    plain = Ticket(name, NOW - waited_s, options or (option(),), HERE)
    return replace(plain, **known)  # type: ignore[arg-type]


def running(name: str, on: Option, since_s: float = 0.0) -> Ticket:
    return Ticket(name, NOW - since_s, (on,), HERE, on=on, started_at=NOW - since_s)


def machine(name: str = "a", slots: int = 1, **known: object) -> Machine:
    plain = Machine(name, slots, slots_known=True, resident=(Held("m", 0, 1 << 20),))
    return replace(plain, **known)  # type: ignore[arg-type]


def fleet_of(*all_of: Machine) -> dict[str, Machine]:
    return {each.instance: each for each in all_of}


ONE = fleet_of(machine())
TWO = fleet_of(machine("a"), machine("b"))


# ---- one ticket


def test_a_ticket_begins_where_a_slot_is_free() -> None:
    assert choose(ticket("me"), [], ONE, NOW) == Choice(option(), begins=True)


def test_it_waits_for_what_is_left_of_the_running_one() -> None:
    choice = choose(ticket("me"), [running("x", option(work_s=10), since_s=4)], ONE, NOW)
    assert choice == Choice(option(), begins=False, wait_s=6.0, position=1)


def test_one_that_runs_longer_than_expected_still_holds_its_slot() -> None:
    choice = choose(ticket("me"), [running("x", option(work_s=10), since_s=99)], ONE, NOW)
    assert (choice.begins, choice.wait_s) == (False, 0.0)


def test_position_and_wait_count_those_ahead_in_the_same_line() -> None:
    others = [running("x", option(work_s=3)), ticket("first", option(work_s=4), waited_s=1)]
    choice = choose(ticket("me"), others, ONE, NOW)
    assert (choice.position, choice.wait_s) == (2, 7.0)


def test_those_behind_change_nothing() -> None:
    others = [running("x", option()), ticket("later", waited_s=-1)]
    assert choose(ticket("me"), others, ONE, NOW) == choose(ticket("me"), others[:1], ONE, NOW)


def test_an_instance_that_nobody_knows_is_idle_with_one_slot() -> None:
    first, second = ticket("1", option("new")), ticket("2", option("new"))
    assert choose(first, [], {}, NOW).begins
    assert not choose(second, [first], {}, NOW).begins


def test_a_ticket_without_options_has_no_choice() -> None:
    nothing = ticket("me", option())
    nothing = replace(nothing, options=())
    assert choose(nothing, [], ONE, NOW) == Choice(None, begins=False)


def test_a_cloud_model_never_waits() -> None:
    cloud = option("a", cloud=True)
    choice = choose(ticket("me", cloud), [running("x", option()), running("y", cloud)], ONE, NOW)
    assert choice.begins


def test_nobody_is_held_for_others_as_the_instance_itself_lets_them_in_soonest() -> None:
    assert choose(ticket("me"), [], fleet_of(machine(foreign_s=7.0)), NOW).begins


def test_what_others_use_is_avoided_where_another_is_as_good() -> None:
    fleet = fleet_of(machine("a", foreign_s=7.0), machine("b"))
    choice = choose(ticket("me", option("a"), option("b")), [], fleet, NOW)
    assert choice.option is not None
    assert choice.option.instance == "b"


@pytest.mark.parametrize("since_s", [0.0, 0.2, 99.0])
def test_nobody_stands_behind_our_own_rather_than_go_where_others_were_lately(
    since_s: float,
) -> None:
    fleet = fleet_of(machine("a"), machine("b", foreign_s=0.5, lately=True))
    ours = running("x", option("a", 0.4), since_s)
    me = ticket("me", option("a"), option("b"))
    assert choose(me, [ours], fleet, NOW) == Choice(option("b"), begins=True)


def test_where_others_were_lately_is_avoided_while_an_equal_machine_is_idle() -> None:
    fleet = fleet_of(machine("a", foreign_s=0.5, lately=True), machine("b"))
    choice = choose(ticket("me", option("a"), option("b")), [], fleet, NOW)
    assert choice == Choice(option("b"), begins=True)


def test_no_model_is_loaded_elsewhere_because_others_were_lately_there() -> None:
    fleet = fleet_of(machine("a", foreign_s=0.5, lately=True), machine("b", resident=()))
    me = ticket("me", option("a", load_s=2.0), option("b", load_s=2.0))
    assert choose(me, [], fleet, NOW) == Choice(option("a"), begins=True)


def test_an_option_that_begins_says_no_load_where_the_model_is_resident() -> None:
    choice = choose(ticket("me", option(load_s=5.0)), [], ONE, NOW)
    assert choice.option == option(load_s=0.0)


# ---- late binding


def test_it_waits_for_the_fast_machine_rather_than_use_a_slow_free_one() -> None:
    me = ticket("me", option("a", 5), option("b", 100))
    choice = choose(me, [running("x", option("a", 10))], TWO, NOW)
    assert choice.option == option("a", 5)
    assert not choice.begins


def test_it_takes_the_slow_free_one_when_the_line_is_long() -> None:
    me = ticket("me", option("a", 5), option("b", 30))
    choice = choose(me, [running("x", option("a", 100))], TWO, NOW)
    assert choice == Choice(option("b", 30), begins=True)


def test_who_waits_for_a_better_place_does_not_hold_up_those_behind() -> None:
    ahead = ticket("ahead", option("a", 5), option("b", 100), waited_s=1)
    me = ticket("me", option("b", 1))
    assert choose(me, [running("x", option("a", 10)), ahead], TWO, NOW).begins


def test_who_is_ahead_takes_the_slot_first() -> None:
    ahead = ticket("ahead", waited_s=1)
    assert not choose(ticket("me"), [ahead], ONE, NOW).begins
    assert choose(ahead, [ticket("me")], ONE, NOW).begins


def test_the_first_of_equal_options_is_taken() -> None:
    for one, other in (("a", "b"), ("b", "a")):
        choice = choose(ticket("me", option(one), option(other)), [], TWO, NOW)
        assert choice.option == option(one)


def test_a_free_place_comes_before_one_that_should_be_free_by_now() -> None:
    late = running("x", option("a", 10), since_s=99)
    choice = choose(ticket("me", option("a"), option("b")), [late], TWO, NOW)
    assert choice == Choice(option("b"), begins=True)


def test_a_wait_that_nobody_notices_is_a_wait() -> None:
    short = running("x", option("a", 0.1))
    me = ticket("me", option("a", 0.1), option("b", 0.1))
    assert choose(me, [short], TWO, NOW) == Choice(option("b", 0.1), begins=True)


def test_of_two_waits_that_nobody_notices_the_shorter_is_chosen() -> None:
    both = [running("x", option("a", 0.3)), running("y", option("b", 0.2))]
    me = ticket("me", option("a", 0.1), option("b", 0.1))
    choice = choose(me, both, TWO, NOW)
    assert choice == Choice(option("b", 0.1), begins=False, wait_s=0.2)


def test_between_equals_the_instance_of_the_sessions_last_turn_is_taken() -> None:
    known = option("b", familiar=True)
    assert choose(ticket("me", option("a"), known), [], TWO, NOW).option == known


def test_the_sessions_last_instance_is_not_waited_for() -> None:
    me = ticket("me", option("a"), option("b", familiar=True))
    choice = choose(me, [running("x", option("b", 5))], TWO, NOW)
    assert choice.option == option("a")


# ---- residency


def test_resident_on_one_and_on_disk_on_the_other_goes_to_the_first() -> None:
    fleet = fleet_of(machine("a", resident=()), machine("b"))
    me = ticket("me", option("a", load_s=5.0), option("b", load_s=5.0))
    choice = choose(me, [], fleet, NOW)
    assert choice.option is not None
    assert choice.option.instance == "b"


def test_resident_but_thirty_seconds_deep_loses_to_a_load_of_five() -> None:
    fleet = fleet_of(machine("a", resident=()), machine("b"))
    me = ticket("me", option("a", load_s=5.0), option("b", load_s=5.0))
    choice = choose(me, [running("x", option("b", 30))], fleet, NOW)
    assert choice == Choice(option("a", load_s=5.0), begins=True)


MEMORY = machine(memory_bytes=10, resident=(Held("old", 5, 1 << 20), Held("new", 5, 1 << 20)))


@pytest.mark.parametrize(
    ("model", "needed", "expected"),
    [
        ("old", 5, Residency.RESIDENT),
        ("tiny", 0, Residency.FITS),
        ("other", 5, Residency.EVICTS),
        ("unknown", None, Residency.FITS),
    ],
)
def test_what_it_takes_to_use_a_model(model: str, needed: int | None, expected: Residency) -> None:
    ahead = queues(fleet_of(MEMORY), [], None, NOW)
    assert ahead.lanes["a"].spot(model, needed, 1, 0.0, 0.0).residency is expected


def test_a_model_alone_may_be_larger_than_the_memory() -> None:
    ahead = queues(fleet_of(machine(memory_bytes=10, resident=())), [], None, NOW)
    assert ahead.lanes["a"].spot("huge", 50, 1, 0.0, 0.0).residency is Residency.FITS


def test_too_little_context_is_a_load_that_needs_only_the_models_own_room() -> None:
    held = machine(memory_bytes=10, resident=(Held("m", 8, 2048),))
    ahead = queues(fleet_of(held), [], None, NOW)
    assert ahead.lanes["a"].spot("m", 9, 4096, 0.0, 0.0).residency is Residency.FITS


def test_more_models_than_a_server_holds_push_one_out() -> None:
    ahead = queues(fleet_of(machine(most_loaded=1)), [], None, NOW)
    assert ahead.lanes["a"].spot("other", 0, 1, 0.0, 0.0).residency is Residency.EVICTS


def test_resident_is_what_is_there_when_the_turn_comes() -> None:
    # The one ahead pushes the least recently used model out, which is the one asked for.
    ahead = ticket("ahead", option(model="other", bytes=5), waited_s=1)
    known = queues(fleet_of(MEMORY), [ahead], None, NOW)
    lane = known.lanes["a"]
    found = {m: lane.spot(m, 5, 1, 0.0, 0.0).residency for m in ("old", "new", "other")}
    assert found == {
        "old": Residency.EVICTS,
        "new": Residency.RESIDENT,
        "other": Residency.RESIDENT,
    }


def test_what_runs_now_is_what_was_used_last() -> None:
    others = [
        running("x", option(model="old", bytes=5)),
        ticket("y", option(model="other", bytes=5)),
    ]
    lane = queues(fleet_of(MEMORY), others, None, NOW).lanes["a"]
    assert lane.spot("old", 5, 1, 0.0, 0.0).residency is Residency.RESIDENT
    assert lane.spot("new", 5, 1, 0.0, 0.0).residency is Residency.EVICTS


def test_a_load_ahead_counts_with_its_real_seconds() -> None:
    ahead = ticket("ahead", option(model="other", work_s=10, load_s=2, bytes=5), waited_s=1)
    others = [running("x", option(model="old", work_s=1)), ahead]
    choice = choose(ticket("me", option(model="new")), others, fleet_of(MEMORY), NOW)
    assert choice.wait_s == 13.0


# ---- several slots


def test_a_free_slot_beside_a_running_request_is_used_but_is_no_free_speed() -> None:
    others = [running("x", option(work_s=10))]
    fleet = fleet_of(machine(slots=2))
    assert choose(ticket("me", option(work_s=4)), others, fleet, NOW).begins
    spot = queues(fleet, others, None, NOW).lanes["a"].spot("m", 0, 1, 0.0, 4.0)
    # Both run at half speed until the shorter one ends: 4 s of work take 8 s.
    assert (spot.begin_s, spot.shared_s) == (0.0, 4.0)


def test_an_idle_machine_is_better_than_a_free_slot_beside_another() -> None:
    fleet = fleet_of(machine("a", slots=2), machine("b"))
    me = ticket("me", option("a"), option("b"))
    choice = choose(me, [running("x", option("a"))], fleet, NOW)
    assert choice.option == option("b")


def test_what_two_have_left_that_ran_at_once_counts_half_the_time_for_each() -> None:
    others = [running("x", option(work_s=10), 8), running("y", option(work_s=10), 4)]
    lane = queues(fleet_of(machine(slots=2)), others, None, NOW).lanes["a"]
    # x had 4 s alone and 2 of the 4 s with y, so 4 are left; y had 2, so 8 are left.
    assert lane.begin_s == 8.0
    assert lane.spot("m", 0, 1, 0.0, 100.0).shared_s == 4.0


def test_a_load_takes_nothing_from_those_that_run_beside_it() -> None:
    fleet = fleet_of(machine(slots=2))
    lane = queues(fleet, [running("x", option(work_s=10))], None, NOW).lanes["a"]
    assert lane.spot("other", 0, 1, 6.0, 100.0).shared_s == 4.0


def test_a_load_waits_until_the_model_that_must_leave_has_nothing_to_do() -> None:
    full = machine(slots=2, memory_bytes=10, resident=(Held("m", 10, 1 << 20),))
    others = [running("x", option(work_s=10))]
    me = ticket("me", option(model="other", bytes=10))
    assert choose(me, others, fleet_of(full), NOW).wait_s == 10.0


def test_who_waits_for_a_model_to_leave_is_not_passed_by_those_who_come_after() -> None:
    full = machine(slots=2, memory_bytes=10, resident=(Held("m", 10, 1 << 20),))
    other = option(model="other", bytes=10)
    others = [running("x", option(work_s=10)), ticket("1", other)]
    choice = choose(ticket("2", other), others, fleet_of(full), NOW)
    assert (choice.begins, choice.wait_s, choice.position) == (False, 10.0, 2)


# ---- slots that are only believed


def test_nobody_waits_longer_than_bound_for_a_slot_that_is_only_believed() -> None:
    believed = fleet_of(machine(slots_known=False))
    others = [running("x", option(work_s=1000))]
    waiting = choose(ticket("me", waited_s=15), others, believed, NOW)
    assert (waiting.begins, waiting.wait_s) == (False, 5.0)
    assert choose(ticket("me", waited_s=20), others, believed, NOW).begins
    assert not choose(ticket("me", waited_s=20), others, ONE, NOW).begins


def test_the_bound_is_thirty_seconds_for_long_ones() -> None:
    believed = fleet_of(machine(slots_known=False))
    others = [running("x", option(work_s=1000))]
    assert choose(ticket("me", option(work_s=500), waited_s=30), others, believed, NOW).begins


# ---- order


def test_within_a_class_who_came_first_goes_first() -> None:
    tickets = [ticket("b", waited_s=1), ticket("a", waited_s=2)]
    assert [t.id for t in in_order(tickets)] == ["a", "b"]


def test_a_higher_class_goes_before_until_others_waited_a_minute_a_class_longer() -> None:
    high = ticket("high", priority=Priority.HIGH)
    low = [ticket(f"{s}", waited_s=s, priority=Priority.LOW) for s in (119, 121)]
    assert [t.id for t in in_order([*low, high])] == ["121", "high", "119"]


def test_a_short_one_goes_first_where_the_long_one_can_bear_it() -> None:
    long, short = ticket("long", option(work_s=60), waited_s=30), ticket("short", option(work_s=2))
    assert choose(short, [long], ONE, NOW) == Choice(
        option(work_s=2), begins=True, passed={"long": 2.0}
    )
    assert not choose(long, [short], ONE, NOW).begins


def test_a_short_one_does_not_go_first_where_the_long_one_came_just_before() -> None:
    long, short = ticket("long", option(work_s=60), waited_s=1), ticket("short", option(work_s=2))
    assert not choose(short, [long], ONE, NOW).begins


def test_who_was_held_up_enough_is_overtaken_no_more() -> None:
    long = ticket("long", option(work_s=60), waited_s=30, overtaken_s=9.5)
    assert not choose(ticket("short", option(work_s=2)), [long], ONE, NOW).begins


def test_two_short_ones_at_once_hold_up_as_little_as_one_after_the_other() -> None:
    long = ticket("long", option(work_s=60), waited_s=10)
    shorts = [ticket(name, option(work_s=4)) for name in ("s1", "s2")]
    begun = [t.id for t, c in plan(fleet_of(machine(slots=2)), [long, *shorts], NOW) if c.begins]
    assert begun == ["s1", "long"]


def test_one_of_a_lower_class_overtakes_nobody() -> None:
    long = ticket("long", option(work_s=60), waited_s=100)
    short = ticket("short", option(work_s=2), priority=Priority.LOW)
    assert not choose(short, [long], ONE, NOW).begins


def test_a_load_that_pushes_a_model_out_counts_for_those_overtaken() -> None:
    long = ticket("long", option(model="old", work_s=60, load_s=20, bytes=5), waited_s=30)
    short = ticket("short", option(model="other", work_s=2, bytes=5))
    assert not choose(short, [long], fleet_of(MEMORY), NOW).begins


# ---- keep-alive


def test_a_model_that_others_wait_for_is_kept() -> None:
    assert keep_alive_for(option(), [ticket("next")], ONE, NOW) == "1800s"


def test_a_model_that_must_leave_for_the_next_is_offered() -> None:
    full = fleet_of(machine(memory_bytes=10, resident=(Held("m", 10, 1 << 20),)))
    waiting = ticket("next", option(model="other", bytes=5))
    assert keep_alive_for(option(bytes=10), [waiting], full, NOW) == "60s"


def test_a_model_that_fits_beside_the_next_is_left_alone() -> None:
    roomy = fleet_of(machine(memory_bytes=15, resident=(Held("m", 10, 1 << 20),)))
    waiting = ticket("next", option(model="other", bytes=5))
    assert keep_alive_for(option(bytes=10), [waiting], roomy, NOW) is None


def test_where_nobody_waits_the_servers_own_keep_alive_holds() -> None:
    elsewhere = [running("x", option("b")), ticket("next", option("b"))]
    assert keep_alive_for(option(), elsewhere, TWO, NOW) is None


# ---- machines and turns as instances tell them


def llama(**known: object) -> Model:
    plain = Model(ModelName("llama", "8b"), size_bytes=5 * GB, context_length=8192)
    return replace(plain, **known)  # type: ignore[arg-type]


def instance(*loaded: LoadedModel, **known: object) -> Instance:
    plain = Instance(InstanceAddress("a"), locality=Locality.LAN, loaded=loaded, models=(llama(),))
    return replace(plain, **known)  # type: ignore[arg-type]


def test_memory_is_that_of_the_cards_where_there_is_one() -> None:
    card = instance(gpu=Gpu(2, GpuSource.CONFIG, 24 * GB), ram_total=64 * GB)
    [found] = machines(Fleet((card,)), Profiles(), {}).values()
    assert (found.memory_bytes, found.most_loaded) == (24 * GB, 6)


def test_memory_is_main_memory_only_where_no_card_is_known_for_sure() -> None:
    none = instance(gpu=Gpu(0, GpuSource.CONFIG, 0), ram_total=64 * GB)
    unknown = replace(none, gpu=Gpu(), address=InstanceAddress("b"))
    found = machines(Fleet((none, unknown)), Profiles(), {}).values()
    assert [m.memory_bytes for m in found] == [64 * GB, None]


def test_configured_slots_are_known_and_use_by_others_is_passed_on() -> None:
    configured = instance(settings=InstanceSettings(slots=4))
    [found] = machines(Fleet((configured,)), Profiles(), {"a:11434": Use(3.0, "")}).values()
    assert (found.slots, found.slots_known, found.foreign_s) == (4, True, 3.0)


def test_a_model_needs_its_weights_and_the_cache_of_a_whole_step_of_context() -> None:
    shape = ModelShape(layers=2, kv_heads=1, key_length=4, value_length=4)
    assert bytes_needed(llama(shape=shape), 100) == 5 * GB + 32 * 4096
    assert bytes_needed(llama(size_bytes=None), 100) is None


def test_the_turn_of_a_pair_is_that_of_an_option_for_it() -> None:
    loaded = LoadedModel(ModelName("llama", "8b"), size=5 * GB, context_length=4096)
    here = instance(loaded)
    known = machines(Fleet((here,)), Profiles(), {})
    others = [running("x", option(here.id, work_s=6))]
    turn = queues(known, others, None, NOW).turn(Pair(llama(), here), 100)
    assert (turn.wait_s, turn.residency) == (6.0, Residency.RESIDENT)


@pytest.mark.parametrize(
    ("others", "wanted"),
    [
        ([], "a:11434"),
        ([running("x", option("b:11434"))], "a:11434"),
        ([running("x", option("a:11434", 1e-3))], "b:11434"),
        ([ticket("x", option("a:11434", 1e-3))], "b:11434"),
    ],
)
def test_this_machine_is_worth_more_only_while_none_of_ours_uses_it(
    others: list[Ticket], wanted: str
) -> None:
    near = instance(status=Status.UP, locality=Locality.LOCAL, latency_ms=30.0)
    far = replace(near, address=InstanceAddress("b"), locality=Locality.LAN, latency_ms=1.0)
    fleet = Fleet((near, far))
    known = Knowledge(queues=queues(machines(fleet, Profiles(), {}), others, None, NOW))
    task = analyse(Question("hello"))
    decision = decide(task, fleet, Settings(), Wish(), Demand(), known=known)
    assert decision.ranked[0].instance == wanted


def test_nobody_waits_for_a_load_of_ours_that_is_as_uncertain_as_ones_own_elsewhere() -> None:
    one = instance(status=Status.UP)
    fleet = Fleet((one, replace(one, address=InstanceAddress("b"))))
    idle, task = machines(fleet, Profiles(), {}), analyse(Question("hello"))

    def options(*others: Ticket) -> tuple[Option, ...]:
        known = Knowledge(queues=queues(idle, others, None, NOW))
        decision = decide(task, fleet, Settings(), Wish(), Demand(), known=known)
        assert all(c.prospect.rates.load_s.spread > 1 for c in decision.ranked)
        return options_of(decision, decision.ranked)

    loading = running("x", options()[0])
    choice = choose(ticket("me", *options(loading)), [loading], idle, NOW)
    assert choice.option is not None
    assert (choice.begins, choice.option.instance) == (True, "b:11434")


def test_an_estimate_waits_for_what_the_machine_gives_to_those_beside_it() -> None:
    loaded = LoadedModel(ModelName("llama", "8b"), size=5 * GB, context_length=1 << 20)
    here = instance(loaded, settings=InstanceSettings(slots=2))
    known = machines(Fleet((here,)), Profiles(), {})
    beside = [running("x", option(here.id, work_s=1e6))]
    ahead = Knowledge(queues=queues(known, beside, None, NOW))
    said = prospect(Pair(llama(), here), analyse(Question("hello")), ahead).estimate
    assert said.wait_s == pytest.approx(said.prompt_s + said.generation_s)


def test_without_any_queues_the_instance_itself_tells_what_is_resident() -> None:
    loaded = LoadedModel(ModelName("llama", "8b"), size=5 * GB, context_length=4096)
    assert Queues().turn(Pair(llama(), instance(loaded)), 100).residency is Residency.RESIDENT
    assert Queues().turn(Pair(llama(), instance()), 100).residency is Residency.FITS


# ---- for any fleet and any line

NAMES = ("a", "b", "c")
WORK = st.sampled_from((1.0, 2.5, 10.0, 60.0))


@st.composite
def _options(draw: st.DrawFn) -> tuple[Option, ...]:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    model = draw(st.sampled_from(("m", "n", "o")))
    return tuple(
        Option(model, name, 0.0, draw(WORK), draw(st.sampled_from((1.0, 5.0))), bytes=5)
        for name in names
    )


@st.composite
def _tickets(draw: st.DrawFn, most: int = 8) -> list[Ticket]:
    count = draw(st.integers(1, most))
    return [
        Ticket(
            f"{number}",
            NOW - draw(st.floats(0, 300)),
            draw(_options()),
            HERE,
            priority=draw(st.sampled_from(Priority)),
        )
        for number in range(count)
    ]


@st.composite
def _fleets(draw: st.DrawFn) -> dict[str, Machine]:
    return fleet_of(
        *(
            machine(
                name,
                draw(st.sampled_from((1, 1, 2, 3))),
                memory_bytes=draw(st.sampled_from((None, 10, 12))),
                resident=tuple(
                    Held(m, 5, 1 << 20)
                    for m in draw(st.lists(st.sampled_from(("m", "n")), unique=True))
                ),
                foreign_s=draw(st.sampled_from((0.0, 0.0, 5.0))),
            )
            for name in NAMES
        )
    )


def taken(tickets: list[Ticket], fleet: dict[str, Machine], now: float) -> list[Ticket]:
    """The tickets after each one that waits chose once, in the order in which they are told."""
    for number, me in enumerate(tickets):
        if me.state is TicketState.RUNNING:
            continue
        choice = choose(me, [t for t in tickets if t is not me], fleet, now)
        if choice.begins:
            tickets[number] = replace(me, on=choice.option, started_at=now)
            for at, other in enumerate(tickets):
                held_up_s = other.overtaken_s + choice.passed.get(other.id, 0.0)
                tickets[at] = replace(other, overtaken_s=held_up_s)
    return tickets


@given(_tickets(), _fleets(), st.randoms(use_true_random=False))
def test_no_more_begin_than_there_are_slots_whoever_looks_first(
    tickets: list[Ticket], fleet: dict[str, Machine], chance: object
) -> None:
    chance.shuffle(tickets)  # type: ignore[attr-defined]
    after = taken(taken(list(tickets), fleet, NOW), fleet, NOW)
    for name, of in fleet.items():
        used = sum(t.on is not None and t.on.instance == name for t in after)
        assert used <= of.slots


@given(_tickets(), _fleets())
def test_every_ticket_is_told_once_what_to_do(
    tickets: list[Ticket], fleet: dict[str, Machine]
) -> None:
    told = [t.id for t, _ in plan(fleet, tickets, NOW)]
    assert sorted(told) == sorted(t.id for t in tickets)


@given(_tickets(), _fleets())
def test_choosing_and_planning_agree(tickets: list[Ticket], fleet: dict[str, Machine]) -> None:
    for me, choice in plan(fleet, tickets, NOW):
        assert choose(me, [t for t in tickets if t is not me], fleet, NOW) == choice


@given(_tickets(), _fleets())
def test_whenever_nothing_runs_somebody_begins(
    tickets: list[Ticket], fleet: dict[str, Machine]
) -> None:
    assert any(choice.begins for _, choice in plan(fleet, tickets, NOW))


@settings(max_examples=50)
@given(_tickets(), _fleets(), st.integers(0, 40))
def test_the_queue_never_starves(
    tickets: list[Ticket], fleet: dict[str, Machine], newcomers: int
) -> None:
    """A stream of short and important ones that never ends does not keep anyone waiting."""
    idle = {name: replace(of, foreign_s=0.0) for name, of in fleet.items()}
    now, first = NOW, {t.id for t in tickets}
    longest = 10 * len(tickets) * 65.0 + 2 * 120.0
    for number in range(10_000):
        tickets = taken(tickets, idle, now)
        if not any(t.id in first for t in tickets if t.state is TicketState.WAITING):
            return
        assert now - NOW <= longest
        done = min(
            (t for t in tickets if t.on is not None and t.started_at is not None),
            key=lambda t: (t.started_at or 0.0) + (t.on.work_s + t.on.load_s if t.on else 0.0),
        )
        assert done.on is not None
        now = max(now, (done.started_at or 0.0) + done.on.work_s + done.on.load_s)
        tickets.remove(done)
        if number < newcomers or number % 2:
            new = Ticket(f"new{number}", now, done.options, HERE, priority=Priority.HIGH)
            tickets.append(new)
    pytest.fail("they never began")


@given(_tickets(), _fleets())
def test_nobody_is_overtaken_for_more_than_a_share_of_their_wait(
    tickets: list[Ticket], fleet: dict[str, Machine]
) -> None:
    total: dict[str, float] = {}
    for _, choice in plan(fleet, tickets, NOW):
        for name, by_s in choice.passed.items():
            total[name] = total.get(name, 0.0) + by_s
    waited = {t.id: NOW - t.entered_at for t in tickets}
    assert all(by_s <= BEARABLE * waited[name] + 1e-9 for name, by_s in total.items())


@given(_tickets(), _fleets(), st.floats(1.5, 50))
def test_rates_are_scale_free(
    tickets: list[Ticket], fleet: dict[str, Machine], factor: float
) -> None:
    """When everything takes so many times as long, the choices are the same, only later."""
    slower_fleet = {n: replace(m, foreign_s=m.foreign_s * factor) for n, m in fleet.items()}
    slower = [
        replace(
            t,
            # A class counts a minute, which does not scale.
            priority=Priority.NORMAL,
            entered_at=NOW - (NOW - t.entered_at) * factor,
            options=tuple(
                replace(o, work_s=o.work_s * factor, load_s=o.load_s * factor) for o in t.options
            ),
        )
        for t in tickets
    ]
    same = [replace(t, priority=Priority.NORMAL) for t in tickets]
    now = list(plan(fleet, same, NOW))
    later = list(plan(slower_fleet, slower, NOW))
    # Sums that are equal but for rounding may fall either way.
    assume(_are_clear(fleet, same))
    assert [_place(c) for _, c in later] == [_place(c) for _, c in now]
    for (_, one), (_, other) in zip(now, later, strict=True):
        assert other.wait_s == pytest.approx(one.wait_s * factor)


def _place(choice: Choice) -> tuple[str | None, bool]:
    return choice.option.instance if choice.option else None, choice.begins


def _are_clear(fleet: dict[str, Machine], tickets: list[Ticket]) -> bool:
    """Whether a little more or less work changes nothing."""
    for factor in (1 - 1e-6, 1 + 1e-6):
        moved = [
            replace(
                t,
                options=tuple(
                    replace(o, work_s=o.work_s * factor ** (n + 1)) for n, o in enumerate(t.options)
                ),
            )
            for t in tickets
        ]
        if [_place(c) for _, c in plan(fleet, moved, NOW)] != [
            _place(c) for _, c in plan(fleet, tickets, NOW)
        ]:
            return False
    return True


@given(_tickets(), _fleets(), _options(), st.floats(0.05, 0.99))
def test_a_faster_idle_instance_never_lengthens_the_best_weighted_time(
    tickets: list[Ticket], fleet: dict[str, Machine], options: tuple[Option, ...], factor: float
) -> None:
    idle = machine("idle", resident=(Held(options[0].model, 5, 1 << 20),))
    faster = min(o.work_s for o in options) * factor
    more = (*options, replace(options[0], instance="idle", work_s=faster))
    me = ticket("me", *options)
    before = _score(me, tickets, fleet)
    assert _score(replace(me, options=more), tickets, {**fleet, "idle": idle}) >= before


def _score(me: Ticket, others: list[Ticket], fleet: dict[str, Machine]) -> float:
    ahead = queues(fleet, others, me, NOW)
    weights = {Residency.RESIDENT: 0.0, Residency.FITS: 1.0, Residency.EVICTS: 4.0}
    best = -math.inf
    for each in me.options:
        spot = ahead.lanes[each.instance].spot(
            each.model, each.bytes, each.context, each.load_s, each.work_s
        )
        load_s = weights[spot.residency] * each.load_s
        seconds = spot.begin_s + spot.shared_s + load_s + each.work_s
        best = max(best, time_term(me.price, seconds))
    return best


@given(_tickets(), _fleets(), _options())
def test_what_is_chosen_is_what_scores_best(
    tickets: list[Ticket], fleet: dict[str, Machine], options: tuple[Option, ...]
) -> None:
    me = Ticket("zz", NOW, options, HERE, priority=Priority.LOW)
    choice = choose(me, tickets, fleet, NOW)
    assert choice.option is not None
    # Who overtakes has fewer ahead than the queues say.
    assume(not choice.passed)
    alone = tuple(o for o in options if o.instance == choice.option.instance)
    assert _score(replace(me, options=alone), tickets, fleet) == _score(me, tickets, fleet)
