"""Where may an agent have us look? Only on the person's own machines, and never at a URL."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from ollamamaster.domain.instances import as_ip, bracketed
from ollamamaster.domain.targets import ASK_ABOVE_ADDRESSES, Target, ports_text
from ollamamaster.errors import OllamaMasterError, UsageError
from ollamamaster.mcp_server.reply import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ollamamaster.domain.settings import Settings
    from ollamamaster.domain.targets import Network
    from ollamamaster.ports import Names

# A name server that has not answered by then is down.
_RESOLVE_S = 2.0

_OWN = tuple(
    ipaddress.ip_network(text)
    for text in (
        "127.0.0.0/8",
        "::1/128",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "fc00::/7",
    )
)


async def allowed_targets(
    given: Sequence[str], settings: Settings, names: Names
) -> tuple[str, ...]:
    """The targets as addresses that were checked, so that nothing else is connected to.

    A name stands for all its addresses, each of which must be allowed. Raises RefusedError that
    names the first target that is not, before anything is contacted.
    """
    targets = [_parsed(text) for text in given]
    configured = _configured(settings)
    hosts = {t.name for t in targets if t.name is not None} | set(configured.names)
    resolved = await names.resolve(hosts, timeout_s=_RESOLVE_S) if hosts else {}
    allowed = [*_OWN, *configured.networks]
    for name in configured.names:
        allowed += [ipaddress.ip_network(address) for address in resolved.get(name, ())]
    found: list[str] = []
    for target in targets:
        networks = _networks(target, resolved)
        for network in networks:
            if not any(_within(network, own) for own in allowed):
                raise _refused(target.text, f"{_shown(network)} is not private, nor in the config")
        found += [_written(network, target) for network in networks]
    total = sum(_addresses(text) for text in found)
    if total > ASK_ABOVE_ADDRESSES:
        raise _refused(", ".join(given), f"{total:,} addresses are more than a /22")
    return tuple(dict.fromkeys(found))


class _Configured:
    """What the person's config names: networks and addresses, and hosts by name."""

    def __init__(self) -> None:
        self.networks: list[Network] = []
        self.names: list[str] = []

    def add(self, host: str) -> None:
        ip = as_ip(host)
        if ip is None:
            self.names.append(host)
        else:
            self.networks.append(ipaddress.ip_network(ip))


def _configured(settings: Settings) -> _Configured:
    found = _Configured()
    for address in settings.instances:
        found.add(address.host)
    for text in settings.discovery.networks:
        try:
            target = Target.parse(text)
        except UsageError:
            continue  # discovery itself tells the person that the config is wrong
        if target.name is not None:
            found.names.append(target.name)
        elif target.network is not None:
            found.networks.append(target.network)
    return found


def _parsed(text: str) -> Target:
    if "://" in text:
        raise _refused(text, "a URL is not possible; write host:port")
    try:
        return Target.parse(text)
    except OllamaMasterError as error:
        raise _refused(text, error.message) from None


def _networks(target: Target, resolved: Mapping[str, Sequence[str]]) -> list[Network]:
    if target.network is not None:
        return [target.network]
    addresses = resolved.get(target.name or "", ())
    if not addresses:
        raise _refused(target.text, "no address is known for this name")
    return [ipaddress.ip_network(address) for address in addresses]


def _within(network: Network, own: Network) -> bool:
    if isinstance(network, ipaddress.IPv4Network):
        return isinstance(own, ipaddress.IPv4Network) and network.subnet_of(own)
    return isinstance(own, ipaddress.IPv6Network) and network.subnet_of(own)


def _written(network: Network, target: Target) -> str:
    """The address or network as a target again, with the ports of the given one."""
    if network.num_addresses > 1:
        return str(network)
    host = bracketed(str(network.network_address))
    if target.address is not None:
        return f"{host}:{target.address.port}"
    return f"{host}:{ports_text(target.ports)}" if target.ports else host


def _shown(network: Network) -> str:
    return str(network.network_address if network.num_addresses == 1 else network)


def _addresses(text: str) -> int:
    return ipaddress.ip_network(text).num_addresses if "/" in text else 1


def _refused(text: str, why: str) -> RefusedError:
    return RefusedError(
        f"Target {text!r} is refused: {why}. Nothing was contacted. Next: name loopback, a "
        "private address or a network up to /22, or ask the person to add it to "
        "discovery.networks in config.toml."
    )
