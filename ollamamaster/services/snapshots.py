"""Asking one instance, or many at once, what it has."""

from __future__ import annotations

import asyncio  # noqa: TID253 (imported only by commands that ask instances)
from statistics import median
from typing import TYPE_CHECKING, Any, TypeVar

from ollamamaster.domain.facts import Facts, known_facts, with_facts
from ollamamaster.domain.snapshot import Fleet, Snapshot
from ollamamaster.errors import AttemptError, Outcome

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

    from ollamamaster.domain.instances import Endpoint
    from ollamamaster.domain.models import Model
    from ollamamaster.ports import Clock, OllamaAPI

T = TypeVar("T")

# What is Ollama says so in milliseconds, also while it generates; a miss is no answer in 2 s.
IDENTIFY_S = 2.0
# A server with hundreds of models on a slow disk lists them in a second or two.
_LIST_S = 5.0
_SHOW_S = 5.0
# All `/api/show` of one discovery together: the rest stays unknown until the next one.
ALL_SHOWS_S = 15.0
# Well inside the 256 descriptors that macOS gives a process.
_AT_ONCE = 96
# Of `/api/show` in all: it reads a file's header, and there may be one for every model.
_SHOWS_AT_ONCE = 8
_LATENCY_SAMPLES = 3


class Snapshots:
    """What instances say now."""

    def __init__(self, ollama: OllamaAPI, clock: Clock) -> None:
        self._ollama = ollama
        self._clock = clock

    async def first(self, endpoints: Sequence[Endpoint]) -> list[Snapshot | AttemptError]:
        """A snapshot of each endpoint, with the median latency of three; why it is no Ollama."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def look(endpoint: Endpoint) -> Snapshot | AttemptError:
            async with gate:
                return await self._first(endpoint)

        return await asyncio.gather(*map(look, endpoints))

    async def _first(self, endpoint: Endpoint) -> Snapshot | AttemptError:
        try:
            version = await _asked(self._ollama.identify, endpoint, within_s=IDENTIFY_S)
        except AttemptError as error:
            return error
        samples = []
        for _ in range(_LATENCY_SAMPLES):
            latency_ms = await self._latency_ms(endpoint, IDENTIFY_S)
            if latency_ms is None:
                break
            samples.append(latency_ms)
        models, loaded = await asyncio.gather(
            _told(self._ollama.tags, endpoint, within_s=_LIST_S),
            _told(self._ollama.ps, endpoint, within_s=_LIST_S),
        )
        latency = median(samples) if samples else None
        return Snapshot(self._clock.now(), version, latency, models, loaded)

    async def _latency_ms(self, endpoint: Endpoint, within_s: float) -> float | None:
        began = self._clock.monotonic()
        if await _told(self._ollama.version, endpoint, within_s=within_s) is None:
            return None
        return (self._clock.monotonic() - began) * 1000

    async def again(
        self, endpoints: Mapping[str, Endpoint], *, within_s: float
    ) -> dict[str, Snapshot | None]:
        """A snapshot of each known instance by its id; takes `within_s` at most."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def look(endpoint: Endpoint) -> Snapshot | None:
            async with gate:
                version, models, loaded = await asyncio.gather(
                    _told(self._ollama.version, endpoint, within_s=within_s),
                    _told(self._ollama.tags, endpoint, within_s=within_s),
                    _told(self._ollama.ps, endpoint, within_s=within_s),
                )
            if version is None:
                return None
            return Snapshot(self._clock.now(), version, None, models, loaded)

        tasks = {name: asyncio.ensure_future(look(of)) for name, of in endpoints.items()}
        await _settled(tasks.values(), within_s)
        return {name: None if task.cancelled() else task.result() for name, task in tasks.items()}

    async def facts(
        self, asked: Iterable[tuple[Endpoint, Snapshot]], known: Fleet, *, within_s: float
    ) -> Mapping[str, Facts]:
        """What is known by digest of these models, after `/api/show` where that is not enough.

        Each digest is asked once. What is not told within `within_s` in all stays unknown.
        """
        facts = dict(known_facts(known))
        open_questions: dict[str, tuple[Endpoint, Model]] = {}
        for endpoint, snapshot in asked:
            for model in with_facts(snapshot.models or (), facts):
                if model.digest and _is_unknown(model):
                    open_questions.setdefault(model.digest, (endpoint, model))
        gate = asyncio.Semaphore(_SHOWS_AT_ONCE)

        async def ask(endpoint: Endpoint, model: Model) -> None:
            async with gate:
                told = await _told(self._ollama.show, endpoint, model, within_s=_SHOW_S)
            if told is not None:
                facts[model.digest] = Facts(told.capabilities, told.context_length, told.shape)

        tasks = [asyncio.ensure_future(ask(*question)) for question in open_questions.values()]
        await _settled(tasks, within_s)
        return facts


def _is_unknown(model: Model) -> bool:
    return model.capabilities is None or model.context_length is None or model.shape is None


async def _settled(tasks: Collection[Future[Any]], within_s: float) -> None:
    """Wait for the tasks; those that are not done in time are cancelled, as all are with us."""
    if not tasks:
        return
    try:
        await asyncio.wait(tasks, timeout=within_s)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _told(ask: Callable[..., Awaitable[T]], *of: object, within_s: float) -> T | None:
    """The answer, or None where there is none in time."""
    try:
        return await _asked(ask, *of, within_s=within_s)
    except AttemptError:
        return None


async def _asked(ask: Callable[..., Awaitable[T]], *of: object, within_s: float) -> T:
    """The answer in time; the client has the same limit. Raises AttemptError.

    It is asked only here: a question that is made earlier and never begun is a warning of Python's.
    """
    try:
        async with asyncio.timeout(within_s + 0.25):
            return await ask(*of, timeout_s=within_s)
    except TimeoutError:
        raise AttemptError(Outcome.TIMEOUT, f"no answer within {within_s:g} s") from None
