from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.inference_gateway.domain.answer import Answer
from services.inference_gateway.domain.batch import MAX_ROWS, Batch, Protocol, check_batch, digests
from services.inference_gateway.domain.columns import Column, ValueKind
from slipway.errors import InvalidInput

DOUBLE, INT64, STRING, BOOL = ValueKind.DOUBLE, ValueKind.INT64, ValueKind.STRING, ValueKind.BOOL


def batch(rows: int = 2, **changes: Any) -> Batch:
    given: dict[str, Any] = {
        "endpoint": "late",
        "rows": rows,
        "ids": tuple(f"id-{row}" for row in range(rows)),
        "event_times_us": np.arange(rows),
        "timed": True,
        "entity_keys": (Column.of("flight", STRING, [f"UA{row}" for row in range(rows)]),),
        "features": (Column.of("distance", DOUBLE, [float(row) for row in range(rows)]),),
        "protocol": Protocol.PREDICT,
    }
    return Batch(**{**given, **changes})


def column(kind: ValueKind, value: Any, absent: bool = False) -> tuple[Column, ...]:
    return (Column.of("x", kind, [value], [0] if absent else []),)


DIFFERENT = [
    batch(1),
    batch(1, endpoint="early"),
    batch(1, timed=False),
    batch(1, event_times_us=np.array([1])),
    batch(1, entity_keys=()),
    batch(1, features=()),
    batch(1, entity_keys=(Column.of("distance", DOUBLE, [0.0]),), features=(Column.of("flight", STRING, ["UA0"]),)),
    batch(1, features=column(DOUBLE, 0.0)),
    batch(1, features=column(DOUBLE, 1.0)),
    batch(1, features=column(INT64, 2**53 + 1)),
    batch(1, features=column(INT64, 2**53 + 2)),
    batch(1, features=column(STRING, "")),
    batch(1, features=column(STRING, "-")),
    batch(1, features=column(STRING, "0")),
    batch(1, features=column(BOOL, False)),
    batch(1, features=column(BOOL, True)),
    batch(1, features=(*column(STRING, "a"), Column.of("y", STRING, ["b"]))),
    batch(1, features=(*column(STRING, "ay=T\x01\x00\x00\x00b"),)),
    batch(1, features=(*column(STRING, "b"), Column.of("y", STRING, ["a"]))),
]


def test_different_input_has_a_different_digest() -> None:
    found = [digests(one)[0] for one in DIFFERENT]
    assert len(set(found)) == len(found)
    assert {len(one) for one in found} == {16}


values = st.one_of(
    st.tuples(st.just(DOUBLE), st.floats(allow_nan=False)),
    st.tuples(st.just(INT64), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just(STRING), st.text(max_size=6)),
    st.tuples(st.just(BOOL), st.booleans()),
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from("abcd"), values, max_size=3), st.dictionaries(st.sampled_from("abcd"), values))
def test_one_row_s_digest_tells_inputs_apart(one: dict[str, Any], other: dict[str, Any]) -> None:
    def digest(row: dict[str, Any]) -> bytes:
        return digests(batch(1, features=tuple(Column.of(name, *pair) for name, pair in map(_listed, row.items()))))[0]

    def meant(row: dict[str, Any]) -> Any:
        return {name: (kind in {INT64, DOUBLE}, isinstance(value, bool), value) for name, (kind, value) in row.items()}

    exact = all(abs(value) <= 2**53 for kind, value in (*one.values(), *other.values()) if kind in {INT64, DOUBLE})
    if exact:
        assert (digest(one) == digest(other)) == (meant(one) == meant(other))
    elif digest(one) == digest(other):
        assert meant(one) == meant(other)


def _listed(item: tuple[str, tuple[ValueKind, Any]]) -> tuple[str, tuple[ValueKind, list[Any]]]:
    name, (kind, value) = item
    return name, (kind, [value])


