"""Discovery against simulated instances and against what is no Ollama, on loopback."""

from __future__ import annotations

import contextlib
import socket
import threading
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ollamamaster.bootstrap import SystemClock
from ollamamaster.discovery.names import SystemNames
from ollamamaster.discovery.scan import SocketScanner
from ollamamaster.domain.changes import What
from ollamamaster.domain.instances import (
    Gpu,
    GpuSource,
    InstanceAddress,
    InstanceSettings,
    Locality,
    Status,
)
from ollamamaster.domain.probes import ScanPlan
from ollamamaster.domain.settings import DiscoverySettings, Settings
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.errors import ConfigInvalidError, StateUnusableError, UsageError
from ollamamaster.ollama.client import OllamaClient
from ollamamaster.services.discover import DiscoverService, Surroundings
from ollamamaster.services.plan import DiscoverRequest
from ollamamaster.services.watch import WatchService
from ollamamaster.simulator.sandbox import SimulatedFleet
from ollamamaster.storage.inventory import InventoryFile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
    from ipaddress import IPv4Network
    from pathlib import Path

    from ollamamaster.domain.instances import Endpoint
    from ollamamaster.domain.models import Model
    from ollamamaster.ports import InventoryStore

pytestmark = pytest.mark.anyio

NO_LOOPBACK = Settings(discovery=DiscoverySettings(loopback=False))
GPU = Gpu(1, GpuSource.NVIDIA_SMI, 24, 3)


class Alone:
    """No neighbours but those a test gives it."""

    def __init__(self, published: tuple[InstanceAddress, ...] = ()) -> None:
        self._published = published

    def networks(self) -> tuple[IPv4Network, ...]:
        return ()

    async def published(self) -> tuple[InstanceAddress, ...]:
        return self._published

    async def peers(self) -> tuple[str, ...]:
        return ()


class OneGpu:
    async def read(self) -> Gpu | None:
        return GPU


class Names(SystemNames):
    """Names of a test's own, so that no name server is asked."""

    known: Mapping[str, tuple[str, ...]] = {"gone.test": ()}

    async def resolve(
        self, hosts: Iterable[str], *, timeout_s: float
    ) -> Mapping[str, tuple[str, ...]]:
        asked = list(hosts)
        found = await super().resolve(
            [host for host in asked if host not in self.known], timeout_s=timeout_s
        )
        return {**found, **{host: self.known[host] for host in asked if host in self.known}}


