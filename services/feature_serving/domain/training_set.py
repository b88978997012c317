"""Training sets: the values."""

from __future__ import annotations

import enum
import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime

from services.feature_serving.domain.recipe import Recipe


class SetState(enum.StrEnum):
    """How far a training set has come, by its names in the contract."""

    BUILDING = "BUILDING"
    READY = "READY"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Question:
    """What a caller asks for; None means no cut-off."""

    spine_digest: str
    feature_service: str
    cutoff_us: int | None

    @property
    def fingerprint(self) -> str:
        """What tells a retried question from another one under the same request id."""
        told = [self.spine_digest, self.feature_service, self.cutoff_us]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class SetColumn:
    """One column; ``feature`` is ``view:feature``, empty for a column of the spine."""

    name: str
    feature: str
    null_count: int
    fallback_count: int = 0


@dataclass(frozen=True, slots=True)
class SetInput:
    """One source as it was read."""

    view: str
    view_revision: int
    path: str
    digest: str
    row_count: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What the join tells about what it made."""

    row_count: int
    rows_after_cutoff: int
    columns: tuple[SetColumn, ...]
    inputs: tuple[SetInput, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a ready set holds."""

    digest: str
    size_bytes: int
    facts: Facts


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """A stored training set: being made, ready with its ``contents``, or failed with an ``error``."""

    id: str
    recipe: Recipe
    create_time: datetime
    state: SetState = SetState.BUILDING
    error: str = ""
    contents: Contents | None = None
    finish_time: datetime | None = None

    def ready(self, contents: Contents, now: datetime) -> TrainingSet:
        """The set once its bytes are stored."""
        return replace(self, state=SetState.READY, contents=contents, finish_time=now)

    def failed(self, error: str, now: datetime) -> TrainingSet:
        """The set that can't be made."""
        return replace(self, state=SetState.FAILED, error=error, finish_time=now)
