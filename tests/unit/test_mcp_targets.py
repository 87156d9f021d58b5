"""Where an agent may have the MCP server look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.domain.instances import InstanceAddress, InstanceSettings
from ollamamaster.domain.settings import DiscoverySettings, Settings
from ollamamaster.mcp_server.reply import RefusedError
from ollamamaster.mcp_server.targets import allowed_targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

pytestmark = pytest.mark.anyio


class Names:
    """A name server that knows these names, and remembers what it was asked."""

    def __init__(self, **known: tuple[str, ...]) -> None:
        self.known = {name.replace("_", "."): found for name, found in known.items()}
        self.asked: list[str] = []

    async def resolve(
        self, hosts: Iterable[str], *, timeout_s: float
    ) -> Mapping[str, tuple[str, ...]]:
        self.asked += hosts
        return {host: self.known.get(host, ()) for host in self.asked}

    def own_addresses(self) -> frozenset[str]:
        return frozenset()


async def allowed(
    *targets: str, settings: Settings | None = None, names: Names | None = None
) -> tuple[str, ...]:
    return await allowed_targets(targets, settings or Settings(), names or Names())


@pytest.mark.parametrize(
    "target",
    [
        "127.0.0.1",
        "127.9.9.9",
        "[::1]:11434",
        "10.1.2.3:11434-11440",
        "172.31.255.255",
        "192.168.0.0/24",
        "fd00::5",
        "192.168.4.0/22",
    ],
)
async def test_private_addresses_are_allowed_as_they_are(target: str) -> None:
    assert [text.strip("[]") for text in await allowed(target)] == [target.strip("[]")]


@pytest.mark.parametrize(
    "target",
    [
        "8.8.8.8",
        "172.32.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "fe80::1",
        "2001:db8::1",
        "::ffff:8.8.8.8",
        "192.168.0.0/15",
        "0.0.0.0/0",
        "::/0",
        "0.0.0.0",
        "224.0.0.1",
        "192.168.0.0/21",
        "http://127.0.0.1:11434",
        "file:///etc/passwd",
        "127.0.0.1:0",
        "",
        "a b",
        "127.0.0.1; ls",
    ],
)
async def test_everything_else_is_refused_by_its_name(target: str) -> None:
    with pytest.raises(RefusedError) as refused:
        await allowed(target)
    assert repr(target) in str(refused.value)
    assert "Nothing was contacted" in str(refused.value)


async def test_several_networks_together_are_a_22_at_most() -> None:
    with pytest.raises(RefusedError, match="more than a /22"):
        await allowed("192.168.0.0/23", "192.168.2.0/23", "10.0.0.1")


async def test_one_refused_target_refuses_all() -> None:
    with pytest.raises(RefusedError, match=r"'1\.1\.1\.1'"):
        await allowed("127.0.0.1", "1.1.1.1", "10.0.0.1")


async def test_a_name_becomes_the_addresses_that_were_checked() -> None:
    names = Names(lab=("192.168.1.7", "fd00::7"))
    assert await allowed("lab:11434", names=names) == ("192.168.1.7:11434", "[fd00::7]:11434")


async def test_a_name_is_asked_for_once_so_that_its_answer_cannot_change_in_between() -> None:
    names = Names(lab=("192.168.1.7",))
    await allowed("lab", names=names)
    assert names.asked == ["lab"]


async def test_a_name_with_one_public_address_is_refused() -> None:
    names = Names(trap_example=("192.168.1.7", "203.0.113.9"))
    with pytest.raises(RefusedError, match=r"203\.0\.113\.9"):
        await allowed("trap.example", names=names)


async def test_a_name_that_nobody_knows_is_refused() -> None:
    with pytest.raises(RefusedError, match="no address is known"):
        await allowed("nowhere")


async def test_what_the_config_names_is_allowed() -> None:
    settings = Settings(
        discovery=DiscoverySettings(networks=("100.64.0.0/24", "gpu.example")),
        instances={InstanceAddress("203.0.113.5"): InstanceSettings()},
    )
    names = Names(gpu_example=("198.51.100.1",))
    targets = ("100.64.0.7", "gpu.example", "198.51.100.1", "203.0.113.5:11434")
    found = await allowed(*targets, settings=settings, names=names)
    assert found == ("100.64.0.7", "198.51.100.1", "203.0.113.5:11434")


async def test_a_neighbour_of_what_the_config_names_is_not() -> None:
    settings = Settings(discovery=DiscoverySettings(networks=("100.64.0.0/24",)))
    with pytest.raises(RefusedError):
        await allowed("100.64.1.0", settings=settings)


@given(st.ip_addresses(v=4))
async def test_only_loopback_and_private_addresses_pass(address: object) -> None:
    import ipaddress

    ip = ipaddress.IPv4Address(str(address))
    own = any(
        ip in ipaddress.ip_network(net)
        for net in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
    )
    try:
        passed = bool(await allowed(str(ip)))
    except RefusedError:
        passed = False
    assert passed is own
