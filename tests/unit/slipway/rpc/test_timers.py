from __future__ import annotations

import asyncio

import pytest

from slipway.rpc.timers import Timers


async def bounded(timers: Timers, work_s: float, limit_s: float) -> str:
    task = asyncio.current_task()
    assert task is not None
    tick = timers.set(task, limit_s)
    try:
        await asyncio.sleep(work_s)
    except asyncio.CancelledError:
        if timers.clear(task, tick):
            return "ended"
        raise
    assert not timers.clear(task, tick)
    return "answered"


async def test_each_task_ends_at_its_own_time() -> None:
    timers = Timers()
    limits = [0.02, 30.0, 0.05, 0.02, 0.3]
    found = await asyncio.gather(*(bounded(timers, 0.1, limit) for limit in limits))
    assert found == ["ended", "answered", "ended", "ended", "answered"]


async def test_a_task_that_was_ended_goes_on_as_if_it_had_not_been() -> None:
    timers = Timers()

    async def twice() -> tuple[str, str]:
        return await bounded(timers, 5.0, 0.01), await bounded(timers, 0.01, 5.0)

    assert await asyncio.create_task(twice()) == ("ended", "answered")


async def test_a_cancellation_from_elsewhere_is_none_of_its_own() -> None:
    timers = Timers()
    task = asyncio.create_task(bounded(timers, 5.0, 5.0))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
