"""Which entries are the same server?

Before anything is asked: entries with the same scheme, address, port and prefix. After it: what
answers on the same port of several addresses of this machine and says exactly the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ollamamaster.domain.instances import (
    Endpoint,
    InstanceAddress,
    InstanceSettings,
    as_ip,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from ollamamaster.domain.snapshot import Snapshot

# The order in which an address of this machine gives a server its id.
_USUAL_LOOPBACK = {"127.0.0.1": 0, "::1": 1}
_OTHER_LOOPBACK, _ELSEWHERE = 2, 3


@dataclass(frozen=True, slots=True)
class Entry:
    """One way to a server: where it is, the addresses of its host, and who named it.

    `wanted` is False for what is known but was not asked for: it lends its name and settings to
    an entry with the same address, and is otherwise not looked at.
    """

    address: InstanceAddress
    resolved: frozenset[str] = frozenset()
    configured: bool = False
    wanted: bool = True
    settings: InstanceSettings = field(default_factory=InstanceSettings)
    also: frozenset[str] = frozenset()

    @property
    def named(self) -> bool:
        """Whether its host is a name rather than an address."""
        return as_ip(self.address.host) is None

    @property
    def endpoint(self) -> Endpoint:
        of = self.settings
        return Endpoint(self.address, of.token_env, of.ca_file, of.connect_timeout_s)

    @property
    def aliases(self) -> tuple[str, ...]:
        """The other ids of this server: those of its host's addresses, and what joined it."""
        at = (replace(self.address, host=host).id for host in self.resolved)
        return tuple(sorted({*at, *self.also} - {self.address.id}))

    @property
    def places(self) -> frozenset[Hashable]:
        """Scheme, address, port and prefix, for every address of the host."""
        of = self.address
        return frozenset(
            (of.scheme, host, of.port, of.prefix) for host in self.resolved or {of.host}
        )

    def is_at(self, own_addresses: frozenset[str]) -> bool:
        """Whether all its addresses belong to the machine with these of its own."""
        ips = [as_ip(host) for host in self.resolved]
        return bool(ips) and all(
            ip is not None and (ip.is_loopback or str(ip) in own_addresses) for ip in ips
        )


def united(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Each server once, as far as its address tells: the config's key, then a name, then the rest.

    Two different names of one address stay two here, because a proxy may serve another server
    under each; when they answer the same, `same_servers` makes them one.
    """
    groups: list[Entry] = []
    for entry in sorted(entries, key=lambda e: (not e.configured, not e.named)):
        for number, first in enumerate(groups):
            same_name = first.address.host == entry.address.host
            if first.places & entry.places and (same_name or not (first.named and entry.named)):
                groups[number] = _joined(first, entry)
                break
        else:
            groups.append(entry)
    return tuple(groups)


def _joined(first: Entry, other: Entry) -> Entry:
    return replace(
        first,
        wanted=first.wanted or other.wanted,
        also=(first.also | other.also | {other.address.id}) - {first.address.id},
    )


@dataclass(frozen=True, slots=True)
class Sighting:
    """An entry that answered, and what it said."""

    entry: Entry
    snapshot: Snapshot


def same_servers(
    sightings: Iterable[Sighting], own_addresses: frozenset[str]
) -> tuple[Sighting, ...]:
    """Each server once, by what it said.

    Two are one when version, every (name, digest, modified_at) and everything loaded are equal
    and they are either on the same port of addresses of this machine, or at the same address
    under two names. The config's key gives the id, else the first of 127.0.0.1, ::1, the rest.
    """
    groups: list[Sighting] = []
    for sighting in sorted(sightings, key=_precedence):
        for number, first in enumerate(groups):
            if _is_same(first, sighting, own_addresses):
                entry = _joined(first.entry, sighting.entry)
                also = entry.also | {*sighting.entry.aliases} - {entry.address.id}
                groups[number] = Sighting(replace(entry, also=also), first.snapshot)
                break
        else:
            groups.append(sighting)
    return tuple(groups)


def _precedence(sighting: Sighting) -> tuple[object, ...]:
    entry = sighting.entry
    nearest = min((_nearness(host) for host in entry.resolved), default=_ELSEWHERE)
    ip = as_ip(entry.address.host)
    number = (ip.version, int(ip)) if ip is not None else (0, 0)
    return (not entry.configured, nearest, not entry.named, number, entry.address.id)


def _nearness(host: str) -> int:
    ip = as_ip(host)
    otherwise = _OTHER_LOOPBACK if ip is not None and ip.is_loopback else _ELSEWHERE
    return _USUAL_LOOPBACK.get(host, otherwise)


def _is_same(a: Sighting, b: Sighting, own_addresses: frozenset[str]) -> bool:
    at, of = a.entry.address, b.entry.address
    here = (
        (at.scheme, at.port, at.prefix) == (of.scheme, of.port, of.prefix)
        and a.entry.is_at(own_addresses)
        and b.entry.is_at(own_addresses)
    )
    if not here and not a.entry.places & b.entry.places:
        return False
    said = said_by(a.snapshot)
    return said is not None and said == said_by(b.snapshot)


def said_by(snapshot: Snapshot) -> Hashable | None:
    """What tells one server from another; None when it did not say all of it."""
    if snapshot.models is None or snapshot.loaded is None:
        return None
    models = frozenset((m.name, m.digest, m.modified_at) for m in snapshot.models)
    return (snapshot.version, models, frozenset(snapshot.loaded))
