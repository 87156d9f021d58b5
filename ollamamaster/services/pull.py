"""Download a model onto the instance where it will serve best."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ollamamaster.domain.hardware_prior import bandwidth_of, prior_rates
from ollamamaster.domain.instances import Locality, Status
from ollamamaster.domain.models import ModelName
from ollamamaster.errors import (
    AllFailedError,
    AttemptError,
    BadRequestError,
    NoCandidateError,
    NoInstanceError,
    Outcome,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from ollamamaster.domain.answers import PullProgress
    from ollamamaster.domain.instances import Instance
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.ports import Clock, OllamaAPI

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
    """Downloads models. `refresh` asks instances again and keeps what they have now."""

    ollama: OllamaAPI
    clock: Clock
    refresh: Callable[[Fleet, Sequence[Instance]], Awaitable[Fleet]]

    async def pulled(
        self, model: str, instance: str | None, fleet: Fleet, listener: PullListener
    ) -> Fleet:
        """The fleet after the download, for a route that needs the model."""
        return (await self.pull(model, instance, fleet, listener)).fleet

    async def pull(
        self, model: str, instance: str | None, fleet: Fleet, listener: PullListener
    ) -> Pulled:
        """Download `model` onto `instance`, or onto the best one when that is None.

        Raises UsageError for an unknown instance or no name, NoInstanceError when none is up,
        NoCandidateError when no memory holds it, BadRequestError for a wrong name,
        AllFailedError when the download fails.
        """
        if not model.strip():
            raise UsageError("the name of the model is missing")
        name = str(ModelName.parse(model))
        place = fleet.find(instance) if instance is not None else best_place(name, fleet)
        began = self.clock.monotonic()
        listener.chosen(name, place)
        try:
            async with aclosing(self.ollama.pull(place.endpoint, name)) as lines:
                async for line in lines:
                    listener.progress(line)
        except AttemptError as failure:
            raise _pull_error(name, place, failure) from failure
        fleet = await self.refresh(fleet, [place])
        got = fleet.find(place.id).model(name)
        return Pulled(
            model=name,
            instance=place.id,
            size_bytes=got.size_bytes if got is not None else None,
            seconds=self.clock.monotonic() - began,
            fleet=fleet,
        )


def best_place(name: str, fleet: Fleet) -> Instance:
    """The fastest instance that is up and whose memory holds the model; ties local first.

    How large the model is, is only known when another instance has it already.
    """
    up = [i for i in fleet if i.status is Status.UP] or list(fleet.up)
    if not up:
        raise NoInstanceError("no instance is up to download to", hint="ollamamaster discover")
    known = next((m for i in fleet for m in i.models if str(m.name) == name and m.size_bytes), None)
    size = known.size_bytes or 0 if known else 0
    roomy = [i for i in up if i.memory_bytes is None or i.memory_bytes >= size]
    if not roomy:
        raise NoCandidateError(
            f"no instance has the {size / 1e9:.1f} GB of memory that {name} needs",
            hint="name one with --instance to download it all the same",
        )

    def order(instance: Instance) -> tuple[float, int, str]:
        speed = prior_rates(known, instance).decode.median if known else bandwidth_of(instance)[0]
        return -speed, _NEAREST_FIRST.index(instance.locality), instance.id

    return min(roomy, key=order)


def _pull_error(
    name: str, place: Instance, failure: AttemptError
) -> AllFailedError | NoInstanceError | BadRequestError:
    message = f"{place.name} could not download {name}: {failure.message}"
    if failure.outcome is Outcome.BAD_REQUEST:
        return BadRequestError(message, instance=place.id)
    if failure.outcome is Outcome.CONNECT_ERROR and not failure.connected:
        return NoInstanceError(message, instance=place.id)
    return AllFailedError(message, hint="see https://ollama.com/library", instance=place.id)
