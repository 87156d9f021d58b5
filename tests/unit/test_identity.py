"""Which entries are one server, and what the fleet is after a look."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.domain.changes import What, changes
from ollamamaster.domain.identity import Entry, Sighting, same_servers, united
from ollamamaster.domain.instances import (
    Gpu,
    GpuSource,
    Instance,
    InstanceAddress,
    Locality,
    Status,
)
from ollamamaster.domain.models import LoadedModel, Model, ModelName
from ollamamaster.domain.sightings import (
    Looked,
    Machine,
    after_answers,
    after_look,
    answered,
    instance_of,
)
from ollamamaster.domain.snapshot import Fleet, Snapshot

NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)
LAN = "192.168.1.5"
OWN = frozenset({"127.0.0.1", "::1", LAN})
PHI = Model(ModelName("phi4"), digest="d1", modified_at=NOON)


def entry(host: str, *resolved: str, port: int = 11434, configured: bool = False) -> Entry:
    return Entry(InstanceAddress(host, port), frozenset(resolved or {host}), configured)


def said(*models: Model, version: str = "0.24.0", loaded: tuple[LoadedModel, ...] = ()) -> Snapshot:
    return Snapshot(NOON, version, 1.0, models, loaded)


def ids(found: tuple[Entry, ...] | tuple[Sighting, ...]) -> list[str]:
    return [(f.entry if isinstance(f, Sighting) else f).address.id for f in found]


def test_a_name_wins_over_the_address_it_stands_for() -> None:
    (one,) = united([entry(LAN), entry("gaming-pc", LAN)])
    assert (one.address.id, one.aliases) == ("gaming-pc:11434", (f"{LAN}:11434",))


def test_the_key_of_the_config_wins_over_a_name() -> None:
    (one,) = united([entry("gaming-pc", LAN), entry(LAN, configured=True)])
    assert one.address.id == f"{LAN}:11434"


def test_two_names_of_one_address_stay_two_until_they_have_answered() -> None:
    assert len(united([entry("a.lan", LAN), entry("b.lan", LAN)])) == 2


def test_another_port_scheme_or_prefix_is_another_instance() -> None:
    at = InstanceAddress(LAN)
    places = [at, replace(at, port=11435), replace(at, scheme="https"), replace(at, prefix="/a")]
    assert len(united([Entry(place, frozenset({LAN})) for place in places])) == 4


def test_what_was_not_asked_for_is_wanted_once_it_is_met() -> None:
    known = replace(entry("gaming-pc", LAN), wanted=False)
    (one,) = united([known, entry(LAN)])
    assert one.wanted
    assert one.address.host == "gaming-pc"


hosts = st.sampled_from(["127.0.0.1", "::1", LAN, "10.0.0.9"])
entries = st.builds(
    entry,
    hosts,
    port=st.sampled_from([11434, 11435]),
    configured=st.booleans(),
) | st.sampled_from(
    [entry("a", "127.0.0.1", "::1"), entry("b", "::1", LAN), entry("c", LAN, configured=True)]
)


@given(st.lists(entries, max_size=8))
def test_uniting_twice_changes_nothing_and_loses_no_id(found: list[Entry]) -> None:
    once = united(found)
    assert united(once) == once
    reachable = {name for e in once for name in (e.address.id, *e.aliases)}
    assert {e.address.id for e in found} <= reachable


@given(st.lists(entries, max_size=8))
def test_no_address_is_left_beside_another_entry_for_it(found: list[Entry]) -> None:
    once = united(found)
    for number, one in enumerate(once):
        for other in once[number + 1 :]:
            assert not one.places & other.places or (one.named and other.named)


def test_one_server_on_several_addresses_of_this_machine_is_one() -> None:
    found = same_servers(
        [Sighting(entry(host), said(PHI)) for host in (LAN, "::1", "127.0.0.1")], OWN
    )
    assert ids(found) == ["127.0.0.1:11434"]
    assert found[0].entry.aliases == (f"{LAN}:11434", "[::1]:11434")


def test_without_ipv4_loopback_the_ipv6_one_gives_the_id() -> None:
    found = same_servers([Sighting(entry(host), said(PHI)) for host in (LAN, "::1")], OWN)
    assert ids(found) == ["[::1]:11434"]


def test_the_same_answers_on_another_port_are_another_server() -> None:
    found = [Sighting(entry("127.0.0.1", port=port), said(PHI)) for port in (11434, 11435)]
    assert len(same_servers(found, OWN)) == 2


def test_the_same_answers_from_another_machine_are_another_server() -> None:
    found = [Sighting(entry(host), said(PHI)) for host in ("127.0.0.1", "192.168.1.6")]
    assert len(same_servers(found, OWN)) == 2


def test_the_same_models_pulled_at_another_time_are_another_server() -> None:
    found = [
        Sighting(entry("127.0.0.1"), said(PHI)),
        Sighting(entry("::1"), said(replace(PHI, modified_at=LATER))),
    ]
    assert len(same_servers(found, OWN)) == 2


def test_another_model_in_memory_is_another_server() -> None:
    found = [
        Sighting(entry("127.0.0.1"), said(PHI)),
        Sighting(entry("::1"), said(PHI, loaded=(LoadedModel(PHI.name),))),
    ]
    assert len(same_servers(found, OWN)) == 2


def test_what_did_not_say_all_is_not_taken_for_another() -> None:
    silent = Snapshot(NOON, "0.24.0", 1.0, None, None)
    found = [Sighting(entry(host), silent) for host in ("127.0.0.1", "::1")]
    assert len(same_servers(found, OWN)) == 2


def test_two_names_of_one_address_that_answer_the_same_are_one() -> None:
    found = [Sighting(entry(name, "10.0.0.9"), said(PHI)) for name in ("a.lan", "b.lan")]
    assert len(same_servers(found, OWN)) == 1


def test_two_names_behind_one_proxy_that_answer_differently_stay_two() -> None:
    found = [
        Sighting(entry("a.lan", "10.0.0.9"), said(PHI)),
        Sighting(entry("b.lan", "10.0.0.9"), said()),
    ]
    assert len(same_servers(found, OWN)) == 2


def instance(host: str, status: Status = Status.UP, *aliases: str, at: datetime = NOON) -> Instance:
    return Instance(
        InstanceAddress(host),
        aliases=aliases,
        locality=Locality.LAN,
        status=status,
        version="0.24.0",
        models=(PHI,),
        first_seen=at,
        last_seen=at,
    )


def look(*seen: Instance, silent: tuple[str, ...] = ()) -> Looked:
    return Looked(seen, frozenset(silent), LATER, LATER)


def test_who_does_not_answer_keeps_what_was_known_as_down() -> None:
    (one,) = after_look(Fleet((instance("a"),)), look(silent=("a:11434",)))
    assert one == replace(instance("a"), status=Status.DOWN)


def test_who_does_not_answer_is_dropped_when_forgetting() -> None:
    assert len(after_look(Fleet((instance("a"),)), look(silent=("a:11434",)), forget=True)) == 0


def test_who_was_not_looked_at_is_kept_even_when_forgetting() -> None:
    stored = Fleet((instance("a"), instance("b")), checked_at=NOON)
    after = after_look(stored, look(silent=("a:11434",)), forget=True)
    assert after == Fleet((instance("b"),), checked_at=NOON)


def test_who_another_process_saw_meanwhile_is_not_down() -> None:
    since = instance("a", at=LATER + timedelta(seconds=1))
    assert after_look(Fleet((since,)), look(silent=("a:11434",))).instances == (since,)


def test_an_instance_stays_known_since_it_was_first_seen() -> None:
    (one,) = after_look(Fleet((instance("a"),)), look(instance("a", at=LATER)))
    assert (one.first_seen, one.last_seen) == (NOON, LATER)


def test_an_entry_that_proved_an_alias_is_absorbed() -> None:
    stored = Fleet((instance("::1"),))
    (one,) = after_look(stored, look(instance("127.0.0.1", Status.UP, "[::1]:11434", at=LATER)))
    assert (one.id, one.first_seen) == ("127.0.0.1:11434", NOON)


def test_an_instance_asked_by_an_alias_keeps_its_id() -> None:
    stored = Fleet((instance("127.0.0.1", Status.UP, "[::1]:11434"),))
    (one,) = after_look(stored, look(instance("::1", at=LATER)))
    assert (one.id, one.aliases, one.last_seen) == ("127.0.0.1:11434", ("[::1]:11434",), LATER)


def test_an_alias_that_proved_another_server_is_no_alias_any_more() -> None:
    stored = Fleet((instance("127.0.0.1", Status.UP, "[::1]:11434"),))
    after = after_look(stored, look(instance("127.0.0.1", at=LATER), instance("::1", at=LATER)))
    assert {(i.id, i.aliases) for i in after} == {("127.0.0.1:11434", ()), ("[::1]:11434", ())}


names = st.sampled_from(["a", "b", "c", "d"])
instances = st.builds(
    lambda host, status, at: instance(host, status, at=at),
    names,
    st.sampled_from(Status),
    st.sampled_from([NOON, LATER + timedelta(seconds=1)]),
)
fleets = st.lists(instances, max_size=4, unique_by=lambda i: i.id).map(lambda i: Fleet(tuple(i)))


@given(fleets, st.lists(names, max_size=3, unique=True), st.lists(names, max_size=3, unique=True))
def test_a_look_loses_no_instance_and_doing_it_twice_changes_nothing(
    stored: Fleet, up: list[str], down: list[str]
) -> None:
    seen = tuple(instance(host, at=LATER) for host in up)
    looked = look(*seen, silent=tuple(f"{host}:11434" for host in down if host not in up))
    after = after_look(stored, looked)
    assert {i.id for i in after} == {i.id for i in stored} | {i.id for i in seen}
    assert len(after) == len({i.id for i in after})
    assert after_look(after, looked) == after


def test_models_that_are_not_listed_are_those_that_were_known() -> None:
    after = answered(instance("a"), Snapshot(LATER, "0.25.0", 1.0, None, ()))
    assert (after.models, after.status, after.version) == ((PHI,), Status.DEGRADED, "0.25.0")


def test_an_instance_that_is_being_skipped_is_degraded() -> None:
    assert answered(instance("a"), said(PHI), skipped=True).status is Status.DEGRADED


def test_the_memory_that_models_say_they_take_is_no_total() -> None:
    loaded = (LoadedModel(PHI.name, size_vram=5), LoadedModel(ModelName("b"), size_vram=7))
    after = answered(instance("a"), said(PHI, loaded=loaded))
    assert after.gpu == Gpu(None, GpuSource.OBSERVED, None, 12)


def test_nothing_in_memory_tells_nothing_of_the_gpu() -> None:
    assert answered(instance("a"), said(PHI)).gpu == Gpu()


def test_the_gpu_of_this_machine_belongs_to_its_own_instances_only() -> None:
    gpu = Gpu(1, GpuSource.NVIDIA_SMI, 24, 3)
    found = [
        instance_of(
            Sighting(entry(host), said(PHI)),
            OWN,
            known=Fleet(),
            machine=Machine(gpu),
            skipped=False,
        ).gpu
        for host in ("127.0.0.1", LAN, "192.168.1.6")
    ]
    assert found == [gpu, gpu, Gpu()]


def test_the_sandbox_has_its_label_and_not_the_gpu_of_the_machine() -> None:
    found = instance_of(
        Sighting(entry("127.0.0.1"), said(version="0.24.0-sandbox")),
        OWN,
        known=Fleet(),
        machine=Machine(Gpu(1, GpuSource.NVIDIA_SMI), 64_000_000_000),
        skipped=False,
    )
    assert (dict(found.labels), found.gpu) == ({"sandbox": "true"}, Gpu())
    assert found.ram_total is None


def test_the_memory_of_this_machine_belongs_to_its_own_instances_only() -> None:
    found = [
        instance_of(
            Sighting(entry(host), said(PHI)),
            OWN,
            known=Fleet(),
            machine=Machine(None, 64_000_000_000),
            skipped=False,
        ).ram_total
        for host in ("127.0.0.1", "192.168.1.6")
    ]
    assert found == [64_000_000_000, None]


def test_a_refresh_changes_only_who_was_asked() -> None:
    before = Fleet((instance("a"), instance("b"), instance("c")), checked_at=NOON)
    after = after_answers(before, {"a:11434": None, "b:11434": said()}, began=LATER, ended=LATER)
    assert [i.status for i in after] == [Status.DOWN, Status.UP, Status.UP]
    assert [len(i.models) for i in after] == [1, 0, 1]
    assert after.checked_at == NOON


def test_every_kind_of_change_is_told() -> None:
    loaded = (LoadedModel(PHI.name),)
    before = Fleet((instance("a"), instance("b"), instance("c", Status.DOWN)))
    after = Fleet(
        (
            replace(instance("a", Status.DEGRADED), models=(), loaded=loaded),
            instance("b", Status.DOWN),
            replace(instance("c"), models=(PHI, Model(ModelName("new")))),
            instance("d"),
        )
    )
    told = {(c.instance[0], c.what, c.model) for c in changes(before, after, LATER)}
    assert told == {
        ("a", What.DEGRADED, None),
        ("a", What.MODEL_REMOVED, "phi4:latest"),
        ("a", What.LOADED, "phi4:latest"),
        ("b", What.DOWN, None),
        ("c", What.UP, None),
        ("c", What.MODEL_ADDED, "new:latest"),
        ("d", What.ADDED, None),
    }


def test_an_unloaded_model_is_told() -> None:
    before = Fleet((replace(instance("a"), loaded=(LoadedModel(PHI.name),)),))
    (change,) = changes(before, Fleet((instance("a"),)), LATER)
    assert (change.what, change.model) == (What.UNLOADED, "phi4:latest")


@given(fleets)
def test_nothing_changed_is_no_change(fleet: Fleet) -> None:
    assert changes(fleet, fleet, LATER) == ()
