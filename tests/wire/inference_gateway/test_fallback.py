"""When an arm can't answer, the endpoint's fallback does, and says so; the others of its batch notice nothing."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from slipway.client import ColumnSpec, DataType, DefaultAnswer, FallbackVersion, Route, Signature, TensorSpec
from slipway.errors import SlipwayError

TAKES = Signature((ColumnSpec("x", DataType.INT64),), (TensorSpec("y", DataType.FP32, (-1,)),))


async def endpoint(world: Any, fallback: Any = None) -> tuple[int, int]:
    """An endpoint whose version fails beyond 2; its number, and that of one which does not."""
    sturdy = await world.register(artifact=world.models.looping(), takes=TAKES)
    brittle = await world.register(artifact=world.models.brittle(), takes=TAKES)
    if isinstance(fallback, FallbackVersion):
        fallback = FallbackVersion("m", sturdy)
    await world.client.registry.put_endpoint("late", [Route("main", "m", version=brittle, weight=1)], fallback=fallback)
    await world.ready("late", brittle)
    while fallback is not None:  # it is loaded beside the arms, and nothing waits for it
        with contextlib.suppress(SlipwayError):
            await world.client.inference.predict("late", [{"x": 7}])
            break
        await asyncio.sleep(0.01)
    return brittle, sturdy


async def ask(world: Any) -> list[Any]:
    asked = (world.client.inference.predict("late", [{"x": x}], prediction_ids=[f"x{x}"]) for x in (0, 1, 7, 2))
    return [one for [one] in await asyncio.gather(*asked)]


async def test_another_version_stands_in_for_the_rows_that_an_arm_failed_on(world: Any) -> None:
    brittle, sturdy = await endpoint(world, FallbackVersion())
    found = await ask(world)
    assert [(one.version, one.fallback) for one in found] == [
        (brittle, False),
        (brittle, False),
        (sturdy, True),
        (brittle, False),
    ]
    assert found[2].value == pytest.approx(7.0)
    [again] = await world.client.inference.predict("late", [{"x": 7}], prediction_ids=["x7"])
    assert (again.replayed, again.fallback, again.version) == (True, True, sturdy)
    logged = [one for one in await world.logged("late", 5) if "x" in "".join(one.prediction_ids)]
    assert sorted(name for one in logged for name in one.prediction_ids) == ["x0", "x1", "x2", "x7"]
    assert [(one.version, one.route) for one in logged if one.fallback] == [(sturdy, "fallback")]


async def test_a_default_answer_is_marked_and_of_no_version(world: Any) -> None:
    brittle, _ = await endpoint(world, DefaultAnswer({"y": (-1.0,)}))
    found = await ask(world)
    assert [one.value for one in found] == [10.0, 20.0, -1.0, 30.0]
    assert [(one.version, one.fallback, one.route) for one in found][2] == (0, True, "default")
    assert {one.version for one in found} == {0, brittle}
    logged = await world.logged("late", 5)
    assert ["x7"] in [list(one.prediction_ids) for one in logged if one.fallback]


async def test_without_a_fallback_the_caller_is_told(world: Any) -> None:
    await endpoint(world)
    with pytest.raises(SlipwayError, match="failed on this batch"):
        await world.client.inference.predict("late", [{"x": 7}])
