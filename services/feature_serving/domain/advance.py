"""Where a windowed view stands, and the rows that a boundary of event time makes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from services.feature_serving.domain import layout, wire
from services.feature_serving.domain.rows import Batch, Row
from services.feature_serving.domain.tiles import Tile
from services.feature_serving.domain.view import FeatureView, Function, ValueType
from services.feature_serving.domain.windows import Floats


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a windowed view's events are complete, how far its values have come, the late events among them.

    Moments are microseconds since 1970, 0 before the first. ``version`` counts the writes to the view's tiles.
    """

    complete_us: int = 0
    reached_us: int = 0
    late_rows: int = 0
    version: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """What events change of one view: tiles, with partials of ``columns`` in that order, and where the view stands."""

    view: str
    columns: Sequence[str]
    tiles: Sequence[Tile]
    standing: Standing


def rows_at(
    view: FeatureView, boundary_us: int, entities: Sequence[bytes], values: Sequence[Floats], project: str
) -> Batch:
    """The online rows of ``entities`` at a boundary; ``values`` has one array an aggregation, NaN for a null."""
    aggregations = view.definition.aggregations
    encoded = [
        _encoded(function.function, column.tolist()) for function, column in zip(aggregations, values, strict=True)
    ]
    tail = project.encode()
    rows = [
        Row(entity + tail, boundary_us, of_row)
        for entity, of_row in zip(entities, zip(*encoded, strict=True), strict=True)
    ]
    fields = tuple(layout.feature_field(view.name, one.feature) for one in aggregations)
    return Batch(layout.timestamp_field(view.name), fields, (), rows)


def _encoded(function: Function, values: Sequence[float]) -> list[bytes]:
    if function is Function.COUNT:
        whole = wire.encoder(ValueType.INT64)
        return [whole(int(value)) for value in values]
    encode = wire.encoder(ValueType.DOUBLE)
    return [wire.NULL if math.isnan(value) else encode(value) for value in values]
