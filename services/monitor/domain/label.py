"""What turned out to be true of predictions, and which of two labels holds."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace

from services.monitor.domain.moment import check_moments
from slipway.errors import FieldViolation, InvalidInput, invalid_field
from slipway.naming import resource_name

# Its square can still be told in a float, with room for a sum of billions.
LARGEST_VALUE = 1e100
MOST_LABELS = 10_000
_ID = re.compile(r"[\x21-\x7e]{1,256}", re.ASCII)
_SOURCE = re.compile(r"[\x20-\x7e]{0,128}", re.ASCII)
_MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class LabelBatch:
    """Labels of predictions of ``endpoint``: one id, value and label time (microseconds since 1970) each."""

    endpoint: str
    prediction_ids: Sequence[str]
    values: Sequence[float]
    times_us: Sequence[int]
    source: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """What was true, and the event time at which it was known."""

    value: float
    time_us: int


@dataclass(frozen=True, slots=True)
class KeptLabel:
    """The label that holds, who said so, and whether it ever found its prediction."""

    label: Label
    source: str = ""
    joined: bool = False


@dataclass(frozen=True, slots=True)
class LabelTally:
    """What became of labels: each is recorded, corrected, repeated or ignored.

    ``joined`` are the recorded that found their prediction, at once or later, ``expired`` those that never did.
    """

    recorded: int = 0
    corrected: int = 0
    repeated: int = 0
    ignored: int = 0
    joined: int = 0
    expired: int = 0

    def __add__(self, other: LabelTally) -> LabelTally:
        return LabelTally(*map(sum, zip(astuple(self), astuple(other), strict=True)))

    @property
    def waiting(self) -> int:
        """Recorded labels whose prediction is still to come."""
        return self.recorded - self.joined - self.expired


@dataclass(frozen=True, slots=True)
class Settled:
    """The labels that hold now and did not before, by prediction id, and what became of every label that came."""

    changed: Mapping[str, KeptLabel]
    tally: LabelTally


def settle(
    known: Mapping[str, KeptLabel], predicted: frozenset[str] | set[str], batches: Iterable[LabelBatch]
) -> Settled:
    """Hold labels of one endpoint against those that are ``known``: the latest label time wins.

    ``predicted`` are the ids whose prediction is kept. Where a label was joined and its prediction forgotten since,
    no other value can be put in its place.
    """
    held = dict(known)
    changed: dict[str, KeptLabel] = {}
    counts = {"recorded": 0, "corrected": 0, "repeated": 0, "ignored": 0, "joined": 0}
    for batch in batches:
        for prediction_id, value, time_us in zip(batch.prediction_ids, batch.values, batch.times_us, strict=True):
            old = held.get(prediction_id)
            new = KeptLabel(Label(value, time_us), batch.source, prediction_id in predicted)
            outcome, taken = _judged(old, new)
            counts[outcome] += 1
            if taken:
                counts["joined"] += old is None and new.joined
                held[prediction_id] = changed[prediction_id] = new
    return Settled(changed, LabelTally(**counts))


def _judged(old: KeptLabel | None, new: KeptLabel) -> tuple[str, bool]:
    """What becomes of ``new``, and whether it takes the place of ``old``."""
    if old is None:
        return "recorded", True
    same, later = new.label.value == old.label.value, new.label.time_us > old.label.time_us
    forgotten = old.joined and not new.joined
    if same:
        return "repeated", later and not forgotten
    if later and not forgotten:
        return "corrected", True
    return "ignored", False


def check_labels(batch: LabelBatch, most: int | None = None) -> LabelBatch:
    """Itself. Raises InvalidInput naming the fields unless every label can be kept; ``most`` bounds their number."""
    resource_name("endpoint", batch.endpoint)
    if not _SOURCE.fullmatch(batch.source):
        raise invalid_field("source", "is too long or not printable; use at most 128 printable ASCII characters")
    rows = len(batch.prediction_ids)
    if most is not None and rows > most:
        raise invalid_field("prediction_ids", f"has {rows} labels; give at most {most} at once")
    wrong = [
        FieldViolation(name, f"has {given} values where the {rows} rows of prediction_ids need {rows}")
        for name, given in (("values", len(batch.values)), ("label_times_us", len(batch.times_us)))
        if given != rows
    ]
    if not wrong:
        wrong = [*_wrong_rows(batch)]
    if wrong:
        told = "; ".join(f"{one.field}: {one.description}" for one in wrong[:_MOST_TOLD])
        raise InvalidInput(told, violations=wrong[:_MOST_TOLD])
    check_moments("label_times_us", batch.times_us)
    return batch


def _wrong_rows(batch: LabelBatch) -> Iterable[FieldViolation]:
    for position, prediction_id in enumerate(batch.prediction_ids):
        if not _ID.fullmatch(prediction_id):
            told = "is empty" if not prediction_id else "is not allowed"
            yield FieldViolation(
                f"prediction_ids[{position}]", f"{told}; use 1 to 256 printable ASCII characters without spaces"
            )
    for position, value in enumerate(batch.values):
        if not math.isfinite(value) or abs(value) > LARGEST_VALUE:
            yield FieldViolation(f"values[{position}]", f"is {value!r}; give a number of at most 1e100 in size")


def with_joined(kept: KeptLabel) -> KeptLabel:
    """The label once its prediction is there."""
    return replace(kept, joined=True)
