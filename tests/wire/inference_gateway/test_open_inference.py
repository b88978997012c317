from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

from slipway.errors import Kind, SlipwayError
from slipway.gen.inference import inference_pb2 as pb
from slipway.gen.slipway.inference.v1 import events_pb2

pytestmark = pytest.mark.asyncio(loop_scope="module")
SERVICE = pb.DESCRIPTOR.services_by_name["GRPCInferenceService"]


def texts(*values: str) -> bytes:
    return b"".join(struct.pack("<I", len(value.encode())) + value.encode() for value in values)


RAW = {
    "distance": ("FP32", np.array([1, 2], np.float32).tobytes()),
    "year": ("FP32", np.array([1999, np.nan], np.float32).tobytes()),
    "carrier": ("BYTES", texts("UA", "")),
    "stops": ("INT64", np.array([3, 2**62], np.int64).tobytes()),
}


def raw(shape: tuple[int, ...] = (2, 1), **changes: Any) -> pb.ModelInferRequest:
    """Two rows in raw form; ``changes`` give a column other (datatype, bytes), or None to leave it out."""
    request = pb.ModelInferRequest(model_name="late", id="42")
    for name, given in {**RAW, **changes}.items():
        if given is not None:
            request.inputs.add(name=name, datatype=given[0], shape=shape)
            request.raw_input_contents.append(given[1])
    return request


def typed() -> pb.ModelInferRequest:
    request = pb.ModelInferRequest(model_name="late")
    request.inputs.add(name="distance", datatype="FP32", shape=[2]).contents.fp32_contents.extend([1, 2])
    request.inputs.add(name="carrier", datatype="BYTES", shape=[2, 1]).contents.bytes_contents.extend([b"UA", b""])
    request.inputs.add(name="stops", datatype="INT64", shape=[2, 1]).contents.int64_contents.extend([3, 4])
    return request


async def infer(served: Any, request: pb.ModelInferRequest) -> Any:
    return await served.call("ModelInfer", request, SERVICE)


async def refused(served: Any, request: pb.ModelInferRequest) -> SlipwayError:
    with pytest.raises(SlipwayError) as caught:
        await infer(served, request)
    return caught.value


async def test_the_server_says_what_it_is(served: Any) -> None:
    assert (await served.call("ServerLive", pb.ServerLiveRequest(), SERVICE)).live
    assert (await served.call("ServerReady", pb.ServerReadyRequest(), SERVICE)).ready
    metadata = await served.call("ServerMetadata", pb.ServerMetadataRequest(), SERVICE)
    assert metadata.name == "slipway"
    assert metadata.version


async def test_a_model_says_what_it_takes_and_gives(served: Any) -> None:
    metadata = await served.call("ModelMetadata", pb.ModelMetadataRequest(name="late"), SERVICE)
    assert (metadata.name, list(metadata.versions), metadata.platform) == ("late", ["1"], "onnxruntime_onnx")
    assert [(one.name, one.datatype, list(one.shape)) for one in metadata.inputs] == [
        ("distance", "FP32", [-1, 1]),
        ("year", "FP32", [-1, 1]),
        ("carrier", "BYTES", [-1, 1]),
        ("stops", "INT64", [-1, 1]),
    ]
    assert [(one.name, one.datatype, list(one.shape)) for one in metadata.outputs[:1]] == [("p", "FP32", [-1, 1])]


@pytest.mark.parametrize(
    ("name", "version", "ready"),
    [("late", "", True), ("late", "1", True), ("late", "9", False), ("late", "x", False), ("nobody", "", False)],
)
async def test_a_model_is_ready_or_not(served: Any, name: str, version: str, ready: bool) -> None:
    request = pb.ModelReadyRequest(name=name, version=version)
    assert (await served.call("ModelReady", request, SERVICE)).ready is ready


async def test_raw_tensors_come_back_raw(served: Any) -> None:
    answer = await infer(served, raw())
    assert (answer.model_name, answer.model_version, answer.id) == ("late", "1", "42")
    outputs = {
        one.name: (one.datatype, list(one.shape), data)
        for one, data in zip(answer.outputs, answer.raw_output_contents, strict=True)
    }
    assert outputs["p"] == ("FP32", [2, 1], np.array([1, 2], np.float32).tobytes())
    assert outputs["seen_carrier"] == ("BYTES", [2, 1], RAW["carrier"][1])
    assert outputs["seen_stops"] == ("INT64", [2, 1], RAW["stops"][1])
    assert np.isnan(np.frombuffer(outputs["seen_year"][2], np.float32)[1])


async def test_typed_tensors_are_taken_and_a_nullable_one_left_out(served: Any) -> None:
    request = typed()
    request.outputs.add(name="seen_stops")
    request.outputs.add(name="p")
    answer = await infer(served, request)
    assert [one.name for one in answer.outputs] == ["seen_stops", "p"]
    assert np.frombuffer(answer.raw_output_contents[0], np.int64).tolist() == [3, 4]


async def test_a_version_may_be_named(served: Any) -> None:
    first, second = await served.register(100.0), await served.register(200.0)
    await served.route("named", ("main", first, 1), ("canary", second, 1))
    await served.ready("named", first, second)
    for number, plus in ((first, 100), (second, 200)):
        request = raw()
        request.model_name, request.model_version = "named", str(number)
        answer = await infer(served, request)
        assert answer.model_version == str(number)
        assert np.frombuffer(answer.raw_output_contents[0], np.float32).tolist() == [plus + 1, plus + 2]
    request.model_version = "77"
    error = await refused(served, request)
    assert (error.kind, error.reason) == (Kind.NOT_FOUND, "VERSION_NOT_SERVED")