def test_a_row_s_digest_is_its_own_wherever_it_stands_and_however_columns_are_ordered() -> None:
    features = (Column.of("a", DOUBLE, [1.0, 2.0, 3.0], [1]), Column.of("b", STRING, ["x", "y", "z"]))
    whole = digests(batch(3, features=features))
    assert len(set(whole)) == 3
    assert digests(batch(3, features=features[::-1])) == whole
    picked = batch(3, features=features).take(np.array([0, 2]))
    assert digests(picked) == (whole[0], whole[2])
    alone = batch(3, features=features).take(np.array([1]))
    assert digests(alone) == (whole[1],)
    assert list(alone.features[0].absent) == [0]


def test_absence_is_absence_however_it_is_said() -> None:
    nothing = digests(batch(1, features=()))
    assert digests(batch(1, features=column(DOUBLE, 1.0, absent=True))) == nothing
    assert digests(batch(1, features=column(STRING, "?", absent=True))) == nothing
    assert digests(batch(1, features=column(DOUBLE, float("nan")))) == nothing


def test_a_number_is_the_same_in_a_column_of_another_kind() -> None:
    assert digests(batch(1, features=column(INT64, 7))) == digests(batch(1, features=column(DOUBLE, 7.0)))
    assert digests(batch(1, features=column(DOUBLE, -0.0))) == digests(batch(1, features=column(DOUBLE, 0.0)))


def test_rows_keep_their_number_in_the_request_through_every_cut() -> None:
    cut = batch(6).take(np.array([1, 3, 5])).take(np.array([1, 2]))
    assert cut.places is not None
    assert (cut.places.tolist(), cut.ids) == ([3, 5], ("id-3", "id-5"))


def vector(*rows: Any, kind: ValueKind = DOUBLE, absent: Any = ()) -> Column:
    return Column("x", kind, np.array(rows, {STRING: object, BOOL: bool, INT64: np.int64}.get(kind, float)), absent)


@settings(deadline=None, max_examples=50)
@given(st.data(), st.sampled_from([DOUBLE, INT64, STRING, BOOL]), st.integers(1, 4), st.integers(1, 4))
def test_a_vector_s_bytes_are_its_own_and_tell_it_from_others(
    data: st.DataObject, kind: ValueKind, rows: int, wide: int
) -> None:
    one = {
        DOUBLE: st.floats() | st.integers(-3, 3).map(float),
        INT64: st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3),
        STRING: st.text(max_size=2),
        BOOL: st.booleans(),
    }[kind]
    table = data.draw(st.lists(st.lists(one, min_size=wide, max_size=wide), min_size=rows, max_size=rows))
    found = vector(*table, kind=kind).encoded_rows()
    assert [vector(row, kind=kind).encoded_rows()[0] for row in table] == list(found)
    meant = [tuple(repr(value + 0.0) if isinstance(value, float) else value for value in row) for row in table]
    for first, other in zip(meant, found, strict=True):
        assert [first == one for one in meant] == [other == one for one in found]
    if wide == 1:
        assert list(Column.of("x", kind, [row[0] for row in table]).encoded_rows()) == list(found)


def test_a_vector_is_the_same_however_it_is_said() -> None:
    flat = vector([1, 2, 3, 4, 5, 6]).encoded_rows()
    assert vector([[1, 2, 3], [4, 5, 6]], kind=INT64).encoded_rows() == flat
    assert Column("x", DOUBLE, np.array([[1, 2, 3, 4, 5, 6]], np.float32)).encoded_rows() == flat
    nan = float("nan")
    assert vector([nan, nan]).encoded_rows() == vector([1, 2], absent=[0]).encoded_rows() == [b""]
    assert vector([nan, 0.0]).encoded_rows() == vector([-nan, -0.0]).encoded_rows() != [b""]
    parts = [["ab", "c"], ["a", "bc"], ["", "abc"]]
    assert len({vector(one, kind=STRING).encoded_rows()[0] for one in parts}) == 3


