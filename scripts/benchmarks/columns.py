"""The model of the gateway's benchmark: 11 numbers and 4 texts in, one number out; and one row for it."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper

from slipway.client import ColumnSpec, DataType, Feature, FeatureView, Signature, TensorSpec, ValueType
from slipway.gen.inference import inference_pb2 as open_pb
from slipway.gen.slipway.inference.v1 import inference_pb2 as pb

NUMBERS = [f"number_{n}" for n in range(11)]
TEXTS = [f"text_{n}" for n in range(4)]
ENDPOINT = "bench"
READING = "bench-reading"


def model() -> bytes:
    """The sum of the numbers and of the codes of the texts."""
    codes = [
        helper.make_node(
            "LabelEncoder",
            [name],
            [f"{name}_code"],
            domain="ai.onnx.ml",
            keys_strings=[f"T{n}" for n in range(100)],
            values_floats=[float(n) for n in range(100)],
            default_float=-1.0,
        )
        for name in TEXTS
    ]
    total = helper.make_node("Sum", [*NUMBERS, *(f"{name}_code" for name in TEXTS)], ["p"])
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1]) for name in NUMBERS]
    inputs += [helper.make_tensor_value_info(name, TensorProto.STRING, [None, 1]) for name in TEXTS]
    outputs = [helper.make_tensor_value_info("p", TensorProto.FLOAT, [None, 1])]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    made = helper.make_model(helper.make_graph([*codes, total], "bench", inputs, outputs), opset_imports=opsets)
    made.ir_version = 8
    return bytes(made.SerializeToString())


def signature(*, read: bool = False) -> Signature:
    """Its signature; with ``read`` every column is a feature of :func:`view`."""
    columns = [(name, DataType.FP32) for name in NUMBERS] + [(name, DataType.BYTES) for name in TEXTS]
    inputs = [ColumnSpec(name, kind, True, feature=f"bench:{name}" if read else "") for name, kind in columns]
    entities = (ColumnSpec("flight", DataType.BYTES),) if read else ()
    return Signature(tuple(inputs), (TensorSpec("p", DataType.FP32, (-1, 1)),), entities)


def view() -> FeatureView:
    """The columns as features of a flight."""
    features = [Feature(name, ValueType.DOUBLE) for name in NUMBERS]
    features += [Feature(name, ValueType.STRING) for name in TEXTS]
    return FeatureView(name="bench", owner="bench", entities=("flight",), features=tuple(features))


def feature_row() -> dict[str, float | str]:
    """The row as the feature store takes it."""
    numbers: dict[str, float | str] = {name: float(n) for n, name in enumerate(NUMBERS)}
    return numbers | {name: f"T{n}" for n, name in enumerate(TEXTS)}


def feeds() -> dict[str, np.ndarray]:
    """The row as ONNX Runtime takes it."""
    row = {name: np.array([[float(n)]], np.float32) for n, name in enumerate(NUMBERS)}
    return row | {name: np.array([[f"T{n}"]], object) for n, name in enumerate(TEXTS)}


def predict_request() -> bytes:
    """The row as ``Predict`` takes it."""
    request = pb.PredictRequest(endpoint=ENDPOINT)
    for n, name in enumerate(NUMBERS):
        request.features.add(name=name).doubles.values.append(float(n))
    for n, name in enumerate(TEXTS):
        request.features.add(name=name).strings.values.append(f"T{n}")
    request.entity_keys.add(name="flight").strings.values.append("UA1")
    return request.SerializeToString()


def keys_request(rows: int = 1) -> bytes:
    """So many rows as ``Predict`` takes them by their keys alone."""
    request = pb.PredictRequest(endpoint=READING)
    request.entity_keys.add(name="flight").strings.values.extend(["UA1"] * rows)
    return request.SerializeToString()


def infer_request() -> bytes:
    """The row as ``ModelInfer`` takes it, typed."""
    request = open_pb.ModelInferRequest(model_name=ENDPOINT)
    for n, name in enumerate(NUMBERS):
        request.inputs.add(name=name, datatype="FP32", shape=[1, 1]).contents.fp32_contents.append(float(n))
    for n, name in enumerate(TEXTS):
        tensor = request.inputs.add(name=name, datatype="BYTES", shape=[1, 1])
        tensor.contents.bytes_contents.append(f"T{n}".encode())
    return request.SerializeToString()
