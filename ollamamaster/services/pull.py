"""Download a model onto the instance where it will serve best."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from ollamamaster.domain.hardware_prior import bandwidth_of
from ollamamaster.domain.instances import Instance, Locality, Status
from ollamamaster.domain.models import Model, ModelName
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.errors import (
    AllFailedError,
    AttemptError,
    BadRequestError,
    NoCandidateError,
    NoInstanceError,
    Outcome,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ollamamaster.domain.answers import PullProgress
    from ollamamaster.ports import Clock, OllamaAPI

# Asking what the instance has now, when the download is done.
_TAGS_TIMEOUT_S = 10.0

_NEAREST_FIRST = (Locality.LOCAL, Locality.LAN, Locality.REMOTE)


class PullListener(Protocol):
    """Is told how a download goes."""

    def chosen(self, model: str, instance: Instance) -> None:
        """The download begins."""

    def progress(self, progress: PullProgress) -> None:
        """A line of progress came."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """A finished download. `fleet` knows of it."""

    model: str
    instance: str
    size_bytes: int | None
    seconds: float
    fleet: Fleet


@dataclass
class PullService:
    """Downloads models. `save` keeps what an instance has now in the inventory."""

    ollama: OllamaAPI
    clock: Clock
    save: Callable[[Instance], Awaitable[None]]

    async def pulled(
        self, model: str, instance: str | None, fleet: Fleet, listener: PullListener
    ) -> Fleet:
        """The fleet after the download, for a route that needs the model."""
        return (await self.pull(model, instance, fleet, listener)).fleet

    async def pull(
        self, model: str, instance: str | None, fleet: Fleet, listener: PullListener
    ) -> Pulled:
        """Download `model` onto `instance`, or onto the best one when that is None.

        Raises UsageError for an unknown instance, NoInstanceError when none is up,
        NoCandidateError when no memory holds it, BadRequestError for a wrong name,
        AllFailedError when the download fails.
        """
        name = str(ModelName.parse(model))
        place = fleet.find(instance) if instance else best_place(name, fleet)
        began = self.clock.monotonic()
        listener.chosen(name, place)
        try:
            async with aclosing(self.ollama.pull(place.endpoint, name)) as lines:
                async for line in lines:
                    listener.progress(line)
            models = await self.ollama.tags(place.endpoint, timeout_s=_TAGS_TIMEOUT_S)
        except AttemptError as failure:
            raise _pull_error(name, place, failure) from failure
        models = await self._with_details(place, name, models)
        place = replace(place, models=models, status=Status.UP)
        await self.save(place)
        got = place.model(name)
        return Pulled(
            model=name,
            instance=place.id,
            size_bytes=got.size_bytes if got is not None else None,
            seconds=self.clock.monotonic() - began,
            fleet=_replaced(fleet, place),
        )

    async def _with_details(
        self, place: Instance, name: str, models: tuple[Model, ...]
    ) -> tuple[Model, ...]:
        """The models, those known before with their details, the new one asked for its own."""
        known = {m.digest: m for m in place.models if m.digest}
        detailed = [known.get(m.digest, m) for m in models]
        for position, model in enumerate(detailed):
            if str(model.name) == name and model.capabilities is None:
                try:
                    detailed[position] = await self.ollama.show(
                        place.endpoint, model, timeout_s=_TAGS_TIMEOUT_S
                    )
                except AttemptError:
                    # The model is there; what it can do is asked again by the next discovery.
                    continue
        return tuple(detailed)


def best_place(name: str, fleet: Fleet) -> Instance:
    """The fastest instance that is up and whose memory holds the model; ties local first.

    Its size is only known when another instance has it already.
    """
    up = [i for i in fleet if i.status is Status.UP]
    if not up:
        raise NoInstanceError("no instance is up to download to", hint="ollamamaster discover")
    sizes = [m.size_bytes for i in fleet for m in i.models if str(m.name) == name]
    size = next((s for s in sizes if s), 0)
    roomy = [i for i in up if i.memory_bytes is None or i.memory_bytes >= size]
    if not roomy:
        raise NoCandidateError(
            f"no instance has the {size / 1e9:.1f} GB of memory that {name} needs",
            hint="name one with --instance to download it all the same",
        )
    return min(roomy, key=lambda i: (-bandwidth_of(i)[0], _NEAREST_FIRST.index(i.locality), i.id))


def _replaced(fleet: Fleet, place: Instance) -> Fleet:
    instances = tuple(place if i.id == place.id else i for i in fleet)
    return Fleet(instances, fleet.checked_at)


def _pull_error(
    name: str, place: Instance, failure: AttemptError
) -> AllFailedError | NoInstanceError | BadRequestError:
    message = f"{place.name} could not download {name}: {failure.message}"
    if failure.outcome is Outcome.BAD_REQUEST:
        return BadRequestError(message, instance=place.id)
    if failure.outcome is Outcome.CONNECT_ERROR and not failure.connected:
        return NoInstanceError(message, instance=place.id)
    return AllFailedError(message, hint="see https://ollama.com/library", instance=place.id)
