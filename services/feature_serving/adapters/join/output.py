"""The set's bytes, the same for the same content."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from services.feature_serving.adapters.join.spine import Spine
from services.feature_serving.domain.recipe import Recipe, column_name

_ROW_GROUP = 65_536
TYPES: Mapping[str, pa.DataType] = {
    "BOOL": pa.bool_(),
    "INT32": pa.int32(),
    "INT64": pa.int64(),
    "FLOAT": pa.float32(),
    "DOUBLE": pa.float64(),
    "STRING": pa.string(),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
}
"""What a feature of each type of the contract is in a set."""


def write(
    path: Path, recipe: Recipe, spine: Spine, values: Mapping[str, pa.ChunkedArray[Any] | pa.Array[Any]]
) -> pa.Table:
    """Write the spine's columns, then the features in their order; what was written."""
    table = spine.table
    for feature in recipe.features:
        table = table.append_column(column_name(feature), values[feature])
    pq.write_table(
        table,
        path,
        row_group_size=_ROW_GROUP,
        compression="snappy",
        use_dictionary=_worth(table),  # type: ignore[arg-type]  # the stubs know no list
        store_schema=False,
    )
    return table


def _worth(table: pa.Table) -> list[str]:
    """The columns that repeat: numbers rarely do, and looking for it costs more than writing them."""
    kinds = {field.name: field.type for field in table.schema}
    return [name for name, kind in kinds.items() if not pa.types.is_floating(kind) and not pa.types.is_timestamp(kind)]
