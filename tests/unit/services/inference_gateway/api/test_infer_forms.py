from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from services.inference_gateway.api.infer_forms import Asked, Forms, split
from services.inference_gateway.api.infer_reply import encode_infer, infer_bytes, infer_bytes_of_each
from services.inference_gateway.api.infer_settings import InferSettings
from services.inference_gateway.api.tensors import decode_columns
from services.inference_gateway.domain.answer import Answer
from services.inference_gateway.domain.batch import Batch, Protocol, all_at
from services.inference_gateway.domain.signature import ColumnSpec, DataType, Signature
from services.inference_gateway.engine.ask import Part
from slipway.gen.inference import inference_pb2 as pb

TAKES = Signature(
    (
        ColumnSpec("x", DataType.FP32),
        ColumnSpec("n", DataType.INT64),
        ColumnSpec("h", DataType.FP16),
        ColumnSpec("v", DataType.FP64, shape=(2, 3)),
        ColumnSpec("name", DataType.BYTES, nullable=True),
        ColumnSpec("sure", DataType.BOOL),
    ),
    (),
)
TYPES = {"x": np.float32, "n": np.int64, "h": np.float16, "v": np.float64, "sure": np.bool_}

PARAMETERS = st.dictionaries(
    st.text(max_size=9), st.builds(pb.InferParameter, int64_param=st.integers(0, 9)), max_size=2
)
REQUESTS = st.builds(
    pb.ModelInferRequest,
    model_name=st.text(max_size=200),
    model_version=st.text(max_size=3),
    id=st.text(max_size=200),
    parameters=st.dictionaries(
        st.text(max_size=9), st.builds(pb.InferParameter, int64_param=st.integers(0, 9)), max_size=2
    ),
    inputs=st.lists(
        st.builds(pb.ModelInferRequest.InferInputTensor, name=st.text(max_size=9), shape=st.lists(st.integers(-1, 300)))
    ),
    outputs=st.lists(st.builds(pb.ModelInferRequest.InferRequestedOutputTensor, name=st.text(max_size=9)), max_size=2),
    raw_input_contents=st.lists(st.binary(max_size=400), max_size=3),
)


def whole(data: bytes) -> pb.ModelInferRequest | None:
    """What the parts of a request are together; None where it has none."""
    parts = split(data)
    if parts is None:
        return None
    request = pb.ModelInferRequest.FromString(parts.head)
    request.id = parts.id.decode()
    request.raw_input_contents.extend(bytes(one) for one in parts.raw)
    return request


@given(REQUESTS)
def test_the_parts_of_a_request_are_the_request(request: pb.ModelInferRequest) -> None:
    found = whole(request.SerializeToString(deterministic=True))
    assert found == (request if request.raw_input_contents else None)


@given(REQUESTS, st.data())
def test_whatever_the_bytes_are_their_parts_say_the_same_or_there_are_none(
    request: pb.ModelInferRequest, draw: st.DataObject
) -> None:
    data = bytearray(request.SerializeToString())
    for _ in range(draw.draw(st.integers(0, 3))):
        if data:
            place = draw.draw(st.integers(0, len(data) - 1))
            data[place : place + 1] = draw.draw(st.binary(max_size=2))
    data += draw.draw(st.sampled_from([b"", b"\x1a\x01i", b"\x0a\x01m", b"\x3a", b"\x3a\x00", b"\x3a\xff\xff"]))
    try:
        read = pb.ModelInferRequest.FromString(bytes(data))
    except DecodeError:
        split(bytes(data))
        return
    found = whole(bytes(data))
    assert found is None or found == read


@pytest.mark.parametrize(
    "data",
    [
        b"\x0a" + b"\xff" * 1_000_000,  # a length without an end
        b"\x3a" + b"\x80" * 1_000_000,
        b"\x0a\x01a\x3a\x81\x80\x80\x80\x80\x00b",  # a length that protobuf takes for none
        b"\x0a\x01a" + b"\x3a\x00" * 500_000,  # more tensors than any form has
        b"\x0a\x00" * 500_000 + b"\x3a\x00",  # more of anything else
    ],
)
def test_what_no_form_can_be_is_left_at_once(data: bytes) -> None:
    assert split(data) is None


def request(name: str, rows: int, seed: int, *, called: str = "") -> pb.ModelInferRequest:
    spec = TAKES.columns[name]
    made = pb.ModelInferRequest(model_name="late", id=called)
    made.inputs.add(name=name, datatype=spec.datatype, shape=[rows, *spec.shape])
    values = np.random.default_rng(seed).integers(0, 2, (rows, *spec.shape)).astype(TYPES[name])
    made.raw_input_contents.append(values.tobytes())
    return made


