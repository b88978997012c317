"""Baselines."""

from __future__ import annotations

from typing import Protocol

from services.registry.domain.baseline import Baseline, FeatureBaseline, PerformanceBaseline
from services.registry.domain.baseline_rules import MAX_BASELINE_BYTES
from slipway.errors import invalid_field
from slipway.gen.slipway.registry.v1 import resources_pb2

_FIGURES = ("auc", "auc_spread", "log_loss", "log_loss_spread")


class _Optional(Protocol):
    def HasField(self, field_name: str, /) -> bool: ...  # noqa: N802  (protobuf's name)


def encode_baseline(baseline: Baseline) -> resources_pb2.Baseline:
    """A baseline as the contract has it."""
    message = resources_pb2.Baseline(
        features=[
            resources_pb2.FeatureBaseline(
                name=one.name,
                importance=one.importance,
                edges=one.edges,
                categories=one.categories,
                counts=one.counts,
                null_count=one.null_count,
                spread=one.spread,
                minimum=one.minimum,
                maximum=one.maximum,
            )
            for one in baseline.features
        ],
        row_count=baseline.row_count,
    )
    if baseline.block_us:
        message.block.FromMicroseconds(baseline.block_us)
    if performance := baseline.performance:
        figures = {name: getattr(performance, name) for name in _FIGURES}
        message.performance.CopyFrom(resources_pb2.PerformanceBaseline(**figures, row_count=performance.row_count))
    return message


def encode_told(baseline: Baseline) -> resources_pb2.Baseline:
    """What a gateway needs of a baseline: which values are valid, and which are typical."""
    message = resources_pb2.Baseline()
    for one in baseline.features:
        typical = one.typical
        if typical is None and not one.bounded:
            continue
        told = message.features.add(name=one.name, minimum=one.minimum, maximum=one.maximum)
        if isinstance(typical, str):
            told.typical_text = typical
        elif typical is not None:
            told.typical_number = typical
    return message


def decode_baseline(message: resources_pb2.Baseline) -> Baseline:
    """A baseline to be stored. Raises InvalidInput about one that is too large."""
    if (size := message.ByteSize()) > MAX_BASELINE_BYTES:
        raise invalid_field(
            "version.baseline", f"has {size} bytes, at most {MAX_BASELINE_BYTES} are kept; give fewer bins or features"
        )
    return Baseline(
        features=tuple(_decode_feature(one) for one in message.features),
        performance=_decode_performance(message.performance) if message.HasField("performance") else None,
        block_us=message.block.ToMicroseconds(),
        row_count=message.row_count,
    )


def _decode_feature(message: resources_pb2.FeatureBaseline) -> FeatureBaseline:
    return FeatureBaseline(
        name=message.name,
        importance=message.importance,
        edges=tuple(message.edges),
        categories=tuple(message.categories),
        counts=tuple(message.counts),
        null_count=message.null_count,
        spread=_given(message, "spread"),
        minimum=_given(message, "minimum"),
        maximum=_given(message, "maximum"),
    )


def _decode_performance(message: resources_pb2.PerformanceBaseline) -> PerformanceBaseline:
    return PerformanceBaseline(**{name: _given(message, name) for name in _FIGURES}, row_count=message.row_count)


def _given(message: _Optional, name: str) -> float | None:
    return float(getattr(message, name)) if message.HasField(name) else None
