"""Columns of the prediction log, and features as they wait for their baseline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from services.monitor.domain.batch import Arm, Batch
from services.monitor.domain.columns import Column
from slipway.gen.slipway.inference.v1 import events_pb2, resources_pb2


def decode_columns(columns: Sequence[resources_pb2.Column]) -> dict[str, Column]:
    """Features of one value a row by name; numbers of any type are floats.

    A column of vectors is left out: a histogram of its elements would say nothing of the vectors.
    """
    made: dict[str, Column] = {}
    for column in columns:
        kind = column.WhichOneof("values")
        if kind is None or column.width > 1:
            continue
        given = getattr(column, kind).values
        if kind == "strings":
            texts: list[str | None] = list(given)
            for row in column.absent_rows:
                if row < len(texts):
                    texts[row] = None
            made[column.name] = Column(texts)
        else:
            numbers = np.fromiter(given, np.float64, len(given))
            if column.absent_rows:
                absent = np.array(column.absent_rows, dtype=np.int64)
                numbers[absent[absent < numbers.size]] = np.nan
            made[column.name] = Column(numbers)
    return made


def encode_features(batch: Batch) -> bytes:
    """What ``decode_features`` needs to count the features of ``batch`` later: no ids and no scores."""
    arm = batch.arm
    return events_pb2.PredictionBatch(
        endpoint=arm.endpoint,
        model=arm.model,
        version=arm.version,
        route=arm.route,
        event_times_us=batch.event_times_us,
        features=[_column(name, column) for name, column in batch.features.items()],
    ).SerializeToString()


def _column(name: str, column: Column) -> resources_pb2.Column:
    if isinstance(column.values, np.ndarray):
        return resources_pb2.Column(name=name, doubles=resources_pb2.DoubleValues(values=column.values.tolist()))
    return resources_pb2.Column(
        name=name,
        strings=resources_pb2.StringValues(values=[text or "" for text in column.values]),
        absent_rows=[row for row, text in enumerate(column.values) if text is None],
    )


def decode_features(event_id: str, value: bytes) -> Batch:
    """A batch as far as ``encode_features`` told of it."""
    message = events_pb2.PredictionBatch.FromString(value)
    arm = Arm(message.endpoint, message.model, message.version, message.route)
    return Batch(event_id, arm, (), message.event_times_us, features=decode_columns(message.features))
