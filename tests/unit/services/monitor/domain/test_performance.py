from __future__ import annotations

import math
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from services.monitor.domain.batch import Arm
from services.monitor.domain.label import Label
from services.monitor.domain.performance import (
    BINS,
    Ledger,
    Pair,
    Sums,
    WindowKey,
    joined_sums,
)

KEY = WindowKey(Arm("flight-delay", "flights", 3, "main"), 0, 1_000_000)
amounts = st.floats(-1e100, 1e100)
scores = st.one_of(st.none(), st.floats(0, 1), amounts)
values = st.one_of(st.sampled_from([0.0, 1.0]), amounts)
pairs = st.builds(
    Pair, scores, st.integers(-(10**15), 10**15), st.builds(Label, values, st.integers(-(10**15), 10**15))
)


def naive(given_pairs: Sequence[Pair]) -> Sums:
    """The sums, row by row."""
    log_loss = brier = measured = absolute = squared = 0
    bins: dict[int, int] = {}
    for pair in given_pairs:
        score, value = pair.score, pair.label.value
        if score is None:
            continue
        measured += 1
        absolute += round(abs(score - value) * 1e9)
        squared += round(abs(score - value) ** 2 * 1e9)
        if 0 <= score <= 1 and value in {0, 1}:
            right = score if value == 1 else 1 - score
            log_loss += round(-math.log(max(right, 1e-15)) * 1e9)
            brier += round((score - value) ** 2 * 1e9)
            at = min(int(score * BINS), BINS - 1) + BINS * int(value)
            bins[at] = bins.get(at, 0) + 1
    delay_us = sum(pair.label.time_us - pair.event_us for pair in given_pairs)
    newest = max((pair.label.time_us for pair in given_pairs), default=None)
    return Sums(0, len(given_pairs), delay_us, newest, log_loss, brier, measured, absolute, squared, bins)


@given(st.lists(pairs, max_size=20))
def test_sums_are_those_of_a_row_by_row_reading(given_pairs: list[Pair]) -> None:
    fast, slow = joined_sums(given_pairs), naive(given_pairs)
    # The two logarithms may differ in the last digit of a float.
    assert abs(fast.log_loss - slow.log_loss) <= len(given_pairs)
    assert [getattr(fast, name) for name in ("joined", "delay_us", "newest_label_us", "brier", "measured", "bins")] == [
        getattr(slow, name) for name in ("joined", "delay_us", "newest_label_us", "brier", "measured", "bins")
    ]
    assert (fast.absolute, fast.squared) == (slow.absolute, slow.squared)


@given(st.lists(st.tuples(pairs, st.integers(0, 3)), max_size=20), st.permutations(range(4)))
def test_sums_add_up_to_the_same_however_they_are_split_and_in_any_order(
    parted: list[tuple[Pair, int]], order: list[int]
) -> None:
    added = Sums()
    for part in order:
        added += joined_sums([pair for pair, number in parted if number == part])
    assert added == joined_sums([pair for pair, _ in parted])


@given(st.lists(pairs, max_size=10), pairs, pairs)
def test_a_correction_leaves_no_trace_of_what_it_replaced(others: list[Pair], wrong: Pair, right: Pair) -> None:
    ledger = Ledger()
    for pair in (*others, wrong):
        ledger.join(KEY, pair)
    held = ledger.sums()[KEY]
    correction = Ledger()
    correction.part(KEY, wrong)
    correction.join(KEY, right)
    corrected = held + correction.sums()[KEY]
    expected = joined_sums([*others, right])
    newest = max([pair.label.time_us for pair in (*others, wrong, right)])
    assert corrected == expected + Sums(newest_label_us=newest)
