"""Training sets."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime


class TrainingSetState(enum.StrEnum):
    """How far a training set has come."""

    UNSPECIFIED = "unspecified"
    BUILDING = "building"
    READY = "ready"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """Whether it stays so."""
        return self in {TrainingSetState.READY, TrainingSetState.FAILED}


@dataclass(frozen=True, slots=True)
class TrainingSetColumn:
    """One column: of the spine, or ``feature`` (``view:feature``) as ``view__feature``."""

    name: str
    feature: str
    null_count: int
    fallback_count: int = 0


@dataclass(frozen=True, slots=True)
class TrainingSetInput:
    """One source as it was read."""

    view: str
    view_revision: int
    path: str
    digest: str
    row_count: int


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Features as they were known at each row's moment; ``error`` says why a failed one could not be made.

    What it holds (``digest`` and after it) is told once it is ready. ``rows_after_cutoff`` of the spine are not in it.
    """

    id: str
    state: TrainingSetState
    feature_service: str
    spine_digest: str
    error: str = ""
    cutoff: datetime | None = None
    digest: str = ""
    size_bytes: int = 0
    row_count: int = 0
    rows_after_cutoff: int = 0
    columns: tuple[TrainingSetColumn, ...] = ()
    inputs: tuple[TrainingSetInput, ...] = ()
    feature_service_revision: int = 0
    code: str = ""
    create_time: datetime | None = None
    finish_time: datetime | None = None
