"""What a training set holds for a moment is what was answered online at that moment."""

from __future__ import annotations

import io
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from slipway.client import (
    Aggregation,
    AggregationFunction,
    Feature,
    FeatureService,
    FeatureStatus,
    FeatureView,
    Source,
    TrainingSetState,
    ValueType,
)

HOUR = timedelta(hours=1)
START = datetime(2013, 1, 1, tzinfo=UTC)
SOURCE = Source("landings", "landings.parquet", "landed")
AGGREGATIONS = tuple(
    Aggregation(f"{function.value}_{hours}h", "delay", function, hours * HOUR)
    for function in AggregationFunction
    if function is not AggregationFunction.UNSPECIFIED
    for hours in (1, 3)
)
# In place of what is usual, of nulls alone, of everything, and none.
FALLBACKS: dict[AggregationFunction, dict[str, Any]] = {
    AggregationFunction.COUNT: {"fallback": -1},
    AggregationFunction.SUM: {"fallback": 0.25, "fallback_for": (FeatureStatus.NULL_VALUE,)},
    AggregationFunction.MIN: {"fallback": -1e3, "fallback_for": tuple(FeatureStatus)[2:5]},
    AggregationFunction.MEAN: {},
    AggregationFunction.MAX: {},
    AggregationFunction.STDDEV: {},
}
WINDOWED = FeatureView(
    "late",
    "fleet",
    ("tailnum",),
    tuple(
        Feature(one.feature, ValueType.INT64 if one.function is AggregationFunction.COUNT else ValueType.DOUBLE, **more)
        for one in AGGREGATIONS
        for more in (FALLBACKS[one.function],)
    ),
    source=SOURCE,
    aggregations=AGGREGATIONS,
    hop=HOUR,
)
PLAIN = FeatureView(
    "last", "fleet", ("tailnum",), (Feature("delay", ValueType.DOUBLE),), max_age=2 * HOUR, source=SOURCE
)
FILLED = replace(PLAIN, name="filled", features=(Feature("delay", ValueType.FLOAT, fallback=0.1),))
FEATURES = (*(f"late:{one.feature}" for one in AGGREGATIONS), "last:delay", "filled:delay")
TAILS = ("N1", "N2", "N3", "N4")


def landings() -> list[dict[str, Any]]:
    """Of N1 to N3, by time, with quiet stretches; N4 never lands.

    None at a full hour: what comes to be known at the moment of the question itself is known, but not yet published.
    """
    chance = random.Random(7)  # noqa: S311  (it picks rows, no secrets)
    minutes = sorted(chance.sample([minute for minute in range(8 * 60) if minute % 60], 60))
    return [
        {
            "tailnum": chance.choice(TAILS[: 1 if 180 < minute < 420 else 3]),
            "landed": START + timedelta(minutes=minute),
            "delay": None if chance.random() < 0.2 else float(chance.randint(-20, 90)),
        }
        for minute in minutes
    ]


async def test_a_training_set_holds_what_was_answered_online(online: Any, tmp_path: Path) -> None:
    features, events = online.client.features, landings()
    sources = tmp_path / "data" / "feature_serving" / "sources"
    sources.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(events), sources / "landings.parquet")
    await features.apply([WINDOWED, PLAIN, FILLED])
    await features.apply_services([FeatureService("all", "fleet", FEATURES)])
    answered: list[dict[str, Any]] = []
    fallbacks = dict.fromkeys(FEATURES, 0)
    for tick in range(10):
        since, now = START + (tick - 1) * HOUR, START + tick * HOUR
        # A plain view's row counts at its own moment, a windowed view's event before the boundary.
        due = [one for one in events if since <= one["landed"] < now]
        for view in ("late", "last", "filled"):
            await features.push(
                view,
                [{"tailnum": one["tailnum"]} for one in due],
                [{"delay": one["delay"]} for one in due],
                [one["landed"] for one in due],
                complete_until=now,
            )
        found = await features.get_online("all", [{"tailnum": tail} for tail in TAILS], event_times=now)
        for tail, row in zip(TAILS, found.rows(), strict=True):
            answered.append({"tailnum": tail, "event_time": now, **row})
        for name, column in found.columns.items():
            fallbacks[name] += column.statuses.count(FeatureStatus.FALLBACK)
    spine = io.BytesIO()
    asked = [{"tailnum": one["tailnum"], "event_time": one["event_time"]} for one in answered]
    pq.write_table(pa.Table.from_pylist(asked), spine)
    made = await features.create_training_set(spine.getvalue(), "all")
    made = await features.wait_training_set(made.id, timeout_s=60)
    assert (made.state, made.error) == (TrainingSetState.READY, "")
    table = pq.read_table(io.BytesIO(await features.download_training_set(made.id)))
    there = 0
    for row, was in zip(table.to_pylist(), answered, strict=True):
        for feature in FEATURES:
            value, online_value = row[feature.replace(":", "__")], was[feature]
            there += value is not None
            assert value == (None if online_value is None else pytest.approx(online_value, rel=1e-12)), (feature, was)
    assert there > 100
    assert {one.feature: one.fallback_count for one in made.columns if one.feature} == fallbacks
    taken = {name for name, count in fallbacks.items() if count}
    assert taken == {*(f"late:{name}_{hours}h" for name in ("count", "sum", "min") for hours in (1, 3)), "filled:delay"}
