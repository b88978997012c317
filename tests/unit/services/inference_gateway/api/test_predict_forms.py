from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from services.inference_gateway import codec
from services.inference_gateway.api.predict_forms import Forms, split
from services.inference_gateway.domain.batch import Batch, check_batch
from services.inference_gateway.domain.block import Block
from services.inference_gateway.domain.columns import Array, Column
from slipway.errors import InvalidInput
from slipway.gen.slipway.inference.v1 import inference_pb2 as pb
from slipway.gen.slipway.inference.v1 import resources_pb2 as res

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = st.lists(st.from_regex("[a-y][a-y0-9_]{0,8}", fullmatch=True), min_size=4, max_size=7)
WIDTHS = st.lists(st.sampled_from([0, 0, 1, 3]), min_size=7, max_size=7)


def request(names: Sequence[str], rows: int, seed: int, kind: str = "doubles", widths: Sequence[int] = ()) -> bytes:
    made = pb.PredictRequest(endpoint="late", prediction_ids=[f"{seed}-{row}" for row in range(rows)])
    made.entity_keys.add(name="flight").strings.values.extend([f"UA{seed * row}" for row in range(rows)])
    numbers = np.random.default_rng(seed)
    for name, width in zip(names, [*widths, *[0] * len(names)], strict=False):
        column = made.features.add(name=name, width=width)
        getattr(column, kind).values.extend(numbers.normal(size=rows * max(1, width)).astype(np.float32).tolist())
    return made.SerializeToString()


def whole(data: bytes) -> Batch:
    return codec.decode_batch(pb.PredictRequest.FromString(data), NOW, "")


def learned(*given: bytes) -> Forms:
    forms = Forms()
    for data in given:
        parts = split(data)
        assert parts is not None
        forms.learn(parts.columns, whole(data).features)
    return forms


def again(forms: Forms, data: bytes) -> Batch | None:
    parts = split(data)
    found = None if parts is None else forms.find(parts.columns)
    if parts is None or found is None:
        return None
    form, numbers = found
    features = form.read(numbers)
    return codec.decode_batch(pb.PredictRequest.FromString(parts.before), NOW, "", features=features, alike=form)


def told(columns: Sequence[Column]) -> list[object]:
    return [
        (one.name, one.kind, one.values.dtype, one.values.shape, _bits(one.values), list(one.absent)) for one in columns
    ]


def _bits(values: Array) -> object:
    return values.tolist() if values.dtype == object else values.tobytes()


def same(one: Batch, other: Batch) -> bool:
    return (
        (one.endpoint, one.rows, one.ids, one.priority, one.explain)
        == (other.endpoint, other.rows, other.ids, other.priority, other.explain)
        and told(one.features) == told(other.features)
        and told(one.entity_keys) == told(other.entity_keys)
    )


@given(NAMES, st.integers(1, 5), st.sampled_from(["doubles", "floats"]), WIDTHS)
def test_another_request_of_a_form_is_read_as_the_first_one_was(
    names: list[str], rows: int, kind: str, widths: list[int]
) -> None:
    forms = learned(*[request(names, rows, seed, kind, widths) for seed in (1, 2)])
    other = request(names, rows, 3, kind, widths)
    found = again(forms, other)
    if len(set(names)) < len(names):
        assert found is None  # which is refused, by name
        return
    assert found is not None
    assert found.alike is not None
    assert same(found, whole(other))
    check_batch(found)
    scalars = set(widths[: len(names)]) <= {0, 1}
    assert isinstance(found.features, Block) == scalars
    assert again(forms, request(names, rows + 1, 3, kind, widths)) is None
    assert again(forms, request([*names[:-1], names[-1][:-1] + "z"], rows, 3, kind, widths)) is None


@settings(max_examples=300)
@given(NAMES, st.integers(1, 3), st.sampled_from(["doubles", "floats"]), WIDTHS, st.data())
def test_whatever_the_bytes_are_they_are_read_as_they_would_be_as_a_whole(
    names: list[str], rows: int, kind: str, widths: list[int], draw: st.DataObject
) -> None:
    first = request(names, rows, 1, kind, widths)
    forms = learned(first, first)
    data = bytearray(first)
    for _ in range(draw.draw(st.integers(0, 3))):
        place = draw.draw(st.integers(0, len(data) - 1))
        data[place : place + 1] = draw.draw(st.binary(min_size=draw.draw(st.integers(0, 1)), max_size=1))
    try:
        found = again(forms, bytes(data))
    except DecodeError:  # of what stands before the columns
        with pytest.raises(DecodeError):
            whole(bytes(data))
        return
    except InvalidInput:
        with pytest.raises(InvalidInput):
            whole(bytes(data))
        return
    assert found is None or same(found, whole(bytes(data)))


