from __future__ import annotations

import contextlib
import json
import re
import sys
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.domain.facts import fleet_with_facts
from ollamamaster.domain.instances import (
    Gpu,
    GpuSource,
    Instance,
    InstanceAddress,
    InstanceSettings,
    Locality,
    Status,
)
from ollamamaster.domain.models import LoadedModel, Model, ModelName, ModelShape
from ollamamaster.domain.plain_text import cleaned
from ollamamaster.domain.settings import Settings
from ollamamaster.domain.snapshot import Fleet, with_settings
from ollamamaster.errors import StateUnusableError
from ollamamaster.storage import inventory, lock
from ollamamaster.storage.inventory import InventoryFile
from ollamamaster.storage.inventory_text import DamagedError, from_text, to_text

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)
SHAPE = ModelShape(8_030_000_000, 32, 8, 128, 128, 64, 8)
MODEL = Model(
    ModelName("phi4"),
    digest="ac896e5b8b34",
    size_bytes=9_053_116_391,
    family="phi3",
    parameter_size="14.7B",
    quantization="Q4_K_M",
    context_length=16384,
    capabilities=frozenset({"completion", "vision"}),
    remote_host="https://ollama.com",
    modified_at=NOON,
    shape=SHAPE,
)
LOADED = LoadedModel(ModelName("phi4"), "ac896e5b8b34", 10, 9, 4096, NOON)
FULL = Instance(
    InstanceAddress("gw.lan", 443, "https", "/a"),
    aliases=("192.168.1.5:443/a", "[fd00::5]:443/a"),
    locality=Locality.LAN,
    status=Status.DEGRADED,
    version="0.33.0",
    latency_ms=1.25,
    gpu=Gpu(2, GpuSource.NVIDIA_SMI, 48_000_000_000, 1_000_000_000),
    models=(MODEL,),
    loaded=(LOADED,),
    labels={"room": "cellar"},
    ram_total=64_000_000_000,
    first_seen=NOON,
    last_seen=NOON,
)
BARE = Instance(InstanceAddress("10.0.0.5"))


def again(fleet: Fleet) -> Fleet:
    return from_text(to_text(fleet))


def one(**values: Any) -> Fleet:
    return Fleet((replace(BARE, **values),))


def test_everything_that_is_known_comes_back() -> None:
    assert again(Fleet((FULL, BARE), NOON)) == Fleet((FULL, BARE), NOON)


@pytest.mark.parametrize("value", [FULL, MODEL, LOADED, SHAPE, FULL.gpu])
def test_the_full_example_leaves_no_field_at_its_default(value: Any) -> None:
    left = [
        f.name for f in fields(value) if getattr(value, f.name) == f.default and f.name != "tag"
    ]
    assert left in ([], ["settings"])


def test_what_the_config_says_is_not_written() -> None:
    settings = InstanceSettings(label="big", labels={"room": "x"}, token_env="GPU_TOKEN")
    text = to_text(one(settings=settings, labels={"room": "x", "by": "docker"})).decode()
    assert "GPU_TOKEN" not in text
    assert "room" not in text
    assert "docker" in text


def test_what_the_config_overrides_is_not_written_either() -> None:
    address = InstanceAddress("10.0.0.5")
    settings = Settings(instances={address: CONFIGURED})
    [found] = again(with_settings(Fleet((BARE,)), settings))
    assert found == replace(BARE, locality=Locality.LAN)


def test_the_details_of_a_model_stand_once_however_many_have_it() -> None:
    fleet = Fleet(tuple(replace(FULL, address=InstanceAddress(f"h{n}")) for n in range(12)))
    assert to_text(fleet).count(b"14.7B") == 1
    assert again(fleet) == fleet


def test_two_models_of_one_name_stay_two() -> None:
    other = replace(MODEL, digest="other", size_bytes=1)
    fleet = Fleet((FULL, replace(BARE, models=(other,))))
    assert again(fleet) == fleet


def test_since_when_an_instance_has_a_model_is_its_own() -> None:
    later = replace(MODEL, modified_at=NOON + timedelta(days=1))
    fleet = Fleet((FULL, replace(BARE, models=(later, replace(MODEL, modified_at=None)))))
    assert again(fleet).instances[0].models[0].modified_at == NOON
    assert again(Fleet((replace(BARE, models=(later,)),))).instances[0].models == (later,)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (NOON.replace(tzinfo=None), NOON),
        (NOON.astimezone(timezone(timedelta(hours=2))), NOON),
        (datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)),
        (
            datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))),
            datetime.max.replace(tzinfo=UTC),
        ),
        (datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)),
        (None, None),
    ],
)
def test_every_moment_comes_back_in_utc(moment: datetime | None, expected: datetime | None) -> None:
    assert again(one(last_seen=moment)).instances[0].last_seen == expected