class Counting(OllamaClient):
    """The client, which remembers what it was asked to show."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []

    async def show(self, endpoint: Endpoint, model: Model, *, timeout_s: float) -> Model:
        self.shown.append(model.digest)
        return await super().show(endpoint, model, timeout_s=timeout_s)


class ReadOnly:
    """An inventory on a full disk."""

    def load(self) -> Fleet:
        return Fleet()

    def update(self, change: Callable[[Fleet], Fleet]) -> Fleet:
        raise StateUnusableError("the disk is full")


@pytest.fixture(scope="module")
def duo() -> Iterator[SimulatedFleet]:
    with SimulatedFleet.start("duo", speed=50.0, seed=0) as fleet:
        yield fleet


@pytest.fixture
def own_duo() -> Iterator[SimulatedFleet]:
    """A fleet that a test may break."""
    with SimulatedFleet.start("duo", speed=50.0, seed=0) as fleet:
        yield fleet


@pytest.fixture
async def client() -> AsyncIterator[Counting]:
    client = Counting()
    yield client
    await client.aclose()


@pytest.fixture
def discover(tmp_path: Path, client: Counting) -> Callable[..., DiscoverService]:
    def make(
        settings: Settings = NO_LOOPBACK,
        *,
        inventory: InventoryStore | None = None,
        neighbours: Alone | None = None,
        ollama_host: str | None = None,
    ) -> DiscoverService:
        return DiscoverService(
            settings,
            inventory or InventoryFile(tmp_path / "inventory.toml"),
            client,
            Surroundings(SocketScanner(), Names(), neighbours or Alone(), OneGpu()),
            SystemClock(),
            ollama_host=ollama_host,
        )

    return make


async def test_two_servers_with_the_same_models_stay_two(
    duo: SimulatedFleet, discover: Callable[..., DiscoverService]
) -> None:
    request = DiscoverRequest(tuple(f"127.0.0.1:{one.port}" for one in duo))
    found = await discover().discover(request)
    assert {i.id for i in found.fleet} == {one.id for one in duo}


async def test_an_instance_tells_version_models_latency_and_that_it_is_simulated(
    duo: SimulatedFleet, discover: Callable[..., DiscoverService]
) -> None:
    (found,) = (await discover().discover(DiscoverRequest((duo["a"].url,)))).fleet
    assert (found.status, found.locality) == (Status.UP, Locality.LOCAL)
    assert found.version == "0.24.0-sandbox"
    assert "llama3.1:8b" in [str(m.name) for m in found.models]
    assert all(m.capabilities and m.context_length and m.shape for m in found.models)
    assert found.latency_ms is not None
    assert found.latency_ms > 0
    assert found.labels == {"sandbox": "true"}
    assert found.gpu == Gpu()


async def test_each_digest_is_shown_once_and_remembered(
    duo: SimulatedFleet, client: Counting, discover: Callable[..., DiscoverService]
) -> None:
    request = DiscoverRequest(tuple(one.url for one in duo))
    found = await discover().discover(request)
    digests = {m.digest for i in found.fleet for m in i.models}
    assert sorted(client.shown) == sorted(digests)
    await discover().discover(request)
    assert len(client.shown) == len(digests)


async def test_a_target_by_name_keeps_its_name_and_has_its_address_as_alias(
    duo: SimulatedFleet, discover: Callable[..., DiscoverService]
) -> None:
    port = duo["a"].port
    for target in (f"localhost:{port}", f"localhost:{port}-{port + 1}"):
        (found,) = (await discover().discover(DiscoverRequest((target,), save=False))).fleet
        assert found.id == f"localhost:{port}"
        assert duo["a"].id in found.aliases


async def test_a_name_without_an_address_is_a_note_and_finds_nothing(
    discover: Callable[..., DiscoverService],
) -> None:
    found = await discover().discover(DiscoverRequest(("gone.test",)))
    assert len(found.fleet) == 0
    assert found.notes == ("gone.test: no address is known for this name",)


@contextlib.contextmanager
def forwarded(to: int) -> Iterator[str]:
    """The same port on ::1, leading to 127.0.0.1."""
    ended = threading.Event()

    def pump(a: socket.socket, b: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := a.recv(65536):
                b.sendall(data)
        with contextlib.suppress(OSError):
            b.shutdown(socket.SHUT_WR)

    def accept() -> None:
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                near, _ = listener.accept()
                open_sockets.append(near)
                far = socket.create_connection(("127.0.0.1", to))
                open_sockets.append(far)
                for pair in ((near, far), (far, near)):
                    threads.append(threading.Thread(target=pump, args=pair))
                    threads[-1].start()

    threads: list[threading.Thread] = []
    open_sockets: list[socket.socket] = []
    try:
        listener = socket.create_server(("::1", to), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    listener.settimeout(0.05)
    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield f"[::1]:{to}"
    finally:
        ended.set()
        accepting.join()
        listener.close()
        for one in open_sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
        for one in open_sockets:
            one.close()


async def test_one_server_on_both_loopback_addresses_is_one_instance(
    duo: SimulatedFleet, discover: Callable[..., DiscoverService]
) -> None:
    with forwarded(duo["a"].port) as alias:
        settings = Settings(discovery=DiscoverySettings(ports=(str(duo["a"].port),)))
        found = await discover(settings).discover()
        assert found.scan.open == 2
        assert [(i.id, i.aliases) for i in found.fleet] == [(duo["a"].id, (alias,))]
        again = await discover(settings).discover(DiscoverRequest((alias,)))
        assert [i.id for i in again.fleet] == [duo["a"].id]


async def test_an_instance_that_is_gone_stays_as_down_until_it_is_forgotten(
    own_duo: SimulatedFleet, discover: Callable[..., DiscoverService]
) -> None:
    first = await discover().discover(DiscoverRequest(tuple(one.url for one in own_duo)))
    own_duo["a"].stop()
    second = await discover().discover()
    gone = second.fleet.find(own_duo["a"].id)
    assert gone == replace(first.fleet.find(own_duo["a"].id), status=Status.DOWN)
    third = await discover().discover(DiscoverRequest(forget=True))
    assert [i.id for i in third.fleet] == [own_duo["b"].id]


async def test_a_scan_that_finds_a_known_port_closed_marks_it_down(
    own_duo: SimulatedFleet, discover: Callable[..., DiscoverService]
) -> None:
    await discover().discover(DiscoverRequest((own_duo["a"].url,)))
    own_duo["a"].stop()
    request = DiscoverRequest(("127.0.0.0/30",), ports=str(own_duo["a"].port))
    found = await discover().discover(request)
    assert [(i.id, i.status) for i in found.fleet] == [(own_duo["a"].id, Status.DOWN)]


async def test_targets_leave_what_they_do_not_cover_alone(
    own_duo: SimulatedFleet, discover: Callable[..., DiscoverService], tmp_path: Path
) -> None:
    await discover().discover(DiscoverRequest((own_duo["a"].url,)))
    own_duo["a"].stop()
    found = await discover().discover(DiscoverRequest((own_duo["b"].url,), forget=True))
    assert [i.id for i in found.fleet] == [own_duo["b"].id]
    stored = InventoryFile(tmp_path / "inventory.toml").load()
    assert stored.find(own_duo["a"].id).status is Status.UP


async def test_an_instance_that_does_not_list_what_is_loaded_is_degraded(
    own_duo: SimulatedFleet, discover: Callable[..., DiscoverService]
) -> None:
    own_duo["a"].fault("error_500", count=None, path="/api/ps")
    (found,) = (await discover().discover(DiscoverRequest((own_duo["a"].url,)))).fleet
    assert (found.status, len(found.models)) == (Status.DEGRADED, 4)


async def test_an_instance_that_hangs_does_not_keep_the_other_from_being_found(
    own_duo: SimulatedFleet, discover: Callable[..., DiscoverService]
) -> None:
    own_duo["a"].fault("hang", count=None)
    found = await discover().discover(DiscoverRequest(tuple(one.url for one in own_duo)))
    assert [i.id for i in found.fleet] == [own_duo["b"].id]


async def test_a_folder_that_cannot_be_written_is_a_note_and_the_fleet_is_still_found(
    duo: SimulatedFleet, discover: Callable[..., DiscoverService]
) -> None:
    found = await discover(inventory=ReadOnly()).discover(DiscoverRequest((duo["a"].url,)))
    assert [i.id for i in found.fleet] == [duo["a"].id]
    assert found.notes == ("not saved: the disk is full",)


async def test_without_saving_the_inventory_is_not_touched(
    duo: SimulatedFleet, discover: Callable[..., DiscoverService], tmp_path: Path
) -> None:
    await discover().discover(DiscoverRequest((duo["a"].url,), save=False))
    assert not (tmp_path / "inventory.toml").exists()


async def test_ollama_host_names_an_instance(
    duo: SimulatedFleet, discover: Callable[..., DiscoverService]
) -> None:
    found = await discover(ollama_host=f"0.0.0.0:{duo['a'].port}").discover()
    assert [i.id for i in found.fleet] == [duo["a"].id]


async def test_the_config_names_networks_instances_and_what_is_known_of_them(
    duo: SimulatedFleet, discover: Callable[..., DiscoverService]
) -> None:
    known = InstanceSettings(label="box", locality=Locality.LAN, vram_gb=12, gpu_count=1)
    settings = Settings(
        discovery=DiscoverySettings(loopback=False, networks=(duo["b"].id,)),
        instances={InstanceAddress("127.0.0.1", duo["a"].port): known},
    )
    fleet = (await discover(settings).discover()).fleet
    a, b = fleet.find("box"), fleet.find(duo["b"].id)
    assert (a.locality, b.locality) == (Locality.LAN, Locality.LOCAL)
    assert a.gpu == Gpu(1, GpuSource.CONFIG, 12_000_000_000, None)


async def test_a_disabled_instance_is_left_out_wherever_it_is_met(
    duo: SimulatedFleet, discover: Callable[..., DiscoverService]
) -> None:
    address = InstanceAddress("127.0.0.1", duo["a"].port)
    settings = replace(NO_LOOPBACK, instances={address: InstanceSettings(disabled=True)})
    request = DiscoverRequest(("127.0.0.1",), ports=",".join(str(one.port) for one in duo))
    await discover().discover(request)
    found = await discover(settings).discover(request)
    assert [i.id for i in found.fleet] == [duo["b"].id]


async def test_a_port_that_a_container_publishes_is_looked_at_with_lan_only(
    duo: SimulatedFleet, discover: Callable[..., DiscoverService]
) -> None:
    published = (InstanceAddress("127.0.0.1", duo["a"].port),)
    service = discover(neighbours=Alone(published))
    assert len((await service.discover(DiscoverRequest(save=False))).fleet) == 0
    found = await service.discover(DiscoverRequest(lan=True, save=False))
    assert [i.id for i in found.fleet] == [duo["a"].id]


async def test_networks_are_named_before_anything_is_contacted(
    duo: SimulatedFleet, discover: Callable[..., DiscoverService]
) -> None:
    told: list[ScanPlan | None] = []
    port = str(duo["a"].port)
    await discover().discover(
        DiscoverRequest(("127.0.0.0/30",), ports=port),
        on_plan=told.append,
        on_progress=lambda *_: told.append(None),
    )
    assert told[0] == ScanPlan(("127.0.0.0/30",), (), port, 2)
    assert None in told[1:]


@pytest.mark.parametrize(
    "request_",
    [
        DiscoverRequest(("8.8.8.0/24",)),
        DiscoverRequest(("10.0.0.0/16",)),
        DiscoverRequest(("10.0.0.0/8",), yes=True),
        DiscoverRequest(("a b",)),
        DiscoverRequest(ports="80-70"),
    ],
)
async def test_a_scope_that_is_refused_contacts_nothing(
    discover: Callable[..., DiscoverService], request_: DiscoverRequest
) -> None:
    planned: list[ScanPlan] = []
    with pytest.raises(UsageError):
        await discover().discover(request_, on_plan=planned.append)
    assert planned == []


async def test_a_wrong_network_in_the_config_is_the_fault_of_the_config(
    discover: Callable[..., DiscoverService],
) -> None:
    settings = Settings(discovery=DiscoverySettings(loopback=False, networks=("10.0.0.0/99",)))
    with pytest.raises(ConfigInvalidError, match=r"discovery\.networks"):
        await discover(settings).discover()


async def test_a_refresh_keeps_who_does_not_answer_as_down_and_saves_it(
    own_duo: SimulatedFleet, discover: Callable[..., DiscoverService], tmp_path: Path
) -> None:
    service = discover()
    first = await service.discover(DiscoverRequest(tuple(one.url for one in own_duo)))
    own_duo["a"].stop()
    fleet = (await service.refresh(first.fleet)).fleet
    assert fleet.find(own_duo["a"].id).status is Status.DOWN
    assert fleet.find(own_duo["b"].id).status is Status.UP
    stored = InventoryFile(tmp_path / "inventory.toml").load()
    assert stored.find(own_duo["a"].id).status is Status.DOWN
    assert fleet.find(own_duo["b"].id).models == first.fleet.find(own_duo["b"].id).models


async def test_a_watch_tells_what_goes_and_what_comes_back(
    own_duo: SimulatedFleet, discover: Callable[..., DiscoverService]
) -> None:
    service = discover()
    request = DiscoverRequest(tuple(one.url for one in own_duo))
    first = await service.discover(request)
    own_duo["a"].stop()
    told = []
    watch = WatchService(service, SystemClock()).watch(
        request, first, ask_every_s=0.02, scan_every_s=0.1
    )
    async with aclosing(watch) as observed:
        async for one in observed:
            told += [(c.instance, c.what) for c in one.changes]
            if len(told) == 1:
                own_duo["a"].restart()
            else:
                break
    assert told == [(own_duo["a"].id, What.DOWN), (own_duo["a"].id, What.UP)]