def learned(forms: Forms, given: pb.ModelInferRequest) -> None:
    columns, rows = decode_columns(given, TAKES)
    parts = split(given.SerializeToString())
    assert parts is not None
    forms.learn(parts, Asked("late", "", given.id, InferSettings(), {"y": 0}, columns, rows), TAKES)


def again(forms: Forms, given: pb.ModelInferRequest) -> Asked | None:
    parts = split(given.SerializeToString())
    assert parts is not None
    form = forms.find(parts)
    return None if form is None else form.read(parts)


@given(st.sampled_from(["x", "n", "h", "v"]), st.integers(1, 9), st.text(max_size=9))
def test_another_request_of_a_form_is_read_as_the_first_one_was(name: str, rows: int, called: str) -> None:
    forms = Forms(1024)
    learned(forms, request(name, rows, 1))
    other = request(name, rows, 2, called=called)
    found = again(forms, other)
    assert found is not None
    [expected], many = decode_columns(other, TAKES)
    [column] = found.columns
    assert (found.id, found.rows, column.name, column.kind) == (called, many, expected.name, expected.kind)
    assert column.values.dtype == expected.values.dtype
    assert np.array_equal(column.values, expected.values)
    assert again(forms, request(name, rows + 1, 2)) is None  # its shape is another


@given(st.sampled_from(["x", "n", "h", "v"]), st.integers(1, 5), st.integers(1, 4))
def test_requests_of_a_form_are_read_together_as_each_alone(name: str, rows: int, many: int) -> None:
    forms = Forms(1024)
    learned(forms, request(name, rows, 0))
    messages = [request(name, rows, seed).SerializeToString() for seed in range(many)]
    kinds = [forms.find_whole(one) for one in messages]
    form = kinds[0]
    assert form is not None
    assert all(one is form for one in kinds)
    together = form.read_together(messages)
    [column] = together.columns
    each = [decode_columns(request(name, rows, seed), TAKES)[0][0] for seed in range(many)]
    assert (together.rows, together.id, column.name, column.kind) == (rows * many, "", name, each[0].kind)
    assert column.values.dtype == each[0].values.dtype
    assert np.array_equal(column.values, np.concatenate([one.values for one in each]))


def several(rows: int, seed: int) -> pb.ModelInferRequest:
    """A request of three tensors."""
    made = request("x", rows, seed)
    for name in ("n", "v"):
        other = request(name, rows, seed + 1)
        made.inputs.extend(other.inputs)
        made.raw_input_contents.extend(other.raw_input_contents)
    return made


def test_several_tensors_are_read_together_and_what_lies_otherwise_is_of_no_form() -> None:
    forms = Forms(1024)
    learned(forms, several(2, 1))
    messages = [several(2, seed).SerializeToString() for seed in (2, 3)]
    form = forms.find_whole(messages[0])
    assert form is not None
    columns = form.read_together(messages).columns
    assert [one.name for one in columns] == ["x", "n", "v"]
    for place, column in enumerate(columns):
        each = [decode_columns(several(2, seed), TAKES)[0][place].values for seed in (2, 3)]
        assert np.array_equal(column.values, np.concatenate(each))
    other = several(2, 2)
    other.raw_input_contents[0], other.raw_input_contents[1] = other.raw_input_contents[1], other.raw_input_contents[0]
    assert forms.find_whole(other.SerializeToString()) is None  # as many bytes, but of other tensors
    named = several(2, 2)
    named.id = "i"
    assert forms.find_whole(named.SerializeToString()) is None
    for end in range(len(messages[0])):
        assert forms.find_whole(messages[0][:end]) is None
    assert forms.find_whole(messages[0] + b"\0") is None


@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=1))
def test_a_message_with_another_byte_is_read_as_it_is_or_is_of_no_form(place: int, byte: bytes) -> None:
    forms = Forms(1024)
    learned(forms, several(1, 1))
    data = bytearray(several(1, 2).SerializeToString())
    place %= len(data)
    data[place : place + 1] = byte
    form = forms.find_whole(bytes(data))
    if form is None:
        return
    expected, rows = decode_columns(pb.ModelInferRequest.FromString(bytes(data)), TAKES)
    found = form.read_together([bytes(data)])
    assert found.rows == rows
    assert [one.name for one in found.columns] == [one.name for one in expected]
    for mine, its in zip(found.columns, expected, strict=True):
        assert mine.values.tobytes() == its.values.tobytes()


def test_work_that_is_enough_for_itself_does_not_go_together() -> None:
    forms = Forms(1024)
    for rows, most in ((1, 512), (32, 16), (600, 1)):
        learned(forms, request("x", rows, 1))
        form = forms.find_whole(request("x", rows, 2).SerializeToString())
        assert form is not None
        assert form.most == most


