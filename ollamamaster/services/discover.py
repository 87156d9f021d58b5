"""Find the instances: look where the plan says, ask what answers, keep what was learnt."""

from __future__ import annotations

import asyncio  # noqa: TID253 (imported only by commands that ask instances)
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ollamamaster.domain.facts import with_facts
from ollamamaster.domain.identity import Entry, Sighting, same_servers, united
from ollamamaster.domain.instances import InstanceAddress, Locality, locality_of
from ollamamaster.domain.probes import Scanned, ScanReport
from ollamamaster.domain.sightings import (
    SANDBOX_SUFFIX,
    Looked,
    Machine,
    after_look,
    instance_of,
)
from ollamamaster.domain.snapshot import Snapshot, with_settings
from ollamamaster.errors import AttemptError, Outcome, StateUnusableError
from ollamamaster.services.plan import DiscoverRequest, Plan, Planner
from ollamamaster.services.refresh import Refresher
from ollamamaster.services.snapshots import ALL_SHOWS_S, Snapshots

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ollamamaster.domain.instances import Instance
    from ollamamaster.domain.probes import ScanPlan
    from ollamamaster.domain.settings import Settings
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.ports import (
        Clock,
        GpuProbe,
        InventoryStore,
        LivenessStore,
        Names,
        Neighbours,
        OllamaAPI,
        Scanner,
    )


EVERYTHING = DiscoverRequest()


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a look at the fleet found, how it was done, and what the person should know of it.

    `others` says of each address that was named with its port, and is no Ollama, what is there.
    """

    fleet: Fleet
    scan: ScanReport = field(default_factory=ScanReport)
    notes: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The adapters that look at this machine and its networks."""

    scanner: Scanner
    names: Names
    neighbours: Neighbours
    gpu: GpuProbe
    ram_total: Callable[[], int | None] = lambda: None


