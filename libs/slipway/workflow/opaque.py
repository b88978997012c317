"""Types that are kept as bytes of their own: tables, arrays, and whatever a workflow teaches."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import numpy
    import pandas  # type: ignore[import-untyped]
    import pyarrow

T = TypeVar("T")


@dataclass(frozen=True)
class Opaque:
    """How one type becomes bytes, and back."""

    dump: Callable[[Any], bytes]
    load: Callable[[bytes], Any]


_taught: dict[type, Opaque] = {bytes: Opaque(bytes, bytes)}


def storable(kind: type[T], *, dump: Callable[[T], bytes], load: Callable[[bytes], T]) -> None:
    """Teach how values of exactly ``kind`` are stored; equal values should give equal bytes. Never by pickle."""
    _taught[kind] = Opaque(dump, load)


def opaque(kind: type) -> Opaque | None:
    """How values of ``kind`` are stored, or None when nobody said."""
    return _taught.get(kind) or _KNOWN.get(f"{kind.__module__}.{kind.__qualname__}")


def _dump_table(table: pyarrow.Table) -> bytes:
    import pyarrow as pa  # noqa: PLC0415  (only for those who use it)

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _load_table(data: bytes) -> pyarrow.Table:
    import pyarrow as pa  # noqa: PLC0415

    with pa.ipc.open_stream(data) as reader:
        return reader.read_all()


def _dump_frame(frame: pandas.DataFrame) -> bytes:
    import pyarrow as pa  # noqa: PLC0415

    return _dump_table(pa.Table.from_pandas(frame))


def _load_frame(data: bytes) -> pandas.DataFrame:
    return _load_table(data).to_pandas()


def _dump_array(array: numpy.ndarray[Any, Any]) -> bytes:
    import numpy as np  # noqa: PLC0415

    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def _load_array(data: bytes) -> numpy.ndarray[Any, Any]:
    import numpy as np  # noqa: PLC0415

    loaded: numpy.ndarray[Any, Any] = np.load(io.BytesIO(data), allow_pickle=False)
    return loaded


# By name, so that nothing is imported before a step has made one. Arrow's stream also keeps a frame's own types.
_KNOWN = {
    "pyarrow.lib.Table": Opaque(_dump_table, _load_table),
    "pandas.core.frame.DataFrame": Opaque(_dump_frame, _load_frame),
    "numpy.ndarray": Opaque(_dump_array, _load_array),
}
