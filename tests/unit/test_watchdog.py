from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ollamamaster.ollama.watchdog import Watch, Watchdog

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio


class SteppedClock:
    """Sleeping is what makes time pass; `at` runs something when its moment comes."""

    def __init__(self) -> None:
        self.now = 100.0
        self._planned: list[tuple[float, Callable[[], None]]] = []
        self.overslept = 0.0

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        self._planned.append((100.0 + seconds, action))

    @property
    def passed(self) -> float:
        return round(self.now - 100.0, 6)

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        end = self.now + seconds
        for when, action in sorted(self._planned, key=lambda p: p[0]):
            if when <= end:
                self.now = max(self.now, when)
                action()
        self._planned = [p for p in self._planned if p[0] > end]
        self.now = end + self.overslept
        self.overslept = 0.0


class Instance:
    """Answers the question for a sign of life as planned, then not any more."""

    def __init__(self, clock: SteppedClock, signs: list[bool]) -> None:
        self._clock = clock
        self._signs = signs
        self.asked_at: list[float] = []

    async def alive(self) -> bool:
        self.asked_at.append(self._clock.passed)
        sign = self._signs.pop(0) if self._signs else False
        if not sign:
            await self._clock.sleep(2)
        return sign


async def test_two_misses_in_a_row_end_the_attempt_after_eight_seconds() -> None:
    clock = SteppedClock()
    instance = Instance(clock, [])
    await Watchdog(Watch(), instance.alive, clock).hang()
    assert (instance.asked_at, clock.passed) == ([3, 6], 8)


async def test_an_instance_that_answers_is_never_given_up_before_its_first_byte() -> None:
    clock = SteppedClock()
    instance = Instance(clock, [True] * 1000)
    await Watchdog(Watch(), instance.alive, clock).hang()
    assert len(instance.asked_at) == 1002


async def test_a_single_miss_costs_nothing() -> None:
    clock = SteppedClock()
    instance = Instance(clock, [False, True, False, True])
    await Watchdog(Watch(), instance.alive, clock).hang()
    assert len(instance.asked_at) == 6


async def test_thirty_seconds_without_a_line_end_a_stream_that_had_begun() -> None:
    clock = SteppedClock()
    instance = Instance(clock, [True] * 1000)
    dog = Watchdog(Watch(), instance.alive, clock)
    dog.begin()
    assert "30 s" in await dog.hang()
    assert clock.passed == 30


async def test_the_dead_instance_of_a_begun_stream_is_found_out_before_thirty_seconds() -> None:
    clock = SteppedClock()
    dog = Watchdog(Watch(), Instance(clock, []).alive, clock)
    dog.begin()
    await dog.hang()
    assert clock.passed == 8


async def test_bytes_without_an_end_of_line_do_not_put_off_the_end() -> None:
    clock = SteppedClock()
    dog = Watchdog(Watch(), Instance(clock, [True] * 1000).alive, clock)
    for second in range(60):
        clock.at(second, dog.begin)
    await dog.hang()
    assert clock.passed == 30


async def test_each_line_starts_the_silence_anew() -> None:
    clock = SteppedClock()
    dog = Watchdog(Watch(), Instance(clock, [True] * 1000).alive, clock)
    dog.begin()
    clock.at(20, dog.heard)
    await dog.hang()
    assert clock.passed == 50


async def test_without_a_limit_only_misses_end_a_begun_stream() -> None:
    clock = SteppedClock()
    instance = Instance(clock, [True] * 100)
    dog = Watchdog(Watch(line_within_s=None), instance.alive, clock)
    dog.begin()
    await dog.hang()
    assert len(instance.asked_at) == 102


async def test_the_time_in_which_this_process_was_stopped_is_no_silence() -> None:
    clock = SteppedClock()
    dog = Watchdog(Watch(), Instance(clock, [True] * 1000).alive, clock)
    dog.begin()
    clock.overslept = 3600
    await dog.hang()
    assert clock.passed > 3600 + 30


async def test_a_line_during_the_question_clears_the_misses() -> None:
    clock = SteppedClock()
    instance = Instance(clock, [])
    dog = Watchdog(Watch(), instance.alive, clock)
    clock.at(7, dog.heard)
    await dog.hang()
    assert instance.asked_at == [3, 6, 10, 13]


async def test_an_attempt_that_nobody_reads_from_is_not_silent() -> None:
    clock = SteppedClock()
    dog = Watchdog(Watch(), Instance(clock, [True] * 1000).alive, clock)
    dog.begin()
    dog.paused = True

    def go_on() -> None:
        dog.paused = False

    clock.at(100, go_on)
    await dog.hang()
    assert clock.passed > 120
