"""Who comes into the line of the fleet, when many ask at once?"""

from __future__ import annotations

import asyncio
import gc

import pytest

from ollamamaster.mcp_server.door import OF_A_KIND, OF_ALL_KINDS, Door, Place

pytestmark = pytest.mark.anyio


async def entered(door: Door, kind: object) -> Place:
    place = door.place(kind)
    await place.enter()
    return place


async def still_waits(place: Place) -> bool:
    """Whether it did not get in; a place that is free is had without waiting."""
    entering = place.enter()
    try:
        awaited = entering.send(None)
    except StopIteration:
        return False
    awaited.cancel()
    with pytest.raises(asyncio.CancelledError):
        entering.send(None)
    return True


async def test_no_more_of_a_kind_are_in_than_may_be() -> None:
    door = Door()
    inside = [await entered(door, "a") for _ in range(OF_A_KIND)]
    assert await still_waits(door.place("a"))
    inside[0].leave()
    assert not await still_waits(door.place("a"))


async def test_who_wants_something_else_is_not_held_up() -> None:
    door = Door()
    inside = [await entered(door, "a") for _ in range(OF_A_KIND)]
    assert not await still_waits(door.place("b"))
    assert len(inside) == OF_A_KIND


async def test_all_kinds_together_have_a_limit() -> None:
    door = Door()
    inside = [await entered(door, n) for n in range(OF_ALL_KINDS)]
    assert await still_waits(door.place("another"))
    inside[0].leave()
    assert not await still_waits(door.place("another"))


async def test_leaving_twice_lets_in_one() -> None:
    door = Door()
    inside = [await entered(door, "a") for _ in range(OF_A_KIND)]
    inside[0].leave()
    inside[0].leave()
    inside.append(await entered(door, "a"))
    assert await still_waits(door.place("a"))


async def test_who_gives_up_takes_no_place() -> None:
    door = Door()
    inside = [await entered(door, n) for n in range(OF_ALL_KINDS)]
    for _ in range(OF_A_KIND + 1):
        assert await still_waits(door.place("a"))
    inside[0].leave()
    assert not await still_waits(door.place("a"))


async def test_a_kind_that_nobody_wants_any_more_is_forgotten() -> None:
    door = Door()
    place = await entered(door, "a" * 1000)
    place.leave()
    del place
    gc.collect()
    assert not door._kinds
