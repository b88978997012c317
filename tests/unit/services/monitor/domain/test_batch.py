from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.monitor.domain.batch import Arm, Batch, check_batch, tally
from slipway.errors import InvalidInput

ARM = Arm("flight-delay", "flights", 3, "main")
HOUR_US = 3_600_000_000
BATCH = Batch("e1", ARM, ["a", "b", "c"], [0, HOUR_US - 1, HOUR_US])


def test_a_row_falls_in_the_window_that_includes_its_start_and_excludes_its_end() -> None:
    assert tally([BATCH], HOUR_US) == {(ARM, 0): 2, (ARM, HOUR_US): 1}


def test_moments_before_1970_fall_in_the_window_before_it() -> None:
    assert tally([replace(BATCH, event_times_us=[-1, -HOUR_US])], HOUR_US) == {(ARM, -HOUR_US): 2}


def test_each_arm_has_windows_of_its_own() -> None:
    canary = replace(ARM, version=4, route="canary")
    counted = tally([BATCH, Batch("e2", canary, ["d", "e"], [5, 6]), Batch("e3", ARM, ["f"], [7])], HOUR_US)
    assert counted == {(ARM, 0): 3, (ARM, HOUR_US): 1, (canary, 0): 2}


@given(
    times=st.lists(st.lists(st.integers(-(10**17), 10**17), max_size=30), max_size=5),
    window_us=st.integers(1_000_000, 31 * 86_400_000_000),
)
def test_every_row_is_in_exactly_one_window_that_contains_it(times: list[list[int]], window_us: int) -> None:
    counted = tally([Batch(f"e{n}", ARM, [""] * len(rows), rows) for n, rows in enumerate(times)], window_us)
    flat = [time for rows in times for time in rows]
    assert counted.total() == len(flat)
    for (_, start), rows in counted.items():
        assert start % window_us == 0
        assert sum(start <= time < start + window_us for time in flat) == rows


def test_a_sound_batch_passes() -> None:
    check_batch(BATCH, {"event_times_us": (3, 3), "outputs[probability]": (6, 6)})


@pytest.mark.parametrize(
    ("arm", "field"),
    [
        (replace(ARM, endpoint=""), "endpoint"),
        (replace(ARM, model="Flights!"), "model"),
        (replace(ARM, route=""), "route"),
        (replace(ARM, version=0), "version"),
    ],
)
def test_what_answered_must_be_named(arm: Arm, field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        check_batch(replace(BATCH, arm=arm), {})
    assert [one.field for one in raised.value.violations] == [field]


def test_every_list_of_another_length_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"features\[distance\]: has 2 values where the 3 rows") as raised:
        check_batch(BATCH, {"event_times_us": (3, 3), "features[distance]": (2, 3), "input_digests": (0, 3)})
    assert [one.field for one in raised.value.violations] == ["features[distance]", "input_digests"]


@pytest.mark.parametrize("moment", [datetime(1, 6, 1, tzinfo=UTC), datetime(9999, 6, 1, tzinfo=UTC)])
def test_a_moment_that_no_window_can_hold_is_refused(moment: datetime) -> None:
    far_us = int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 1_000_000
    with pytest.raises(InvalidInput, match="event_times_us"):
        check_batch(replace(BATCH, event_times_us=[0, far_us]), {})


def test_a_batch_without_rows_is_sound_and_counts_nothing() -> None:
    empty = replace(BATCH, prediction_ids=[], event_times_us=[])
    check_batch(empty, {"event_times_us": (0, 0)})
    assert tally([empty], HOUR_US) == {}


def test_a_row_without_an_id_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"prediction_ids\[1\]: is empty"):
        check_batch(replace(BATCH, prediction_ids=["a", "", "c"]), {})
