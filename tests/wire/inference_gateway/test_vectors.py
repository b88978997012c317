from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import aiohttp
import numpy as np
import pytest
import pytest_asyncio

from services.monitor.codec import decode_batches
from slipway.client import Baseline, ColumnSpec, DataType, FeatureBaseline, Signature, TensorSpec
from slipway.errors import Kind, SlipwayError
from slipway.gen.inference import inference_pb2 as pb

pytestmark = pytest.mark.asyncio(loop_scope="module")
SERVICE = pb.DESCRIPTOR.services_by_name["GRPCInferenceService"]
IMAGES = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
FAR = np.array([100, 200], np.float32)
SIGNATURE = Signature(
    (ColumnSpec("image", DataType.FP32, True, shape=(2, 3)), ColumnSpec("distance", DataType.FP32)),
    (TensorSpec("y", DataType.FP32, (-1,)), TensorSpec("seen", DataType.FP32, (-1, 2, 3))),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def seeing(
    tmp_path_factory: pytest.TempPathFactory, onnx_models: ModuleType, worlds: Callable[..., Any]
) -> AsyncIterator[Any]:
    """An endpoint ``seen`` whose model takes an image and a number."""
    folder: Path = tmp_path_factory.mktemp("seeing")
    async with worlds(folder, onnx_models) as world:
        number = await world.register(artifact=onnx_models.image(), takes=SIGNATURE)
        await world.route("seen", ("main", number, 1))
        await world.ready("seen", number)
        yield world


def asked(shape: Any = (2, 2, 3), *, raw: bool = True, data: bytes | None = None) -> pb.ModelInferRequest:
    request = pb.ModelInferRequest(model_name="seen")
    image = request.inputs.add(name="image", datatype="FP32", shape=shape)
    far = request.inputs.add(name="distance", datatype="FP32", shape=[2, 1])
    if raw:
        request.raw_input_contents.extend([IMAGES.tobytes() if data is None else data, FAR.tobytes()])
    else:
        image.contents.fp32_contents.extend(IMAGES.ravel().tolist())
        far.contents.fp32_contents.extend(FAR.tolist())
    return request


@pytest.mark.parametrize("raw", [True, False])
async def test_a_tensor_of_vectors_is_answered_raw_or_typed(seeing: Any, raw: bool) -> None:
    answer = await seeing.call("ModelInfer", asked(raw=raw), SERVICE)
    bright, seen = (np.frombuffer(one, np.float32) for one in answer.raw_output_contents)
    assert bright.tolist() == [115, 251]
    assert seen.tolist() == IMAGES.ravel().tolist()
    assert [list(one.shape) for one in answer.outputs] == [[2], [2, 2, 3]]


async def test_metadata_tells_the_shape_with_the_rows_before(seeing: Any) -> None:
    metadata = await seeing.call("ModelMetadata", pb.ModelMetadataRequest(name="seen"), SERVICE)
    assert [(one.name, list(one.shape)) for one in metadata.inputs] == [("image", [-1, 2, 3]), ("distance", [-1, 1])]


@pytest.mark.parametrize(
    "shape", [(), (2,), (2, 6), (2, 3, 2), (2, 2, 3, 1), (-2, 2, 3), (0, 2, 3), (2**62, 8), (2**62, 2, 3), (1,) * 99]
)
async def test_a_wrong_shape_is_named_with_the_right_one(seeing: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(SlipwayError, match=r"column 'image' is \[rows, 2, 3\] with 1 to 4096 rows") as caught:
        await seeing.call("ModelInfer", asked(shape), SERVICE)
    assert caught.value.kind is Kind.INVALID_ARGUMENT
    assert [one.field for one in caught.value.violations] == ["inputs[0].shape"]


async def test_bytes_that_do_not_fill_the_shape_are_refused(seeing: Any) -> None:
    with pytest.raises(SlipwayError, match="has 44 bytes where 12 elements of FP32 take 48") as caught:
        await seeing.call("ModelInfer", asked(data=IMAGES.tobytes()[4:]), SERVICE)
    assert [one.field for one in caught.value.violations] == ["raw_input_contents[image]"]


@pytest.mark.parametrize("data", [IMAGES.ravel().tolist(), IMAGES.tolist()])
async def test_json_is_flat_or_nested(seeing: Any, data: list[Any]) -> None:
    inputs = [
        {"name": "image", "datatype": "FP32", "shape": [2, 2, 3], "data": data},
        {"name": "distance", "datatype": "FP32", "shape": [2], "data": FAR.tolist()},
    ]
    async with aiohttp.ClientSession() as session:
        path = f"{seeing.http}/v2/models/seen/infer"
        async with session.post(path, data=json.dumps({"inputs": inputs})) as answer:
            body = await answer.json()
    assert [(one["shape"], one["data"]) for one in body["outputs"]] == [
        ([2], [115, 251]),
        ([2, 2, 3], IMAGES.ravel().tolist()),
    ]


async def test_rows_with_vectors_are_answered_logged_and_counted_by_the_monitor(seeing: Any) -> None:
    await seeing.route("kept", ("main", 1, 1))
    await seeing.ready("kept", 1)
    rows = [{"image": IMAGES[0].tolist(), "distance": 1}, {"distance": 2}, {"image": IMAGES[1], "distance": 3}]
    answers = await seeing.client.inference.predict("kept", rows, prediction_ids=["a", "b", "c"])
    assert [one.outputs["y"][0] for one in answers][::2] == [16, 54]
    assert np.isnan(answers[1].outputs["seen"]).all()
    whole = {"image": IMAGES, "distance": FAR}
    assert [one.outputs["y"][0] for one in await seeing.client.inference.predict_columns("kept", whole)] == [115, 251]
    again = await seeing.client.inference.predict("kept", [{**rows[2], "distance": 3.0}], prediction_ids=["c"])
    assert (again[0].replayed, again[0].outputs) == (True, answers[2].outputs)

    batches = await seeing.logged("kept", 5)
    [mine] = [one for one in batches if list(one.prediction_ids) == ["a", "b", "c"]]
    image, far = mine.features
    assert (image.name, image.width, list(image.absent_rows)) == ("image", 6, [1])
    assert [*image.floats.values[:6], *image.floats.values[12:]] == IMAGES.ravel().tolist()
    assert (far.width, list(far.doubles.values)) == (0, [1, 2, 3])
    records = await seeing.records("inference.predictions.v1")
    counted = [batch for one in records for batch in decode_batches(one.event)]
    assert {tuple(one.features) for one in counted} == {("distance",)}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"image": [1.0] * 5, "distance": 1}, "features[image]: has 5 values a row; give 6, for its shape is [2, 3]"),
        ({"image": 1.0, "distance": 1}, "features[image]: has 1 values a row; give 6, for its shape is [2, 3]"),
        ({"image": [[0.0] * 3] * 2, "distance": [1, 2]}, "features[distance]: has 2 values a row; give one"),
        ({"image": ["a"] * 6, "distance": 1}, "holds texts; give numbers or whole numbers (FP32 of shape [2, 3])"),
        ({"image": [1e300] * 6, "distance": 1}, "features[image]: is infinite, or too large for FP32, in row 0"),
    ],
)
async def test_a_row_that_does_not_fit_is_refused_by_name(seeing: Any, row: dict[str, Any], told: str) -> None:
    with pytest.raises(SlipwayError) as caught:
        await seeing.client.inference.predict("seen", [row])
    assert caught.value.kind is Kind.INVALID_ARGUMENT
    assert told in caught.value.message


