from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import grpc.aio
import numpy as np
import pytest

from slipway.errors import Kind, SlipwayError
from slipway.gen.inference import inference_pb2 as pb
from slipway.rpc import status

pytestmark = pytest.mark.asyncio(loop_scope="module")
SERVICE = pb.DESCRIPTOR.services_by_name["GRPCInferenceService"]


def ask(mark: str, distance: float = 1.0, *, model: str = "late", stops: int = 2, **more: Any) -> pb.ModelInferRequest:
    request = pb.ModelInferRequest(model_name=model, id=mark, **more)
    request.inputs.add(name="distance", datatype="FP32", shape=[1]).contents.fp32_contents.append(distance)
    request.inputs.add(name="stops", datatype="INT64", shape=[1]).contents.int64_contents.append(stops)
    return request


def said(answer: pb.ModelStreamInferResponse) -> float:
    assert answer.error_message == ""
    return float(np.frombuffer(answer.infer_response.raw_output_contents[0], np.float32)[0])


class Open:
    """A caller's end of a stream."""

    def __init__(self, served: Any) -> None:
        self.call = served.channel.stream_stream("/inference.GRPCInferenceService/ModelStreamInfer")()

    async def send(self, *requests: pb.ModelInferRequest | bytes) -> None:
        for one in requests:
            await self.call.write(one if isinstance(one, bytes) else one.SerializeToString())

    async def read(self) -> pb.ModelStreamInferResponse:
        return pb.ModelStreamInferResponse.FromString(await self.call.read())

    async def rest(self) -> list[pb.ModelStreamInferResponse]:
        await self.call.done_writing()
        answers = []
        while (data := await self.call.read()) is not grpc.aio.EOF:
            answers.append(pb.ModelStreamInferResponse.FromString(data))
        return answers

    async def end(self) -> SlipwayError:
        trailing: Any = await self.call.trailing_metadata()
        return status.decode(await self.call.code(), await self.call.details(), tuple(trailing))


async def test_each_of_many_is_answered_once_under_its_id(served: Any) -> None:
    stream = Open(served)
    await stream.send(*[ask(str(n), float(n)) for n in range(600)])
    answers = await stream.rest()
    assert {one.infer_response.id: said(one) for one in answers} == {str(n): float(n) for n in range(600)}
    assert len(answers) == 600
    assert answers[0].infer_response.parameters.keys() == {"slipway_prediction_id", "slipway_route"}


async def test_what_is_ready_first_comes_first(served: Any) -> None:
    await served.standing("slow", plus=100.0)
    found = await served.status("slow")
    pid = found.routes[0].worker_pid
    stream = Open(served)
    os.kill(pid, signal.SIGSTOP)
    try:
        await stream.send(ask("first", model="slow"), ask("second"))
        assert (await stream.read()).infer_response.id == "second"
    finally:
        os.kill(pid, signal.SIGCONT)
    [late] = await stream.rest()
    assert (late.infer_response.id, said(late)) == ("first", 101.0)


async def test_a_bad_request_is_told_and_the_stream_goes_on(served: Any) -> None:
    stream = Open(served)
    wrong = ask("b")
    wrong.inputs[0].shape[:] = [7, 7]
    await stream.send(ask("a", 1.0), wrong, ask("c", model="nobody"), ask("d", 4.0))
    answers = {one.infer_response.id: one for one in await stream.rest()}
    assert (said(answers["a"]), said(answers["d"])) == (1.0, 4.0)
    assert answers["b"].error_message.startswith("inputs[0].shape")
    assert answers["c"].infer_response.parameters["slipway_reason"].string_param == "ENDPOINT_NOT_FOUND"
    assert answers["c"].infer_response.model_name == "nobody"


async def test_the_last_answer_is_marked_for_those_who_ask(served: Any) -> None:
    stream = Open(served)
    marked = ask("a")
    marked.parameters["triton_enable_empty_final_response"].bool_param = True
    await stream.send(marked)
    [answer] = await stream.rest()
    assert answer.infer_response.parameters["triton_final_response"].bool_param


async def test_junk_ends_the_stream_after_the_answers_to_what_came_before(served: Any) -> None:
    stream = Open(served)
    await stream.send(ask("a"), b"\xff\xff\xff")
    assert (await stream.read()).infer_response.id == "a"
    error = await stream.end()
    assert (error.kind, error.reason) == (Kind.INVALID_ARGUMENT, "MALFORMED_MESSAGE")


async def test_a_caller_who_takes_no_answers_is_held_up_and_others_are_served(served: Any) -> None:
    stream = Open(served)
    big = ask("x", model="x" * 60_000)  # refused in as many bytes

    async def flood() -> None:
        while True:
            await stream.send(big)

    flooding = asyncio.create_task(flood())
    others = Open(served)
    await others.send(*[ask(str(n)) for n in range(300)])
    assert len(await others.rest()) == 300
    flooding.cancel()
    stream.call.cancel()
    assert (await served.call("ServerLive", pb.ServerLiveRequest(), SERVICE)).live
