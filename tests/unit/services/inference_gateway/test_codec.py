from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from services.inference_gateway.codec import decode_batch, encode_batch, encode_draft, encode_predictions
from services.inference_gateway.domain.answer import Answer, Prediction
from services.inference_gateway.domain.batch import Batch, Origin, Protocol
from slipway.errors import InvalidInput
from slipway.gen.slipway.inference.v1 import events_pb2
from slipway.gen.slipway.inference.v1 import inference_pb2 as pb
from slipway.gen.slipway.inference.v1 import resources_pb2 as res

NOW = datetime(2013, 6, 1, tzinfo=UTC)
NOW_US = int(NOW.timestamp()) * 1_000_000


def request(**changes: Any) -> pb.PredictRequest:
    given: dict[str, Any] = {
        "endpoint": "late",
        "features": [res.Column(name="x", doubles=res.DoubleValues(values=[1, 2]))],
    }
    return pb.PredictRequest(**{**given, **changes})


def test_rows_ask_about_now_about_one_moment_or_about_their_own() -> None:
    assert decode_batch(request(), NOW, "").event_times_us.tolist() == [NOW_US, NOW_US]
    one = decode_batch(request(event_times=[Timestamp(seconds=5, nanos=1999)]), NOW, "")
    assert (one.event_times_us.tolist(), one.timed) == ([5_000_001, 5_000_001], True)
    two = decode_batch(request(event_times=[Timestamp(seconds=-5), Timestamp()]), NOW, "")
    assert two.event_times_us.tolist() == [-5_000_000, 0]


@pytest.mark.parametrize("seconds", [2**63 - 1, -(2**63), 253_370_764_800, -62_104_060_801, 2**60])
def test_a_moment_out_of_this_world_is_refused(seconds: int) -> None:
    with pytest.raises(InvalidInput) as caught:
        decode_batch(request(event_times=[Timestamp(), Timestamp(seconds=seconds)]), NOW, "")
    assert [one.field for one in caught.value.violations] == ["event_times[1]"]


@pytest.mark.parametrize("seconds", [-62_104_060_800, 253_370_764_799])
def test_the_first_and_the_last_moment_are_taken(seconds: int) -> None:
    asked = request(event_times=[Timestamp(seconds=seconds)])
    assert decode_batch(asked, NOW, "").event_times_us.tolist() == [seconds * 1_000_000] * 2


def test_a_column_without_values_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput) as caught:
        decode_batch(request(entity_keys=[res.Column(name="flight")]), NOW, "")
    assert [one.field for one in caught.value.violations] == ["entity_keys[flight].values"]


def test_a_column_of_vectors_has_its_width_in_rows() -> None:
    image = res.Column(name="image", floats=res.FloatValues(values=range(6)), width=3, absent_rows=[1])
    words = res.Column(name="words", strings=res.StringValues(values=["a", "b", "c", "d"]), width=2)
    batch = decode_batch(request(features=[image, words]), NOW, "")
    assert (batch.rows, [one.values.tolist() for one in batch.features]) == (
        2,
        [[[0, 1, 2], [3, 4, 5]], [["a", "b"], ["c", "d"]]],
    )
    assert (batch.features[0].values.dtype, list(batch.features[0].absent)) == (np.float32, [1])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"features": [res.Column(name="x", int64s=res.Int64Values(values=[1, 2, 3]), width=2)]}, "features[x]"),
        ({"features": [res.Column(name="x", int64s=res.Int64Values(values=[1]), width=2**32 - 1)]}, "features[x]"),
        (
            {"entity_keys": [res.Column(name="k", uint64s=res.Uint64Values(values=[2**64 - 1]))]},
            "entity_keys[k].uint64s",
        ),
        (
            {"entity_keys": [res.Column(name="k", int64s=res.Int64Values(values=[1, 2]), width=2)]},
            "entity_keys[k].width",
        ),
    ],
)
def test_a_width_that_does_not_fit_is_refused_by_name(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        decode_batch(request(**changes), NOW, "")
    assert [one.field for one in caught.value.violations] == [field]


@settings(deadline=None)
@given(
    arrays.arrays(
        st.sampled_from([np.float16, np.float32, np.float64, np.int64, np.int8, np.uint32, np.uint64, np.bool_]),
        st.tuples(st.integers(1, 3)) | arrays.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=3),
        elements={"allow_nan": False},
    )
)
def test_what_the_model_saw_is_on_the_log_and_reads_back(array: np.ndarray) -> None:
    rows = len(array)
    ids = tuple(str(row) for row in range(rows))
    batch = Batch("late", rows, ids, np.arange(rows), True, (), (), Protocol.PREDICT)
    record = b"".join(encode_batch(Answer(batch, ids, (), "m", 1, "main", {"x": array}, {"y": array}), NOW_US, "g"))
    made = events_pb2.PredictionBatch.FromString(record)
    told = pb.PredictRequest.FromString(pb.PredictRequest(features=made.features).SerializeToString())
    [back] = decode_batch(told, NOW, "").features
    assert (len(back.values), back.width) == (rows, array.size // rows)
    assert back.values.ravel().tolist() == array.ravel().tolist()


numbers = arrays.arrays(
    st.sampled_from([np.float16, np.float32, np.float64]),
    st.tuples(st.just(3)) | st.tuples(st.just(3), st.integers(1, 2)),
    elements=st.sampled_from([0.5, -1.0, np.nan]),
)
wholes = arrays.arrays(st.sampled_from([np.int32, np.uint64]), 3, elements=st.integers(0, 100))


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from("abcdef"), numbers | wholes | st.just(np.array(list("xyz"), object))))
def test_the_log_has_every_column_in_order_and_says_where_it_has_no_value(features: dict[str, np.ndarray]) -> None:
    batch = Batch("late", 3, (), np.arange(3) - 1, False, (), (), Protocol.OPEN_INFERENCE, "ab" * 16)
    given = Answer(batch, ("1", "2", "3"), (), "m", 1, "main", features, {})
    made = events_pb2.PredictionBatch.FromString(b"".join(encode_batch(given, NOW_US, "g")))
    given.draft = encode_draft(given, "g")
    assert events_pb2.PredictionBatch.FromString(b"".join(encode_batch(given, NOW_US, "g"))) == made
    assert [one.name for one in made.features] == list(features)
    for column, array in zip(made.features, features.values(), strict=True):
        told = list(getattr(column, column.WhichOneof("values")).values)
        np.testing.assert_array_equal(np.array(told), array.ravel().astype(np.array(told).dtype))
        absent = np.isnan(array).reshape(3, -1).all(axis=1) if array.dtype.kind == "f" else np.zeros(3, bool)
        assert list(column.absent_rows) == np.flatnonzero(absent).tolist()
        assert max(column.width, 1) == array.size // 3
    assert (list(made.event_times_us), list(made.prediction_ids)) == ([-1, 0, 1], ["1", "2", "3"])
    assert (list(made.input_digests), made.trace_id, made.protocol) == ([b""] * 3, "ab" * 16, 2)
    assert made.answer_time.ToDatetime(UTC) == NOW