def test_a_lone_surrogate_is_replaced_because_no_file_can_hold_it() -> None:
    name = ModelName(json.loads('"a\\ud800b"'))
    assert again(one(models=(Model(name),))).instances[0].models[0].name == ModelName("a?b")


def test_an_address_that_no_url_can_hold_is_left_out_instead_of_damaging_the_file() -> None:
    odd = InstanceAddress.from_ollama_host("gar bage?")
    assert odd is not None
    assert again(Fleet((replace(BARE, address=odd), FULL))) == Fleet((FULL,))


def test_a_latency_that_is_no_number_is_unknown() -> None:
    assert again(one(latency_ms=float("nan"))).instances[0].latency_ms is None


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.none() | st.integers(0, 10**20)
moments = st.none() | st.datetimes(timezones=st.just(UTC))
model_names = st.builds(ModelName, texts, texts) | st.builds(ModelName, texts)
models = st.builds(
    Model,
    model_names,
    digest=st.sampled_from(["", "a", "b"]) | texts,
    size_bytes=numbers,
    family=st.none() | texts,
    parameter_size=st.none() | texts,
    quantization=st.none() | texts,
    context_length=numbers,
    capabilities=st.none() | st.frozensets(texts, max_size=3),
    remote_host=st.none() | texts,
    modified_at=moments,
    shape=st.none() | st.builds(ModelShape, *[numbers] * 7),
)
loaded_models = st.builds(LoadedModel, model_names, texts, numbers, numbers, numbers, moments)
instances = st.builds(
    Instance,
    st.builds(
        InstanceAddress,
        st.sampled_from(["a", "gpu.lan", "10.0.0.1", "::1"]),
        st.integers(1, 65535),
        st.sampled_from(["http", "https"]),
        st.sampled_from(["", "/a", "/a/b c"]),
    ),
    aliases=st.lists(texts, max_size=3).map(tuple),
    locality=st.sampled_from(Locality),
    status=st.sampled_from(Status),
    version=st.none() | texts,
    latency_ms=st.none() | st.floats(0, allow_nan=False, allow_infinity=False),
    gpu=st.builds(
        Gpu, numbers, st.sampled_from([GpuSource.OBSERVED, GpuSource.UNKNOWN]), numbers, numbers
    ),
    models=st.lists(models, max_size=4, unique_by=lambda m: str(m.name)).map(tuple),
    loaded=st.lists(loaded_models, max_size=3).map(tuple),
    labels=st.dictionaries(texts, texts, max_size=3),
    ram_total=numbers,
    first_seen=moments,
    last_seen=moments,
)
fleets = st.builds(Fleet, st.lists(instances, max_size=4).map(tuple), moments)


@given(fleet=fleets)
def test_any_fleet_comes_back(fleet: Fleet) -> None:
    assert again(fleet) == fleet


@given(
    content=st.binary() | st.text().map(str.encode) | st.text("[]{}=\"'.,#\n ab1").map(str.encode)
)
def test_any_other_content_is_damaged_or_a_fleet(content: bytes) -> None:
    with contextlib.suppress(DamagedError):
        assert isinstance(from_text(content), Fleet)


@given(fleet=fleets, at=st.integers(0), what=st.sampled_from([b"", b'"', b"\0", b"1", b"[", b"\n"]))
def test_a_damaged_byte_stops_nothing(fleet: Fleet, at: int, what: bytes) -> None:
    content = to_text(fleet)
    at %= len(content)
    with contextlib.suppress(DamagedError):
        from_text(content[:at] + what + content[at + 1 :])


@pytest.mark.parametrize(
    "content",
    [
        b"version = 2",
        b"version = true",
        b"",
        b"\xff",
        b"version = 1\ninstances = 3",
        b"version = 1\n[[instances]]",
        b"version = 1\n[[instances]]\nurl = 'ftp://a'",
        b"version = 1\n[[instances]]\nurl = 'http://a'\nlocality = 'moon'",
        b"version = 1\n[[instances]]\nurl = 'http://a'\nmodels = { 'a:b' = '' }",
        b"version = 1\n[models.a]\nsize_bytes = true",
        b"version = 1\ncheckd_at = 1\n[[instances]]\nurl = 1",
        b"version = 1\na = " + b"[" * 100_000,
    ],
)
def test_a_damaged_file_is_set_aside_with_a_note_and_rebuilt(
    content: bytes, tmp_path: Path
) -> None:
    file, notes = tmp_path / "inventory.toml", list[str]()
    file.write_bytes(content)
    store = InventoryFile(file, note=notes.append)
    assert store.load() == Fleet()
    [aside] = [p for p in tmp_path.iterdir() if ".broken-" in p.name]
    assert aside.read_bytes() == content
    assert aside.name in notes[0]
    assert store.update(lambda fleet: replace(fleet, instances=(FULL,))) == store.load()


