from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def ask(served: Any, method: str, path: str, **given: Any) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.request(method, served.http + path, **given) as answer:
        return answer.status, await answer.json()


def body(**changes: Any) -> dict[str, Any]:
    inputs = [
        {"name": "distance", "datatype": "FP32", "shape": [2], "data": [1, 2.5]},
        {"name": "year", "datatype": "FP32", "shape": [2, 1], "data": [[None], [1999]]},
        {"name": "carrier", "datatype": "BYTES", "shape": [2, 1], "data": ["UA", None]},
        {"name": "stops", "datatype": "INT64", "shape": [2], "data": [0, 2**53 + 1]},
    ]
    return {"id": "7", "inputs": inputs, **changes}


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/v2/health/live", 200, {"live": True}),
        ("/v2/health/ready", 200, {"ready": True}),
        ("/v2/models/late/ready", 200, {"name": "late", "ready": True}),
        ("/v2/models/late/versions/1/ready", 200, {"name": "late", "ready": True}),
        ("/v2/models/late/versions/9/ready", 503, {"name": "late", "ready": False}),
    ],
)
async def test_health(served: Any, path: str, status: int, told: Any) -> None:
    assert await ask(served, "GET", path) == (status, told)


async def test_metadata(served: Any) -> None:
    status, server = await ask(served, "GET", "/v2")
    assert (status, server["name"], "binary_tensor_data" in server["extensions"]) == (200, "slipway", True)
    for path in ("/v2/models/late", "/v2/models/late/versions/1"):
        status, model = await ask(served, "GET", path)
        assert (status, model["name"], model["versions"]) == (200, "late", ["1"])
        assert model["inputs"][0] == {"name": "distance", "datatype": "FP32", "shape": [-1, 1]}


@pytest.mark.parametrize("path", ["/v2/models/late/infer", "/v2/models/late/versions/1/infer"])
async def test_infer_and_nulls_both_ways(served: Any, path: str) -> None:
    status, answer = await ask(served, "POST", path, json=body())
    assert (status, answer["model_name"], answer["model_version"], answer["id"]) == (200, "late", "1", "7")
    outputs = {one["name"]: (one["datatype"], one["shape"], one["data"]) for one in answer["outputs"]}
    assert outputs == {
        "p": ("FP32", [2, 1], [1.0, 2.5]),
        "seen_year": ("FP32", [2, 1], [None, 1999.0]),
        "seen_carrier": ("BYTES", [2, 1], ["UA", ""]),
        "seen_stops": ("INT64", [2, 1], [0, 2**53 + 1]),
    }
    assert answer["parameters"]["slipway_route"] == "main"


async def test_a_prediction_is_logged_under_the_caller_s_trace(served: Any) -> None:
    await served.standing("traced")
    parent = {"traceparent": "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"}
    status, answer = await ask(served, "POST", "/v2/models/traced/infer", json=body(), headers=parent)
    [batch] = await served.logged("traced", 2)
    assert (status, batch.trace_id) == (200, "ab" * 16)
    assert batch.prediction_ids[0] == answer["parameters"]["slipway_prediction_id"] + ".0"


@pytest.mark.parametrize(
    ("path", "data", "status", "said"),
    [
        ("/v2/models/late/infer", b"", 400, "not JSON"),
        ("/v2/models/late/infer", b"{", 400, "not JSON"),
        ("/v2/models/late/infer", b"\xff\xfe\xfd", 400, "not JSON"),
        ("/v2/models/late/infer", b"[" * 50_000, 400, "not JSON"),
        ("/v2/models/late/infer", b'{"id": ' + b"9" * 5000 + b"}", 400, "not JSON"),
        ("/v2/models/late/infer", b"[]", 400, "not a JSON object"),
        ("/v2/models/late/infer", b"null", 400, "not a JSON object"),
        ("/v2/models/late/infer", b"{}", 400, "inputs"),
        ("/v2/models/late/infer", b'{"inputs": []}', 400, "inputs"),
        ("/v2/models/late/infer", b'{"id": "\\ud800", "inputs": []}', 400, "id"),
        ("/v2/models/late/infer", json.dumps(body(outputs=[{"name": "z"}])).encode(), 400, "outputs[0].name"),
        ("/v2/models/late/infer", b" " * 70_000, 413, "/v2/models/late/infer"),
        ("/v2/models/nobody/infer", json.dumps(body()).encode(), 404, "nobody"),
        ("/v2/models/late/versions/9/infer", json.dumps(body()).encode(), 404, "version"),
        ("/v2/models/late/nothing", b"", 404, "Not Found"),
        ("/v2/models/..%2f..%2fetc/infer", json.dumps(body()).encode(), 404, "endpoint"),
    ],
)
async def test_a_bad_body_is_told_and_serving_goes_on(
    served: Any, path: str, data: bytes, status: int, said: str
) -> None:
    found, told = await ask(served, "POST", path, data=data)
    assert (found, said in told["error"]) == (status, True), told
    assert await ask(served, "GET", "/v2/health/ready") == (200, {"ready": True})


async def test_a_field_is_named(served: Any) -> None:
    wrong = body()
    wrong["inputs"][0]["data"] = [1, "2"]
    status, told = await ask(served, "POST", "/v2/models/late/infer", json=wrong)
    assert (status, told["reason"]) == (400, "INVALID_FIELD")
    assert [one["field"] for one in told["violations"]] == ["inputs[0].data[1]"]


@pytest.mark.parametrize(("method", "path"), [("GET", "/v2/models/late/infer"), ("DELETE", "/v2"), ("GET", "/")])
async def test_another_method_or_path_is_told(served: Any, method: str, path: str) -> None:
    status, told = await ask(served, method, path)
    assert (status in {404, 405}, path in told["error"]) == (True, True)


async def test_an_unknown_model_is_not_found(served: Any) -> None:
    for path in ("/v2/models/nobody", "/v2/models/nobody/ready"):
        status, told = await ask(served, "GET", path)
        assert (status, told["reason"]) == (404, "ENDPOINT_NOT_FOUND")
