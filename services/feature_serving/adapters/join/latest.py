"""Views whose rows hold their features: the newest row that was known at each moment."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from services.feature_serving.adapters.join.found import Found
from services.feature_serving.adapters.join.keys import Keyed
from services.feature_serving.adapters.join.source import Opened, column_of
from services.feature_serving.adapters.join.spine import Spine
from services.feature_serving.domain.status import Status


def latest_values(
    connection: duckdb.DuckDBPyConnection, spine: Spine, opened: Opened, keyed: Keyed, cutoff_us: int | None
) -> Found:
    """Each feature for each row of the spine; null where nothing was known or it was too old. Raises Unusable."""
    ingredient = opened.ingredient
    names = [f"f{n}" for n in range(len(ingredient.features))]
    columns = {
        "moment": opened.moment(ingredient.event_time_column),
        "file": "file_index",
        "place": "file_row_number",
        **{name: opened.value(one.name, one.type) for name, one in zip(names, ingredient.features, strict=True)},
    }
    # Of rows of one entity and one moment the latest wins: as the source orders them, then as its files do.
    order = "file DESC, place DESC"
    if created := ingredient.created_time_column:
        opened.require(created, set(opened.types.values()), "an order")
        columns["created"] = column_of(created)
        order = f"created DESC NULLS LAST, {order}"
    known = "moment IS NOT NULL" if cutoff_us is None else f"moment <= {cutoff_us}"
    fresh = "TRUE" if ingredient.max_age_us is None else f"asked - moment <= {ingredient.max_age_us}"
    connection.register(
        "_questions",
        pa.table({"place": np.arange(len(keyed.of_rows)), "entity": keyed.of_rows, "asked": spine.moments_us}),
    )
    # Both sides are tables first: the planner takes what it can't count for few rows, and compares each with each.
    connection.execute("CREATE OR REPLACE TEMP TABLE _asked AS SELECT * FROM _questions")
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE _facts AS
        SELECT entity, moment, {", ".join(names)}
        FROM ({keyed.select(columns)}) WHERE {known}
        QUALIFY row_number() OVER (PARTITION BY entity, moment ORDER BY {order}) = 1
        """
    )
    found = connection.execute(
        f"""
        SELECT
            {", ".join(f"CASE WHEN {fresh} THEN {name} END AS {name}" for name in names)},
            CASE WHEN f.entity IS NULL THEN {Status.NOT_FOUND:d} WHEN {fresh} THEN {Status.NULL_VALUE:d}
            ELSE {Status.OUTSIDE_MAX_AGE:d} END AS lack
        FROM _asked AS q ASOF LEFT JOIN _facts AS f ON q.entity = f.entity AND q.asked >= f.moment
        ORDER BY q.place
        """
    ).to_arrow_table()
    columns_found = {one.name: found.column(name) for name, one in zip(names, ingredient.features, strict=True)}
    return Found(columns_found, found.column("lack").to_numpy())
