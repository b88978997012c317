"""The example's Feast repository, compiled and applied to a catalogue that serves."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from slipway.client import Aggregation, AggregationFunction, Source, ValueType
from tests.wire.features.conftest import Served

REPOSITORY = Path(__file__).parents[3] / "examples/flights/feature_repo"


async def test_the_flights_are_compiled_and_applied(features: Served, tmp_path: Path) -> None:
    file = tmp_path / "flights.json"
    compiled = await features.run("compile", str(REPOSITORY), "--output", str(file))
    assert compiled.exit_code == 0, compiled.output
    assert "Compiled in" in compiled.stderr
    applied = await features.run("apply", str(file), "--json")
    assert applied.exit_code == 0, applied.output
    assert [one["revision"] for one in json.loads(applied.stdout)] == [1] * 7

    view = await features.client.features.get_view("route_delays")
    assert view.entities == ("origin", "dest")
    assert view.entity_types == (ValueType.STRING, ValueType.STRING)
    assert view.source == Source("landings", "landings.parquet", "landed_at")
    assert (view.hop, view.max_age) == (timedelta(hours=1), None)
    first = view.aggregations[0]
    assert first == Aggregation("mean_late_1d", "late", AggregationFunction.MEAN, timedelta(days=1))
    weather = await features.client.features.get_view("origin_weather")
    assert (weather.max_age, weather.hop, weather.aggregations) == (timedelta(hours=6), None, ())
    service = await features.client.features.get_service("flight_delay")
    assert len(service.features) == 35
    assert service.features[:2] == ("carrier_delays:mean_late_1h", "carrier_delays:mean_late_6h")


def test_serving_knows_nothing_of_feast() -> None:
    code = "import sys, services.feature_serving.main; sys.exit(any(one.startswith('feast') for one in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
