"""Feature views and the online store."""

from __future__ import annotations

import enum
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


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of a view."""

    name: str
    type: ValueType
    description: str = ""


@dataclass(frozen=True, slots=True)
class FeatureView:
    """Features of one entity from one source; a value older than ``max_age`` counts as missing (None: never)."""

    name: str
    owner: str
    entities: tuple[str, ...]
    features: tuple[Feature, ...]
    description: str = ""
    max_age: timedelta | None = None
    update_time: datetime | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class OnlineStore:
    """How the online store stands; ``reason`` says why it did not answer."""

    reachable: bool
    reason: str = ""
    server_version: str = ""
    keys: int = 0
