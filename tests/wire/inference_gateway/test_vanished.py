"""Callers who go while their requests wait: nobody works for them any more."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import grpc.aio
import pytest
import pytest_asyncio

from slipway.gen.inference import inference_pb2 as pb
from slipway.gen.slipway.inference.v1 import inference_pb2, resources_pb2
from slipway.tcp_proxy.proxy import TcpProxy

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


def own() -> inference_pb2.StreamPredictRequest:
    features = [
        resources_pb2.Column(name="distance", doubles={"values": [1.0]}),
        resources_pb2.Column(name="stops", int64s={"values": [2]}),
    ]
    return inference_pb2.StreamPredictRequest(request={"endpoint": "late", "features": features})


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


async def here(served: Any, eventually: Any, count: int) -> None:
    async def holds() -> bool:
        return await waiting(served) == count

    await eventually(holds)


async def served_as_before(served: Any, eventually: Any) -> None:
    """Its worker goes on: what waits is done with, whoever asked for it, and the next caller is answered."""
    os.kill((await served.status("late")).routes[0].worker_pid, signal.SIGCONT)

    async def idle() -> bool:
        told = await served.call("GetStatistics", inference_pb2.GetStatisticsRequest())
        lines = [one.waiting_requests for one in told.endpoints]
        return not any([*lines, *[one.waiting_rows + one.running_batches for one in told.versions]])

    await eventually(idle)
    assert await waiting(served) == 0
    await served.client.inference.predict("late", [served.row])


STREAMS = {
    "/inference.GRPCInferenceService/ModelStreamInfer": ask(),
    "/slipway.inference.v1.InferenceService/StreamPredict": own().SerializeToString(),
}


@pytest.mark.parametrize("method", STREAMS)
async def test_a_stream_that_is_cancelled_leaves_nothing_behind(stuck: Any, eventually: Any, method: str) -> None:
    stream = stuck.channel.stream_stream(method)()
    for _ in range(40):
        await stream.write(STREAMS[method])
    await here(stuck, eventually, 40)
    stream.cancel()
    await here(stuck, eventually, 0)
    await served_as_before(stuck, eventually)


@pytest.mark.parametrize("method", STREAMS)
async def test_a_caller_whose_connection_breaks_in_mid_stream_leaves_nothing_behind(
    stuck: Any, eventually: Any, method: str
) -> None:
    async with TcpProxy.open(stuck.address) as proxy, grpc.aio.insecure_channel(proxy.address) as channel:
        stream = channel.stream_stream(method)()
        for _ in range(40):
            await stream.write(STREAMS[method])
        await here(stuck, eventually, 40)
        proxy.reset()
        await here(stuck, eventually, 0)
    await served_as_before(stuck, eventually)


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("/inference.GRPCInferenceService/ModelInfer", ask()),
        ("/slipway.inference.v1.InferenceService/Predict", own().request.SerializeToString()),
    ],
)
async def test_callers_who_go_in_mid_call_leave_nothing_behind(
    stuck: Any, eventually: Any, method: str, request_: bytes
) -> None:
    calls = [stuck.channel.unary_unary(method)(request_) for _ in range(40)]
    asking = [asyncio.ensure_future(one) for one in calls]
    await here(stuck, eventually, 40)
    for one in calls:
        one.cancel()
    assert {type(one) for one in await asyncio.gather(*asking, return_exceptions=True)} == {asyncio.CancelledError}
    await here(stuck, eventually, 0)
    await served_as_before(stuck, eventually)


async def test_a_rest_caller_who_goes_in_the_middle_of_a_body_leaves_nothing_behind(
    stuck: Any, eventually: Any
) -> None:
    host, _, port = stuck.http.removeprefix("http://").partition(":")
    for sent in (b'{"inputs": [', b""):
        _, writer = await asyncio.open_connection(host, int(port))
        head = "POST /v2/models/late/infer HTTP/1.1\r\nHost: here\r\nContent-Length: 5000\r\n\r\n"
        writer.write(head.encode() + sent)
        await writer.drain()
        writer.transport.abort()
    await here(stuck, eventually, 0)
    await served_as_before(stuck, eventually)


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
    await served_as_before(stuck, eventually)