def test_what_does_not_fit_its_form_is_for_a_whole_reading() -> None:
    forms = Forms(1024)
    learned(forms, request("x", 2, 1))
    short = request("x", 2, 2)
    short.raw_input_contents[0] = short.raw_input_contents[0][1:]
    assert again(forms, short) is None
    twice = request("x", 2, 2)
    twice.raw_input_contents.append(b"")
    assert again(forms, twice) is None
    data = request("x", 2, 2, called="i").SerializeToString().replace(b"\x1a\x01i", b"\x1a\x01\xff")
    parts = split(data)
    assert parts is not None
    form = forms.find(parts)
    assert form is not None
    assert form.read(parts) is None  # an id that is no text


def test_what_is_not_as_it_lies_in_memory_has_no_form_and_forms_are_bounded() -> None:
    forms = Forms(1024)
    learned(forms, request("sure", 2, 1))
    assert again(forms, request("sure", 2, 1)) is None
    for rows in range(1, 400):
        learned(forms, request("x", rows, 1))
    assert again(forms, request("x", 399, 2)) is not None
    assert again(forms, request("x", 1, 2)) is None
    long = request("x", 1, 1)
    long.parameters["x" * 5000].int64_param = 1
    assert split(long.SerializeToString()) is None


def part(outputs: dict[str, Any], start: int, end: int, *, fallback: bool = False) -> Part:
    rows = len(next(iter(outputs.values())))
    batch = Batch("late", rows, (), all_at(7, rows), False, (), (), Protocol.OPEN_INFERENCE)
    ids = tuple(f"stem-{row // 2}.{row % 2}" for row in range(rows))
    return Part(Answer(batch, ids, (), "m", 3, "main", {}, outputs, fallback=fallback), start, end)


OUTPUTS = {
    "y": np.arange(12, dtype=np.float32).reshape(6, 2),
    "n": np.arange(6),
    "label": np.array(["a", "", "ü", "d", "e", "f"], dtype=object),
    "sure": np.arange(6) % 2 == 0,
}


@given(st.lists(st.sampled_from(sorted(OUTPUTS)), unique=True), st.integers(0, 2), st.text(max_size=300), st.booleans())
def test_an_answer_in_bytes_is_the_answer(names: list[str], request_number: int, called: str, fallback: bool) -> None:
    wanted = dict.fromkeys(names, 0) | ({"y": 1} if len(names) > 2 else {})
    asked = Asked("late", "", called, InferSettings(), wanted, (), 2)
    answer = part(OUTPUTS, 2 * request_number, 2 * request_number + 2, fallback=fallback)
    told = encode_infer(asked, answer)
    assert told.parameters["slipway_prediction_id"].string_param == f"stem-{request_number}"
    assert pb.ModelInferResponse.FromString(infer_bytes(asked, answer)) == told


@given(
    st.lists(st.sampled_from(sorted(OUTPUTS)), unique=True),
    st.lists(st.sampled_from([0, 1, 2, None]), min_size=1, max_size=4),
    st.booleans(),
)
def test_answers_in_bytes_are_the_answers(names: list[str], numbers: list[int | None], fallback: bool) -> None:
    asked = Asked(
        "late", "", "", InferSettings(), dict.fromkeys(names, 0) | ({"y": 1} if len(names) > 2 else {}), (), 2
    )
    whole = part(OUTPUTS, 0, 6, fallback=fallback)
    failed = RuntimeError()
    parts = [None if one is None else whole._replace(start=2 * one, end=2 * one + 2) for one in numbers]
    found = infer_bytes_of_each(asked, [failed if one is None else [one] for one in parts])
    for one, told in zip(parts, found, strict=True):
        if one is None:
            assert told is failed
        else:
            assert isinstance(told, bytes)
            assert pb.ModelInferResponse.FromString(told) == encode_infer(asked, one)


@pytest.mark.parametrize(
    "named", [[("a", 2), ("b", 3), ("c", 1)], [("a", 2), ("a", 2), ("b", 2)]], ids=["of several lengths", "twice"]
)
def test_columns_that_do_not_fit_each_other_have_no_form(named: list[tuple[str, int]]) -> None:
    takes = Signature(tuple(ColumnSpec(name, DataType.FP64) for name in "abc"), ())
    given = pb.ModelInferRequest(model_name="late")
    for name, rows in named:
        given.inputs.add(name=name, datatype="FP64", shape=[rows])
        given.raw_input_contents.append(np.ones(rows).tobytes())
    columns, rows = decode_columns(given, takes)
    parts = split(given.SerializeToString())
    assert parts is not None
    forms = Forms(1024)
    forms.learn(parts, Asked("late", "", "", InferSettings(), {"y": 0}, columns, rows), takes)
    assert forms.find(parts) is None
