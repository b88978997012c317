from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from slipway.clock import ManualClock, SystemClock


async def settle() -> None:
    """Let every task that can run come to its next wait."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_sleepers_wake_in_order_of_their_time_and_not_before() -> None:
    clock = ManualClock()
    woken: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(name)

    async with asyncio.TaskGroup() as group:
        for name, seconds in (("c", 3), ("a", 1), ("b", 2), ("a2", 1)):
            group.create_task(sleeper(name, seconds))
        await settle()
        clock.advance(0.999)
        await settle()
        assert woken == []
        clock.advance(0.001)
        await settle()
        assert woken == ["a", "a2"]
        clock.advance(10)
    assert woken == ["a", "a2", "b", "c"]


async def test_a_sleeper_that_was_cancelled_is_passed_over() -> None:
    clock = ManualClock()
    first, second = asyncio.create_task(clock.sleep(1)), asyncio.create_task(clock.sleep(1))
    await settle()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    clock.advance(1)
    await second


async def test_no_time_to_sleep_still_gives_others_their_turn() -> None:
    clock = ManualClock()
    turns: list[str] = []

    async def other() -> None:
        turns.append("other")

    task = asyncio.create_task(other())
    await clock.sleep(0)
    await clock.sleep(-1)
    assert turns == ["other"]
    await task


def test_wall_time_jumps_alone() -> None:
    start = datetime(2020, 2, 28, 23, 59, tzinfo=UTC)
    clock = ManualClock(start)
    clock.advance(60)
    clock.jump_wall(-3600)
    assert (clock.now(), clock.monotonic()) == (start - timedelta(minutes=59), 60.0)


async def test_the_system_s_clock_is_aware_and_never_goes_back() -> None:
    clock = SystemClock()
    assert clock.now().utcoffset() == timedelta(0)
    before = clock.monotonic()
    await clock.sleep(0)
    assert clock.monotonic() >= before
