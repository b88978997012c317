"""Feature views and the online store."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta


class ValueType(enum.StrEnum):
    """The type of a feature's values."""

    UNSPECIFIED = "unspecified"
    BOOL = "bool"
    INT32 = "int32"
    INT64 = "int64"
    FLOAT = "float"
    DOUBLE = "double"
    STRING = "string"
    TIMESTAMP = "timestamp"


OnlineScalar = bool | int | float | str | datetime | None
"""One value of a row; None means that there is none."""


class FeatureStatus(enum.StrEnum):
    """What an answered value is."""

    UNSPECIFIED = "unspecified"
    PRESENT = "present"
    NULL_VALUE = "null_value"
    NOT_FOUND = "not_found"
    OUTSIDE_MAX_AGE = "outside_max_age"
    UNREADABLE = "unreadable"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of a view.

    ``fallback``, of its type, is answered in place of the statuses ``fallback_for``: NULL_VALUE, NOT_FOUND or
    OUTSIDE_MAX_AGE; when left empty, of the last two. None: there is none.
    """

    name: str
    type: ValueType
    description: str = ""
    fallback: OnlineScalar = None
    fallback_for: tuple[FeatureStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a view's rows lie offline: a Parquet file or folder, absolute or relative to the service's sources.

    ``event_time_column`` says when a row became known; of rows of one entity and one moment the one that is latest by
    ``created_time_column`` wins (empty: there is none).
    """

    name: str
    path: str
    event_time_column: str
    created_time_column: str = ""


class AggregationFunction(enum.StrEnum):
    """How events become one value."""

    UNSPECIFIED = "unspecified"
    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    STDDEV = "stddev"


@dataclass(frozen=True, slots=True)
class Aggregation:
    """What makes ``feature`` of a windowed view: ``function`` of ``column``, looking ``window`` back."""

    feature: str
    column: str
    function: AggregationFunction
    window: timedelta


@dataclass(frozen=True, slots=True)
class FeatureView:
    """Features of one entity from one source; a value older than ``max_age`` counts as missing (None: never).

    ``entity_types`` are STRING or INT64, one an entity, or empty. With ``aggregations``, one a feature, the view is
    windowed: its rows are events, and its values change at the multiples of ``hop``, which divides every window.
    """

    name: str
    owner: str
    entities: tuple[str, ...]
    features: tuple[Feature, ...]
    description: str = ""
    max_age: timedelta | None = None
    update_time: datetime | None = None
    revision: int = 0
    entity_types: tuple[ValueType, ...] = ()
    source: Source | None = None
    aggregations: tuple[Aggregation, ...] = ()
    hop: timedelta | None = None


@dataclass(frozen=True, slots=True)
class OnlineStore:
    """How the online store stands; ``reason`` says why it did not answer."""

    reachable: bool
    reason: str = ""
    server_version: str = ""
    keys: int = 0


@dataclass(frozen=True, slots=True)
class FeatureService:
    """A named list of features, as ``view:feature``, that are read together."""

    name: str
    owner: str
    features: tuple[str, ...]
    description: str = ""
    update_time: datetime | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of pushed rows: ``late`` ones had no effect, for a newer one of the same entities was there."""

    applied: int
    late: int


@dataclass(frozen=True, slots=True)
class OnlineColumn:
    """One feature for all rows asked about; a value is None unless its status is PRESENT or FALLBACK.

    ``event_times`` say when each value was true; None where nothing was found. ``fallback`` is what the feature's
    definition names, whether a row took it or not.
    """

    name: str
    values: tuple[OnlineScalar, ...]
    statuses: tuple[FeatureStatus, ...]
    event_times: tuple[datetime | None, ...]
    fallback: OnlineScalar = None


@dataclass(frozen=True, slots=True)
class OnlineFeatures:
    """Features of the rows asked about, by ``view:feature``, in the order asked for."""

    columns: Mapping[str, OnlineColumn]

    def __getitem__(self, name: str) -> OnlineColumn:
        return self.columns[name]

    def rows(self) -> Iterator[dict[str, OnlineScalar]]:
        """Each row as a dict of feature to value, None where there is none."""
        values = (column.values for column in self.columns.values())
        return (dict(zip(self.columns, row, strict=True)) for row in zip(*values, strict=True))


@dataclass(frozen=True, slots=True)
class Watermark:
    """Rows of ``view`` up to ``event_time`` are in the online store, as far as their writers kept to order.

    ``late_rows`` counts the events of a windowed view that came after the watermark had passed them.
    """

    view: str
    event_time: datetime
    update_time: datetime | None = None
    late_rows: int = 0
