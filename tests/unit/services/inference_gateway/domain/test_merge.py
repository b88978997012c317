from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.inference_gateway.domain.batch import Batch, Origin, Protocol
from services.inference_gateway.domain.block import Block
from services.inference_gateway.domain.columns import Column, ValueKind
from services.inference_gateway.domain.merge import layout, merged, same_layout

rows = st.integers(1, 5)


@st.composite
def requests(draw: st.DrawFn) -> Batch:
    """A request of one layout, with values and holes of its own."""
    count = draw(rows)
    numbers = draw(st.lists(st.floats(allow_nan=False), min_size=count, max_size=count))
    texts = draw(st.lists(st.text(max_size=3), min_size=count, max_size=count))
    holes = draw(st.lists(st.integers(0, count - 1), unique=True, max_size=count))
    return Batch(
        endpoint="late",
        rows=count,
        ids=tuple(f"{draw(st.uuids())}" for _ in range(count)),
        event_times_us=np.array(draw(st.lists(st.integers(1, 2**50), min_size=count, max_size=count)), np.int64),
        timed=True,
        entity_keys=(Column.of("flight", ValueKind.STRING, texts),),
        features=(
            Column.of("distance", ValueKind.DOUBLE, numbers, sorted(holes)),
            Column("vector", ValueKind.DOUBLE, np.arange(3.0 * count).reshape(count, 3)),
        ),
        protocol=Protocol.PREDICT,
        trace_id=draw(st.sampled_from(["", "ab" * 16])),
        deadline_s=draw(st.none() | st.floats(1, 1e6)),
    )


def values(batch: Batch) -> list[Any]:
    told = []
    for column in (*batch.entity_keys, *batch.features):
        gone = set(column.absent)
        told.append([None if row in gone else one for row, one in enumerate(column.values.tolist())])
    return [list(row) for row in zip(batch.ids, batch.event_times_us.tolist(), *told, strict=True)]


@given(st.lists(st.lists(st.floats(allow_nan=False), min_size=3, max_size=3), min_size=2, max_size=5), st.data())
def test_requests_of_one_row_are_merged_column_by_column(rows_given: list[list[float]], data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from([np.float64, np.float32, np.int64, np.bool_]))
    hole = data.draw(st.none() | st.integers(0, len(rows_given) - 1))
    asked = [
        Batch(
            *("late", 1, (), np.zeros(1, np.int64), False, ()),
            tuple(
                Column(name, ValueKind.DOUBLE, np.array([number > 0]).astype(kind), [0] if n == hole else ())
                for name, number in zip("abc", row, strict=True)
            ),
            Protocol.PREDICT,
        )
        for n, row in enumerate(rows_given)
    ]
    whole = merged(asked, [0.0] * len(asked))
    for place, column in enumerate(whole.features):
        values_given = [one.features[place].values for one in asked]
        assert column.values.dtype == values_given[0].dtype
        assert column.values.tolist() == np.concatenate(values_given).tolist()
        assert list(column.absent) == ([] if hole is None else [hole])


changes = st.fixed_dictionaries(
    {},
    optional={
        "endpoint": st.sampled_from(["late", "early"]),
        "ids": st.sampled_from([(), ("a", "b")]),
        "protocol": st.sampled_from(Protocol),
        "tenant": st.sampled_from(["", "tower"]),
        "priority": st.sampled_from([0, 1]),
        "features": st.lists(
            st.builds(
                Column,
                st.sampled_from("xy"),
                st.just(ValueKind.DOUBLE),
                st.sampled_from([np.zeros(2), np.zeros(2, np.float32), np.zeros((2, 1)), np.zeros((2, 3))]),
            ),
            max_size=2,
        ).map(tuple),
        "entity_keys": st.lists(
            st.builds(Column, st.sampled_from("kl"), st.sampled_from(ValueKind), st.just(np.arange(2))), max_size=2
        ).map(tuple),
    },
)


@given(requests(), changes, changes)
def test_two_requests_have_one_layout_where_their_layouts_are_equal(
    request: Batch, some: dict[str, Any], others: dict[str, Any]
) -> None:
    one, other = replace(request, **some), replace(request, **others)
    assert same_layout(one, other) == (layout(one) == layout(other))
    assert same_layout(one, one)


@given(st.lists(requests(), min_size=1, max_size=5))
def test_rows_of_merged_requests_are_those_of_each(asked: list[Batch]) -> None:
    assert len({layout(one) for one in asked}) == 1
    whole = merged(asked, [float(n) for n in range(len(asked))])
    assert whole.rows == sum(one.rows for one in asked)
    assert values(whole) == [row for one in asked for row in values(one)]
    assert whole.origins == tuple(Origin(one.rows, one.tenant, one.trace_id, float(n)) for n, one in enumerate(asked))


@given(st.lists(requests(), min_size=1, max_size=4), st.data())
def test_rows_that_are_taken_of_a_merged_batch_know_their_requests(asked: list[Batch], data: st.DataObject) -> None:
    whole = merged(asked, [0.0] * len(asked))
    chosen = sorted(data.draw(st.sets(st.integers(0, whole.rows - 1), min_size=1)))
    part = whole.take(np.array(chosen))
    assert values(part) == [values(whole)[row] for row in chosen]
    owners = [place for place, one in enumerate(asked) for _ in range(one.rows)]
    expected = [sum(owners[row] == place for row in chosen) for place in range(len(asked))]
    assert [one.rows for one in part.origins] == [count for count in expected if count]


@given(requests(), requests())
def test_nobody_waits_when_the_last_one_waits_no_more(one: Batch, other: Batch) -> None:
    deadlines = [one.deadline_s, other.deadline_s]
    expected = None if None in deadlines else max(each for each in deadlines if each is not None)
    assert merged([one, other], [0.0, 0.0]).deadline_s == expected


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(1, 5), st.sampled_from(["<f4", "<f8"]))
def test_blocks_are_merged_as_their_columns_are(rows: list[int], columns: int, dtype: str) -> None:
    names = tuple(f"x{number}" for number in range(columns))
    asked = []
    for number, many in enumerate(rows):
        numbers = np.random.default_rng(number).normal(size=(columns, many)).astype(dtype)
        block = Block(names, ValueKind.DOUBLE, numbers)
        assert len(block) == columns
        ids = tuple(f"{number}.{row}" for row in range(many))
        asked.append(Batch("late", many, ids, np.arange(many), False, (), block, Protocol.PREDICT, alike=names))
    apart = [replace(one, features=tuple(one.features), alike=None) for one in asked]
    assert {layout(one) for one in asked} == {layout(one) for one in apart}
    assert same_layout(asked[0], asked[-1])
    assert same_layout(asked[0], apart[-1])
    some, others = (merged(each, [0.0] * len(rows)) for each in (asked, apart))
    assert values(some) == values(others)
    assert [one.name for one in some.features] == list(names)
