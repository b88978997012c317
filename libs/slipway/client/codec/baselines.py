"""Baselines of versions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from slipway.client.codec.scalars import UINT64_MAX, figure, text, whole
from slipway.client.types.baselines import Baseline, FeatureBaseline, PerformanceBaseline
from slipway.errors import invalid_field
from slipway.gen.slipway.registry.v1 import resources_pb2 as res

_OPTIONAL = ("spread", "minimum", "maximum")
_FIGURES = ("auc", "auc_spread", "log_loss", "log_loss_spread")


def encode_baseline(baseline: Baseline) -> res.Baseline:
    """Encode a baseline."""
    made = res.Baseline(
        features=[_encode_feature(f"baseline.features[{n}]", one) for n, one in enumerate(baseline.features)],
        row_count=whole("baseline.row_count", baseline.row_count, UINT64_MAX),
    )
    if baseline.block is not None:
        if not isinstance(baseline.block, timedelta):
            raise invalid_field("baseline.block", f"is {type(baseline.block).__name__}; give a timedelta")
        made.block.FromTimedelta(baseline.block)
    if (performance := baseline.performance) is not None:
        made.performance.row_count = whole("baseline.performance.row_count", performance.row_count, UINT64_MAX)
        for name in _FIGURES:
            if (value := getattr(performance, name)) is not None:
                setattr(made.performance, name, figure(f"baseline.performance.{name}", value))
    return made


def _encode_feature(field: str, feature: FeatureBaseline) -> res.FeatureBaseline:
    optional: dict[str, Any] = {
        name: figure(f"{field}.{name}", value) for name in _OPTIONAL if (value := getattr(feature, name)) is not None
    }
    return res.FeatureBaseline(
        name=text(f"{field}.name", feature.name),
        importance=figure(f"{field}.importance", feature.importance),
        edges=[figure(f"{field}.edges[{n}]", edge) for n, edge in enumerate(feature.edges)],
        categories=[text(f"{field}.categories[{n}]", one) for n, one in enumerate(feature.categories)],
        counts=[whole(f"{field}.counts[{n}]", count, UINT64_MAX) for n, count in enumerate(feature.counts)],
        null_count=whole(f"{field}.null_count", feature.null_count, UINT64_MAX),
        **optional,
    )


def decode_baseline(message: res.Baseline) -> Baseline:
    """Decode a baseline."""
    return Baseline(
        features=tuple(
            FeatureBaseline(
                name=one.name,
                importance=one.importance,
                edges=tuple(one.edges),
                categories=tuple(one.categories),
                counts=tuple(one.counts),
                null_count=one.null_count,
                **{name: _given(one, name) for name in _OPTIONAL},
                typical=one.typical_text if one.HasField("typical_text") else _given(one, "typical_number"),
            )
            for one in message.features
        ),
        performance=_decode_performance(message.performance) if message.HasField("performance") else None,
        block=message.block.ToTimedelta() if message.HasField("block") else None,
        row_count=message.row_count,
    )


def _decode_performance(message: res.PerformanceBaseline) -> PerformanceBaseline:
    return PerformanceBaseline(**{name: _given(message, name) for name in _FIGURES}, row_count=message.row_count)


def _given(message: Any, name: str) -> float | None:
    return float(getattr(message, name)) if message.HasField(name) else None
