"""Batches of the prediction log, and the windows that their rows fall in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from slipway.errors import FieldViolation, InvalidInput, invalid_field
from slipway.naming import resource_name

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A year short of what a Timestamp can say at either end, so that the window around any moment can be said too.
_EARLIEST_US = (datetime(2, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_LATEST_US = (datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class Arm:
    """What answered: one version on one arm of an endpoint."""

    endpoint: str
    model: str
    version: int
    route: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that one version answered together; ``event_times_us`` are microseconds since 1970, one a row."""

    event_id: str
    arm: Arm
    event_times_us: Sequence[int]


Tally = Mapping[tuple[Arm, int], int]
"""Rows by arm and by the start of their window, microseconds since 1970."""


def tally(batches: Iterable[Batch], window_us: int) -> Counter[tuple[Arm, int]]:
    """Count the rows of ``batches`` by arm and window of ``window_us`` microseconds; windows start at 1970."""
    counted: Counter[tuple[Arm, int]] = Counter()
    for batch in batches:
        # time // window_us for every row without a Python frame a row; it floors before 1970 too.
        windows = Counter(map(window_us.__rfloordiv__, batch.event_times_us))
        for number, rows in windows.items():
            counted[batch.arm, number * window_us] += rows
    return counted


def check_batch(batch: Batch, rows: int, lengths: Mapping[str, tuple[int, int]]) -> None:
    """Raise InvalidInput naming the fields unless ``batch`` can be counted.

    ``rows`` is how many ids it has, ``lengths`` the values that each other list has and those that it needs.
    """
    arm = batch.arm
    for field, name in (("endpoint", arm.endpoint), ("model", arm.model), ("route", arm.route)):
        resource_name(field, name)
    if arm.version < 1:
        raise invalid_field("version", "is 0; give the number of the version that answered")
    wrong = [
        FieldViolation(path, f"has {given} values where the {rows} rows of prediction_ids need {needed}")
        for path, (given, needed) in lengths.items()
        if given != needed
    ]
    if wrong:
        told = "; ".join(f"{one.field}: {one.description}" for one in wrong[:_MOST_TOLD])
        raise InvalidInput(told, violations=wrong)
    if rows and not (min(batch.event_times_us) >= _EARLIEST_US and max(batch.event_times_us) < _LATEST_US):
        raise invalid_field("event_times_us", "leaves the years 2 to 9998; give microseconds since 1970")
