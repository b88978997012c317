from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.workflow import NotStorable, Step, storable, summary_of, workflow
from slipway.workflow.container import BadContainer, pack, unpack
from slipway.workflow.define import BoundStep


class Tree:
    def __init__(self, text: str) -> None:
        self.text = text


storable(Tree, dump=lambda tree: tree.text.encode(), load=lambda raw: Tree(raw.decode()))


@dataclass(frozen=True)
class Column:
    name: str
    vocabulary: tuple[str, ...] | None


@dataclass(frozen=True)
class Output:
    table: pa.Table
    frame: pd.DataFrame
    array: npt.NDArray[np.float32]
    raw: bytes
    tree: Tree
    columns: list[Column]
    pair: tuple[int, float]
    figures: dict[str, float]
    note: Any
    nothing: None = None


def bound(kind: object) -> BoundStep:
    def give():  # type: ignore[no-untyped-def]
        raise NotImplementedError

    give.__annotations__["return"] = kind
    return workflow("one", [Step(give, "give", "give")]).steps[0]


def output() -> Output:
    frame = pd.DataFrame({"carrier": pd.array(["UA", None], dtype="string"), "distance": np.float32([1, np.nan])})
    return Output(
        table=pa.table({"a": [1, None]}),
        frame=frame,
        array=np.arange(4, dtype=np.float32).reshape(2, 2),
        raw=b"\x00\xff",
        tree=Tree("oak"),
        columns=[Column("carrier", ("UA",)), Column("distance", None)],
        pair=(1, 2.0),
        figures={"z": 1.0, "a": float("nan")},
        note=[1, {"deep": None}, True],
    )


def test_an_output_comes_back_as_it_was_and_gives_the_same_bytes_again() -> None:
    step = bound(Output)
    data = step.encode(output())
    back = step.decode(data)
    assert isinstance(back, Output)
    assert back.table.equals(pa.table({"a": [1, None]}))
    pd.testing.assert_frame_equal(back.frame, output().frame)
    np.testing.assert_array_equal(back.array, output().array)
    assert (back.raw, back.tree.text, back.pair) == (b"\x00\xff", "oak", (1, 2.0))
    assert back.columns == output().columns
    assert list(back.figures) == ["z", "a"]
    assert np.isnan(back.figures["a"])
    assert back.note == output().note
    assert step.encode(output()) == data
    assert step.encode(back) == data


@given(
    st.dictionaries(st.text(), st.lists(st.one_of(st.integers(), st.text(), st.booleans(), st.floats(allow_nan=False))))
)
def test_json_values_come_back(value: dict[str, Any]) -> None:
    step = bound(dict[str, list[Any]])
    assert step.decode(step.encode(value)) == value


@given(st.recursive(st.none() | st.text() | st.integers(), st.lists), st.lists(st.binary()))
def test_a_container_gives_back_what_it_was_given(value: Any, blobs: list[bytes]) -> None:
    assert unpack(pack(value, blobs)) == (value, blobs)


@given(st.binary(max_size=200), st.integers(0, 60))
def test_bytes_that_are_no_container_are_refused(junk: bytes, keep: int) -> None:
    whole = pack({"a": 1}, [b"blob"])
    for data in (junk, whole[:keep], whole + b"x"):
        if data != whole:
            with pytest.raises(BadContainer):
                unpack(data)


@pytest.mark.parametrize(
    ("kind", "value", "path"),
    [
        (int, 1.5, "output of give"),
        (list[int], [1, "2"], "output of give[1]"),
        (dict[str, int], {"a": None}, "output of give[a]"),
        (dict[str, int], {1: 1}, "output of give"),
        (tuple[int, int], (1,), "output of give"),
        (Column, Output, "output of give"),
        (Any, {"x": object()}, "output of give[x]"),
        (str | None, 3, "output of give"),
        (bytes, "text", "output of give"),
        (npt.NDArray[np.object_], np.array([object()]), "output of give"),
    ],
)
def test_names_the_part_of_an_output_that_is_not_as_declared(kind: object, value: object, path: str) -> None:
    with pytest.raises(NotStorable) as refused:
        bound(kind).encode(value)
    assert refused.value.path == path


def test_numbers_of_numpy_are_numbers() -> None:
    step = bound(dict[str, float])
    assert step.decode(step.encode({"auc": np.float32(0.5), "rows": np.int64(3)})) == {"auc": 0.5, "rows": 3.0}


def test_a_dataclass_that_holds_itself_is_refused() -> None:
    with pytest.raises(Exception, match="holds itself"):
        bound(Endless)


@dataclass
class Endless:
    inner: Endless | None


@dataclass
class Told:
    figures: object

    def summary(self) -> object:
        return self.figures


def test_a_summary_is_a_small_mapping_of_json_values() -> None:
    assert summary_of(3) == {}
    assert summary_of(Told({"auc": np.float64(0.5), "loss": float("nan"), "n": [1, float("inf")]})) == {
        "auc": 0.5,
        "loss": "nan",
        "n": [1, "inf"],
    }
    for bad in ("text", {1: 2}, {"x": object()}, {"x": "y" * 9000}):
        with pytest.raises(NotStorable, match="summary"):
            summary_of(Told(bad))


def test_nothing_heavy_is_imported_before_it_is_used() -> None:
    code = (
        "import sys; import slipway.workflow; "
        "print([name for name in ('pandas', 'pyarrow', 'numpy', 'grpc') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
