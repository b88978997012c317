"""Messages that were good until some of their bytes were changed: decoded, or refused by name, whatever comes."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from services.inference_gateway import codec
from services.inference_gateway.api.infer_settings import decode_settings
from services.inference_gateway.api.rest_binary import split
from services.inference_gateway.api.rest_infer import read_json
from services.inference_gateway.api.rest_tensors import decode_infer
from services.inference_gateway.api.tensors import decode_columns
from services.inference_gateway.domain.batch import check_batch
from services.inference_gateway.domain.signature import ColumnSpec, DataType, Signature, conform
from slipway.errors import InvalidInput
from slipway.gen.inference import inference_pb2 as pb
from slipway.gen.slipway.inference.v1 import inference_pb2

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TAKES = Signature(
    (
        ColumnSpec("x", DataType.FP32),
        ColumnSpec("n", DataType.INT64),
        ColumnSpec("name", DataType.BYTES, nullable=True),
        ColumnSpec("v", DataType.FP64, shape=(2, 3)),
    ),
    (),
)


def raw() -> bytes:
    request = pb.ModelInferRequest(model_name="late", id="1")
    for name, kind, shape, data in [
        ("x", "FP32", [2], np.ones(2, np.float32).tobytes()),
        ("n", "INT64", [2, 1], np.ones(2, np.int64).tobytes()),
        ("name", "BYTES", [2], b"\x02\x00\x00\x00UA\x00\x00\x00\x00"),
        ("v", "FP64", [2, 2, 3], np.ones(12).tobytes()),
    ]:
        request.inputs.add(name=name, datatype=kind, shape=shape)
        request.raw_input_contents.append(data)
    request.parameters["timeout"].int64_param = 5
    return request.SerializeToString()


def typed() -> bytes:
    request = pb.ModelInferRequest(model_name="late")
    request.inputs.add(name="x", datatype="FP32", shape=[2]).contents.fp32_contents.extend([1, 2])
    request.inputs.add(name="n", datatype="INT64", shape=[2]).contents.int64_contents.extend([1, 2])
    request.inputs.add(name="name", datatype="BYTES", shape=[2]).contents.bytes_contents.extend([b"UA", b""])
    request.inputs.add(name="v", datatype="FP64", shape=[2, 2, 3]).contents.fp64_contents.extend(range(12))
    return request.SerializeToString()


def own() -> bytes:
    request = inference_pb2.PredictRequest(endpoint="late", prediction_ids=["a", "b"])
    request.features.add(name="x", doubles={"values": [1.0, 2.0]})
    request.features.add(name="n", int64s={"values": [1, 2]})
    request.features.add(name="name", strings={"values": ["UA", ""]}, absent_rows=[1])
    request.features.add(name="v", floats={"values": list(range(12))}, width=6)
    request.entity_keys.add(name="flight", strings={"values": ["UA1", "UA2"]})
    request.event_times.add(seconds=5)
    return request.SerializeToString()


BODY = json.dumps(
    {
        "inputs": [
            {"name": "x", "datatype": "FP32", "shape": [2], "parameters": {"binary_data_size": 8}},
            {"name": "n", "datatype": "INT64", "shape": [2, 1], "data": [[1], [2]]},
            {"name": "name", "datatype": "BYTES", "shape": [2], "data": ["UA", None]},
            {"name": "v", "datatype": "FP64", "shape": [2, 2, 3], "data": [[[1, 2, 3]] * 2] * 2},
        ],
        "parameters": {"timeout": 5},
        "outputs": [{"name": "y", "parameters": {"classification": 2}}],
    }
).encode()


@st.composite
def mutated(draw: st.DrawFn, good: bytes) -> bytes:
    """The bytes with some of them changed, cut out, doubled or put in."""
    data = bytearray(good)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        length = draw(st.integers(0, 9))
        match draw(st.sampled_from(["change", "cut", "double", "put"])):
            case "change":
                data[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case "cut":
                del data[at : at + length]
            case "double":
                data[at:at] = data[at : at + length * 8]
            case "put":
                data[at:at] = draw(st.binary(min_size=1, max_size=length + 1))
    return bytes(data)


def named(error: InvalidInput) -> bool:
    return all(one.field and one.description for one in error.violations) and bool(error.violations)


@contextlib.contextmanager
def refused_by_name() -> Iterator[None]:
    """Nothing is raised but what names a field; what can't be parsed never reaches the gateway."""
    raised: list[InvalidInput] = []
    try:
        yield
    except DecodeError:
        return
    except InvalidInput as error:
        raised.append(error)
    assert all(map(named, raised))


def fitted(request: pb.ModelInferRequest) -> None:
    """What the front makes of a request, as far as the worker; every tensor is whole."""
    decode_settings(request.parameters)
    columns, rows = decode_columns(request, TAKES)
    assert {len(column.values) for column in columns} <= set(range(1, 4097))
    if {len(column.values) for column in columns} == {rows}:
        tensors = conform(TAKES, columns, rows, field="inputs")
        assert {name: array.shape for name, array in tensors.items()} == {
            spec.name: (rows, *spec.shape) for spec in TAKES.inputs
        }


@settings(max_examples=400, deadline=None)
@given(st.sampled_from([raw(), typed()]).flatmap(mutated))
def test_an_inference_request(data: bytes) -> None:
    with refused_by_name():
        fitted(pb.ModelInferRequest.FromString(data))


@settings(max_examples=400, deadline=None)
@given(mutated(own()))
def test_a_request_of_our_own(data: bytes) -> None:
    with refused_by_name():
        batch = codec.decode_batch(inference_pb2.PredictRequest.FromString(data), NOW, "", None, "")
        check_batch(batch)
        tensors = conform(TAKES, batch.features, batch.rows)
        assert {len(array) for array in tensors.values()} == {batch.rows}


@settings(max_examples=400, deadline=None)
@given(mutated(BODY), mutated(bytes(8)), st.integers(0, 2000))
def test_a_body(head: bytes, tail: bytes, length: int) -> None:
    with refused_by_name():
        told, rest = split(head + tail, str(min(length, len(head))) if length % 3 == 0 else str(len(head)))
        fitted(decode_infer("late", "", read_json(told), rest))


def test_what_was_not_changed_is_taken() -> None:
    for data in (raw(), typed()):
        fitted(pb.ModelInferRequest.FromString(data))
    told, rest = split(BODY + bytes(8), str(len(BODY)))
    fitted(decode_infer("late", "", read_json(told), rest))
    assert codec.decode_batch(inference_pb2.PredictRequest.FromString(own()), NOW, "", None, "").rows == 2