async def test_a_feature_that_is_read_online_is_no_vector(seeing: Any) -> None:
    inputs = (ColumnSpec("image", DataType.FP32, True, feature="camera:image", shape=(2, 3)), SIGNATURE.inputs[1])
    entities = (ColumnSpec("plane", DataType.BYTES),)
    with pytest.raises(SlipwayError, match="what is read online is one value a row") as caught:
        await seeing.register(
            artifact=seeing.models.image(), takes=Signature(inputs, SIGNATURE.outputs, entities), model="eye"
        )
    assert [one.field for one in caught.value.violations] == ["version.signature.inputs[0].feature"]


async def echoing(seeing: Any, kind: str, onnx: str, *, baseline: Baseline | None = None) -> str:
    """An endpoint that echoes a column ``x`` of pairs."""
    name = f"echo-{kind.lower()}" + ("-valid" if baseline else "")
    registry = seeing.client.registry
    await registry.create_model(name, owner="dock")
    model = seeing.models.echo(seeing.models.TensorProto.DataType.Value(onnx), (None, 2))
    takes = Signature((ColumnSpec("x", DataType(kind), shape=(2,)),), (TensorSpec("y", DataType(kind), (-1, 2)),))
    await registry.register_version(name, await registry.upload_artifact(model), takes, baseline=baseline)
    await seeing.route(name, ("main", 1, 1), model=name)
    await seeing.ready(name, 1)
    return name


