from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from services.inference_gateway.api.rest_tensors import decode_infer, encode_infer
from services.inference_gateway.api.tensors import encode_output
from services.inference_gateway.domain.signature import DataType
from services.inference_gateway.domain.tensors import unpack_raw
from slipway.errors import InvalidInput
from slipway.gen.inference import inference_pb2 as pb


def tensor(datatype: str = "FP32", data: Any = (1.5, 2), **changes: Any) -> dict[str, Any]:
    return {"name": "x", "datatype": datatype, "shape": [2], "data": list(data), **changes}


def test_a_body_becomes_the_message() -> None:
    body = {"id": "7", "inputs": [tensor(), tensor("BYTES", ["é", None]), tensor(data=[[1], [None]], shape=[2, 1])]}
    message = decode_infer("late", "3", {**body, "outputs": [{"name": "p"}]})
    assert (message.model_name, message.model_version, message.id) == ("late", "3", "7")
    assert [list(one.shape) for one in message.inputs] == [[2], [2], [2, 1]]
    first, second, third = (
        unpack_raw(DataType(one.datatype), (2,), raw)
        for one, raw in zip(message.inputs, message.raw_input_contents, strict=True)
    )
    assert first.tolist() == [1.5, 2.0]
    assert second.tolist() == ["é", ""]
    assert third[0] == 1.0
    assert math.isnan(third[1])
    assert [one.name for one in message.outputs] == ["p"]


@pytest.mark.parametrize("data", [list(range(8)), [[[0, 1], [2, 3]], [[4, 5], [6, 7]]]])
def test_a_vector_is_flat_or_nested(data: list[Any]) -> None:
    message = decode_infer("late", "", {"inputs": [tensor(data=data, shape=[2, 2, 2])]})
    assert unpack_raw(DataType.FP32, (8,), message.raw_input_contents[0]).tolist() == list(range(8))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "inputs"),
        ({"inputs": {}}, "inputs"),
        ({"inputs": [5]}, "inputs[0]"),
        ({"inputs": [tensor(name=5)]}, "inputs[0].name"),
        ({"inputs": [tensor(name="\ud800")]}, "inputs[0].name"),
        ({"inputs": [tensor(datatype="BF16")]}, "inputs[0].datatype"),
        ({"inputs": [tensor("INT8", [0, 128])]}, "inputs[0].data[1]"),
        ({"inputs": [tensor("UINT64", [2**64 - 1, -1])]}, "inputs[0].data[1]"),
        ({"inputs": [tensor(datatype=[])]}, "inputs[0].datatype"),
        ({"inputs": [tensor(shape=2)]}, "inputs[0].shape"),
        ({"inputs": [tensor(shape=[-1])]}, "inputs[0].shape"),
        ({"inputs": [tensor(shape=[2**62])]}, "inputs[0].shape"),
        ({"inputs": [tensor(shape=[True])]}, "inputs[0].shape"),
        ({"inputs": [tensor(shape=[1.0])]}, "inputs[0].shape"),
        ({"inputs": [tensor(data="12") | {"data": "12"}]}, "inputs[0].data"),
        ({"inputs": [tensor(data=["1", 2])]}, "inputs[0].data[0]"),
        ({"inputs": [tensor(data=[1, True])]}, "inputs[0].data[1]"),
        ({"inputs": [tensor(data=[1, 10**400])]}, "inputs[0].data[1]"),
        ({"inputs": [tensor(data=[1, {}])]}, "inputs[0].data[1]"),
        ({"inputs": [tensor(data=[[1], [[2]]])]}, "inputs[0].data[1]"),
        ({"inputs": [tensor(data=[1, 2, 3])]}, "inputs[0].data"),
        ({"inputs": [tensor(data=[[1, 2], [3]], shape=[2, 2])]}, "inputs[0].data[1]"),
        ({"inputs": [tensor(data=[[1, 2], 3], shape=[2, 2])]}, "inputs[0].data[1]"),
        ({"inputs": [tensor(data=[[1, 2, 3], [4, 5, 6]], shape=[3, 2])]}, "inputs[0].data[0]"),
        ({"inputs": [tensor(data=[[[1], [2]]], shape=[2, 1])]}, "inputs[0].data[0]"),
        ({"inputs": [tensor(shape=[2**31 - 1] * 9)]}, "inputs[0].data"),
        ({"inputs": [tensor("INT64", [1, 2**63])]}, "inputs[0].data[1]"),
        ({"inputs": [tensor("INT64", [1, None])]}, "inputs[0].data[1]"),
        ({"inputs": [tensor("INT32", [2**31, 0])]}, "inputs[0].data[0]"),
        ({"inputs": [tensor("INT32", [0.5, 0])]}, "inputs[0].data[0]"),
        ({"inputs": [tensor("BYTES", ["a", "\udfff"])]}, "inputs[0].data[1]"),
        ({"inputs": [tensor("BOOL", [0, True])]}, "inputs[0].data[0]"),
        ({"inputs": [], "outputs": 5}, "outputs"),
        ({"inputs": [], "outputs": "p"}, "outputs"),
        ({"inputs": [], "outputs": {"name": "p"}}, "outputs"),
        ({"inputs": [], "outputs": ["p"]}, "outputs[0]"),
        ({"inputs": [], "outputs": [{"name": 1}]}, "outputs[0].name"),
        ({"inputs": [], "id": 7}, "id"),
    ],
)
def test_a_wrong_body_is_refused_by_the_entry(body: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        decode_infer("late", "", body)
    assert [one.field for one in caught.value.violations] == [field]


def test_an_answer_is_json_whatever_the_model_said() -> None:
    response = pb.ModelInferResponse(model_name="late", model_version="3")
    encode_output(response, "p", np.array([[0.5], [math.nan], [math.inf]], np.float32))
    encode_output(response, "label", np.array(["a", "b", "c"], object))
    encode_output(response, "big", np.array([2**63 - 1, 0, 1]))
    encode_output(response, "sure", np.array([True, False, True]))
    response.parameters["slipway_route"].string_param = "main"
    response.parameters["slipway_fallback"].bool_param = True
    body = json.loads(json.dumps(encode_infer(response), allow_nan=False))
    assert body["parameters"] == {"slipway_route": "main", "slipway_fallback": True}
    assert [(one["name"], one["datatype"], one["shape"], one["data"]) for one in body["outputs"]] == [
        ("p", "FP32", [3, 1], [0.5, None, None]),
        ("label", "BYTES", [3], ["a", "b", "c"]),
        ("big", "INT64", [3], [2**63 - 1, 0, 1]),
        ("sure", "BOOL", [3], [True, False, True]),
    ]