async def test_an_answer_is_on_the_log_under_the_id_that_it_names(served: Any) -> None:
    await served.standing("told")
    request = raw()
    request.model_name = "told"
    answer = await infer(served, request)
    stem = answer.parameters["slipway_prediction_id"].string_param
    [batch] = await served.logged("told", 2)
    assert list(batch.prediction_ids) == [f"{stem}.0", f"{stem}.1"]
    assert batch.protocol == events_pb2.PROTOCOL_OPEN_INFERENCE
    assert list(batch.input_digests) == [b"", b""]


def beside() -> pb.ModelInferRequest:
    request = raw()
    request.inputs[1].contents.fp32_contents.extend([1, 2])
    return request


def one_raw() -> pb.ModelInferRequest:
    request = typed()
    request.raw_input_contents.append(RAW["distance"][1])
    return request


def output(name: str) -> pb.ModelInferRequest:
    request = raw()
    request.outputs.add(name=name)
    return request


def twice() -> pb.ModelInferRequest:
    request = raw()
    request.inputs.append(request.inputs[0])
    request.raw_input_contents.append(RAW["distance"][1])
    return request


def in_other_contents() -> pb.ModelInferRequest:
    request = typed()
    request.inputs[0].contents.Clear()
    request.inputs[0].contents.fp64_contents.extend([1, 2])
    return request


def damaged_text() -> pb.ModelInferRequest:
    request = typed()
    request.inputs[1].contents.bytes_contents[1] = b"\xc3\x28"
    return request


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.ModelInferRequest(model_name="late"), "inputs"),
        (beside(), "inputs[1].contents"),
        (one_raw(), "raw_input_contents"),
        (raw(distance=("FP32", b"1234567")), "raw_input_contents[distance]"),
        (raw(distance=("FP32", b"")), "raw_input_contents[distance]"),
        (raw(distance=("FP64", bytes(16))), "inputs[0].datatype"),
        (raw(distance=("fp32", bytes(8))), "inputs[0].datatype"),
        (raw(distance=("", bytes(8))), "inputs[0].datatype"),
        (raw(distance=None), "inputs[distance]"),
        (raw(other=("FP32", bytes(8))), "inputs[4].name"),
        (raw(carrier=("BYTES", texts("UA"))), "raw_input_contents[carrier]"),
        (raw(carrier=("BYTES", b"\xff\xff\xff\xff")), "raw_input_contents[carrier]"),
        (raw(carrier=("BYTES", texts("UA", "") + b"\0")), "raw_input_contents[carrier]"),
        (raw(distance=("FP32", np.array([np.nan, 1], np.float32).tobytes())), "inputs[distance]"),
        (raw((2, 2)), "inputs[0].shape"),
        (raw((2, 1, 1)), "inputs[0].shape"),
        (raw(()), "inputs[0].shape"),
        (raw((0, 1)), "inputs[0].shape"),
        (raw((-1, 1)), "inputs[0].shape"),
        (raw((-2,)), "inputs[0].shape"),
        (raw((2**62, 1)), "inputs[0].shape"),
        (raw((2**63 - 1,)), "inputs[0].shape"),
        (raw((4097,)), "inputs[0].shape"),
        (raw((3,)), "raw_input_contents[distance]"),
        (twice(), "inputs[distance]"),
        (output("nothing"), "outputs[0].name"),
        (output(""), "outputs[0].name"),
        (in_other_contents(), "inputs[0].contents[distance]"),
        (damaged_text(), "inputs[1].contents[carrier]"),
    ],
)
async def test_a_wrong_tensor_is_refused_by_its_field(served: Any, request_: pb.ModelInferRequest, field: str) -> None:
    error = await refused(served, request_)
    assert (error.kind, error.violations[0].field) == (Kind.INVALID_ARGUMENT, field)
    assert error.violations[0].description


async def test_columns_of_different_length_are_refused(served: Any) -> None:
    request = raw()
    request.inputs[1].shape[:] = [1, 1]
    request.raw_input_contents[1] = bytes(4)
    error = await refused(served, request)
    assert error.violations[0].field == "inputs[year]"


async def test_requests_that_differ_in_their_numbers_alone_are_each_answered_by_their_own(served: Any) -> None:
    await served.standing("alike")

    def ask(called: str, distance: float) -> pb.ModelInferRequest:
        request = raw((1, 1), carrier=None, year=None, stops=("INT64", np.array([3]).tobytes()))
        request.model_name, request.id = "alike", called
        request.raw_input_contents[0] = np.array([distance], np.float32).tobytes()
        return request

    answers = [
        await infer(served, ask(called, distance)) for called, distance in [("a", 1), ("", 2), ("b", 1), ("a", 2)]
    ]
    assert [one.id for one in answers] == ["a", "", "b", "a"]
    assert answers[0].raw_output_contents == answers[2].raw_output_contents
    assert answers[1].raw_output_contents == answers[3].raw_output_contents
    assert answers[0].raw_output_contents != answers[1].raw_output_contents
    stems = {one.parameters["slipway_prediction_id"].string_param for one in answers}
    assert len(stems) == 4
    error = await refused(served, ask("a", np.inf))
    assert [one.field for one in error.violations] == ["inputs[distance]"]
    short = ask("a", 1)
    short.raw_input_contents[0] = b"123"
    assert [one.field for one in (await refused(served, short)).violations] == ["raw_input_contents[distance]"]
    await served.standing("alike", plus=5.0)
    other = await infer(served, ask("a", 1))
    assert other.model_version != answers[0].model_version
    assert other.raw_output_contents != answers[0].raw_output_contents
