"""Who is near? The networks of this machine's interfaces, and what Docker and Tailscale know."""

from __future__ import annotations

import ipaddress
import json
import re
import socket
from typing import TYPE_CHECKING, Any

from ollamamaster.discovery.programs import output_of
from ollamamaster.domain.instances import InstanceAddress, as_ip, is_private

if TYPE_CHECKING:
    from collections.abc import Iterator

# Both answer from a local daemon; one that does not is not worth waiting for.
_TIMEOUT_S = 2.0
# A tailnet of a company may have thousands of peers; as many as a network that needs no question.
_MOST_PEERS = 1024
# Networks inside this machine that Docker made: what listens there is asked of Docker instead.
_DOCKER_BRIDGE = re.compile(r"docker\d+|docker_gwbridge|br-[0-9a-f]{12}")
# `0.0.0.0:8000-8002->8000-8002/tcp`, `[::]:11434->11434/tcp`
_PUBLISHED = re.compile(
    r"(?P<host>[0-9.]+|\[[0-9a-fA-F:]*\]|::):(?P<first>\d{1,5})(?:-(?P<last>\d{1,5}))?->[0-9-]+/tcp"
)
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 read, not bound


class SystemNeighbours:
    """The Neighbours of this machine."""

    def networks(self) -> tuple[ipaddress.IPv4Network, ...]:
        """The private IPv4 networks of the interfaces that are up, without loopback."""
        try:
            import psutil

            addresses, states = psutil.net_if_addrs(), psutil.net_if_stats()
        except (ImportError, OSError):
            return ()
        found: dict[ipaddress.IPv4Network, None] = {}
        for interface, entries in addresses.items():
            if _DOCKER_BRIDGE.fullmatch(interface) or not getattr(
                states.get(interface), "isup", False
            ):
                continue
            for entry in entries:
                network = _network(entry.address, entry.netmask)
                if entry.family == socket.AF_INET and network is not None:
                    found[network] = None
        return tuple(found)

    async def published(self) -> tuple[InstanceAddress, ...]:
        """The TCP ports that Docker's containers publish on this machine."""
        text = await output_of("docker", "ps", "--format", "{{json .}}", timeout_s=_TIMEOUT_S)
        found: dict[InstanceAddress, None] = {}
        for container in _json_lines(text or ""):
            ports = container.get("Ports")
            if isinstance(ports, str):
                found.update(dict.fromkeys(_published(ports)))
        return tuple(found)

    async def peers(self) -> tuple[str, ...]:
        """One address of each Tailscale peer that is online, IPv4 where it has one."""
        text = await output_of("tailscale", "status", "--json", timeout_s=_TIMEOUT_S)
        status = next(_json_lines((text or "").replace("\n", " ")), {})
        peers = status.get("Peer")
        found = []
        for peer in peers.values() if isinstance(peers, dict) else ():
            if not isinstance(peer, dict) or peer.get("Online") is not True:
                continue
            addresses = peer.get("TailscaleIPs")
            texts = addresses if isinstance(addresses, list) else []
            ips = [ip for ip in (as_ip(t) for t in texts if isinstance(t, str)) if ip is not None]
            ips.sort(key=lambda ip: ip.version)
            if ips:
                found.append(str(ips[0]))
        return tuple(dict.fromkeys(found))[:_MOST_PEERS]


def _network(address: str, netmask: str | None) -> ipaddress.IPv4Network | None:
    ip = as_ip(address)
    if not isinstance(ip, ipaddress.IPv4Address) or not netmask or not is_private(ip):
        return None
    try:
        network = ipaddress.IPv4Network(f"{address}/{netmask}", strict=False)
    except ValueError:
        return None
    # A link of one address has no neighbours.
    return network if network.num_addresses > 1 else None


def _published(text: str) -> Iterator[InstanceAddress]:
    for match in _PUBLISHED.finditer(text):
        host = match["host"].strip("[]")
        host = _EVERYWHERE.get(host, host).lower()
        first, last = int(match["first"]), int(match["last"] or match["first"])
        if as_ip(host) is not None and 1 <= first <= last <= 65535:
            yield from (InstanceAddress(host, port) for port in range(first, last + 1))


def _json_lines(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            yield value
