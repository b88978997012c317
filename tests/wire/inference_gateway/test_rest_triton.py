"""What Triton's REST has beyond the protocol: raw tensors in the body, packed bodies, configuration, what is loaded."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import aiohttp
import numpy as np
import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")
HEADER = "Inference-Header-Content-Length"
DISTANCE = np.array([1, 2.5], np.float32).tobytes()
INFER = "/v2/models/late/infer"


async def send(served: Any, method: str, path: str, **given: Any) -> tuple[int, Any, bytes]:
    async with aiohttp.ClientSession() as session, session.request(method, served.http + path, **given) as answer:
        return answer.status, answer.headers, await answer.read()


async def ask(served: Any, method: str, path: str, **given: Any) -> tuple[int, Any]:
    status, _, body = await send(served, method, path, **given)
    return status, json.loads(body)


def inputs(**distance: Any) -> list[dict[str, Any]]:
    """Two rows, the distance in raw form behind the JSON."""
    return [
        {
            "name": "distance",
            "datatype": "FP32",
            "shape": [2],
            "parameters": {"binary_data_size": len(DISTANCE)},
            **distance,
        },
        {"name": "stops", "datatype": "INT64", "shape": [2], "data": [3, 4]},
    ]


def body(tail: bytes = DISTANCE, **more: Any) -> dict[str, Any]:
    """What a POST is given."""
    head = json.dumps({"inputs": inputs(), **more}).encode()
    return {"data": head + tail, "headers": {HEADER: str(len(head))}}


async def test_raw_tensors_go_in_and_json_comes_out(served: Any) -> None:
    status, answer = await ask(served, "POST", INFER, **body())
    assert status == 200
    assert [one["data"] for one in answer["outputs"] if one["name"] in {"p", "seen_stops"}] == [[1.0, 2.5], [3, 4]]


async def test_raw_tensors_come_out_where_they_are_wanted(served: Any) -> None:
    wanted = [
        {"name": "seen_stops", "parameters": {"binary_data": True}},
        {"name": "seen_carrier", "parameters": {"binary_data": False}},
        {"name": "p"},
    ]
    given = body(outputs=wanted, parameters={"binary_data_output": True})
    status, headers, answer = await send(served, "POST", INFER, **given)
    assert (status, headers["Content-Type"]) == (200, "application/octet-stream")
    length = int(headers[HEADER])
    told = {one["name"]: one for one in json.loads(answer[:length])["outputs"]}
    assert told["seen_stops"]["parameters"] == {"binary_data_size": 16}
    assert told["p"]["parameters"] == {"binary_data_size": 8}
    assert told["seen_carrier"]["data"] == ["", ""]
    assert answer[length:] == np.array([3, 4]).tobytes() + DISTANCE


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (body(DISTANCE[:-1]), "inputs[0].parameters[binary_data_size]"),
        (body(DISTANCE + b"x"), "body"),
        (body() | {"headers": {}}, "body"),
        (body() | {"headers": {HEADER: "-1"}}, HEADER),
        (body() | {"headers": {HEADER: "9" * 5000}}, HEADER),
        (body() | {"headers": {HEADER: "\u0663"}}, HEADER),
        (body() | {"headers": {HEADER: "20"}}, "body"),
        (body(inputs=inputs(parameters={"binary_data_size": -4})), "inputs[0].parameters[binary_data_size]"),
        (body(inputs=inputs(parameters={"binary_data_size": "8"})), "inputs[0].parameters[binary_data_size]"),
        (body(inputs=inputs(parameters={"binary_data_size": 4}), tail=bytes(4)), "raw_input_contents[distance]"),
        (body(parameters=[1]), "parameters"),
        (body(parameters={"timeout": {}}), "parameters[timeout]"),
        (body(parameters={"timeout": -1}), "parameters[timeout]"),
        (body(parameters={"sequence_id": 3}), "parameters[sequence_id]"),
    ],
)
async def test_a_wrong_binary_body_is_refused_by_its_field(served: Any, given: dict[str, Any], field: str) -> None:
    status, told = await ask(served, "POST", INFER, **given)
    assert (status, [one["field"] for one in told["violations"]]) == (400, [field])


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_bodies_may_be_packed(served: Any, encoding: str, pack: Any) -> None:
    given = body()
    packed = {"data": pack(given["data"]), "headers": {**given["headers"], "Content-Encoding": encoding}}
    status, answer = await ask(served, "POST", INFER, **packed)
    assert (status, answer["outputs"][0]["data"]) == (200, [1.0, 2.5])


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_a_bomb_is_refused_at_the_limit(served: Any, encoding: str, pack: Any) -> None:
    bomb = pack(bytes(32 * 1024 * 1024))
    assert len(bomb) < 64 * 1024
    status, told = await ask(served, "POST", INFER, data=bomb, headers={"Content-Encoding": encoding})
    assert (status, INFER in told["error"]) == (413, True)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_damaged_packed_body_is_told(served: Any, encoding: str) -> None:
    damaged = gzip.compress(body()["data"])[:20] + b"junk"
    status, told = await ask(served, "POST", INFER, data=damaged, headers={"Content-Encoding": encoding})
    assert status == 400, told
    assert (await ask(served, "GET", "/v2/health/ready"))[0] == 200


async def test_what_is_served_and_how(served: Any) -> None:
    status, config = await ask(served, "GET", "/v2/models/late/config")
    assert (status, config["name"], config["max_batch_size"], config["backend"]) == (200, "late", 4096, "onnxruntime")
    assert config["input"][0] == {"name": "distance", "data_type": "TYPE_FP32", "dims": [1], "optional": False}
    for path in ("/v2/models/late/stats", "/v2/models/late/versions/1/stats"):
        status, stats = await ask(served, "GET", path)
        [one] = stats["model_stats"]
        assert (status, one["name"], one["version"]) == (200, "late", "1")
        assert one["inference_stats"]["success"]["count"] >= 0
    status, stats = await ask(served, "GET", "/v2/models/stats")
    assert "late" in {one["name"] for one in stats["model_stats"]}
    assert (await ask(served, "GET", "/v2/models/late/versions/9/config"))[0] == 404


async def test_what_is_loaded(served: Any) -> None:
    for given in ({}, {"json": {"ready": True}}):
        status, models = await ask(served, "POST", "/v2/repository/index", **given)
        assert {"name": "late", "version": "1", "state": "READY", "reason": ""} in models
        assert status == 200
    assert await ask(served, "POST", "/v2/repository/models/late/load") == (200, {})
    status, told = await ask(served, "POST", "/v2/repository/models/late/unload", json={"parameters": {}})
    assert (status, told["reason"]) == (422, "VERSION_TAKES_TRAFFIC")
    status, told = await ask(
        served, "POST", "/v2/repository/models/late/load", json={"parameters": {"config": "{}", "file:1/m": "AA=="}}
    )
    assert (status, told["violations"][0]["field"]) == (400, "parameters[config]")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v2/systemsharedmemory/status"),
        ("POST", "/v2/cudasharedmemory/region/mine/register"),
        ("GET", "/v2/trace/setting"),
        ("POST", "/v2/models/late/trace/setting"),
        ("POST", "/v2/logging"),
    ],
)
async def test_what_is_not_served_says_why(served: Any, method: str, path: str) -> None:
    status, told = await ask(served, method, path)
    assert (status, told["reason"]) == (501, "NOT_SERVED")