def test_a_damaged_file_is_set_aside_by_an_update_too(tmp_path: Path) -> None:
    file = tmp_path / "inventory.toml"
    file.write_bytes(b"damage")
    InventoryFile(file).update(lambda fleet: replace(fleet, instances=(FULL,)))
    assert [p.read_bytes() for p in tmp_path.glob("*.broken-*")] == [b"damage"]


def test_a_file_that_another_process_has_mended_meanwhile_is_not_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, notes = tmp_path / "inventory.toml", list[str]()
    file.write_bytes(b"damage")

    def mended_first(path: Path) -> Any:
        path.write_bytes(to_text(Fleet((FULL,))))
        return lock.locked(path)

    monkeypatch.setattr(inventory, "locked", mended_first)
    assert InventoryFile(file, note=notes.append).load() == Fleet((FULL,))
    assert notes == []


def test_no_file_is_an_empty_fleet_and_stays_no_file(tmp_path: Path) -> None:
    assert InventoryFile(tmp_path / "inventory.toml").load() == Fleet()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_read_is_a_note(tmp_path: Path) -> None:
    notes: list[str] = []
    (tmp_path / "inventory.toml").mkdir()
    assert InventoryFile(tmp_path / "inventory.toml", note=notes.append).load() == Fleet()
    assert "cannot be read" in notes[0]


