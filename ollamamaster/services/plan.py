"""Where does a discovery look?"""

from __future__ import annotations

import asyncio  # noqa: TID253 (imported only by commands that ask instances)
import ipaddress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ollamamaster.domain.identity import Entry
from ollamamaster.domain.instances import InstanceAddress, as_ip, parse_host
from ollamamaster.domain.probes import Probes, ScanPlan
from ollamamaster.domain.targets import Target, check_scope, parse_ports, ports_text
from ollamamaster.errors import ConfigInvalidError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ollamamaster.domain.settings import Settings
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.domain.targets import Network
    from ollamamaster.ports import Names, Neighbours

# A resolver that has not answered by then is down; its names count as not found.
_RESOLVE_S = 2.0
_LOOPBACK = (ipaddress.ip_network("127.0.0.1"), ipaddress.ip_network("::1"))


@dataclass(frozen=True, slots=True)
class DiscoverRequest:
    """What the person asked for. With `targets`, nothing else is looked at.

    `timeout_s` is for one port, `ports` a list of ranges; None is what the config says.
    """

    targets: tuple[str, ...] = ()
    lan: bool = False
    ports: str | None = None
    timeout_s: float | None = None
    concurrency: int | None = None
    yes: bool = False
    allow_public: bool = False
    forget: bool = False
    save: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be scanned, and who is asked without a scan.

    `names` has the hosts, by address, that were given by a name; `entries` is everything known
    or named, the wanted ones to be asked; `disabled` is left out wherever it is met. `exact` is
    the ids that were named with their port, and by whom where it was not the person just now.
    """

    probes: Probes
    entries: tuple[Entry, ...]
    names: Mapping[str, tuple[str, ...]]
    shown: ScanPlan
    own_addresses: frozenset[str]
    disabled: tuple[Entry, ...] = ()
    notes: tuple[str, ...] = ()
    exact: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Sources:
    """Everything that was named, before names are resolved."""

    targets: list[Target] = field(default_factory=list)
    exact: list[InstanceAddress] = field(default_factory=list)
    scanned: list[tuple[Network, tuple[range, ...]]] = field(default_factory=list)
    named: list[tuple[str, tuple[range, ...]]] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)

    def add(self, targets: Iterable[Target], ports: tuple[range, ...]) -> None:
        for target in targets:
            self.targets.append(target)
            if target.address is not None:
                self.exact.append(target.address)
            elif target.network is not None:
                self.scanned.append((target.network, target.ports or ports))
            elif target.name is not None:
                self.named.append((target.name, target.ports or ports))
            if target.addresses <= 1:
                self.hosts.append(target.text)


class Planner:
    """Turns a request, the config, the inventory and the environment into a plan."""

    def __init__(
        self, settings: Settings, names: Names, neighbours: Neighbours, ollama_host: str | None
    ) -> None:
        self._settings = settings
        self._names = names
        self._neighbours = neighbours
        self._ollama_host = ollama_host

    async def plan(self, request: DiscoverRequest, known: Fleet) -> Plan:
        """The plan of a discovery.

        Raises UsageError for a wrong TARGET, port range or too large a scope, and
        ConfigInvalidError when it is the config that is wrong.
        """
        sources = _Sources()
        ports = self._ports(request)
        sources.add(map(Target.parse, request.targets), ports)
        everything = not request.targets
        if everything:
            sources.add(self._configured_targets(), ports)
            if self._settings.discovery.loopback:
                sources.scanned += [(network, ports) for network in _LOOPBACK]
                sources.hosts.append("this machine")
        if request.lan:
            await self._add_neighbours(sources, ports)
        check_scope(sources.targets, yes=request.yes, allow_public=request.allow_public)
        return await self._resolved(sources, ports, known, everything=everything)

    def _ports(self, request: DiscoverRequest) -> tuple[range, ...]:
        if request.ports is not None:
            return parse_ports(request.ports)
        try:
            return parse_ports(",".join(self._settings.discovery.ports))
        except UsageError as error:
            raise ConfigInvalidError(f"discovery.ports: {error.message}") from error

    def _configured_targets(self) -> list[Target]:
        try:
            return [Target.parse(text) for text in self._settings.discovery.networks]
        except UsageError as error:
            raise ConfigInvalidError(f"discovery.networks: {error.message}") from error

    async def _add_neighbours(self, sources: _Sources, ports: tuple[range, ...]) -> None:
        networks, published, peers = await asyncio.gather(
            asyncio.to_thread(self._neighbours.networks),
            self._neighbours.published(),
            self._neighbours.peers(),
        )
        sources.add([Target(str(network), network=network) for network in networks], ports)
        sources.add(map(Target.parse, peers), ports)
        # By a scan, so that only those are asked where something listens.
        sources.scanned += [
            (ipaddress.ip_network(at.host), (range(at.port, at.port + 1),)) for at in published
        ]

    async def _resolved(
        self, sources: _Sources, ports: tuple[range, ...], known: Fleet, *, everything: bool
    ) -> Plan:
        configured = self._settings.instances
        environment = self._from_environment() if everything else None
        addresses = [
            *configured,
            *(i.address for i in known),
            *sources.exact,
            *([environment] if environment is not None else []),
        ]
        hosts = {a.host for a in addresses} | {name for name, _ in sources.named}
        resolved, own = await asyncio.gather(
            self._names.resolve(hosts, timeout_s=_RESOLVE_S),
            asyncio.to_thread(self._names.own_addresses),
        )

        def entry(address: InstanceAddress, *, wanted: bool) -> Entry:
            settings = configured.get(address)
            found = Entry(address, frozenset(resolved.get(address.host, ())), wanted=wanted)
            return found if settings is None else replace(found, configured=True, settings=settings)

        enabled = [a for a, settings in configured.items() if not settings.disabled]
        entries = [
            *(entry(a, wanted=everything) for a in enabled),
            *(entry(i.address, wanted=everything) for i in known),
            *(entry(a, wanted=True) for a in sources.exact),
            *([entry(environment, wanted=True)] if environment is not None else []),
        ]
        off = [entry(a, wanted=False) for a, settings in configured.items() if settings.disabled]
        exact = dict.fromkeys((a.id for a in sources.exact), "")
        if environment is not None:
            exact.setdefault(environment.id, "OLLAMA_HOST, ")
        missing = sorted({h for h in hosts if as_ip(h) is None and not resolved.get(h)})
        probes = Probes.of(
            [
                *sources.scanned,
                *(
                    (ipaddress.ip_network(address), of)
                    for name, of in sources.named
                    for address in resolved.get(name, ())
                ),
            ]
        )
        return Plan(
            probes,
            tuple(entries),
            {
                address: tuple(n for n, _ in sources.named if address in resolved.get(n, ()))
                for name, _ in sources.named
                for address in resolved.get(name, ())
            },
            ScanPlan(
                tuple(t.text for t in sources.targets if t.addresses > 1),
                tuple(dict.fromkeys(sources.hosts)),
                ports_text(probes.ports or ports),
                len(probes),
            ),
            own,
            tuple(off),
            tuple(f"{name}: no address is known for this name" for name in missing),
            exact,
        )

    def _from_environment(self) -> InstanceAddress | None:
        address = InstanceAddress.from_ollama_host(self._ollama_host or "")
        if address is None:
            return None
        try:
            # Ollama takes any text for a host; what can be no host is no instance either
            return replace(address, host=parse_host(address.host, of=address.host))
        except UsageError:
            return None
