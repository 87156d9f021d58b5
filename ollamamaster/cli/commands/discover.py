"""`ollamamaster discover`."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from ollamamaster.bootstrap import Application
from ollamamaster.cli.interrupts import run_async, stopped_by
from ollamamaster.cli.output import OUTPUT
from ollamamaster.contract.discover import change_data, discover_data
from ollamamaster.contract.times import rfc3339
from ollamamaster.domain.plain_text import cell
from ollamamaster.errors import (
    ExitCode,
    NoInstanceError,
    UsageError,
)
from ollamamaster.services.discover import Discovery
from ollamamaster.services.plan import DiscoverRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from ollamamaster.domain.changes import Change
    from ollamamaster.domain.probes import ScanPlan


def discover(
    targets: Annotated[
        list[str] | None,
        Argument(
            metavar="[TARGET]...",
            help="A host, address, CIDR, host:port, host:port-port or URL.",
            show_default=False,
        ),
    ] = None,
    lan: Annotated[
        bool, Option("--lan", help="Also the private networks this machine is attached to.")
    ] = False,
    ports: Annotated[
        str | None, Option(metavar="RANGES", help="Ports to look at, such as 11434-11499,8080.")
    ] = None,
    timeout: Annotated[
        float | None,
        Option(metavar="SECONDS", help="For one port; 0.5 on loopback and 1.0 elsewhere."),
    ] = None,
    concurrency: Annotated[
        int | None, Option(metavar="N", min=1, help="Ports tried at once; 4096.")
    ] = None,
    watch: Annotated[bool, Option("--watch", help="Keep going and report changes.")] = False,
    forget: Annotated[bool, Option("--forget", help="Drop instances that are not seen.")] = False,
    no_save: Annotated[bool, Option("--no-save", help="Do not write inventory.toml.")] = False,
    yes: Annotated[bool, Option("--yes", help="Scan more than 1,024 addresses.")] = False,
    allow_public: Annotated[
        bool, Option("--allow-public", help="Scan a public range of addresses.")
    ] = False,
) -> int:
    """Find Ollama instances on this machine and on networks you name.

    Without TARGET: this machine's loopback, OLLAMA_HOST, and everything in config.toml and the
    inventory. A network is only ever scanned when it is named.

    In a pipe: id, status, locality, version, latency in ms, number of models and label, between
    tabs.

    ollamamaster discover
    ollamamaster discover 192.168.1.0/24 gaming-pc:11434
    ollamamaster discover --lan --json | jq -r '.data.instances[].id'
    """
    if timeout is not None and not 0 < timeout < float("inf"):
        raise UsageError(f"--timeout {timeout}: it is a number of seconds above 0")
    request = DiscoverRequest(
        tuple(targets or ()),
        lan=lan,
        ports=ports,
        timeout_s=timeout,
        concurrency=concurrency,
        yes=yes,
        allow_public=allow_public,
        forget=forget,
        save=not no_save,
    )
    application = Application(note=OUTPUT.note)
    if watch:
        return _Watching(application, request).run()
    return _show(run_async(_discover(application, request, close=True)), request)


async def _discover(
    application: Application, request: DiscoverRequest, *, close: bool
) -> Discovery:
    try:
        with _progress() as on_progress:
            found = await application.discover_service().discover(
                request, on_plan=_announce, on_progress=on_progress
            )
    finally:
        if close:
            await application.ollama.aclose()
    for note in found.notes:
        OUTPUT.note(note)
    return found


def _announce(plan: ScanPlan) -> None:
    """Networks are named before they are scanned; the rest only to a person who watches."""
    if plan.probes and (plan.networks or OUTPUT.notes_on_terminal):
        places = " and ".join(filter(None, [", ".join(plan.networks), ", ".join(plan.hosts)]))
        OUTPUT.note(f"looking at {places}, ports {plan.ports} · {plan.probes:,} probes")


def _progress() -> AbstractContextManager[Callable[[int, int, int], None] | None]:
    if not OUTPUT.notes_on_terminal:
        return nullcontext()
    from ollamamaster.cli.render.discover import scan_progress

    return scan_progress(OUTPUT.error_console)


def _show(found: Discovery, request: DiscoverRequest) -> int:
    nothing = len(found.fleet.up) == 0
    if not nothing:
        for other in found.others:
            OUTPUT.note(other)
    if nothing and OUTPUT.json:
        return OUTPUT.fail(_nothing(request, found), data=discover_data(found.fleet, found.scan))

    def table(console: Console) -> None:
        from ollamamaster.cli.render.discover import render_discover

        render_discover(console, found.fleet, saved=request.save)

    if not nothing or len(found.fleet) > 0:
        OUTPUT.emit(
            lambda: discover_data(found.fleet, found.scan),
            table=table,
            rows=lambda: _rows(found),
        )
    return OUTPUT.fail(_nothing(request, found)) if nothing else ExitCode.OK


def _nothing(request: DiscoverRequest, found: Discovery) -> NoInstanceError:
    others = "".join(f"{other}\n" for other in found.others)
    if found.scan.open:
        others += f"ports open:       {found.scan.open}, with something else behind\n"
    if request.targets:
        return NoInstanceError(
            f"no Ollama found at {', '.join(request.targets)}",
            hint=others
            + (
                "does it run there, and listen beyond loopback (OLLAMA_HOST=0.0.0.0)?\n"
                "other ports:      ollamamaster discover HOST:PORT-PORT\n"
                "what to write:    ollamamaster help targets"
            ),
        )
    return NoInstanceError(
        "no Ollama found",
        hint=others
        + (
            "start one:        ollama serve\n"
            "on another host:  ollamamaster discover HOST\n"
            "just try it:      ollamamaster sandbox run -- ollamamaster discover"
        ),
    )


def _rows(found: Discovery) -> Iterator[list[str]]:
    for instance in found.fleet:
        latency = instance.latency_ms
        yield [
            instance.id,
            str(instance.status),
            str(instance.locality),
            instance.version or "",
            "" if latency is None else f"{latency:.3f}",
            str(len(instance.models)),
            instance.settings.label or "",
        ]


class _Watching:
    """`--watch`: the fleet, then its changes until the person stops it."""

    def __init__(self, application: Application, request: DiscoverRequest) -> None:
        self._application = application
        self._request = request
        self._last: Discovery | None = None

    def run(self) -> int:
        try:
            run_async(self._watch())
        except KeyboardInterrupt as stopped:
            if not OUTPUT.json or self._last is None:
                raise
            data = discover_data(self._last.fleet, self._last.scan)
            return OUTPUT.fail(stopped_by(stopped), data=data, partial=True)
        return ExitCode.OK

    async def _watch(self) -> None:
        from contextlib import aclosing

        service = self._application.discover_service()
        try:
            first = await _discover(self._application, self._request, close=False)
            self._last = first
            if not OUTPUT.json:
                _show(first, self._request)
                sys.stdout.flush()
            if OUTPUT.notes_on_terminal:
                OUTPUT.note("watching for changes; Ctrl-C ends it")
            changes = self._application.watch_service(service).watch(self._request, first)
            async with aclosing(changes):
                async for observed in changes:
                    self._last = observed.discovery
                    for change in observed.changes:
                        _tell(change)
                    sys.stdout.flush()
        finally:
            await self._application.ollama.aclose()


def _tell(change: Change) -> None:
    if OUTPUT.json:
        OUTPUT.object(change_data(change))
    else:
        words = (rfc3339(change.at) or "", change.instance, str(change.what), change.model or "")
        OUTPUT.line("\t".join(cell(word) for word in words))
