"""What a hostile caller sends: each is answered by an error that names the field, and serving goes on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import numpy as np
import pytest

from slipway.errors import Kind, SlipwayError
from slipway.gen.inference import inference_pb2 as pb

pytestmark = pytest.mark.asyncio(loop_scope="module")
SERVICE = pb.DESCRIPTOR.services_by_name["GRPCInferenceService"]
INFER = "/v2/models/late/infer"
LARGE_BYTES = 100 * 2**20
DISTANCE, STOPS = np.array([1, 2], np.float32).tobytes(), np.array([3, 4], np.int64).tobytes()


def raw(*inputs: tuple[str, str, list[int]], contents: tuple[bytes, ...] = (DISTANCE, STOPS)) -> pb.ModelInferRequest:
    request = pb.ModelInferRequest(model_name="late", raw_input_contents=contents)
    for name, datatype, shape in inputs or [("distance", "FP32", [2]), ("stops", "INT64", [2])]:
        request.inputs.add(name=name, datatype=datatype, shape=shape)
    return request


def shaped(*shape: int) -> pb.ModelInferRequest:
    return raw(("distance", "FP32", list(shape)), ("stops", "INT64", [2]))


def said(text: bytes, length: int) -> pb.ModelInferRequest:
    """One text, behind a length that may be a lie."""
    carrier = length.to_bytes(4, "little") + text
    return raw(
        ("carrier", "BYTES", [1]), ("distance", "FP32", [1]), ("stops", "INT64", [1]),
        contents=(carrier, DISTANCE[:4], STOPS[:8]),
    )  # fmt: skip


async def refused(served: Any, request: pb.ModelInferRequest) -> SlipwayError:
    with pytest.raises(SlipwayError) as caught:
        await served.call("ModelInfer", request, SERVICE)
    return caught.value


async def serves(served: Any) -> None:
    [answer] = await served.client.inference.predict("late", [served.row])
    assert answer.outputs["p"] == (1.0,)


async def post(served: Any, body: Any, **given: Any) -> tuple[int, Any]:
    data = body if isinstance(body, bytes) or hasattr(body, "__aiter__") else json.dumps(body).encode()
    url = served.http + INFER
    async with aiohttp.ClientSession() as session, session.post(url, data=data, **given) as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        pytest.param(shaped(2**32, 2**32), "inputs[0].shape", id="sizes whose product is 2^64"),
        pytest.param(shaped(2**62, 2, 2), "inputs[0].shape", id="sizes whose product is 2^64, thrice"),
        pytest.param(shaped(2, -1), "inputs[0].shape", id="a negative size"),
        pytest.param(shaped(-2, -1), "inputs[0].shape", id="negative sizes with a positive product"),
        pytest.param(shaped(*[1] * 5000), "inputs[0].shape", id="thousands of sizes"),
        pytest.param(raw(contents=(DISTANCE,)), "raw_input_contents", id="too few raw tensors"),
        pytest.param(raw(contents=(DISTANCE, STOPS, b"")), "raw_input_contents", id="too many raw tensors"),
        pytest.param(raw(contents=(DISTANCE[:-1], STOPS)), "raw_input_contents[distance]", id="a byte too few"),
        pytest.param(raw(contents=(DISTANCE + b"\0", STOPS)), "raw_input_contents[distance]", id="a byte too many"),
        pytest.param(
            raw(("distance", "FP32", [2]), ("stops", "INT64", [1]), contents=(DISTANCE, STOPS[:8])),
            "inputs[stops]",
            id="tensors of several lengths",
        ),
        pytest.param(
            raw(("distance", "FP32", [2]), ("distance", "FP32", [2]), contents=(DISTANCE, DISTANCE)),
            "inputs[distance]",
            id="a raw tensor twice",
        ),
        pytest.param(said(b"UA", 3), "raw_input_contents[carrier]", id="a text shorter than it says"),
        pytest.param(said(b"UA", 1), "raw_input_contents[carrier]", id="a text longer than it says"),
        pytest.param(said(b"UA", 2**32 - 1), "raw_input_contents[carrier]", id="a text of 4 GiB"),
        pytest.param(said(b"", 2**31), "raw_input_contents[carrier]", id="a text of 2 GiB that is not there"),
        pytest.param(
            raw(*[("distance", "FP32", [1])] * 200_000, contents=()), "inputs[distance]", id="an input 200,000 times"
        ),
    ],
)
async def test_a_hostile_tensor_is_refused_by_its_field(
    served: Any, request_: pb.ModelInferRequest, field: str
) -> None:
    for _ in range(3):  # what is known of the first may not let the next one in
        error = await refused(served, request_)
        assert (error.kind, error.violations[0].field) == (Kind.INVALID_ARGUMENT, field)
        assert len(error.message) < 500
    await serves(served)


def deep(levels: int, innermost: str = "") -> Any:
    """A list in a list in a list …; as text, for json.dumps goes no deeper than json.loads."""
    return "[" * levels + innermost + "]" * levels


def body(data: str = "[1, 2]", shape: str = "[2]", datatype: str = '"FP32"', name: str = '"distance"') -> bytes:
    distance = f'{{"name": {name}, "datatype": {datatype}, "shape": {shape}, "data": {data}}}'
    return (
        f'{{"inputs": [{distance}, {{"name": "stops", "datatype": "INT64", "shape": [2], "data": [3, 4]}}]}}'.encode()
    )


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        pytest.param(body(shape="[NaN]"), "inputs[0].shape", id="a size that is NaN"),
        pytest.param(body(shape="[Infinity]"), "inputs[0].shape", id="an infinite size"),
        pytest.param(body(shape="[-2]"), "inputs[0].shape", id="a negative size"),
        pytest.param(body(shape="[1e400]"), "inputs[0].shape", id="a size beyond floats"),
        pytest.param(body(shape=f"[{'9' * 4000}]"), "inputs[0].shape", id="a size of 4000 digits"),
        pytest.param(body(shape="[4294967296, 4294967296]"), "inputs[0].shape", id="sizes whose product is 2^64"),
        pytest.param(body(shape="[2147483647, 2147483647, 5]"), "inputs[0].data", id="more than there is"),
        pytest.param(body(shape=f"[{'2147483647,' * 4000}2]"), "inputs[0].shape", id="thousands of sizes"),
        pytest.param(body(shape='["2"]'), "inputs[0].shape", id="a size as text"),
        pytest.param(body(shape='{"0": 2}'), "inputs[0].shape", id="sizes as an object"),
        pytest.param(body(shape="null"), "inputs[0].shape", id="no sizes"),
        pytest.param(body(shape=f"[{deep(500)}]"), "inputs[0].shape", id="sizes in lists"),
        pytest.param(body(data="[1, NaN]"), "inputs[distance]", id="not a number"),
        pytest.param(body(data="[1, 1e39]"), "inputs[distance]", id="a number beyond FP32"),
        pytest.param(body(data=f"[1, {'9' * 4000}]"), "inputs[0].data[1]", id="a number of 4000 digits"),
        pytest.param(body(data='[1, {"a": 1}]'), "inputs[0].data[1]", id="an object for a number"),
        pytest.param(body(data='{"0": 1}'), "inputs[0].data", id="data as an object"),
        pytest.param(body(data=f"[1, {deep(500)}]"), "inputs[0].data[1]", id="a list for a number"),
        pytest.param(body(datatype="7"), "inputs[0].datatype", id="a type as a number"),
        pytest.param(body(datatype='"' + "x" * 20_000 + '"'), "inputs[0].datatype", id="a type of 20,000 letters"),
        pytest.param(body(name='"stops"', datatype='"INT64"'), "inputs[stops]", id="an input twice"),
    ],
)
async def test_hostile_json_is_refused_by_its_field(served: Any, sent: bytes, field: str) -> None:
    status, told = await post(served, sent)
    assert (status, [one["field"] for one in told["violations"]]) == (400, [field]), told
    assert len(told["error"]) < 500
    await serves(served)


@pytest.mark.parametrize("place", ["data", "shape", "datatype", "name"])
async def test_json_as_deep_as_can_be_read_is_the_caller_s_fault(served: Any, place: str) -> None:
    async def is_read(levels: int) -> bool:
        status, told = await post(served, body(**{place: deep(levels, "1")}))
        assert status == 400, (levels, told)
        return "not JSON" not in told["error"]

    low, high = 100, 5000
    assert await is_read(low)
    assert not await is_read(high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if await is_read(middle) else (low, middle)
    for levels in range(low - 20, low + 20):
        await is_read(levels)
    await serves(served)


async def test_a_body_of_100_mb_is_refused_and_serving_goes_on(served: Any) -> None:
    request = raw(contents=(bytes(LARGE_BYTES), STOPS))
    error = await refused(served, request)
    assert error.kind is Kind.RESOURCE_EXHAUSTED
    await serves(served)


async def in_pieces(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 2**16):
        yield bytes(2**16)


@pytest.mark.parametrize("headers", [{"Content-Length": str(LARGE_BYTES)}, {}], ids=["announced", "in chunks"])
async def test_a_rest_body_of_100_mb_is_refused_and_serving_goes_on(served: Any, headers: dict[str, str]) -> None:
    status, told = await post(served, in_pieces(LARGE_BYTES), headers=headers)
    assert (status, INFER in told["error"]) == (413, True)
    await serves(served)
