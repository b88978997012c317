from __future__ import annotations

from datetime import UTC, datetime

from services.monitor.codec.registry import decode_version
from slipway.events import Event
from slipway.gen.slipway.registry.v1 import events_pb2, resources_pb2


def test_valid_values_without_bins_are_nothing_to_hold_windows_against() -> None:
    features = [
        resources_pb2.FeatureBaseline(name="age", edges=[1.0], counts=[1, 2], minimum=0, maximum=120),
        resources_pb2.FeatureBaseline(name="image", minimum=0),
    ]
    created = resources_pb2.ModelVersion(model="m", number=1, baseline=resources_pb2.Baseline(features=features))
    value = events_pb2.ModelVersionChanged(created=created).SerializeToString()
    found = decode_version(Event("e", "registry.model-version.v1", "m", "t", "r", datetime.now(UTC), value))
    assert found is not None
    assert [(one.name, one.counts) for one in found.features] == [("age", (1, 2))]
