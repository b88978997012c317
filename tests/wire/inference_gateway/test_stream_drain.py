from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import grpc.aio
import pytest

from slipway.gen.inference import inference_pb2 as pb
from slipway.gen.slipway.inference.v1 import inference_pb2
from slipway.rpc import status


async def has_begun(world: Any) -> bool:
    tenants = (await world.call("ListTenants", inference_pb2.ListTenantsRequest())).tenants
    return any(one.in_flight for one in tenants)


async def test_a_gateway_that_stops_answers_what_is_on_its_streams_and_takes_no_more(
    world: Any, eventually: Any
) -> None:
    await world.standing("late")
    pid = (await world.status("late")).routes[0].worker_pid
    request = pb.ModelInferRequest(model_name="late", id="begun")
    request.inputs.add(name="distance", datatype="FP32", shape=[1]).contents.fp32_contents.append(1)
    request.inputs.add(name="stops", datatype="INT64", shape=[1]).contents.int64_contents.append(2)
    async with grpc.aio.insecure_channel(world.address) as channel:
        method = channel.stream_stream("/inference.GRPCInferenceService/ModelStreamInfer")
        idle, busy = method(), method()
        await idle.write(request.SerializeToString())
        assert await idle.read() is not grpc.aio.EOF
        os.kill(pid, signal.SIGSTOP)
        try:
            await busy.write(request.SerializeToString())
            await eventually(lambda: has_begun(world))
            stopping = asyncio.create_task(world.stop_gateway())
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await idle.read()
            trailing: Any = caught.value.trailing_metadata()
            assert status.decode(caught.value.code(), "", tuple(trailing)).reason == "DRAINING"
        finally:
            os.kill(pid, signal.SIGCONT)
        answer = pb.ModelStreamInferResponse.FromString(await busy.read())
        assert (answer.error_message, answer.infer_response.id) == ("", "begun")
        await stopping
