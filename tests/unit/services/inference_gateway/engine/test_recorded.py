from __future__ import annotations

import numpy as np
import pytest

from services.inference_gateway.domain.desired import VersionKey, VersionSpec
from services.inference_gateway.domain.outputs import repeated
from services.inference_gateway.domain.signature import ColumnSpec, DataType, Signature
from services.inference_gateway.engine.recorded import Recorded

TWO = (ColumnSpec("a", DataType.FP32), ColumnSpec("v", DataType.INT64, shape=(2,)))


def spec(*inputs: ColumnSpec, model: str = "m", number: int = 1) -> VersionSpec:
    return VersionSpec(VersionKey(model, number), "sha256:00", Signature(inputs, ()))


@pytest.fixture
def recorded() -> Recorded:
    recorded = Recorded()
    batch = {"a": np.arange(40, dtype=np.float32), "v": np.arange(80).reshape(40, 2)}
    recorded.keep(spec(*TWO), batch)
    return recorded


def test_the_next_version_gets_rows_of_the_last_one(recorded: Recorded) -> None:
    rows = recorded.rows(spec(TWO[1], number=2))
    assert rows is not None
    assert list(rows) == ["v"]
    again = repeated(rows, 20)["v"]
    assert (again.shape, again[16].tolist()) == ((20, 2), [0, 1])


@pytest.mark.parametrize(
    "other",
    [
        spec(*TWO, model="other"),
        spec(*TWO, ColumnSpec("new", DataType.FP32)),
        spec(ColumnSpec("a", DataType.FP64)),
        spec(ColumnSpec("v", DataType.INT64, shape=(3,))),
    ],
)
def test_rows_that_a_version_does_not_take_are_left(recorded: Recorded, other: VersionSpec) -> None:
    assert recorded.rows(other) is None
