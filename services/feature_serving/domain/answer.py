"""Answered features: each value with what it is and when it was true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.feature_serving.domain.column import SHAPES, Shape
from services.feature_serving.domain.status import Status
from services.feature_serving.domain.view import Fallback, ValueType

Cell = tuple[Any, int] | None
"""A decoded value (None for a null, an error for bytes that are none) and its event time; None: nothing is stored."""

_FOREVER_US = 2**63
_FILL: dict[Shape, Any] = {
    Shape.DOUBLES: 0.0,
    Shape.INT64S: 0,
    Shape.STRINGS: "",
    Shape.BOOLS: False,
    Shape.TIMESTAMPS: 0,
}


@dataclass(frozen=True, slots=True)
class AnswerColumn:
    """One feature for all rows, with what its definition names as its fallback.

    A value means something where its status is PRESENT or FALLBACK; an unknown event time is 0.
    """

    name: str
    shape: Shape
    values: Sequence[Any]
    statuses: Sequence[Status]
    event_times_us: Sequence[int]
    fallback: Fallback | None = None


def fill(
    name: str,
    kind: ValueType,
    max_age_us: int | None,
    cells: Sequence[Cell],
    moments_us: Sequence[int],
    *,
    fallback: Fallback | None = None,
) -> AnswerColumn:
    """The column that ``cells``, one a row, make for questions about ``moments_us``."""
    nothing, present = _FILL[SHAPES[kind]], Status.PRESENT
    instead = {} if fallback is None else dict.fromkeys(fallback.replaces, (Status.FALLBACK, fallback.value))
    # Nothing is older than forever, so that one comparison does for both.
    oldest_us = -_FOREVER_US if max_age_us is None else -max_age_us
    values: list[Any] = []
    statuses: list[Status] = []
    times: list[int] = []
    for cell, moment_us in zip(cells, moments_us, strict=True):
        value, time_us = cell or (None, 0)
        status = present
        # Most values are there and fresh enough; the others are looked at more closely.
        if value is None or time_us - moment_us < oldest_us or isinstance(value, Exception):
            # A value that is too old is not handed out: a caller who overlooks the status must not take it for fresh.
            status = _status(cell, max_age_us, moment_us)
            status, value = instead.get(status, (status, nothing))
        statuses.append(status)
        values.append(value)
        times.append(time_us)
    return AnswerColumn(name, SHAPES[kind], values, statuses, times, fallback)


def _status(cell: Cell, max_age_us: int | None, moment_us: int) -> Status:
    """What a cell without a value that may be handed out is."""
    if cell is None:
        return Status.NOT_FOUND
    value, event_time_us = cell
    if isinstance(value, Exception):
        return Status.UNREADABLE
    if max_age_us is not None and moment_us - event_time_us > max_age_us:
        return Status.OUTSIDE_MAX_AGE
    return Status.NULL_VALUE