class DiscoverService:
    """Every Ollama on this machine and on the networks the person names."""

    def __init__(
        self,
        settings: Settings,
        inventory: InventoryStore,
        ollama: OllamaAPI,
        surroundings: Surroundings,
        clock: Clock,
        *,
        liveness: LivenessStore | None = None,
        ollama_host: str | None = None,
    ) -> None:
        self._settings = settings
        self._inventory = inventory
        self._around = surroundings
        self._clock = clock
        self._liveness = liveness
        self._snapshots = Snapshots(ollama, clock)
        self._planner = Planner(settings, surroundings.names, surroundings.neighbours, ollama_host)

    async def discover(
        self,
        request: DiscoverRequest = EVERYTHING,
        *,
        on_plan: Callable[[ScanPlan], None] = lambda _: None,
        on_progress: Callable[[int, int, int], None] | None = None,
    ) -> Discovery:
        """Scan, ask and save. With targets the fleet found is only what they cover.

        `on_plan` is called once, before anything is contacted; `on_progress(done, total, open)`
        from the thread that scans. Raises UsageError for a wrong TARGET or too large a scope.
        """
        known = self._inventory.load()
        plan = await self._planner.plan(request, known)
        on_plan(plan.shown)
        began = self._clock.now()
        scanned = await self._scan(plan, request, on_progress)
        asking_since = self._clock.monotonic()
        entries = united([*plan.entries, *_open_entries(plan, scanned)])
        off = frozenset(place for one in plan.disabled for place in one.places)
        entries = tuple(e for e in entries if not e.places & off)
        asked = [e for e in entries if e.wanted and e.resolved]
        answers = await self._snapshots.first([e.endpoint for e in asked])
        sightings = same_servers(
            (
                Sighting(e, s)
                for e, s in zip(asked, answers, strict=True)
                if isinstance(s, Snapshot)
            ),
            plan.own_addresses,
        )
        seen = await self._instances(sightings, known, plan)
        answered = {s.entry.address for s in sightings} | {
            e.address for e, s in zip(asked, answers, strict=True) if isinstance(s, Snapshot)
        }
        silent = frozenset(
            name
            for e in entries
            if e.address not in answered and _was_looked_at(e, plan, scanned)
            for name in (e.address.id, *e.also)
        )
        looked = Looked(seen, silent, began, self._clock.now())
        notes = list(plan.notes)
        fleet = self._kept(known, looked, plan, request, notes)
        if scanned.unprobed:
            notes.append(
                f"{scanned.unprobed:,} of {len(plan.probes):,} ports could not be tried: this "
                "machine has no sockets left; try --concurrency 256"
            )
        report = ScanReport(
            plan.probes.hosts,
            sum(map(len, plan.probes.ports)),
            scanned.probes,
            len(scanned.open),
            scanned.duration_s,
            self._clock.monotonic() - asking_since,
        )
        if request.targets:
            fleet = _in_scope(fleet, looked)
        others = tuple(_others(plan, zip(asked, answers, strict=True)))
        return Discovery(fleet, report, tuple(notes), others)

    async def refresh(
        self,
        fleet: Fleet,
        instances: Iterable[Instance] | None = None,
        *,
        within_s: float = 1.0,
        save: bool = True,
    ) -> Discovery:
        """Ask the known instances, by default all, without a scan; takes `within_s` at most.

        One that does not answer keeps what was known of it, as `down`.
        """
        refresher = Refresher(self._inventory, self._snapshots, self._clock, self._skipped)
        asked = tuple(fleet if instances is None else instances)
        refreshed = await refresher.refresh(fleet, asked, within_s=within_s, save=save)
        return Discovery(refreshed.fleet, notes=refreshed.notes)

    async def _scan(
        self,
        plan: Plan,
        request: DiscoverRequest,
        on_progress: Callable[[int, int, int], None] | None,
    ) -> Scanned:
        if len(plan.probes) == 0:
            return Scanned()
        of = self._settings.discovery
        stop = threading.Event()
        try:
            return await asyncio.to_thread(
                self._around.scanner.scan,
                plan.probes,
                timeout_s=request.timeout_s if request.timeout_s is not None else of.timeout_s,
                concurrency=request.concurrency or of.concurrency,
                on_progress=on_progress,
                cancelled=stop.is_set,
            )
        finally:
            stop.set()

    async def _instances(
        self, sightings: tuple[Sighting, ...], known: Fleet, plan: Plan
    ) -> tuple[Instance, ...]:
        facts, machine = await asyncio.gather(
            self._snapshots.facts(
                ((s.entry.endpoint, s.snapshot) for s in sightings), known, within_s=ALL_SHOWS_S
            ),
            self._machine(sightings, plan.own_addresses),
        )
        skipped = self._skipped()
        found = []
        for sighting in sightings:
            models = sighting.snapshot.models
            if models is not None:
                told = replace(sighting.snapshot, models=with_facts(models, facts))
                sighting = Sighting(sighting.entry, told)  # noqa: PLW2901 (the same one, told more)
            instance = instance_of(
                sighting,
                plan.own_addresses,
                known=known,
                machine=machine,
                skipped=sighting.entry.address.id in skipped,
            )
            found.append(instance)
        return tuple(found)

    async def _machine(
        self, sightings: tuple[Sighting, ...], own_addresses: frozenset[str]
    ) -> Machine:
        here = any(
            locality_of(s.entry.resolved, own_addresses) is Locality.LOCAL
            and not s.snapshot.version.endswith(SANDBOX_SUFFIX)
            for s in sightings
        )
        if not here:
            return Machine()
        return Machine(await self._around.gpu.read(), self._around.ram_total())

    def _skipped(self) -> frozenset[str]:
        if self._liveness is None:
            return frozenset()
        now = self._clock.now().timestamp()
        return frozenset(id_ for id_, of in self._liveness.load().items() if of.skipped(now))

    def _kept(
        self, known: Fleet, looked: Looked, plan: Plan, request: DiscoverRequest, notes: list[str]
    ) -> Fleet:
        without = frozenset(id_ for e in plan.disabled for id_ in (e.address.id, *e.aliases))

        def change(stored: Fleet) -> Fleet:
            return after_look(stored, looked, forget=request.forget, without=without)

        fleet = change(known)
        if request.save:
            try:
                fleet = self._inventory.update(change)
            except StateUnusableError as error:
                notes.append(f"not saved: {error.message}")
        return with_settings(fleet, self._settings)


def _open_entries(plan: Plan, scanned: Scanned) -> list[Entry]:
    """What was found open, under the name of the host where it was given by name."""
    found: dict[InstanceAddress, frozenset[str]] = {}
    for host, port in scanned.open:
        for name in plan.names.get(host) or (host,):
            address = InstanceAddress(name, port)
            found[address] = found.get(address, frozenset()) | {host}
    return [Entry(address, resolved) for address, resolved in found.items()]


def _others(plan: Plan, asked: Iterable[tuple[Entry, Snapshot | AttemptError]]) -> Iterator[str]:
    """What is there instead, in words."""
    for entry, said in asked:
        if isinstance(said, Snapshot):
            continue
        for name in (entry.address.id, *entry.aliases):
            if name in plan.exact:
                nobody = said.outcome in (Outcome.CONNECT_ERROR, Outcome.TIMEOUT)
                answers = "" if nobody else "it answers, but not as Ollama does: "
                scheme = "https://" if entry.address.scheme == "https" else ""
                yield f"{plan.exact[name]}{scheme}{name}: {answers}{said.message}"


def _was_looked_at(entry: Entry, plan: Plan, scanned: Scanned) -> bool:
    if entry.wanted:
        return True
    tried = all((host, entry.address.port) in plan.probes for host in entry.resolved)
    return bool(entry.resolved) and tried and not scanned.unprobed


def _in_scope(fleet: Fleet, looked: Looked) -> Fleet:
    names = {name for i in looked.seen for name in (i.id, *i.aliases)} | looked.silent
    return replace(
        fleet,
        instances=tuple(i for i in fleet if i.id in names or names & set(i.aliases)),
    )
