"""Requests that come together are worked on together, and each gets its own answer, or its own error."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from slipway.client import ColumnSpec, DataType, Signature, TensorSpec
from slipway.errors import Kind, SlipwayError


def told(answer: Any) -> float:
    return float(answer.outputs["p"][0])


async def looping(world: Any) -> None:
    """An endpoint that is as slow as a row asks for."""
    takes = Signature((ColumnSpec("x", DataType.INT64),), (TensorSpec("y", DataType.FP32, (-1,)),))
    number = await world.register(artifact=world.models.looping(), takes=takes)
    await world.route("late", ("main", number, 1))
    await world.ready("late", number)


async def test_what_comes_while_the_workers_are_busy_is_answered_and_logged_together(world: Any) -> None:
    await looping(world)
    slow = [asyncio.create_task(world.client.inference.predict("late", [{"x": 1_000_000}])) for _ in range(2)]
    quick = await asyncio.gather(*(world.client.inference.predict("late", [{"x": n}]) for n in range(64)))
    assert [one.value for [one] in quick] == pytest.approx([float(n) for n in range(64)])
    await asyncio.gather(*slow)
    logged = await world.logged("late", 66)
    assert sum(len(one.prediction_ids) for one in logged) == 66
    assert max(len(one.request_rows) for one in logged) > 10
    assert all(sum(one.request_rows) == len(one.prediction_ids) for one in logged)
    assert all(len(one.latencies_us) == len(one.trace_ids) == len(one.request_rows) for one in logged)


async def test_who_asks_a_quick_endpoint_waits_for_no_slow_one(world: Any) -> None:
    await looping(world)
    await world.standing("quick")
    slow: list[asyncio.Task[Any]] = []
    async with asyncio.timeout(60):
        while (await world.client.inference.statistics()).endpoints["late"].waiting_requests < 5:
            slow.append(asyncio.create_task(world.client.inference.predict("late", [{"x": 2_000_000}])))
    for _ in range(20):
        await world.client.inference.predict("quick", [world.row])
    assert not any(one.done() for one in slow)
    await asyncio.gather(*slow)


async def test_what_is_wrong_with_one_request_is_told_to_its_caller_alone(world: Any) -> None:
    await world.standing("late")
    rows = [world.row | {"distance": float(n)} for n in range(40)]
    rows[7] = {name: value for name, value in world.row.items() if name != "distance"}
    rows[23] = world.row | {"stops": 1.5}
    asked = [world.client.inference.predict("late", [row]) for row in rows]
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert {place for place, one in enumerate(found) if isinstance(one, SlipwayError)} == {7, 23}
    assert "features[distance]" in str(found[7])
    assert "features[stops]" in str(found[23])
    assert sum(len(one.prediction_ids) for one in await world.logged("late", 38)) == 38


async def test_a_row_that_the_model_fails_on_fails_its_own_request(world: Any) -> None:
    takes = Signature((ColumnSpec("x", DataType.INT64),), (TensorSpec("y", DataType.FP32, (-1,)),))
    number = await world.register(artifact=world.models.brittle(), takes=takes)
    await world.route("late", ("main", number, 1))
    await world.ready("late", number)
    asked = [world.client.inference.predict("late", [{"x": 7 if n == 11 else n % 3}]) for n in range(32)]
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert [place for place, one in enumerate(found) if isinstance(one, SlipwayError)] == [11]
    assert found[11].reason == "MODEL_FAILED"
    assert [one[0].value for place, one in enumerate(found) if place != 11] == [
        10.0 * (n % 3 + 1) for n in range(32) if n != 11
    ]
    logged = await world.logged("late", 31)
    assert sum(len(one.prediction_ids) for one in logged) == 31
    for one in logged:
        assert list(one.outputs[0].values) == [10.0 * (x + 1) for x in one.features[0].int64s.values]


async def test_many_rows_of_several_callers_keep_their_order(world: Any) -> None:
    await world.standing("late")
    sizes = [1, 300, 2, 700, 64, 1500]
    asked = [
        world.client.inference.predict("late", [world.row | {"distance": float(10_000 * k + n)} for n in range(size)])
        for k, size in enumerate(sizes)
    ]
    for k, (size, answers) in enumerate(zip(sizes, await asyncio.gather(*asked), strict=True)):
        assert [told(one) for one in answers] == [10_000.0 * k + n for n in range(size)]
        assert len({one.prediction_id for one in answers}) == size


async def test_requests_over_several_arms_are_whole_and_logged_once(world: Any) -> None:
    old, new = await world.register(0.0), await world.register(1000.0)
    await world.route("late", ("old", old, 1), ("new", new, 1))
    await world.ready("late", old, new)
    rows = [[world.row | {"distance": float(10 * k + n)} for n in range(8)] for k in range(20)]
    keys = [[{"flight": f"UA{10 * k + n}"} for n in range(8)] for k in range(20)]
    asked = [
        world.client.inference.predict("late", *one[:1], entity_keys=one[1]) for one in zip(rows, keys, strict=True)
    ]
    versions = set()
    for k, answers in enumerate(await asyncio.gather(*asked)):
        for n, one in enumerate(answers):
            assert told(one) == 10 * k + n + (1000 if one.version == new else 0)
            versions.add(one.version)
    assert versions == {old, new}
    ids = [name for one in await world.logged("late", 160) for name in one.prediction_ids]
    assert len(ids) == len(set(ids)) == 160


async def test_who_can_not_be_answered_in_time_is_told_at_once(world: Any) -> None:
    await looping(world)
    for _ in range(4):  # from which the gateway learns what this version takes
        await world.client.inference.predict("late", [{"x": 300_000}])
    began = time.monotonic()
    await world.client.inference.predict("late", [{"x": 300_000}])
    took_s = time.monotonic() - began
    with pytest.raises(SlipwayError) as caught:
        await world.client.inference.predict("late", [{"x": 300_000}], timeout_s=took_s / 4)
    assert caught.value.kind is Kind.DEADLINE_EXCEEDED
    assert caught.value.reason == "TOO_LATE"
