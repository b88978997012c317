"""When an arm can't answer, the endpoint's fallback does, and says so; the others of its batch notice nothing."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import numpy as np
import pytest

from slipway.client import (
    ColumnSpec,
    DataType,
    DefaultAnswer,
    FallbackVersion,
    Route,
    Signature,
    TensorSpec,
    VersionState,
)
from slipway.errors import SlipwayError
from slipway.gen.inference import inference_pb2 as open_pb

OPEN = open_pb.DESCRIPTOR.services_by_name["GRPCInferenceService"]
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
    for one in logged:  # written before anybody knew who answers, and of whom alone
        assert [f"x{x}" for x in one.features[0].int64s.values] == list(one.prediction_ids)


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


NEEDS_FEATURES = Signature(
    (ColumnSpec("x", DataType.INT64, feature="planes:x"),),
    (TensorSpec("y", DataType.FP32, (-1,)),),
    (ColumnSpec("tailnum", DataType.BYTES),),
)


async def put(world: Any, fallback: DefaultAnswer, artifact: bytes, takes: Signature = TAKES) -> int:
    number: int = await world.register(artifact=artifact, takes=takes)
    await world.client.registry.put_endpoint("late", [Route("main", "m", version=number, weight=1)], fallback=fallback)
    return number


async def known(world: Any) -> None:
    """Return when the gateway has heard of the endpoint, and failed to load its version."""
    await world.until("late", lambda arms: arms[0].state is VersionState.FAILED)


async def test_a_default_answers_for_an_endpoint_without_a_version_where_it_says_so(world: Any) -> None:
    await put(world, DefaultAnswer({"y": (-1.0,)}, when_not_ready=True), b"no model")
    await known(world)
    [answer] = await world.client.inference.predict("late", [{"x": 7}], prediction_ids=["p"])
    assert (answer.value, answer.version, answer.route) == (-1.0, 0, "default")
    assert (answer.fallback, answer.degraded) == (True, True)
    [again] = await world.client.inference.predict("late", [{"x": 7}], prediction_ids=["p"])
    assert (again.replayed, again.fallback) == (True, True)
    with pytest.raises(SlipwayError, match=r"features\[x\]"):
        await world.client.inference.predict("late", [{"x": "seven"}])
    request = open_pb.ModelInferRequest(model_name="late")
    request.inputs.add(name="x", datatype="INT64", shape=[2]).contents.int64_contents.extend([7, 8])
    told = await world.call("ModelInfer", request, OPEN)
    assert told.parameters["slipway_fallback"].bool_param
    assert np.frombuffer(told.raw_output_contents[0], np.float32).tolist() == [-1.0, -1.0]
    logged = await world.logged("late", 3)
    assert [(one.version, one.route, one.fallback) for one in logged] == [(0, "default", True)] * 2
    assert [list(one.degraded_rows) for one in logged] == [[0], [0, 1]]


async def test_a_default_that_does_not_say_so_answers_for_failures_alone(world: Any) -> None:
    await put(world, DefaultAnswer({"y": (-1.0,)}), b"no model")
    await known(world)
    with pytest.raises(SlipwayError) as caught:
        await world.client.inference.predict("late", [{"x": 7}])
    assert caught.value.reason == "ENDPOINT_NOT_READY"
    number = await put(world, DefaultAnswer({"y": (-1.0,)}), world.models.looping(), NEEDS_FEATURES)
    await world.ready("late", number)
    with pytest.raises(SlipwayError) as caught:  # nobody listens where features are asked for
        await world.client.inference.predict("late", [{}], entity_keys=[{"tailnum": "N1"}])
    assert caught.value.reason == "FEATURES_UNAVAILABLE"


async def test_a_default_answers_while_features_can_t_be_read_where_it_says_so(world: Any) -> None:
    fallback = DefaultAnswer({"y": (-1.0,)}, when_features_unavailable=True)
    number = await put(world, fallback, world.models.looping(), NEEDS_FEATURES)
    await world.ready("late", number)
    asked = [
        world.client.inference.predict("late", [{}], entity_keys=[{"tailnum": name}], prediction_ids=[name])
        for name in ("N1", "N2", "N3")
    ]
    for [answer] in await asyncio.gather(*asked):
        assert (answer.value, answer.version, answer.route) == (-1.0, 0, "default")
        assert (answer.fallback, answer.degraded) == (True, True)
    [given] = await world.client.inference.predict("late", [{"x": 7}])
    assert (given.value, given.version, given.fallback) == (pytest.approx(7.0), number, False)
    logged = [one for one in await world.logged("late", 4) if one.fallback]
    assert sorted(name for one in logged for name in one.prediction_ids) == ["N1", "N2", "N3"]
    assert all(len(one.degraded_rows) == len(one.prediction_ids) and not one.features for one in logged)
