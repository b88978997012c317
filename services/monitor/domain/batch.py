"""Batches of the prediction log, and the windows that their rows fall in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from services.monitor.domain.columns import Column
from services.monitor.domain.moment import check_moments
from slipway.errors import FieldViolation, InvalidInput, invalid_field
from slipway.naming import resource_name

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
    """Rows that one version answered together: an id, an event time and a score each.

    ``event_times_us`` are microseconds since 1970. A score is the first output with one number a row; ``scores`` is
    empty when there is no such output. ``shadow`` rows were answered by another arm, and only scored by this one.
    ``event_id`` is its own: an event may bring several batches.
    """

    event_id: str
    arm: Arm
    prediction_ids: Sequence[str]
    event_times_us: Sequence[int]
    scores: Sequence[float] = ()
    shadow: bool = False
    features: Mapping[str, Column] = field(default_factory=dict)


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


def check_batch(batch: Batch, lengths: Mapping[str, tuple[int, int]]) -> None:
    """Raise InvalidInput naming the fields unless ``batch`` can be counted.

    ``lengths`` are the values that each list beside the ids has and those that it needs.
    """
    arm, rows = batch.arm, len(batch.prediction_ids)
    for path, name in (("endpoint", arm.endpoint), ("model", arm.model), ("route", arm.route)):
        resource_name(path, name)
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
    if "" in batch.prediction_ids:
        position = list(batch.prediction_ids).index("")
        raise invalid_field(f"prediction_ids[{position}]", "is empty; every row needs an id")
    check_moments("event_times_us", batch.event_times_us)
