"""Every method of both contracts, found by its descriptor, against everything that a confused caller sends."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2

from slipway.client.codec.inference import decode_answered
from slipway.errors import Kind, SlipwayError
from slipway.gen.inference import inference_pb2 as open_pb
from slipway.gen.slipway.inference.v1 import inference_pb2 as pb
from slipway.gen.slipway.inference.v1 import resources_pb2 as res

pytestmark = pytest.mark.asyncio(loop_scope="module")
SERVICES = [
    pb.DESCRIPTOR.services_by_name["InferenceService"],
    open_pb.DESCRIPTOR.services_by_name["GRPCInferenceService"],
]
METHODS = [method for service in SERVICES for method in service.methods]
each_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)

JUNK = [b"\xff", b"\xff" * 9, b"\x08", b"\x0a\x05ab", b"\x0a\x02\xc3\x28", b"\x00" * 64, bytes(range(256)) * 40]
HOSTILE: dict[int, list[Any]] = {
    FieldDescriptor.TYPE_STRING: ["", " ", "../../etc/passwd", "a\x00b", "é", "x" * 100_000, "%2e%2e", "1", "-1"],
    FieldDescriptor.TYPE_BYTES: [b"", b"\x00", b"\xff" * 1000],
    FieldDescriptor.TYPE_INT64: [0, -1, 2**62, 2**63 - 1, -(2**63)],
    FieldDescriptor.TYPE_INT32: [0, -1, 2**31 - 1, -(2**31)],
    FieldDescriptor.TYPE_UINT32: [0, 1, 2**32 - 1],
    FieldDescriptor.TYPE_UINT64: [0, 2**64 - 1],
    FieldDescriptor.TYPE_DOUBLE: [math.nan, math.inf, -math.inf, 1e308],
    FieldDescriptor.TYPE_FLOAT: [math.nan, math.inf, -math.inf],
    FieldDescriptor.TYPE_BOOL: [True, False],
}
EXPECTED = {Kind.INVALID_ARGUMENT, Kind.NOT_FOUND, Kind.ALREADY_EXISTS}
UNSERVED = {
    method.name for method in METHODS if "SharedMemory" in method.name or method.name.endswith(("Setting", "Settings"))
}
# What needs nothing from its caller; a stream answers what is wrong with a request by a message.
CONTENT = {"ModelStatistics", "RepositoryIndex", "ModelStreamInfer"}


async def outcome(served: Any, method: MethodDescriptor, data: bytes) -> SlipwayError | None:
    """The error that answers ``data``, by the call's end or on its stream; None for a good answer."""
    try:
        answer = await served.send(method.name, data, method.containing_service.full_name)
    except SlipwayError as error:
        return error
    if method.name == "StreamPredict":
        return decode_answered(pb.StreamPredictResponse.FromString(answer)).error
    return None


def explained(error: SlipwayError) -> None:
    """It has an expected kind and ErrorInfo, and names fields when it is about the input."""
    assert error.kind in EXPECTED or error.reason == "NOT_EXPLAINABLE", error
    assert error.reason not in {"", error.kind.name}, error
    assert "Traceback" not in error.message
    if error.kind is Kind.INVALID_ARGUMENT:
        assert error.violations, error
        assert all(one.field and one.description for one in error.violations)


async def healthy(served: Any) -> bool:
    answer = health_pb2.HealthCheckResponse.FromString(await served.send("Check", b"", "grpc.health.v1.Health"))
    await served.client.inference.predict("late", [served.row])
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def good(method: MethodDescriptor) -> Message:
    """A request that is answered."""
    if method.name == "StreamPredict":
        return pb.StreamPredictRequest(request=good(METHODS[0]))
    if method.name == "Predict":
        return pb.PredictRequest(
            endpoint="late",
            features=[
                res.Column(name="distance", doubles=res.DoubleValues(values=[1.0])),
                res.Column(name="stops", int64s=res.Int64Values(values=[1])),
                res.Column(name="carrier", strings=res.StringValues(values=["UA"])),
                res.Column(name="year", doubles=res.DoubleValues(values=[0.0]), absent_rows=[0]),
            ],
            entity_keys=[res.Column(name="flight", strings=res.StringValues(values=["UA1"]))],
        )
    if method.name in {"ModelInfer", "ModelStreamInfer"}:
        request = open_pb.ModelInferRequest(model_name="late")
        request.inputs.add(name="distance", datatype="FP32", shape=[1, 1]).contents.fp32_contents.append(1)
        request.inputs.add(name="stops", datatype="INT64", shape=[1]).contents.int64_contents.append(1)
        request.inputs.add(name="carrier", datatype="BYTES", shape=[1]).contents.bytes_contents.append(b"UA")
        request.outputs.add(name="p")
        return request
    request = GetMessageClass(method.input_type)()
    for name in {"name", "model_name"} & set(method.input_type.fields_by_name):
        setattr(request, name, "late")
    return request


