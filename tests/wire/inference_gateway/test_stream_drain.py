"""Streams whose callers never end them, and a gateway that stops."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from typing import Any

import grpc.aio
import pytest

from slipway.gen.inference import inference_pb2 as pb
from slipway.gen.slipway.inference.v1 import inference_pb2, resources_pb2
from slipway.rpc import status

PATIENCE_S = 30.0


async def has_begun(world: Any) -> bool:
    tenants = (await world.call("ListTenants", inference_pb2.ListTenantsRequest())).tenants
    return any(one.in_flight for one in tenants)


def infer() -> bytes:
    request = pb.ModelInferRequest(model_name="late", id="begun")
    request.inputs.add(name="distance", datatype="FP32", shape=[1]).contents.fp32_contents.append(1)
    request.inputs.add(name="stops", datatype="INT64", shape=[1]).contents.int64_contents.append(2)
    return request.SerializeToString()


def predict() -> bytes:
    features = [
        resources_pb2.Column(name="distance", doubles={"values": [1.0]}),
        resources_pb2.Column(name="stops", int64s={"values": [2]}),
    ]
    request = {"endpoint": "late", "features": features}
    return inference_pb2.StreamPredictRequest(correlation_id="begun", request=request).SerializeToString()


def inferred(data: bytes) -> bool:
    answer = pb.ModelStreamInferResponse.FromString(data)
    return (answer.error_message, answer.infer_response.id) == ("", "begun")


def predicted(data: bytes) -> bool:
    answer = inference_pb2.StreamPredictResponse.FromString(data)
    return answer.correlation_id == "begun" and len(answer.response.predictions) == 1


@pytest.mark.parametrize(
    ("method", "request_", "is_answer"),
    [
        ("/inference.GRPCInferenceService/ModelStreamInfer", infer(), inferred),
        ("/slipway.inference.v1.InferenceService/StreamPredict", predict(), predicted),
    ],
)
async def test_a_gateway_that_stops_answers_what_is_on_its_streams_and_takes_no_more(
    world: Any, eventually: Any, method: str, request_: bytes, is_answer: Callable[[bytes], bool]
) -> None:
    await world.standing("late")
    pid = (await world.status("late")).routes[0].worker_pid
    async with grpc.aio.insecure_channel(world.address) as channel:
        stream = channel.stream_stream(method)
        idle, busy = stream(), stream()
        await idle.write(request_)
        assert is_answer(await idle.read())
        os.kill(pid, signal.SIGSTOP)
        try:
            await busy.write(request_)
            await eventually(lambda: has_begun(world))
            stopping = asyncio.create_task(world.stop_gateway())
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await idle.read()
            trailing: Any = caught.value.trailing_metadata()
            assert status.decode(caught.value.code(), "", tuple(trailing)).reason == "DRAINING"
        finally:
            os.kill(pid, signal.SIGCONT)
        assert is_answer(await busy.read())
        await stopping


async def test_a_stream_that_floods_without_end_keeps_no_gateway_from_stopping(world: Any) -> None:
    await world.standing("late")
    async with grpc.aio.insecure_channel(world.address) as channel:
        stream = channel.stream_stream("/inference.GRPCInferenceService/ModelStreamInfer")()

        async def flood() -> None:
            while True:
                await stream.write(infer())

        async def answers() -> int:
            count = 0
            with contextlib.suppress(grpc.aio.AioRpcError):
                while await stream.read() is not grpc.aio.EOF:
                    count += 1
                    begun.set()
            return count

        begun = asyncio.Event()
        flooding, reading = asyncio.create_task(flood()), asyncio.create_task(answers())
        await begun.wait()
        await asyncio.wait_for(world.stop_gateway(), PATIENCE_S)
        assert await reading > 0
        flooding.cancel()
        with contextlib.suppress(asyncio.CancelledError, asyncio.InvalidStateError, grpc.aio.AioRpcError):
            await flooding
        # Which error it is, the caller's own gRPC decides: it may be in the middle of a write.
        assert await stream.code() is not grpc.StatusCode.OK
