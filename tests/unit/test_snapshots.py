from __future__ import annotations

import asyncio
import contextlib
import warnings
from typing import TYPE_CHECKING, Any, cast

import pytest

from ollamamaster.domain.instances import Endpoint, InstanceAddress
from ollamamaster.services.snapshots import Snapshots

if TYPE_CHECKING:
    from ollamamaster.ports import Clock, OllamaAPI

pytestmark = pytest.mark.anyio

HERE = Endpoint(InstanceAddress("127.0.0.1"))


class StoppedClock:
    def monotonic(self) -> float:
        return 0.0


class Interrupting:
    """An instance that is being asked for its version when the person presses Ctrl-C."""

    async def identify(self, *_of: Any, timeout_s: float) -> str:
        return await self.version(timeout_s=timeout_s)

    async def version(self, *_of: Any, timeout_s: float) -> str:
        if (asking := asyncio.current_task()) is not None:
            asyncio.get_running_loop().call_soon(asking.cancel)
        return "0.24.0"

    async def tags(self, *_of: Any, timeout_s: float) -> tuple[()]: ...  # type: ignore[empty-body]
    async def ps(self, *_of: Any, timeout_s: float) -> tuple[()]: ...  # type: ignore[empty-body]


async def test_questions_that_are_interrupted_before_they_are_asked_leave_no_warning() -> None:
    snapshots = Snapshots(cast("OllamaAPI", Interrupting()), cast("Clock", StoppedClock()))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with contextlib.suppress(asyncio.CancelledError):
            await snapshots.first([HERE])
    assert said == []