def test_a_folder_that_cannot_be_made_is_said_and_raised(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = InventoryFile(tmp_path / "file" / "inventory.toml")
    with pytest.raises(StateUnusableError, match=r"inventory\.toml cannot be written"):
        store.update(lambda fleet: fleet)


def test_a_lock_that_is_never_freed_ends_the_update(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "LOCK_TIMEOUT_S", 0.05)
    file = tmp_path / "inventory.toml"
    with lock.locked(file), pytest.raises(StateUnusableError, match="locked"):
        InventoryFile(file).update(lambda fleet: fleet)


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are POSIX's")
def test_the_inventory_is_for_this_user_only(tmp_path: Path) -> None:
    InventoryFile(tmp_path / "inventory.toml").update(lambda fleet: fleet)
    assert {p.stat().st_mode & 0o777 for p in tmp_path.iterdir()} == {0o600}


def test_reading_the_inventory_loads_nothing_heavy(tmp_path: Path) -> None:
    import subprocess

    InventoryFile(tmp_path / "inventory.toml").update(
        lambda fleet: replace(fleet, instances=(FULL,))
    )
    code = (
        "import sys; from pathlib import Path;"
        "from ollamamaster.storage.inventory import InventoryFile;"
        f"assert len(InventoryFile(Path({str(tmp_path)!r}, 'inventory.toml')).load()) == 1;"
        "heavy = {'asyncio', 'httpx', 'rich', 'platformdirs', 'filelock', 'sqlite3', 'tomli_w'};"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_show_said_of_a_digest_is_kept_when_a_later_answer_leaves_it_out(
    tmp_path: Path,
) -> None:
    store = InventoryFile(tmp_path / "inventory.toml")
    store.update(lambda _: Fleet((FULL,)))
    old_server = replace(MODEL, capabilities=None, context_length=None, shape=None)
    store.update(lambda fleet: Fleet((replace(fleet.instances[0], models=(old_server,)),)))
    assert store.load().instances[0].models == (MODEL,)


def test_facts_of_one_digest_hold_under_every_name_and_on_every_instance() -> None:
    alias = Model(ModelName("mine"), digest=MODEL.digest)
    fleet = fleet_with_facts(Fleet((replace(BARE, models=(alias,)), FULL)), Fleet())
    assert fleet.instances[0].models[0].shape == SHAPE


def test_models_without_a_digest_share_nothing() -> None:
    told = replace(MODEL, digest="")
    silent = Model(ModelName("other"))
    fleet = fleet_with_facts(Fleet((replace(BARE, models=(told, silent)),)), Fleet())
    assert fleet.instances[0].models[1] == silent


@given(fleet=fleets, earlier=fleets)
def test_facts_fill_gaps_and_change_nothing_that_was_said(fleet: Fleet, earlier: Fleet) -> None:
    filled = fleet_with_facts(fleet, earlier)
    for before, after in zip(fleet, filled, strict=True):
        for said, now in zip(before.models, after.models, strict=True):
            assert said.capabilities in (None, now.capabilities)
            assert said.context_length in (None, now.context_length)
            assert said.shape in (None, now.shape)
    assert fleet_with_facts(filled, earlier) == filled


CONFIGURED = InstanceSettings(
    label="big", labels={"room": "attic"}, locality=Locality.REMOTE, vram_gb=24, gpu_count=1
)


def test_settings_are_attached_by_address() -> None:
    settings = Settings(instances={FULL.address: CONFIGURED})
    [found] = with_settings(Fleet((FULL,)), settings)
    assert found.settings == CONFIGURED
    assert found.locality is Locality.REMOTE
    assert found.labels == {"room": "attic"}
    assert found.gpu == Gpu(1, GpuSource.CONFIG, 24_000_000_000, 1_000_000_000)


def test_an_instance_is_called_as_the_config_calls_it() -> None:
    settings = Settings(instances={InstanceAddress("localhost"): CONFIGURED})
    known = replace(BARE, address=InstanceAddress("127.0.0.1"), aliases=("localhost:11434",))
    [found] = with_settings(Fleet((known,)), settings)
    assert (found.id, found.aliases) == ("localhost:11434", ("127.0.0.1:11434",))


def test_an_instance_that_only_the_config_knows_is_down() -> None:
    settings = Settings(instances={InstanceAddress("10.0.0.9"): InstanceSettings(label="new")})
    [found] = with_settings(Fleet(), settings)
    assert (found.status, found.locality, found.name) == (Status.DOWN, Locality.LAN, "new")


def test_a_disabled_instance_is_left_out() -> None:
    settings = Settings(instances={FULL.address: InstanceSettings(disabled=True)})
    assert len(with_settings(Fleet((FULL,)), settings)) == 0


def test_https_in_the_config_wins_over_what_was_found() -> None:
    address = InstanceAddress("gw.lan", 443, "https")
    known = replace(BARE, address=replace(address, scheme="http"))
    [found] = with_settings(Fleet((known,)), Settings(instances={address: CONFIGURED}))
    assert found.address == address


configs = st.dictionaries(
    st.builds(InstanceAddress, st.sampled_from(["a", "gpu.lan", "10.0.0.1"]), st.integers(1, 3)),
    st.builds(InstanceSettings, label=st.none() | texts, disabled=st.booleans()),
)
few = st.builds(
    Instance,
    st.builds(InstanceAddress, st.sampled_from(["a", "gpu.lan", "10.0.0.1"]), st.integers(1, 3)),
    aliases=st.lists(st.sampled_from(["a:1", "gpu.lan:2", "x:3"]), max_size=2, unique=True).map(
        tuple
    ),
)
small_fleets = st.builds(
    Fleet, st.lists(few, max_size=4, unique_by=lambda i: i.id).map(tuple), st.none()
)


@given(fleet=small_fleets, config=configs)
def test_attaching_settings_twice_changes_nothing_and_names_stay_unique(
    fleet: Fleet, config: dict[InstanceAddress, InstanceSettings]
) -> None:
    settings = Settings(instances=config)
    once = with_settings(fleet, settings)
    assert with_settings(once, settings) == once
    assert len({i.id for i in once}) == len(once)
    assert not any(i.settings.disabled for i in once)


@given(
    st.text(
        st.characters(exclude_categories=["Cs"]) | st.sampled_from("\x9b\u202e\u2028\xad\u200d")
    ),
    st.text(st.sampled_from('\x9b\u202e\u200b\\"u#é\U000e0041\x1b')),
)
def test_the_file_is_safe_to_show_and_says_the_same(name: str, family: str) -> None:
    fleet = one(models=(Model(ModelName(name, "t"), family=family),), labels={family: name})
    text = to_text(fleet).decode()
    assert cleaned(text) == text
    assert from_text(text.encode()) == fleet


@pytest.mark.parametrize("key", ["size_bytes", "context_length"])
def test_a_count_below_zero_is_unknown(key: str) -> None:
    text = to_text(Fleet((FULL,))).decode()
    edited = re.sub(rf"^{key} = ", f"{key} = -", text, count=1, flags=re.MULTILINE)
    assert edited != text
    values = {
        getattr(of, key, 1) for i in from_text(edited.encode()) for of in (*i.models, *i.loaded)
    }
    assert None in values
