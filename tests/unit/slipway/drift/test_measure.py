from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from slipway.drift import histogram, jensen_shannon, measure, performance_baseline
from slipway.errors import InvalidInput

ROWS = 6_000
START = np.datetime64("2013-01-03", "us")
TIMES = START + np.arange(ROWS) * np.timedelta64(20, "m")
RNG = np.random.default_rng(3)
DELAY = RNG.normal(10, 5, ROWS)
CARRIER = RNG.choice(["AA", "UA", "B6"], ROWS, p=[0.6, 0.3, 0.1])


def baseline(**changes: Any) -> Any:
    given: dict[str, Any] = {"kinds": {"carrier": "text"}, "importances": {"delay": 3.0, "carrier": 1.0}, **changes}
    holes = np.where(np.arange(ROWS) % 10 == 0, np.nan, DELAY)
    return measure({"delay": holes, "carrier": CARRIER}, event_times=TIMES, **given)


def test_a_baseline_has_every_row_and_shares_of_importance() -> None:
    found = baseline()
    delay, carrier = found.features
    assert (found.row_count, found.block) == (ROWS, timedelta(days=7))
    assert (delay.importance, carrier.importance) == (0.75, 0.25)
    assert (sum(delay.counts) + delay.null_count, delay.null_count) == (ROWS, ROWS // 10)
    assert len(delay.counts) == len(delay.edges) + 1 == 20
    assert max(delay.counts) < 1.1 * min(delay.counts)
    assert (carrier.categories, len(carrier.counts), carrier.counts[-1]) == (("AA", "UA", "B6"), 4, 0)
    assert 0 < delay.spread < 0.15


def test_a_shift_stands_out_of_the_spread_and_the_same_again_does_not() -> None:
    delay = baseline().features[0]
    trained = [*delay.counts, delay.null_count]
    again = np.where(np.arange(2_000) % 10 == 0, np.nan, RNG.normal(10, 5, 2_000))
    assert jensen_shannon(histogram(again, edges=delay.edges), trained) < delay.spread
    assert jensen_shannon(histogram(again + 5, edges=delay.edges), trained) > 2 * delay.spread
    assert jensen_shannon(histogram(np.full(2_000, np.nan), edges=delay.edges), trained) > 0.7


def test_times_are_datetimes_or_microseconds_as_well() -> None:
    told = [datetime(2013, 1, 3, tzinfo=UTC) + timedelta(hours=n) for n in range(2_000)]
    whole = [int(one.timestamp()) * 1_000_000 for one in told]
    first = measure({"x": DELAY[:2_000]}, {}, told, {})
    assert first == measure({"x": DELAY[:2_000]}, {}, np.array(whole), {})
    assert first.features[0].importance == 0
    few = measure({"x": DELAY[:10]}, {}, told[:10], {})
    assert few.features[0].spread is None
    empty = measure({"x": []}, {}, [], {}).features[0]
    assert (empty.counts, empty.null_count, empty.spread) == ((0,), 0, None)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"kinds": {"carrier": "tax"}}, r"kinds\[carrier\]"),
        ({"kinds": {}}, r"columns\[carrier\]"),
        ({"importances": {"delay": float("nan")}}, r"importances\[delay\]"),
        ({"block": timedelta(0)}, "block"),
    ],
)
def test_what_can_t_be_measured_is_named(changes: Any, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        baseline(**changes)
    with pytest.raises(InvalidInput, match=r"columns\[x\]"):
        measure({"x": [1.0]}, {}, [1, 2], {})
    with pytest.raises(InvalidInput, match="time zone"):
        measure({"x": [1.0]}, {}, [datetime(2013, 1, 1)], {})


def test_performance_has_figures_and_how_far_a_block_falls() -> None:
    score = RNG.uniform(0, 1, ROWS)
    label = (RNG.uniform(0, 1, ROWS) < score).astype(float)
    calm = performance_baseline(score, label, TIMES)
    assert calm.row_count == ROWS
    assert 0.8 < calm.auc < 0.87
    assert 0.45 < calm.log_loss < 0.55
    assert 0 <= calm.auc_spread < 0.08
    bad = label.copy()
    week = slice(2_016, 2_520)
    bad[week] = 1 - bad[week]
    worse = performance_baseline(score, bad, TIMES)
    assert worse.auc_spread > 0.3
    assert worse.log_loss_spread > 0.3


def test_performance_of_few_or_one_sided_rows_leaves_out_what_can_t_be_told() -> None:
    one = performance_baseline([0.5, 0.25], [1, 1], TIMES[:2])
    assert (one.auc, one.auc_spread, one.log_loss_spread, one.row_count) == (None, None, None, 2)
    assert performance_baseline([], [], TIMES[:0]).log_loss is None
    for scores, labels, told in (([2.0], [1.0], "scores"), ([0.5], [2.0], "labels"), ([0.5], [], "labels")):
        with pytest.raises(InvalidInput, match=told):
            performance_baseline(scores, labels, TIMES[:1])
