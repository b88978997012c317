"""Feature views: the values."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.feature_serving.domain.status import Status


class ValueType(enum.StrEnum):
    """The types that a feature may have, by their names in the contract."""

    BOOL = "BOOL"
    INT32 = "INT32"
    INT64 = "INT64"
    FLOAT = "FLOAT"
    DOUBLE = "DOUBLE"
    STRING = "STRING"
    TIMESTAMP = "TIMESTAMP"


USUAL = frozenset({Status.NOT_FOUND, Status.OUTSIDE_MAX_AGE})
"""What a fallback stands in for unless its definition says otherwise."""


@dataclass(frozen=True, slots=True)
class Fallback:
    """What a feature reads as where it has no value: of its type, a moment in microseconds since 1970.

    ``replaces`` are the statuses in place of which it is answered.
    """

    value: Any
    replaces: frozenset[Status] = USUAL


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of a view."""

    name: str
    type: ValueType
    description: str = ""
    fallback: Fallback | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where a view's rows lie offline: Parquet at ``path``; see the contract's Source. No created time: empty."""

    name: str
    path: str
    event_time_column: str
    created_time_column: str = ""


class Function(enum.StrEnum):
    """How events become one value, by the names in the contract."""

    COUNT = "COUNT"
    SUM = "SUM"
    MEAN = "MEAN"
    MIN = "MIN"
    MAX = "MAX"
    STDDEV = "STDDEV"


@dataclass(frozen=True, slots=True)
class Aggregation:
    """What makes ``feature`` of a windowed view: ``function`` of the values of ``column`` over ``window``."""

    feature: str
    column: str
    function: Function
    window: timedelta


@dataclass(frozen=True, slots=True)
class Definition:
    """What a person says a view is; a value older than ``max_age`` counts as missing (None: never).

    ``entity_types`` are in the order of ``entities``, or empty. A view with ``aggregations`` is windowed: its rows are
    events, and its values change at the multiples of ``hop``.
    """

    name: str
    owner: str
    description: str
    entities: tuple[str, ...]
    features: tuple[Feature, ...]
    max_age: timedelta | None = None
    entity_types: tuple[ValueType, ...] = ()
    source: Source | None = None
    aggregations: tuple[Aggregation, ...] = ()
    hop: timedelta | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a windowed view's events have, each once."""
        return tuple(dict.fromkeys(one.column for one in self.aggregations))


@dataclass(frozen=True, slots=True)
class FeatureView:
    """A stored definition; ``revision`` counts its changes from 1."""

    definition: Definition
    revision: int
    update_time: datetime

    @property
    def name(self) -> str:
        """The view's name."""
        return self.definition.name


@dataclass(frozen=True, slots=True)
class StoreState:
    """How the online store stands; ``reason`` says why it did not answer."""

    reachable: bool
    reason: str = ""
    server_version: str = ""
    keys: int = 0
