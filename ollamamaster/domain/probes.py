"""Which addresses and ports does a scan try, and what did it find?"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollamamaster.domain.instances import as_ip
from ollamamaster.domain.targets import Block, blocks_of, union

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ollamamaster.domain.targets import Network


@dataclass(frozen=True, slots=True)
class Probes:
    """Pairs of address and port, each once, made while they are iterated."""

    blocks: tuple[Block, ...] = ()

    @classmethod
    def of(cls, wanted: Iterable[tuple[Network, tuple[range, ...]]]) -> Probes:
        return cls(blocks_of(wanted))

    def __len__(self) -> int:
        return sum(block.probes for block in self.blocks)

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Every host on its first port, then every host on the next one.

        So a machine is never hit by a burst, and what is on the usual port is found first.
        """
        for block in self.blocks:
            kind = ipaddress.IPv4Address if block.version == 4 else ipaddress.IPv6Address
            hosts = [str(kind(number)) for number in range(block.first, block.last + 1)]
            for ports in block.ports:
                for port in ports:
                    for host in hosts:
                        yield host, port

    def __contains__(self, pair: tuple[str, int]) -> bool:
        ip = as_ip(pair[0])
        return ip is not None and any(
            block.version == ip.version
            and block.first <= int(ip) <= block.last
            and any(pair[1] in ports for ports in block.ports)
            for block in self.blocks
        )

    @property
    def hosts(self) -> int:
        return sum(block.hosts for block in self.blocks)

    @property
    def ports(self) -> tuple[range, ...]:
        return union(r for block in self.blocks for r in block.ports)


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a scan found. `unprobed` counts the pairs the system had no resources to try."""

    open: tuple[tuple[str, int], ...] = ()
    probes: int = 0
    unprobed: int = 0
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """What is about to be scanned, for the person to see before it starts.

    `networks` are the ranges of more than one address, `hosts` the single ones by name or
    address, in the words they were given.
    """

    networks: tuple[str, ...]
    hosts: tuple[str, ...]
    ports: str
    probes: int


@dataclass(frozen=True, slots=True)
class ScanReport:
    """The scan in figures; `duration_s` is the connect phase."""

    hosts: int = 0
    ports: int = 0
    probes: int = 0
    open: int = 0
    duration_s: float = 0.0
    identify_s: float = 0.0