@each_method
async def test_a_good_message_is_answered(served: Any, method: MethodDescriptor) -> None:
    error = await outcome(served, method, good(method).SerializeToString())
    if method.name == "RepositoryModelUnload":
        assert error is not None
        assert error.kind is Kind.FAILED_PRECONDITION  # it takes traffic
    elif method.name in UNSERVED:
        assert error is not None
        assert (error.kind, error.reason) == (Kind.UNIMPLEMENTED, "NOT_SERVED")
    else:
        assert error is None


@each_method
async def test_junk_bytes_are_an_invalid_argument(served: Any, method: MethodDescriptor) -> None:
    parse = GetMessageClass(method.input_type).FromString
    for data in JUNK:
        try:
            parse(data)
        except DecodeError:
            error = await outcome(served, method, data)
            assert error is not None
            explained(error)
            assert (error.kind, error.reason) == (Kind.INVALID_ARGUMENT, "MALFORMED_MESSAGE")
            assert error.facts == {"expected": method.input_type.full_name}
    assert await healthy(served)


@each_method
async def test_an_empty_message_is_answered_or_explained(served: Any, method: MethodDescriptor) -> None:
    error = await outcome(served, method, b"")
    if method.name in UNSERVED:
        assert error is not None
        assert error.kind is Kind.UNIMPLEMENTED
        return
    asks_for_something = bool(method.input_type.fields) and method.name not in CONTENT
    assert (error is not None) == asks_for_something
    if error is not None:
        explained(error)
        assert error.kind is Kind.INVALID_ARGUMENT
    assert await healthy(served)


BY_DESIGN = dict.fromkeys(UNSERVED, (Kind.UNIMPLEMENTED,)) | {"RepositoryModelUnload": (Kind.FAILED_PRECONDITION,)}
Path = tuple[FieldDescriptor, ...]


def leaves(descriptor: Descriptor, path: Path = ()) -> Iterator[Path]:
    """The path of every plain field."""
    for field in descriptor.fields:
        if field.message_type is None:
            yield (*path, field)
        elif len(path) < 4 and not field.message_type.GetOptions().map_entry:
            yield from leaves(field.message_type, (*path, field))


def put(message: Message, path: Path, value: Any, times: int) -> Message:
    """``message`` with ``value`` at the end of ``path``, in the first element of what repeats."""
    at: Any = message
    for field in path[:-1]:
        at = getattr(at, field.name)
        if field.is_repeated:
            at = at[0] if at else at.add()
    last = path[-1]
    if last.is_repeated:
        getattr(at, last.name)[:] = [value] * times
    else:
        setattr(at, last.name, value)
    return message


@each_method
async def test_a_hostile_value_in_any_field_is_answered_or_explained(served: Any, method: MethodDescriptor) -> None:
    for path in leaves(method.input_type):
        for value in HOSTILE[path[-1].type]:
            for times in (1, 2, 5000) if path[-1].is_repeated and not isinstance(value, str | bytes) else (1, 2):
                data = put(good(method), path, value, times).SerializeToString()
                error = await outcome(served, method, data)
                if error is not None and error.kind not in BY_DESIGN.get(method.name, ()):
                    explained(error)
    assert await healthy(served)


@each_method
async def test_a_message_over_the_limit_is_refused_and_the_next_one_served(
    served: Any, method: MethodDescriptor
) -> None:
    error = await outcome(served, method, b"\x0a" + b"\x80\x80\x80\x09" + bytes(18 * 2**20))
    assert error is not None
    assert error.kind is Kind.RESOURCE_EXHAUSTED
    assert await healthy(served)


async def test_as_many_columns_as_fit_a_message_are_refused_with_an_error_that_fits_an_answer(served: Any) -> None:
    request = pb.PredictRequest(endpoint="late")
    for number in range(20_000):
        request.features.add(name=f"column_{number}").doubles.values.append(1.0)
    error = await outcome(served, METHODS[0], request.SerializeToString())
    assert error is not None
    explained(error)
    assert await healthy(served)


async def test_a_hundred_confused_callers_at_once_leave_a_healthy_server(served: Any) -> None:
    calls = [outcome(served, method, data) for method in METHODS for data in JUNK * 2]
    for error in await asyncio.gather(*calls):
        assert error is None or error.kind in EXPECTED
    assert await healthy(served)