OTHERS = [
    res.Column(name="e", absent_rows=[0], doubles=res.DoubleValues(values=[1.0])),
    res.Column(name="e", int64s=res.Int64Values(values=[1])),
    res.Column(name="e", strings=res.StringValues(values=["x"])),
    res.Column(name="a", doubles=res.DoubleValues(values=[1.0])),  # a second one of its name
    res.Column(name="e", doubles=res.DoubleValues(values=[1.0, 2.0])),
]


@pytest.mark.parametrize("other", OTHERS, ids=[str(number) for number in range(len(OTHERS))])
def test_other_columns_have_no_form(other: res.Column) -> None:
    message = pb.PredictRequest.FromString(request("abcd", 1, 1))
    message.features.append(other)
    data = message.SerializeToString()
    assert again(learned(data, data, data), data) is None


@given(NAMES, st.integers(1, 4), st.integers(1, 4), st.sampled_from(["doubles", "floats"]), WIDTHS)
def test_requests_of_a_form_are_read_together_as_each_alone(
    names: list[str], rows: int, many: int, kind: str, widths: list[int]
) -> None:
    names = list(dict.fromkeys(names))
    given_ = [request(names, rows, seed, kind, widths) for seed in range(many)]
    forms = learned(given_[0], given_[0], given_[0])
    parts = [split(one) for one in given_]
    found = [None if one is None else forms.find(one.columns) for one in parts]
    assert None not in found
    form = found[0][0]  # type: ignore[index]
    together = form.read_together([one[1] for one in found if one is not None])
    each = [whole(one).features for one in given_]
    assert len(together) == len(names)
    for place, column in enumerate(together):
        expected = np.concatenate([one[place].values for one in each])
        assert (column.name, column.kind) == (each[0][place].name, each[0][place].kind)
        assert column.values.dtype == expected.dtype
        assert np.array_equal(column.values, expected)


def test_a_form_is_of_columns_that_came_twice() -> None:
    data = request("abcd", 2, 1)
    assert again(learned(data), data) is None
    assert again(learned(data, data), data) is not None


@pytest.mark.parametrize("tail", [b"\x30\x07", b"\x38\x01", b"\x0a\x01x", b"\xfa\x01\x00"])
def test_what_follows_the_columns_is_read_as_a_whole(tail: bytes) -> None:
    data = request("abcd", 2, 1)
    forms = learned(data, data)
    parts = split(data + tail)
    assert parts is not None
    forms.learn(parts.columns, whole(data + tail).features)
    forms.learn(parts.columns, whole(data + tail).features)
    assert again(forms, data + tail) is None


@pytest.mark.parametrize(
    "data",
    [b"", b"\x0a", b"\x0a\x04late", b"\x0a" + b"\xff" * 1000, b"\x12\x01x" * 65 + b"\x2a\x00", b"\x30\x01\x2a\x00"],
)
def test_bytes_without_columns_behind_little_else_are_not_split(data: bytes) -> None:
    assert split(data) is None


def test_as_many_forms_are_kept_as_are_bounded() -> None:
    forms = Forms()
    for rows in range(1, 200):
        data = request("abcd", rows, 1)
        parts = split(data[data.index(b"\x2a") :])
        assert parts is not None
        for _ in range(2):
            forms.learn(parts.columns, whole(data).features)
    assert 0 < len(forms._known) <= 128


def test_columns_without_rows_have_no_form() -> None:
    column = b"\x2a\x07\x0a\x01%c\x12\x02\x0a\x00"
    data = b"\x0a\x04late" + b"".join(column % name for name in b"abcd")
    assert whole(data).rows == 0
    assert again(learned(data, data, data), data) is None


def test_columns_that_never_have_a_form_are_not_looked_through_for_ever() -> None:
    forms = Forms()
    several = [request(names, 1, 1) for names in ("abcd", "abce", "abcf")]
    for data in several * 20:
        parts = split(data)
        assert parts is not None
        if forms.find(parts.columns) is None:
            forms.learn(parts.columns, whole(data).features)
    known = list(*forms._known.values())
    for data in several * 2:
        parts = split(data)
        assert parts is not None
        if forms.find(parts.columns) is None:
            forms.learn(parts.columns, whole(data).features)
    assert list(*forms._known.values()) == known
