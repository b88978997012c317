"""What a consumer of predictions keeps: one table, and the ids of the events that are in it."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError

from slipway.gen.slipway.inference.v1.events_pb2 import PredictionBatch
from slipway.gen.slipway.inference.v1.resources_pb2 import Column

_TABLES = """
CREATE TABLE IF NOT EXISTS seen (event_id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS prediction (
    prediction_id TEXT, endpoint TEXT, model TEXT, version INTEGER, route TEXT, shadow INTEGER, event_time_us INTEGER,
    features TEXT, outputs TEXT
);
"""


class Store:
    """Predictions in a SQLite file, each once: an event's rows and its id commit together."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    @contextmanager
    def at(cls, path: Path) -> Iterator[Store]:
        """Open the file, made when missing."""
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(_TABLES)
            yield cls(connection)

    def keep(self, events: Iterable[tuple[str, bytes]]) -> int:
        """Keep the rows of events, given as id and value, that are not kept yet; how many rows that were."""
        with self._connection:
            return sum(self._keep(event_id, value) for event_id, value in events)

    def _keep(self, event_id: str, value: bytes) -> int:
        fresh = self._connection.execute("INSERT OR IGNORE INTO seen VALUES (?)", [event_id]).rowcount
        try:
            kept = [row for batch in batches(value) for row in rows(batch)] if fresh else []
        except DecodeError:
            # Nothing mends its bytes: an event like it must not hold up those behind it.
            print(f"skipped event {event_id}: no PredictionBatch", file=sys.stderr)
            return 0
        self._connection.executemany("INSERT INTO prediction VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", kept)
        return len(kept)


def batches(value: bytes) -> Sequence[PredictionBatch]:
    """The batches that an event brings: its value is the first one, and `more` are those answered a moment later."""
    first = PredictionBatch.FromString(value)
    return [first, *first.more]


def rows(batch: PredictionBatch) -> Iterator[tuple[Any, ...]]:
    """The rows of a batch, which comes in columns; an absent feature is None."""
    features = {column.name: _values(column) for column in batch.features}
    for row, prediction_id in enumerate(batch.prediction_ids):
        yield (
            *(prediction_id, batch.endpoint, batch.model, batch.version, batch.route, batch.shadow),
            batch.event_times_us[row],
            json.dumps({name: values[row] for name, values in features.items()}),
            json.dumps(_outputs(batch, row)),
        )


def _values(column: Column) -> list[Any]:
    kind = column.WhichOneof("values")
    absent = set(column.absent_rows)
    given = getattr(column, kind).values if kind else [None] * len(absent)
    return [None if row in absent else value for row, value in enumerate(given)]


def _outputs(batch: PredictionBatch, row: int) -> Mapping[str, list[Any]]:
    # One of the two lists holds the tensor: `width` elements a row, row by row.
    return {one.name: list((one.texts or one.values)[row * one.width : (row + 1) * one.width]) for one in batch.outputs}
