"""The gateway while others are away."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from typing import Any

import grpc.aio
import pytest

from slipway.errors import Kind, SlipwayError
from slipway.gen.slipway.inference.v1 import inference_pb2 as pb
from slipway.gen.slipway.inference.v1 import resources_pb2 as res


async def test_without_the_registry_a_restart_serves_the_last_snapshot(world: Any, eventually: Any) -> None:
    number = await world.standing("late", 100.0)
    assert (await world.client.inference.endpoints()).registry_connected
    [asked] = await world.client.inference.predict("late", [world.row], prediction_ids=["before"])
    await world.stop_registry()
    await world.stop_gateway()
    await world.start_gateway()
    [answer] = await world.client.inference.predict("late", [world.row])
    assert (answer.version, answer.outputs["p"]) == (number, (101.0,))
    [again] = await world.client.inference.predict("late", [world.row], prediction_ids=["before"])
    assert (again.outputs, again.replayed) == (asked.outputs, True)
    assert not (await world.client.inference.endpoints()).registry_connected

    await world.start_registry()

    async def connected() -> bool:
        return bool((await world.client.inference.endpoints()).registry_connected)

    await eventually(connected)
    second = await world.standing("late", 200.0)
    [answer] = await world.client.inference.predict("late", [world.row])
    assert (answer.version, answer.outputs["p"]) == (second, (201.0,))


async def test_with_nothing_known_it_says_so_and_learns(world: Any) -> None:
    await world.stop_registry()
    await world.stop_gateway()
    await world.start_gateway(ready_patience_s=0.1)
    with pytest.raises(SlipwayError) as caught:
        await world.client.inference.predict("late", [world.row])
    assert caught.value.reason == "ENDPOINT_NOT_FOUND"
    await world.start_registry()
    await world.standing("late")


async def test_an_artifact_that_rotted_on_disk_is_fetched_again(world: Any) -> None:
    number = await world.standing("late", 100.0)
    await world.stop_gateway()
    for kept in (world.folder / "inference_gateway" / "artifacts").rglob("*"):
        if kept.is_file():
            kept.chmod(0o644)
            kept.write_bytes(b"rotten" + kept.read_bytes()[6:])
    await world.start_gateway()
    await world.ready("late", number)
    await world.stop_registry()
    await world.stop_gateway()
    await world.start_gateway()
    [answer] = await world.client.inference.predict("late", [world.row])
    assert answer.outputs["p"] == (101.0,)


async def drained(world: Any, eventually: Any) -> None:
    async def empty() -> bool:
        return (await world.client.inference.prediction_log()).pending_batches == 0

    await eventually(empty)


async def test_a_bus_that_is_busy_delays_no_answer(world: Any, eventually: Any) -> None:
    await world.standing("late")
    await world.client.inference.predict("late", [world.row])
    await world.logged("late", 1)
    holder = sqlite3.connect(world.folder / "bus" / "log.db", isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        asked = [world.client.inference.predict("late", [world.row]) for _ in range(50)]
        answers = await asyncio.gather(*asked)
        assert len(answers) == 50
        assert 1 <= (await world.client.inference.prediction_log()).pending_batches <= 50
        holder.execute("ROLLBACK")
    finally:
        holder.close()
    await drained(world, eventually)
    assert sum(len(one.prediction_ids) for one in await world.logged("late", 51)) == 51


async def test_callers_who_vanish_disturb_nobody(world: Any) -> None:
    number = await world.register(artifact=world.models.mixed())
    await world.route("late", ("main", number, 1))
    await world.ready("late", number)
    columns = [
        res.Column(name="distance", doubles=res.DoubleValues(values=[1.0] * 4000)),
        res.Column(name="stops", int64s=res.Int64Values(values=[1] * 4000)),
    ]
    async with grpc.aio.insecure_channel(world.address) as channel:
        predict = channel.unary_unary(
            "/slipway.inference.v1.InferenceService/Predict", pb.PredictRequest.SerializeToString
        )
        calls = []
        for caller in range(30):
            ids = [f"gone-{caller % 3}-{row}" for row in range(4000)]
            calls.append(predict(pb.PredictRequest(endpoint="late", features=columns, prediction_ids=ids)))
        await calls[0]
        for call in calls:
            call.cancel()
    ids = [f"gone-0-{row}" for row in range(4000)]
    rows = [{"distance": 1.0, "stops": 1}] * 4000
    answers = await world.client.inference.predict("late", rows, prediction_ids=ids)
    assert {one.replayed for one in answers} == {True}
    [fresh] = await world.client.inference.predict("late", [world.row], prediction_ids=["fresh"])
    assert not fresh.replayed
    batches = await world.logged("late", 4001)
    counted = Counter(one for batch in batches for one in batch.prediction_ids)
    assert set(counted.values()) == {1}


async def test_a_deadline_that_passes_ends_the_call_alone(world: Any) -> None:
    await world.standing("late")
    with pytest.raises(SlipwayError) as caught:
        await world.client.inference.predict("late", [world.row] * 4000, timeout_s=0.001)
    assert caught.value.kind is Kind.DEADLINE_EXCEEDED
    await world.client.inference.predict("late", [world.row])
