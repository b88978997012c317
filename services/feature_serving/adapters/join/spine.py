"""The spine: read, checked, and cut off."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from services.feature_serving.adapters.join.job import Unusable
from services.feature_serving.domain.recipe import Recipe, column_name

EVENT_TIME = "event_time"
LABEL_TIME = "label_time"
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Spine:
    """The rows that are asked about, in their order, with the moment of each."""

    table: pa.Table
    moments_us: npt.NDArray[np.int64]
    rows_after_cutoff: int


def read_spine(path: Path, recipe: Recipe) -> Spine:
    """Read and check. Raises Unusable."""
    try:
        # The file's own path: no folder's name may become a column.
        table = pq.ParquetFile(path).read(use_threads=False).replace_schema_metadata(None)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise Unusable("the spine is no Parquet file that can be read; write it with pyarrow, pandas or DuckDB") from (
            error
        )
    _check_names(table, recipe)
    moments = _moments(table, EVENT_TIME)
    if moments.null_count:
        row = int(np.flatnonzero(moments.is_null().to_numpy(zero_copy_only=False))[0])
        raise Unusable(f"row {row} of the spine has no {EVENT_TIME}; every row needs the moment that it asks about")
    kept = _known(table, moments, recipe.cutoff_us)
    asked = table.num_rows
    if kept is not None:
        table, moments = table.filter(kept), moments.filter(kept)
    return Spine(table, moments.to_numpy(), asked - table.num_rows)


def _check_names(table: pa.Table, recipe: Recipe) -> None:
    names = list(table.column_names)
    keys = {entity.name: one.view for one in recipe.ingredients for entity in one.entities}
    there = ", ".join(names) or "none"
    if EVENT_TIME not in names:
        raise Unusable(f"the spine lacks the column {EVENT_TIME}, the moment each row asks about; it has {there}")
    for key, view in keys.items():
        if key not in names:
            raise Unusable(f"the spine lacks the column {key}, a join key of view {view}; it has {there}")
    all_names = names + [column_name(feature) for feature in recipe.features]
    if twice := sorted({name for name in all_names if all_names.count(name) > 1}):
        raise Unusable(f"the column {twice[0]} would stand twice in the set; rename it in the spine")


def _moments(table: pa.Table, name: str) -> pa.Array[Any]:
    column = table.column(name).combine_chunks()
    if not pa.types.is_timestamp(column.type):
        raise Unusable(
            f"the column {name} of the spine is {column.type}; make it a timestamp, with a zone or in UTC without one"
        )
    return pc.cast(pc.cast(column, pa.timestamp("us", "UTC"), safe=False), pa.int64())


def _known(table: pa.Table, moments: pa.Array[Any], cutoff_us: int | None) -> pa.Array[Any] | None:
    """Which rows were known at the cut-off; None without one. What has no label time is not known to be known."""
    labels = _moments(table, LABEL_TIME) if LABEL_TIME in table.column_names else None
    if cutoff_us is None:
        return None
    kept = moments.to_numpy() <= cutoff_us
    if labels is not None:
        kept &= labels.fill_null(_NEVER).to_numpy() <= cutoff_us
    return pa.array(kept)
