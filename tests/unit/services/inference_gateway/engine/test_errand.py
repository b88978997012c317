from __future__ import annotations

import asyncio

import pytest

from services.inference_gateway.engine import errand


async def test_what_waits_for_nothing_is_done_at_once() -> None:
    done = []

    async def work() -> None:
        done.append(1)

    errand.begin(work())
    assert done == [1]


async def test_it_goes_on_when_what_it_waits_for_is_there() -> None:
    loop = asyncio.get_running_loop()
    first, second = loop.create_future(), loop.create_future()
    seen: list[object] = []

    async def inner() -> int:
        return int(await first) + 1

    async def work() -> None:
        seen.append("begun")
        seen.append(await inner())
        try:
            await second
        except ValueError as error:
            seen.append(str(error))
        seen.append(await asyncio.create_task(asyncio.sleep(0, "slept")))

    errand.begin(work())
    assert seen == ["begun"]
    first.set_result(1)
    await asyncio.sleep(0)
    assert seen == ["begun", 2]
    second.set_exception(ValueError("no"))
    async with asyncio.timeout(10):
        while len(seen) < 4:
            await asyncio.sleep(0)
    assert seen[2:] == ["no", "slept"]


async def test_it_ends_where_what_it_waits_for_is_taken_away() -> None:
    gone = asyncio.get_running_loop().create_future()
    seen = []

    async def work() -> None:
        try:
            await gone
        finally:
            seen.append("ended")

    errand.begin(work())
    gone.cancel()
    await asyncio.sleep(0)
    assert seen == ["ended"]


async def test_a_defect_is_told_to_the_loop() -> None:
    loop = asyncio.get_running_loop()
    told: list[object] = []
    loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
    ready = loop.create_future()

    async def work(wait: bool) -> None:
        if wait:
            await ready
        raise KeyError("a defect")

    with pytest.raises(KeyError):
        errand.begin(work(False))
    errand.begin(work(True))
    ready.set_result(None)
    await asyncio.sleep(0)
    assert [type(one) for one in told] == [KeyError]