@pytest.mark.parametrize("rows", [1, 2, 300])
def test_the_log_tells_whose_rows_they_are(rows: int) -> None:
    origins = (Origin(rows, "tower", "ab" * 16, 1.0), Origin(1, "tower", "", 9.0), Origin(1, "tower", "cd" * 16, -1e9))
    many = rows + 2
    batch = Batch("late", many, (), np.arange(many), False, (), (), Protocol.PREDICT, origins=origins)
    ids, digests = tuple(f"{row}" for row in range(many)), tuple(f"{row}".encode() for row in range(many))
    given = Answer(batch, ids, digests, "m", 1, "main", {}, {}, degraded=(1,), ended_s=1.5)
    given.draft = encode_draft(replace(given, outputs={"y": np.arange(many)}, ended_s=0.0), "g")
    made = events_pb2.PredictionBatch.FromString(b"".join(encode_batch(given, NOW_US, "g")))
    assert (list(made.request_rows), list(made.trace_ids)) == ([rows, 1, 1], ["ab" * 16, "", "cd" * 16])
    assert (list(made.tenants), list(made.latencies_us)) == (["tower"] * 3, [500_000, 0, 2**32 - 1])
    assert (made.trace_id, list(made.degraded_rows)) == ("", [1])
    assert tuple(made.input_digests) == digests


def test_a_field_that_nobody_knows_does_not_shift_the_values() -> None:
    data = res.DoubleValues(values=[1.5, 2.5]).SerializeToString()
    strange = res.DoubleValues.FromString(data + b"\x10\x01" + data)
    [column] = decode_batch(request(features=[res.Column(name="x", doubles=strange)]), NOW, "").features
    assert column.values.tolist() == [1.5, 2.5, 1.5, 2.5]


def test_rows_are_counted_from_the_longest_list() -> None:
    longer = res.Column(name="flight", strings=res.StringValues(values=["a", "b", "c"]))
    assert decode_batch(request(entity_keys=[longer]), NOW, "").rows == 3
    assert decode_batch(request(features=[], prediction_ids=["a"]), NOW, "").rows == 1
    assert decode_batch(request(features=[]), NOW, "").rows == 0


def test_an_answer_holds_numbers_and_texts() -> None:
    made = Prediction("a", {"p": (1, True, 0.5), "label": ("yes",), "none": ()}, "m", 3, "main", replayed=True)
    [one] = encode_predictions([made]).predictions
    assert [(out.name, list(out.values), list(out.texts)) for out in one.outputs] == [
        ("p", [1.0, 1.0, 0.5], []),
        ("label", [], ["yes"]),
        ("none", [], []),
    ]
    assert (one.prediction_id, one.model, one.version, one.route, one.replayed) == ("a", "m", 3, "main", True)
