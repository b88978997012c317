"""Many requests on one stream of Slipway's own API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
import pytest

from slipway.client import Answered, Question
from slipway.errors import Kind
from slipway.gen.slipway.inference.v1 import inference_pb2 as pb
from slipway.rpc import status

pytestmark = pytest.mark.asyncio(loop_scope="module")
METHOD = "/slipway.inference.v1.InferenceService/StreamPredict"


async def each(*questions: Question) -> AsyncIterator[Question]:
    for one in questions:
        yield one


async def told(served: Any, endpoint: str, *questions: Question) -> dict[str, Answered]:
    async with served.client.inference.stream_predict(endpoint, each(*questions)) as answers:
        return {one.correlation_id: one async for one in answers}


async def test_each_of_many_is_answered_and_what_is_wrong_with_one_is_its_own(served: Any) -> None:
    good = [Question([served.row | {"distance": float(number)}], correlation_id=f"{number}") for number in range(600)]
    lacking = Question([{"distance": 1.0}], correlation_id="lacking")
    reused = [Question([served.row | {"distance": d}], None, ["same"], correlation_id=f"same {d}") for d in (1.0, 2.0)]
    first = await told(served, "late", reused[0])
    found = await told(served, "late", *good[:300], lacking, reused[1], *good[300:])
    assert {name: one.predictions[0].outputs["p"] for name, one in found.items() if one.error is None} == {
        f"{number}": (float(number),) for number in range(600)
    }
    assert first["same 1.0"].predictions[0].prediction_id == "same"
    errors = {name: one.error for name, one in found.items() if one.error is not None}
    assert {name: (one.kind, one.reason) for name, one in errors.items()} == {
        "lacking": (Kind.INVALID_ARGUMENT, "INVALID_FIELD"),
        "same 2.0": (Kind.ALREADY_EXISTS, "PREDICTION_ID_REUSED"),
    }
    assert [one.field for one in errors["lacking"].violations] == ["features[stops]"]
    [nowhere] = (await told(served, "nowhere", good[0])).values()
    assert (nowhere.error.kind, nowhere.error.facts) == (Kind.NOT_FOUND, {"endpoint": "nowhere"})


async def test_a_stream_goes_on_for_as_long_as_its_caller_asks(served: Any) -> None:
    asked: asyncio.Queue[Question] = asyncio.Queue()

    async def ask() -> AsyncIterator[Question]:
        while True:
            yield await asked.get()

    async with served.client.inference.stream_predict("late", ask()) as answers:
        for number in range(3):
            asked.put_nowait(Question([served.row], correlation_id=f"{number}"))
            assert (await anext(answers)).correlation_id == f"{number}"


async def test_what_came_before_junk_is_answered_and_then_the_stream_ends(served: Any) -> None:
    request = pb.StreamPredictRequest(correlation_id="good", request={"endpoint": "late"})
    call = served.channel.stream_stream(METHOD)(iter([request.SerializeToString(), b"\xff"]), timeout=30.0)
    answer = pb.StreamPredictResponse.FromString(await call.read())
    assert (answer.correlation_id, answer.error.reason) == ("good", "INVALID_FIELD")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call.read()
    error = refused.value
    assert status.decode(error.code(), "", tuple(error.trailing_metadata() or ())).reason == "MALFORMED_MESSAGE"
