from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from services.inference_gateway.adapters.worker_memory import Slot
from services.inference_gateway.adapters.worker_tensors import Layout, Part
from services.inference_gateway.domain.signature import DTYPES, DataType, Tensors
from services.inference_gateway.domain.tensors import BadRaw


@st.composite
def batches(draw: st.DrawFn) -> tuple[Layout, Tensors, int]:
    """Some tensors of one number of rows, and how they lie."""
    rows = draw(st.integers(1, 5))
    parts, tensors = [], {}
    for number in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(list(DataType)))
        shape = draw(st.sampled_from([(), (1,), (3,), (2, 2)]))
        parts.append(Part(f"t{number}", kind, shape))
        elements = st.text(max_size=5) if kind is DataType.BYTES else None
        tensors[f"t{number}"] = draw(arrays.arrays(DTYPES[kind], (rows, *shape), elements=elements, fill=elements))
    return Layout(parts), tensors, rows


@pytest.fixture(scope="module")
def slot() -> Slot:
    return Slot.make()


@settings(deadline=None)
@given(batch=batches())
def test_what_is_written_is_read_and_nothing_else(batch: tuple[Layout, Tensors, int], slot: Slot) -> None:
    layout, tensors, rows = batch
    used = layout.write(tensors, rows, slot)
    back = layout.read(bytes(slot.memory[:used]), rows)
    assert back.keys() == tensors.keys()
    for name, array in tensors.items():
        assert (back[name].dtype, back[name].shape) == (array.dtype, array.shape)
        assert back[name].tobytes() == array.tobytes() or np.array_equal(back[name], array)
    for length in (used - 1, used + 1):
        with pytest.raises(BadRaw):
            layout.read(bytes(slot.memory[:length]), rows)


@settings(deadline=None)
@given(batch=batches(), rows=st.integers(1, 9), junk=st.binary(max_size=300))
def test_junk_is_a_batch_or_refused(batch: tuple[Layout, Tensors, int], rows: int, junk: bytes) -> None:
    with contextlib.suppress(BadRaw):
        batch[0].read(junk, rows)


def test_a_slot_grows_to_what_is_written(slot: Slot) -> None:
    before, wide = slot.size, np.arange(100_000, dtype=np.float64)
    layout = Layout([Part("x", DataType.FP64, ())])
    used = layout.write({"x": wide}, len(wide), slot)
    assert before < used <= slot.size
    other = Slot(slot.descriptor)
    assert np.array_equal(layout.read(memoryview(other.memory)[:used], len(wide))["x"], wide)


@settings(deadline=None)
@given(st.data(), st.sampled_from(list(DataType)), st.integers(1, 4), st.integers(1, 4))
def test_scalars_of_one_type_are_read_as_one_matrix(
    slot: Slot, data: st.DataObject, kind: DataType, columns: int, rows: int
) -> None:
    layout = Layout([Part(f"t{number}", kind, ()) for number in range(columns)])
    elements = st.text(max_size=5) if kind is DataType.BYTES else None
    given = data.draw(arrays.arrays(DTYPES[kind], (columns, rows), elements=elements, fill=elements))
    used = layout.write({f"t{number}": line for number, line in enumerate(given)}, rows, slot)
    back = layout.matrix(bytes(slot.memory[:used]), rows)
    assert (back.shape, back.dtype, back.flags.c_contiguous) == ((rows, columns), given.dtype, True)
    assert back.tobytes() == np.ascontiguousarray(given.T).tobytes() or np.array_equal(back, given.T)
    with pytest.raises(BadRaw):
        layout.matrix(bytes(slot.memory[: used + 1]), rows)