def pairs(name: str, kind: str, contents: str = "", *values: float, raw: bytes = b"") -> pb.ModelInferRequest:
    request = pb.ModelInferRequest(model_name=name)
    tensor = request.inputs.add(name="x", datatype=kind, shape=[max(len(values), 2) // 2, 2])
    if raw:
        request.raw_input_contents.append(raw)
    elif contents:
        getattr(tensor.contents, contents).extend(values)
    return request


async def test_narrow_and_unsigned_types_are_typed_and_held_to_their_range(seeing: Any) -> None:
    name = await echoing(seeing, "INT8", "INT8")
    answer = await seeing.call("ModelInfer", pairs(name, "INT8", "int_contents", -128, 127), SERVICE)
    assert (answer.outputs[0].datatype, answer.raw_output_contents[0]) == ("INT8", b"\x80\x7f")
    with pytest.raises(SlipwayError, match=r"inputs\[x\]: does not fit INT8, -128 to 127, in row 1"):
        await seeing.call("ModelInfer", pairs(name, "INT8", "int_contents", 0, 0, 128, 0), SERVICE)
    name = await echoing(seeing, "UINT64", "UINT64")
    most = [2**64 - 1, 2**63]
    answer = await seeing.call("ModelInfer", pairs(name, "UINT64", "uint64_contents", *most), SERVICE)
    assert np.frombuffer(answer.raw_output_contents[0], np.uint64).tolist() == most
    [answered] = await seeing.client.inference.predict(name, [{"x": [7, 2**62]}], prediction_ids=["wide"])
    assert answered.outputs["y"] == (7, 2.0**62)
    logged = await seeing.logged(name, 2)
    assert [list(one.features[0].uint64s.values) for one in logged] == [most, []]
    assert [list(one.features[0].int64s.values) for one in logged] == [[], [7, 2**62]]


async def test_half_precision_travels_raw_only(seeing: Any) -> None:
    name = await echoing(seeing, "FP16", "FLOAT16")
    half = np.array([0.5, 65504], np.float16)
    answer = await seeing.call("ModelInfer", pairs(name, "FP16", raw=half.tobytes()), SERVICE)
    assert answer.raw_output_contents[0] == half.tobytes()
    with pytest.raises(SlipwayError, match="can't hold FP16, which travels raw only; give raw_input_contents"):
        await seeing.call("ModelInfer", pairs(name, "FP16", "fp32_contents", 0.5, 1), SERVICE)
    body = {"inputs": [{"name": "x", "datatype": "FP16", "shape": [1, 2], "data": [[0.5, 2]]}]}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{seeing.http}/v2/models/{name}/infer", json=body) as answer,
    ):
        assert (await answer.json())["outputs"][0]["data"] == [0.5, 2]


async def test_a_number_that_is_not_valid_is_refused_on_every_protocol(seeing: Any) -> None:
    valid = Baseline((FeatureBaseline("x", minimum=1, maximum=200.5),))
    name = await echoing(seeing, "UINT8", "UINT8", baseline=valid)
    told = r"\[x\]: is 201, but only numbers from 1 to 200.5 are valid, in row 1"
    with pytest.raises(SlipwayError, match="features" + told) as caught:
        await seeing.client.inference.predict(name, [{"x": [1, 200]}, {"x": [201, 5]}])
    assert caught.value.kind is Kind.INVALID_ARGUMENT
    for request in (
        pairs(name, "UINT8", "uint_contents", 1, 2, 3, 201),
        pairs(name, "UINT8", "", 0, 0, 0, 0, raw=bytes([1, 2, 201, 4])),
    ):
        with pytest.raises(SlipwayError, match="inputs" + told):
            await seeing.call("ModelInfer", request, SERVICE)
    answer = await seeing.call("ModelInfer", pairs(name, "UINT8", "uint_contents", 1, 200), SERVICE)
    assert answer.raw_output_contents[0] == bytes([1, 200])
