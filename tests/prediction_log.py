"""The prediction log as its readers take it."""

from __future__ import annotations

from collections.abc import Iterable

from slipway.gen.slipway.inference.v1.events_pb2 import PredictionBatch


def batches(values: Iterable[bytes]) -> list[PredictionBatch]:
    """Every batch that events with these values bring, in order; each event may bring several."""
    firsts = map(PredictionBatch.FromString, values)
    return [batch for first in firsts for batch in (first, *first.more)]
