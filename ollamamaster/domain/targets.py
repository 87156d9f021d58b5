"""What does a TARGET name, and how much of the network may be looked at without asking?"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from ollamamaster.domain.instances import (
    InstanceAddress,
    as_ip,
    is_private,
    parse_host,
    parse_port,
    split_port,
)
from ollamamaster.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# A /22 is the largest home or office network that is usual; 65,536 addresses on 66 ports take
# twenty minutes when nobody answers, and more is never somebody's own network.
ASK_ABOVE_ADDRESSES = 1024
REFUSE_ABOVE_ADDRESSES = 65_536


@dataclass(frozen=True, slots=True)
class Target:
    """A network (a single address is a network of one) or a host name, on some ports.

    No `ports` means the ports of the scan. `address` is set where the TARGET names exactly one
    endpoint, a URL or `host:port`: that one is asked without a scan.
    """

    text: str
    network: Network | None = None
    name: str | None = None
    ports: tuple[range, ...] = ()
    address: InstanceAddress | None = None

    @classmethod
    def parse(cls, text: str) -> Target:
        """Read a host, address, CIDR, `host:port`, `host:port-port` or an http(s) URL.

        Raises UsageError naming the part that is wrong.
        """
        text = text.strip()
        if "://" in text:
            return cls._exact(text, InstanceAddress.parse(text))
        if "/" in text:
            return cls(text, network=_network(text))
        if text.startswith("[") and text.partition("]")[2][:1] not in {"", ":"}:
            raise UsageError(f"{text!r}: after the bracket only `:port` is possible")
        host_text, port_text = split_port(text)
        if "%" in host_text:
            raise UsageError(f"{text!r}: an address with a zone ({host_text}) is not possible")
        host = parse_host(host_text, of=text)
        if port_text is None:
            return cls._on_ports(text, host, ())
        ports = parse_ports(port_text, of=text)
        if len(ports) == 1 and len(ports[0]) == 1:
            return cls._exact(text, InstanceAddress(host, ports[0].start))
        return cls._on_ports(text, host, ports)

    @classmethod
    def _exact(cls, text: str, address: InstanceAddress) -> Target:
        found = cls._on_ports(text, address.host, (range(address.port, address.port + 1),))
        return cls(text, found.network, found.name, found.ports, address)

    @classmethod
    def _on_ports(cls, text: str, host: str, ports: tuple[range, ...]) -> Target:
        ip = as_ip(host)
        if ip is None:
            return cls(text, name=host, ports=ports)
        if ip.is_unspecified or ip.is_multicast:
            raise UsageError(f"{text!r}: {host} is no address of a machine")
        return cls(text, network=ipaddress.ip_network(ip), ports=ports)

    @property
    def addresses(self) -> int:
        """How many addresses the network has; 0 for a name, which is not resolved yet."""
        return self.network.num_addresses if self.network is not None else 0


def _network(text: str) -> Network:
    head, _, length = text.partition("/")
    ip = as_ip(head.removeprefix("[").removesuffix("]"))
    if ip is None:
        hint = None if ":" in head else f"a path needs a URL: http://{text}"
        raise UsageError(f"{text!r}: {head!r} is no address of a network", hint=hint)
    if not (length.isascii() and length.isdigit()) or int(length) > ip.max_prefixlen:
        hint = None
        if ":" in length:
            hint = "the ports of a network are given by --ports"
        raise UsageError(
            f"{text!r}: {length!r} is no prefix length, a number from 0 to {ip.max_prefixlen}",
            hint=hint,
        )
    return ipaddress.ip_network(f"{ip}/{length}", strict=False)


def parse_ports(text: str, *, of: str | None = None) -> tuple[range, ...]:
    """Ports of `11434`, `11434-11499` or a list by comma; sorted, each port once.

    Raises UsageError that quotes `of`, by default the text itself.
    """
    of = of if of is not None else text
    ranges = []
    for part in text.split(","):
        first_text, dash, last_text = part.strip().partition("-")
        first = parse_port(first_text.strip(), of=of)
        last = parse_port(last_text.strip(), of=of) if dash else first
        if last < first:
            raise UsageError(f"{of!r}: the range {part.strip()!r} goes backwards")
        ranges.append(range(first, last + 1))
    return union(ranges)


def union(ranges: Iterable[range]) -> tuple[range, ...]:
    """The same numbers as few ranges, in order and without overlap."""
    found: list[range] = []
    for each in sorted(ranges, key=lambda r: r.start):
        if found and each.start <= found[-1].stop:
            found[-1] = range(found[-1].start, max(found[-1].stop, each.stop))
        elif each:
            found.append(each)
    return tuple(found)


def ports_text(ports: tuple[range, ...]) -> str:
    """The ranges as a person writes them."""
    return ",".join(str(r.start) if len(r) == 1 else f"{r.start}-{r.stop - 1}" for r in ports)


def check_scope(targets: Iterable[Target], *, yes: bool, allow_public: bool) -> None:
    """Refuse what is too large or not the person's own; single addresses are always allowed.

    Raises UsageError: a public range without `allow_public`, more than 1,024 addresses in all
    without `yes`, more than 65,536 always.
    """
    ranges = [t for t in targets if t.addresses > 1]
    for target in ranges:
        if not allow_public and target.network is not None and not _is_own(target.network):
            raise UsageError(
                f"{target.text}: a public range of {target.addresses:,} addresses is not scanned",
                hint="if these machines are yours: --allow-public",
            )
    total = sum(t.addresses for t in ranges)
    named = ", ".join(t.text for t in ranges)
    if total > REFUSE_ABOVE_ADDRESSES:
        raise UsageError(
            f"{named}: {total:,} addresses are too many, the limit is {REFUSE_ABOVE_ADDRESSES:,}",
            hint="name a smaller part, such as the /24 around the machine you look for",
        )
    if total > ASK_ABOVE_ADDRESSES and not yes:
        raise UsageError(
            f"{named}: {total:,} addresses are more than {ASK_ABOVE_ADDRESSES:,}",
            hint="to scan them all: --yes; or name a smaller part",
        )


def _is_own(network: Network) -> bool:
    # Both ends in private space means all of it: no block spans two private ranges.
    return all(ip.is_loopback or is_private(ip) for ip in (network[0], network[-1]))


@dataclass(frozen=True, slots=True)
class Block:
    """Addresses `first` to `last` of one IP version, as numbers, and the ports to try on each."""

    version: int
    first: int
    last: int
    ports: tuple[range, ...]

    @property
    def hosts(self) -> int:
        return self.last - self.first + 1

    @property
    def probes(self) -> int:
        return self.hosts * sum(len(r) for r in self.ports)


def blocks_of(wanted: Iterable[tuple[Network, tuple[range, ...]]]) -> tuple[Block, ...]:
    """Blocks that hold every (address, port) wanted exactly once, however the networks overlap.

    The network and broadcast addresses of an IPv4 network are left out, as is the router
    anycast address of an IPv6 one.
    """
    spans = [(n.version, *_host_range(n), ports) for n, ports in wanted]
    blocks: list[Block] = []
    for version in (4, 6):
        mine = [(first, last, ports) for v, first, last, ports in spans if v == version]
        edges = sorted({first for first, _, _ in mine} | {last + 1 for _, last, _ in mine})
        for low, high in pairwise(edges):
            ports = union(r for first, last, rs in mine if first <= low <= last for r in rs)
            if not ports:
                continue
            previous = blocks[-1] if blocks else None
            if previous and (previous.version, previous.last + 1, previous.ports) == (
                version,
                low,
                ports,
            ):
                blocks[-1] = Block(version, previous.first, high - 1, ports)
            else:
                blocks.append(Block(version, low, high - 1, ports))
    return tuple(blocks)


def _host_range(network: Network) -> tuple[int, int]:
    first, last = int(network.network_address), int(network.broadcast_address)
    if network.num_addresses <= 2:
        return first, last
    return (first + 1, last - 1) if network.version == 4 else (first + 1, last)
