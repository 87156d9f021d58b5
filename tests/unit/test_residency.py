"""What is in memory is asked within a bounded time, also of those that are late."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from ollamamaster.domain.instances import Instance, InstanceAddress, Status
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.services.residency import LATE_FOR_S, Residency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollamamaster.ports import Clock, OllamaAPI

pytestmark = pytest.mark.anyio

FLEET = Fleet((Instance(InstanceAddress("a", 1), status=Status.UP),))
EVERYONE = ("a:1",)


@dataclass
class FakeClock:
    """Stands still until it is set."""

    at: float = 1000.0

    def monotonic(self) -> float:
        return self.at


@dataclass
class OneThatMayBeLate:
    """Answers nothing in time while it is late, and counts how often it was asked."""

    late: bool = True
    asked: int = 0

    async def ps(self, _endpoint: object, *, timeout_s: float) -> tuple[()]:
        self.asked += 1
        if self.late:
            raise TimeoutError(timeout_s)
        return ()


@dataclass
class Asking:
    """A route that asks again and again."""

    clock: FakeClock = field(default_factory=FakeClock)
    ollama: OneThatMayBeLate = field(default_factory=OneThatMayBeLate)
    residency: Residency = field(init=False)

    def __post_init__(self) -> None:
        async def refresh(fleet: Fleet, _asked: Sequence[Instance]) -> Any:
            return fleet

        self.residency = Residency(
            cast("OllamaAPI", self.ollama), cast("Clock", self.clock), refresh
        )

    async def after(self, seconds: float) -> int:
        """How often the instance was asked in all, after asking so many seconds later."""
        self.clock.at += seconds
        await self.residency.memory(FLEET, EVERYONE)
        return self.ollama.asked


async def test_one_that_was_late_is_left_out_for_a_while() -> None:
    asking = Asking()
    assert await asking.after(0) == 1
    assert await asking.after(LATE_FOR_S / 2) == 1


async def test_one_that_was_late_is_asked_again_later() -> None:
    asking = Asking()
    await asking.after(0)
    assert await asking.after(LATE_FOR_S) == 2


async def test_one_that_answers_again_is_asked_every_time() -> None:
    asking = Asking()
    await asking.after(0)
    asking.ollama.late = False
    await asking.after(LATE_FOR_S)
    assert await asking.after(0) == 3