@pytest.mark.parametrize("name", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16"])
def test_a_number_has_the_same_bytes_in_every_type_that_holds_it(name: str) -> None:
    wide = np.array([0, 1, 100], np.float64)
    held = Column("x", DOUBLE, wide.astype(name))
    assert held.encoded_rows() == Column("x", DOUBLE, wide).encoded_rows()
    if name.endswith("64"):
        signed = np.array([2**62, 5], np.int64)
        assert Column("x", INT64, signed.astype(name)).encoded_rows() == Column("x", INT64, signed).encoded_rows()


def test_a_number_past_64_bits_with_a_sign_is_no_other_one() -> None:
    past = Column("x", INT64, np.array([2**63 + 5, 2**64 - 1, 2**62], np.uint64)).encoded_rows()
    signed = Column("x", INT64, np.array([-(2**63) + 5, -1, 2**62], np.int64)).encoded_rows()
    assert [one == other for one, other in zip(past, signed, strict=True)] == [False, False, True]
    assert len({*past, *signed}) == 5


def test_digests_on_disk_stay_those_of_their_rows() -> None:
    features = (
        Column.of("a", DOUBLE, [1.5, -0.0, float("nan")]),
        Column.of("b", INT64, [7, 2**60, -1], [2]),
        Column.of("c", STRING, ["é", "", "x"]),
        Column.of("d", BOOL, [True, False, True]),
    )
    assert [one.hex() for one in digests(batch(3, features=features))] == [
        "672bb2d97f50d3373c94285dbf87d3d0",
        "792285a22696d44bc8f9a21b4f916b8e",
        "82338a9389e42028beb972c25aff5670",
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"endpoint": ""}, "endpoint"),
        ({"endpoint": "../x"}, "endpoint"),
        ({"rows": 0, "ids": ()}, "features"),
        ({"rows": MAX_ROWS + 1}, "features"),
        ({"ids": ("a",)}, "prediction_ids"),
        ({"ids": ("a", "a")}, "prediction_ids"),
        ({"ids": ("a", "")}, "prediction_ids[1]"),
        ({"ids": ("a b", "c")}, "prediction_ids[0]"),
        ({"ids": ("a", "x" * 129)}, "prediction_ids[1]"),
        ({"event_times_us": np.arange(3)}, "event_times"),
        ({"features": (Column.of("a", DOUBLE, [1.0]),)}, "features[a]"),
        ({"features": (Column.of("a", DOUBLE, [1.0, 2.0], [2]),)}, "features[a].absent_rows"),
        ({"features": (Column.of("a", DOUBLE, [1.0, 2.0]),) * 2}, "features[a]"),
        ({"features": (Column.of("a b", DOUBLE, [1.0, 2.0]),)}, "features.name"),
        ({"entity_keys": (Column.of("a", DOUBLE, [1.0]),)}, "entity_keys[a]"),
        ({"protocol": Protocol.OPEN_INFERENCE, "features": (Column.of("a", DOUBLE, [1.0]),)}, "inputs[a]"),
    ],
)
def test_lists_that_do_not_fit_are_refused_by_name(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_batch(replace(batch(), **changes))
    assert caught.value.violations[0].field == field


def test_an_answer_is_given_row_by_row_and_halves_hold_every_row_once() -> None:
    rows = 5
    answer = Answer(
        batch=batch(rows, ids=()),
        ids=tuple("abcde"),
        digests=tuple(bytes([row]) for row in range(rows)),
        model="m",
        version=3,
        route="main",
        features={"distance": np.arange(5.0)},
        outputs={"p": np.arange(10.0).reshape(5, 2), "label": np.array(list("vwxyz"), object)},
    )
    whole = answer.predictions
    assert [one.prediction_id for one in whole] == list("abcde")
    assert whole[1].outputs == {"p": (2.0, 3.0), "label": ("w",)}
    first, second = answer.halves()
    assert [*first.predictions, *second.predictions] == list(whole)
    assert (*first.digests, *second.digests) == answer.digests
    assert [*first.features["distance"], *second.features["distance"]] == list(range(5))
