from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from slipway.lifecycle import Loop, PortTaken, require_free, run, running


class Part:
    """Writes down when it is started and stopped, and fails where it is told to."""

    def __init__(self, name: str, story: list[str], *, fails: str = "") -> None:
        self._name = name
        self._story = story
        self._fails = fails

    async def start(self) -> None:
        await self._do("start")

    async def stop(self) -> None:
        await self._do("stop")

    async def _do(self, what: str) -> None:
        self._story.append(f"{what} {self._name}")
        if self._fails == what:
            raise RuntimeError(f"{self._name} can't {what}")


async def forever() -> None:
    await asyncio.Event().wait()


def stopped() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


async def test_parts_start_in_order_and_stop_in_reverse() -> None:
    story: list[str] = []
    await run(Part("database", story), Part("server", story), stop=stopped())
    assert story == ["start database", "start server", "stop server", "stop database"]


async def test_a_part_that_can_t_start_stops_those_before_it_and_fails_the_process() -> None:
    story: list[str] = []
    with pytest.raises(RuntimeError, match="b can't start"):
        await run(Part("a", story), Part("b", story, fails="start"), Part("c", story), stop=stopped())
    assert story == ["start a", "start b", "stop a"]


async def test_a_part_that_can_t_stop_does_not_keep_the_others_from_it(caplog: pytest.LogCaptureFixture) -> None:
    story: list[str] = []
    await run(Part("a", story), Part("b", story, fails="stop"), stop=stopped())
    assert story[-2:] == ["stop b", "stop a"]
    assert "did not stop cleanly" in caplog.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_everything(number: signal.Signals) -> None:
    story: list[str] = []
    turning = asyncio.Event()

    async def work() -> None:
        turning.set()
        await forever()

    task = asyncio.create_task(run(Part("a", story), Loop("loop", work)))
    await turning.wait()
    os.kill(os.getpid(), number)
    await asyncio.wait_for(task, 30)
    assert story == ["start a", "stop a"]


async def test_a_loop_that_dies_stops_the_rest_and_fails_the_process(caplog: pytest.LogCaptureFixture) -> None:
    story: list[str] = []

    async def die() -> None:
        raise ZeroDivisionError

    async def flush() -> None:
        story.append("flush")

    with pytest.raises(ZeroDivisionError):
        await run(Part("a", story), Loop("mill", die, flush=flush), Part("b", story))
    assert story == ["start a", "start b", "stop b", "flush", "stop a"]
    assert [record.getMessage() for record in caplog.records] == ["a loop ended by itself"]


async def test_a_loop_that_returns_fails_the_process_too() -> None:
    async def done() -> None:
        return

    with pytest.raises(RuntimeError, match="the loop mill returned"):
        await run(Loop("mill", done))


async def test_a_loop_flushes_after_its_work_was_cancelled() -> None:
    story: list[str] = []

    def tells(name: str) -> Callable[[], Coroutine[Any, Any, None]]:
        async def tell() -> None:
            story.append(name)

        return tell

    async def work() -> None:
        try:
            await forever()
        finally:
            story.append("work ends")

    async with running(Loop("mill", work, flush=tells("flush"))):
        await asyncio.sleep(0)
    assert story == ["work ends", "flush"]


async def test_a_loop_that_fails_while_it_is_stopped_still_flushes(caplog: pytest.LogCaptureFixture) -> None:
    story: list[str] = []

    async def work() -> None:
        try:
            await forever()
        finally:
            raise OSError("disk")

    async def flush() -> None:
        story.append("flush")

    async with running(Loop("mill", work, flush=flush)):
        await asyncio.sleep(0)
    assert story == ["flush"]
    assert "did not stop cleanly" in caplog.text


def test_a_taken_port_is_told_with_its_mend() -> None:
    error = PortTaken("listen", "127.0.0.1:50051", "rpc.listen")
    assert error.message == (
        "can't listen on 127.0.0.1:50051: the port is taken; end the process that holds it, "
        "or move this one by rpc.listen in its configuration"
    )
    assert error.facts == {"address": "127.0.0.1:50051", "key": "rpc.listen"}


def test_an_address_that_can_t_be_had_for_another_reason_says_which() -> None:
    with pytest.raises(PortTaken, match=r"can't listen on 192\.0\.2\.1:1: .*; move this one by rpc\.listen"):
        require_free("listen", "192.0.2.1:1", "rpc.listen")


@pytest.mark.parametrize("address", ["127.0.0.1:0", "localhost:0"])
def test_a_free_address_can_be_had(address: str) -> None:
    require_free("listen", address, "rpc.listen")


async def test_a_loop_that_misses_its_cancellation_is_cancelled_again() -> None:
    missed = 0

    async def deaf() -> None:
        nonlocal missed
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                missed += 1
                if missed > 2:
                    raise

    loop = Loop("deaf", deaf, again_s=0.001)
    await loop.start()
    await asyncio.sleep(0)
    await asyncio.wait_for(loop.stop(), 30)
    assert missed == 3
