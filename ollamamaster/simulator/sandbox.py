"""A simulated fleet that runs: in a thread of this process, with a home folder that names it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sysconfig
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import tomli_w

from ollamamaster.errors import FailedError
from ollamamaster.simulator.faults import read_fault
from ollamamaster.simulator.fleet import load_fleet
from ollamamaster.simulator.server import Server
from ollamamaster.simulator.wire import answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from types import TracebackType

    from ollamamaster.simulator.plan import FleetPlan

T = TypeVar("T")

# What the loop's thread does for a caller takes milliseconds; a machine that is busy with other
# tests may take its time.
_PATIENCE_S = 30.0


class SimulatedInstance:
    """One simulated instance, seen from outside its thread. Every method may be called anywhere."""

    def __init__(self, fleet: SimulatedFleet, server: Server) -> None:
        self._fleet = fleet
        self._server = server
        self.name = server.plan.name
        self.port = server.port

    @property
    def id(self) -> str:
        """The instance id, `127.0.0.1:port`."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.id}"

    def fault(
        self,
        kind: str,
        *,
        after_requests: int = 0,
        count: int | None = 1,
        for_s: float | None = None,
        after_s: float = 0.0,
        path: str | None = None,
        tokens: int | None = None,
    ) -> None:
        """Set a fault now. Raises UsageError for a kind that does not exist.

        It strikes `count` of the requests that run a model (None: all), after letting
        `after_requests` pass; or of those whose path matches the glob `path`. `refuse`, `hang`,
        `die` and `restart` are about the whole instance and know no count. `tokens` is how much
        of an answer comes before it breaks.
        """
        plan = read_fault(
            {
                "kind": kind,
                "after_requests": after_requests,
                "count": count,
                "for_s": for_s,
                "after_s": after_s,
                "path": path,
                "tokens": tokens,
            }
        )
        self._fleet.call(lambda: self._server.set_fault(plan))

    def clear_faults(self) -> None:
        """Nothing is wrong any more; an instance that is stopped stays so."""
        self._fleet.call(self._server.faults.clear)

    def state(self) -> dict[str, Any]:
        """The same as `GET /sandbox/state`."""
        return self._fleet.call(self._server.state)

    def stop(self) -> None:
        """Stop listening and reset every connection; what was in memory is gone."""
        self._fleet.call(self._server.die)

    def restart(self) -> None:
        """Listen again, on the same port, with nothing in memory and no faults."""

        def restart() -> None:
            self._server.faults.clear()
            self._server.die()
            self._server.listen()

        self._fleet.call(restart)


class SimulatedFleet:
    """A fleet that runs until `close`, or until the end of its `with` block."""

    def __init__(self, plan: FleetPlan, speed: float, seed: int) -> None:
        """Use `start`."""
        self.plan = plan
        self.speed = speed
        self.seed = seed
        self.home = Path(tempfile.mkdtemp(prefix="ollamamaster-sandbox-"))
        # The one that can wait for a listening socket, which Windows' own loop cannot.
        self._loop: asyncio.AbstractEventLoop = asyncio.SelectorEventLoop()
        self._thread = threading.Thread(target=self._serve, name="sandbox", daemon=True)
        self._servers: list[Server] = []
        self._instances: dict[str, SimulatedInstance] = {}

    @classmethod
    def start(
        cls, fleet: str | Path | FleetPlan = "home", *, speed: float = 1.0, seed: int = 0
    ) -> SimulatedFleet:
        """Start a fleet; returns when all ports listen.

        Raises UsageError for a fleet that cannot be, FailedError for a port that is taken.
        """
        running = cls(load_fleet(fleet), speed, seed)
        running._thread.start()
        try:
            running.run(running._listen)
            running._write_config()
        except BaseException as error:
            running.close()
            if isinstance(error, OSError):
                raise FailedError(f"the sandbox cannot listen: {error}") from error
            raise
        return running

    def __getitem__(self, name: str) -> SimulatedInstance:
        return self._instances[name]

    def __iter__(self) -> Iterator[SimulatedInstance]:
        return iter(self._instances.values())

    def __len__(self) -> int:
        return len(self._instances)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def environment(self) -> dict[str, str]:
        """The environment of a command that is to see this fleet and no other instance."""
        return {**sandboxed(os.environ), "OLLAMAMASTER_HOME": str(self.home)}

    def close(self) -> None:
        """End every instance and remove the home folder. Does no harm a second time."""
        if self._thread.is_alive():
            self.run(self._end)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_PATIENCE_S)
        if not self._loop.is_closed() and not self._loop.is_running():
            self._loop.close()
        shutil.rmtree(self.home, ignore_errors=True)

    # ---- the loop's thread

    def call(self, action: Callable[[], T]) -> T:
        """Do something in the thread of the fleet, and wait for it."""

        async def act() -> T:
            return action()

        return self.run(act)

    def run(self, action: Callable[[], Awaitable[T]]) -> T:
        """Run a coroutine in the thread of the fleet, and wait for it."""

        async def act() -> T:
            return await action()

        return asyncio.run_coroutine_threadsafe(act(), self._loop).result(_PATIENCE_S)

    def _serve(self) -> None:
        self._loop.run_forever()

    async def _listen(self) -> None:
        for plan in self.plan.instances:
            server = Server(plan, self.plan.models, answer, speed=self.speed, seed=self.seed)
            self._servers.append(server)
            server.listen()
            self._instances[plan.name] = SimulatedInstance(self, server)
        for server in self._servers:
            server.start_faults()

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        # A task that is cancelled before it begins would never close its connection.
        await asyncio.sleep(0)
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        # Transports that were aborted close in the next round of the loop.
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    def _write_config(self) -> None:
        instances: dict[str, Any] = {}
        for instance, plan in zip(self, self.plan.instances, strict=True):
            hardware = plan.hardware
            known: dict[str, Any] = {
                "label": plan.name,
                "labels": {"sandbox": "true", **plan.labels},
                "locality": str(plan.locality),
                "slots": hardware.slots,
            }
            if hardware.vram_bytes:
                known |= {"vram_gb": hardware.vram_bytes / 1e9, "gpu_count": 1}
            instances[instance.id] = known
        config = {"discovery": {"loopback": False}, "instances": instances}
        (self.home / "config.toml").write_text(tomli_w.dumps(config), "utf-8")


def sandboxed(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without the person's own settings, and with our scripts first on PATH.

    Variables of ours would overrule the config that names the fleet.
    """
    kept = {
        name: value
        for name, value in environment.items()
        if name.upper() != "OLLAMA_HOST" and not _names_an_instance(name)
    }
    path = kept.get("PATH", os.defpath)
    kept["PATH"] = os.pathsep.join((str(_scripts_folder()), path))
    return kept


# Variables that would add instances to those of the fleet.
_DISCOVERY = "OLLAMAMASTER_DISCOVERY_"


def _names_an_instance(name: str) -> bool:
    return name.upper().startswith(_DISCOVERY)


def _scripts_folder() -> Path:
    """Where this installation's `ollamamaster` script lies."""
    schemes = (sysconfig.get_default_scheme(), sysconfig.get_preferred_scheme("user"))
    folders = [Path(sysconfig.get_path("scripts", scheme)) for scheme in schemes]
    script = "ollamamaster.exe" if os.name == "nt" else "ollamamaster"
    return next((folder for folder in folders if (folder / script).exists()), folders[0])
