"""A view's source: its files, their digest and their columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from services.feature_serving.adapters.join.job import Unusable
from services.feature_serving.adapters.sources import digest_of, files_of, within
from services.feature_serving.domain.recipe import Ingredient

_WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT"}
_MOMENTS = {"TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP_S"}
_TEXT = {"VARCHAR"}
# What a column may be, for a feature or an entity of each type of the contract, and what it becomes.
_FAMILIES = {
    "BOOL": ({"BOOLEAN"}, "BOOLEAN"),
    "INT32": (_WHOLE, "INTEGER"),
    "INT64": (_WHOLE, "BIGINT"),
    "FLOAT": (_WHOLE | {"FLOAT", "DOUBLE", "DECIMAL"}, "FLOAT"),
    "DOUBLE": (_WHOLE | {"FLOAT", "DOUBLE", "DECIMAL"}, "DOUBLE"),
    "STRING": (_TEXT, "VARCHAR"),
    "TIMESTAMP": (_MOMENTS, "TIMESTAMP WITH TIME ZONE"),
}


@dataclass(frozen=True, slots=True)
class Opened:
    """A source whose bytes are those of the recipe; it gives SQL over its relation, which is called ``s`` there."""

    ingredient: Ingredient
    relation: str
    row_count: int
    types: dict[str, str]

    def value(self, column: str, kind: str) -> str:
        """SQL that gives a column as a type of the contract. Raises Unusable when it is something else."""
        allowed, made = _FAMILIES[kind]
        self.require(column, allowed, kind)
        return f"CAST({column_of(column)} AS {made})"

    def moment(self, column: str) -> str:
        """SQL that gives a timestamp's microseconds. Raises Unusable when it is none."""
        self.require(column, _MOMENTS, "timestamps, with a zone or in UTC without one")
        return f"epoch_us({column_of(column)})"

    def key(self, column: str, kind: str) -> tuple[str, str]:
        """SQL that gives a join key, and its type: STRING or INT64."""
        if not kind:
            kind = "INT64" if self.types.get(column, "") in _WHOLE else "STRING"
        return self.value(column, kind), kind

    def require(self, column: str, allowed: set[str], wanted: str) -> None:
        """Raise Unusable unless the column is there, of an allowed type."""
        told = f"the source of view {self.ingredient.view} ({self.ingredient.path})"
        if column not in self.types:
            raise Unusable(f"{told} has no column {column}; it has {', '.join(self.types)}")
        found = self.types[column]
        if found.partition("(")[0] not in allowed:
            raise Unusable(f"column {column} of {told} is {found}, but must hold {wanted}")


def open_source(connection: duckdb.DuckDBPyConnection, root: Path, ingredient: Ingredient) -> Opened:
    """Find the files, hold them against the recipe's digest, look at their columns. Raises Unusable."""
    place = within(root, ingredient.path)
    files = [] if place is None else files_of(place)
    told = f"the source of view {ingredient.view}"
    if not files:
        raise Unusable(f"{told} is missing: there is no Parquet at {ingredient.path}; put it there and ask again")
    if digest_of(files) != ingredient.digest:
        raise Unusable(f"{told} ({ingredient.path}) changed since the set was asked for; ask again")
    relation = f"read_parquet({_listed(files)}, union_by_name = true, hive_partitioning = false)"
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
        row_count = sum(pq.ParquetFile(one).metadata.num_rows for one in files)
    except (duckdb.Error, OSError, ValueError) as error:
        raise Unusable(f"{told} ({ingredient.path}) is no Parquet that can be read; write it again") from error
    return Opened(ingredient, relation, row_count, {str(row[0]): str(row[1]) for row in described})


def column_of(name: str) -> str:
    """A column of the source in SQL, where the source is called ``s``."""
    return 's."' + name.replace('"', '""') + '"'


def _listed(files: Sequence[Path]) -> str:
    return "[" + ", ".join("'" + str(one).replace("'", "''") + "'" for one in files) + "]"
