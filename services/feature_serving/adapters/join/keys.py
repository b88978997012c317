"""Entities as numbers: each distinct value of a view's join keys in the spine gets one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.feature_serving.adapters.join.job import Unusable
from services.feature_serving.adapters.join.source import Opened
from services.feature_serving.adapters.join.spine import Spine


@dataclass(frozen=True, slots=True)
class Keyed:
    """The number of each spine row's entity, -1 without one, and SQL for the source's rows of those entities."""

    of_rows: npt.NDArray[np.int64]
    count: int
    relation: str

    def select(self, columns: Mapping[str, str]) -> str:
        """SQL of the source's rows: ``entity``, their number, beside each of ``columns`` by its SQL."""
        told = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
        return f"SELECT e.entity, {told} FROM {self.relation}"


def number_entities(connection: duckdb.DuckDBPyConnection, spine: Spine, opened: Opened) -> Keyed:
    """Number the spine's entities of this view and join the source to the numbers. Raises Unusable."""
    entities = opened.ingredient.entities
    keys = [opened.key(one.name, one.type) for one in entities]
    columns = {}
    for n, (entity, (_, kind)) in enumerate(zip(entities, keys, strict=True)):
        columns[f"k{n}"] = _spine_key(spine.table, entity.name, kind, opened.ingredient.view)
    rows = pa.table({**columns, "row": pa.array(np.arange(spine.table.num_rows))})
    names = ", ".join(f"k{n}" for n in range(len(entities)))
    given = " AND ".join(f"k{n} IS NOT NULL" for n in range(len(entities)))
    connection.register("_rows", rows)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE _entities AS SELECT {names}, row_number() OVER (ORDER BY {names}) - 1 AS entity "
        f"FROM (SELECT DISTINCT {names} FROM _rows WHERE {given})"
    )
    numbered = connection.execute(
        f"SELECT coalesce(entity, -1) AS entity FROM _rows LEFT JOIN _entities USING ({names}) ORDER BY row"
    ).to_arrow_table()
    of_rows = numbered.column("entity").to_numpy()
    matched = " AND ".join(f"e.k{n} = {sql}" for n, (sql, _) in enumerate(keys))
    relation = f"{opened.relation} AS s JOIN _entities AS e ON {matched}"
    return Keyed(of_rows, int(of_rows.max(initial=-1)) + 1, relation)


def _spine_key(table: pa.Table, name: str, kind: str, view: str) -> pa.ChunkedArray[Any]:
    column = table.column(name)
    found = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    fits = {
        "STRING": pa.types.is_string(found) or pa.types.is_large_string(found) or pa.types.is_string_view(found),
        "INT64": pa.types.is_integer(found),
    }
    if not fits[kind] and not pa.types.is_null(found):
        raise Unusable(
            f"the column {name} of the spine is {found}, but it is a join key of view {view}, whose source has "
            f"{kind}; write it as {'text' if kind == 'STRING' else 'whole numbers'}"
        )
    try:
        return column.cast(pa.string() if kind == "STRING" else pa.int64())
    except pa.ArrowInvalid as error:
        raise Unusable(f"the column {name} of the spine holds a number that no 64-bit integer holds") from error
