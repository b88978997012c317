"""Callers who go while their requests wait: nobody works for them any more."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from slipway.gen.inference import inference_pb2 as pb
from slipway.gen.slipway.inference.v1 import inference_pb2

pytestmark = pytest.mark.asyncio(loop_scope="module")
BODY = {
    "inputs": [
        {"name": "distance", "datatype": "FP32", "shape": [1], "data": [1]},
        {"name": "stops", "datatype": "INT64", "shape": [1], "data": [2]},
    ]
}


def ask() -> bytes:
    request = pb.ModelInferRequest(model_name="late")
    request.inputs.add(name="distance", datatype="FP32", shape=[1]).contents.fp32_contents.append(1)
    request.inputs.add(name="stops", datatype="INT64", shape=[1]).contents.int64_contents.append(2)
    return request.SerializeToString()


@pytest_asyncio.fixture(loop_scope="module")
async def stuck(served: Any) -> AsyncIterator[Any]:
    """A gateway whose worker does nothing."""
    pid = (await served.status("late")).routes[0].worker_pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield served
    finally:
        os.kill(pid, signal.SIGCONT)


async def waiting(served: Any) -> int:
    tenants = (await served.call("ListTenants", inference_pb2.ListTenantsRequest())).tenants
    return sum(one.in_flight for one in tenants)


async def test_a_stream_that_is_cancelled_leaves_nothing_behind(stuck: Any, eventually: Any) -> None:
    async def there() -> bool:
        return await waiting(stuck) == 40

    async def gone() -> bool:
        return await waiting(stuck) == 0

    stream = stuck.channel.stream_stream("/inference.GRPCInferenceService/ModelStreamInfer")()
    for _ in range(40):
        await stream.write(ask())
    await eventually(there)
    stream.cancel()
    await eventually(gone)


async def test_a_rest_caller_who_closes_the_connection_leaves_nothing_behind(stuck: Any, eventually: Any) -> None:
    async def there() -> bool:
        return await waiting(stuck) == 1

    async def gone() -> bool:
        return await waiting(stuck) == 0

    async with aiohttp.ClientSession() as session:
        asking = asyncio.create_task(session.post(f"{stuck.http}/v2/models/late/infer", json=BODY))
        await eventually(there)
        asking.cancel()
    await eventually(gone)
