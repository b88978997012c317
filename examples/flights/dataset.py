"""A training set as the workflow's steps pass it on: its bytes, and what its columns mean."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from examples.flights.features import REQUEST
from slipway.errors import invalid_field

ROLLING = "rolling"
STATIC = "static"
_PAPERS = "plane"  # the view of what hardly changes
_TEXT = (pa.types.is_string, pa.types.is_large_string)


@dataclass(frozen=True)
class Flights:
    """Flights with what was known of each when it was asked about.

    ``features`` names the feature behind each fetched column, as ``view:feature``, ``entities`` the join keys of each
    view; ``cutoff`` is ISO, empty for none.
    """

    parquet: bytes
    training_set: str
    digest: str
    row_count: int
    cutoff: str
    definitions: list[str]
    features: dict[str, str]
    entities: dict[str, list[str]]

    def summary(self) -> dict[str, Any]:
        """Where the rows came from, and how many they are."""
        return {"training_set": self.training_set, "rows": self.row_count, "digest": self.digest}

    def table(self) -> pd.DataFrame:
        """The rows in order of their moment; missing text is None, a missing number NaN."""
        read = pq.read_table(io.BytesIO(self.parquet))
        table = read.to_pandas()
        for field in read.schema:
            if any(test(field.type) for test in _TEXT):
                texts = table[field.name].astype(object)
                table[field.name] = texts.where(texts.notna(), None)
        return table.sort_values("event_time", kind="stable", ignore_index=True)

    def inputs(self, feature_set: str) -> tuple[list[str], list[str]]:
        """The columns that a model of this feature set takes: categories, numbers.

        ``rolling`` takes all that the set holds; ``static`` the schedule and the plane's papers. Fails with
        InvalidInput naming another, or what the set lacks.
        """
        if feature_set not in (ROLLING, STATIC):
            raise invalid_field("feature_set", f"is {feature_set!r}; give {ROLLING!r} or {STATIC!r}")
        schema = pq.read_schema(io.BytesIO(self.parquet))
        if lacking := [name for name in REQUEST if name not in schema.names]:
            raise invalid_field("training_set", f"lacks {', '.join(lacking)}; give them in the spine")
        taken = [name for name, feature in self.features.items() if feature_set == ROLLING or _view(feature) == _PAPERS]
        names = [*REQUEST, *taken]
        texts = [name for name in names if any(test(schema.field(name).type) for test in _TEXT)]
        return texts, [name for name in names if name not in texts]

    def keys(self, columns: Sequence[str]) -> list[str]:
        """The join keys by which those of ``columns`` that are features are read, in alphabetical order."""
        views = {_view(self.features[name]) for name in columns if name in self.features}
        return sorted({key for view in views for key in self.entities[view]})


def held_out(table: pd.DataFrame, days: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of before the last ``days`` days of questions, as far as known then, and the rows of those days.

    Fails with InvalidInput when either side has none.
    """
    boundary = table["event_time"].max() - timedelta(days=days)
    before = table[(table["event_time"] < boundary) & (table["label_time"] <= boundary)]
    later = table[table["event_time"] >= boundary]
    if before.empty or later.empty:
        raise invalid_field("evaluation_days", f"{days} of them leave flights on one side alone; give fewer, or more")
    return before.reset_index(drop=True), later.reset_index(drop=True)


def moment(field: str, text: str) -> datetime:
    """ISO text as an aware moment; without a zone it is UTC. Fails with InvalidInput naming ``field``."""
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        raise invalid_field(field, f"{text[:64]!r} is no moment; write ISO, such as 2013-04-01T00:00:00Z") from None
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def _view(feature: str) -> str:
    return feature.partition(":")[0]
