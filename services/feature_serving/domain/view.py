"""Feature views: the values."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta


class ValueType(enum.StrEnum):
    """The types that a feature may have, by their names in the contract."""

    BOOL = "BOOL"
    INT32 = "INT32"
    INT64 = "INT64"
    FLOAT = "FLOAT"
    DOUBLE = "DOUBLE"
    STRING = "STRING"
    TIMESTAMP = "TIMESTAMP"


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of a view."""

    name: str
    type: ValueType
    description: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """What a person says a view is; a value older than ``max_age`` counts as missing (None: never)."""

    name: str
    owner: str
    description: str
    entities: tuple[str, ...]
    features: tuple[Feature, ...]
    max_age: timedelta | None = None


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
