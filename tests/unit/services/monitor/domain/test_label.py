from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.monitor.domain.label import KeptLabel, Label, LabelBatch, LabelTally, check_labels, settle
from slipway.errors import InvalidInput

BATCH = LabelBatch("flight-delay", ["a", "b"], [1.0, 0.0], [10, 20], "tower")
HELD = KeptLabel(Label(1.0, 10), "tower", joined=True)


def one(value: float, time_us: int) -> LabelBatch:
    return LabelBatch("flight-delay", ["a"], [value], [time_us], "late tower")


def test_new_labels_are_recorded_and_those_with_a_prediction_are_joined() -> None:
    settled = settle({}, {"a"}, [BATCH])
    assert settled.changed == {"a": HELD, "b": KeptLabel(Label(0.0, 20), "tower", joined=False)}
    assert settled.tally == LabelTally(recorded=2, joined=1)
    assert settled.tally.waiting == 1


@pytest.mark.parametrize(
    ("value", "time_us", "outcome", "held"),
    [
        (1.0, 10, "repeated", HELD.label),
        (1.0, 9, "repeated", HELD.label),
        (1.0, 11, "repeated", Label(1.0, 11)),
        (0.0, 11, "corrected", Label(0.0, 11)),
        (0.0, 10, "ignored", HELD.label),
        (0.0, 9, "ignored", HELD.label),
    ],
)
def test_the_latest_label_time_holds(value: float, time_us: int, outcome: str, held: Label) -> None:
    settled = settle({"a": HELD}, {"a"}, [one(value, time_us)])
    assert settled.tally == LabelTally(**{outcome: 1})
    assert settled.changed.get("a", HELD).label == held
    assert ("a" in settled.changed) == (held != HELD.label)


@pytest.mark.parametrize(("value", "outcome"), [(0.0, "ignored"), (1.0, "repeated")])
def test_a_forgotten_prediction_can_not_be_corrected(value: float, outcome: str) -> None:
    settled = settle({"a": HELD}, set(), [one(value, 11)])
    assert (settled.changed, settled.tally) == ({}, LabelTally(**{outcome: 1}))


def test_a_label_that_waits_is_corrected_while_it_waits() -> None:
    settled = settle({"a": replace(HELD, joined=False)}, set(), [one(0.0, 11)])
    assert settled.changed == {"a": KeptLabel(Label(0.0, 11), "late tower")}
    assert settled.tally == LabelTally(corrected=1)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([0.0, 1.0]), st.integers(0, 5)), max_size=12))
def test_every_label_has_one_outcome_and_splitting_a_batch_changes_none(rows: list[tuple[str, float, int]]) -> None:
    batches = [LabelBatch("e", [row[0]], [row[1]], [row[2]]) for row in rows]
    whole = LabelBatch("e", *([row[at] for row in rows] for at in range(3)))
    settled = settle({}, {"a"}, batches)
    assert settled == settle({}, {"a"}, [whole])
    told = settled.tally
    assert told.recorded + told.corrected + told.repeated + told.ignored == len(rows)
    assert told.recorded == len(settled.changed)
    for prediction_id, kept in settled.changed.items():
        newest = max(time for one, _, time in rows if one == prediction_id)
        first = next(value for one, value, time in rows if (one, time) == (prediction_id, newest))
        assert kept.label == Label(first, newest)
    again = settle(settled.changed, {"a"}, batches)
    assert again.changed == {}
    assert again.tally.recorded == again.tally.corrected == 0


@pytest.mark.parametrize(
    ("batch", "field"),
    [
        (replace(BATCH, endpoint=""), "endpoint"),
        (replace(BATCH, endpoint="No Such!"), "endpoint"),
        (replace(BATCH, source="x" * 129), "source"),
        (replace(BATCH, source="\0"), "source"),
        (replace(BATCH, values=[1.0]), "values"),
        (replace(BATCH, times_us=[1, 2, 3]), "label_times_us"),
        (replace(BATCH, prediction_ids=["a", ""]), "prediction_ids[1]"),
        (replace(BATCH, prediction_ids=["a b", "c"]), "prediction_ids[0]"),
        (replace(BATCH, prediction_ids=["a", "b" * 257]), "prediction_ids[1]"),
        (replace(BATCH, values=[1.0, math.nan]), "values[1]"),
        (replace(BATCH, values=[-math.inf, 0.0]), "values[0]"),
        (replace(BATCH, values=[1e101, 0.0]), "values[0]"),
        (replace(BATCH, times_us=[0, -(2**63)]), "label_times_us"),
        (replace(BATCH, times_us=[0, 2**63 - 1]), "label_times_us"),
    ],
)
def test_a_batch_that_can_not_be_kept_is_refused_by_field(batch: LabelBatch, field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        check_labels(batch)
    assert [one.field for one in raised.value.violations] == [field]


def test_sound_batches_pass_within_their_bound() -> None:
    assert check_labels(BATCH, 2) is BATCH
    check_labels(LabelBatch("e", [], [], []))
    with pytest.raises(InvalidInput, match="prediction_ids: has 2 labels; give at most 1 at once"):
        check_labels(BATCH, 1)


def test_many_wrong_rows_are_told_shortly() -> None:
    batch = LabelBatch("e", [""] * 1000, [0.0] * 1000, [0] * 1000)
    with pytest.raises(InvalidInput) as raised:
        check_labels(batch)
    assert len(raised.value.violations) == 5
