"""What a baseline must be like before it is stored."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise

from services.registry.domain.baseline import Baseline, FeatureBaseline, PerformanceBaseline
from services.registry.domain.model import ColumnSpec, DataType
from slipway.errors import FieldViolation

MAX_BASELINE_BYTES = 1024 * 1024
# What every database's 64-bit column, and every reader's whole number, holds.
_MOST_ROWS = 2**63 - 1
_MOST_TEXT = 6_000
_CATEGORIES_ALONE = {DataType.BYTES}
_EDGES_ALONE = set(DataType) - {DataType.BYTES, DataType.BOOL}


def baseline_faults(baseline: Baseline, inputs: Mapping[str, ColumnSpec]) -> Iterator[FieldViolation]:
    """Every field that keeps ``baseline`` from being one of a version with these ``inputs``."""
    twice = [name for name, times in Counter(one.name for one in baseline.features).items() if times > 1]
    if twice:
        yield FieldViolation("version.baseline.features", f"has {twice[0]!r} twice; give each input once")
    for position, feature in enumerate(baseline.features):
        field = f"version.baseline.features[{position}]"
        if feature.name not in inputs:
            yield FieldViolation(f"{field}.name", f"{feature.name[:128]!r} is no input of the signature; leave it out")
            continue
        yield from _feature_faults(field, feature, inputs[feature.name])
    spreads = any(feature.spread is not None for feature in baseline.features)
    if baseline.block_us < 0 or (spreads and baseline.block_us == 0):
        yield FieldViolation("version.baseline.block", "is not above 0; give the width of the blocks, such as a week")
    yield from _count_faults("version.baseline.row_count", baseline.row_count)
    if baseline.performance is not None:
        yield from _performance_faults(baseline.performance)


def _feature_faults(field: str, feature: FeatureBaseline, column: ColumnSpec) -> Iterator[FieldViolation]:
    if not 0 <= feature.importance <= 1:
        yield FieldViolation(f"{field}.importance", f"is {feature.importance}; give a share from 0 to 1")
    yield from _bounds_faults(field, feature, column.datatype)
    binned = bool(feature.counts or feature.edges or feature.categories or feature.null_count)
    if binned and column.shape:
        told = f"stand at a column of shape {list(column.shape)}, which has no bins; give minimum and maximum alone"
        yield FieldViolation(f"{field}.counts", told)
    elif binned or not feature.bounded:
        yield from _bin_faults(field, feature, column.datatype)
    elif feature.spread is not None:
        yield FieldViolation(f"{field}.spread", "is that of bins, and there are none; leave it out")
    for position, count in enumerate((*feature.counts, feature.null_count)):
        name = f"counts[{position}]" if position < len(feature.counts) else "null_count"
        yield from _count_faults(f"{field}.{name}", count)
    if feature.spread is not None and not (math.isfinite(feature.spread) and feature.spread >= 0):
        yield FieldViolation(f"{field}.spread", f"is {feature.spread}; give a finite number from 0 on, or leave it out")


def _bounds_faults(field: str, feature: FeatureBaseline, datatype: DataType) -> Iterator[FieldViolation]:
    for name, bound in (("minimum", feature.minimum), ("maximum", feature.maximum)):
        if bound is None:
            continue
        if datatype not in _EDGES_ALONE:
            yield FieldViolation(
                f"{field}.{name}", f"does not belong to {datatype}; only numbers have one, leave it out"
            )
        elif not math.isfinite(bound):
            yield FieldViolation(f"{field}.{name}", f"is {bound}; give a finite number, or leave it out for any")
    if feature.minimum is not None and feature.maximum is not None and feature.minimum > feature.maximum:
        told = f"is {feature.minimum}, above the maximum {feature.maximum}, so that no value is valid; correct one"
        yield FieldViolation(f"{field}.minimum", told)


def _bin_faults(field: str, feature: FeatureBaseline, datatype: DataType) -> Iterator[FieldViolation]:
    if feature.edges and (feature.categories or datatype in _CATEGORIES_ALONE):
        yield FieldViolation(f"{field}.edges", f"do not belong to a text ({datatype}); give edges or categories")
    if feature.categories and datatype in _EDGES_ALONE:
        yield FieldViolation(f"{field}.categories", f"do not belong to a number ({datatype}); give edges")
    if not all(math.isfinite(edge) for edge in feature.edges):
        yield FieldViolation(f"{field}.edges", "hold a number that is not finite; leave it out")
    elif any(left >= right for left, right in pairwise(feature.edges)):
        yield FieldViolation(f"{field}.edges", "do not rise; give each edge once, in order")
    if len(set(feature.categories)) < len(feature.categories):
        yield FieldViolation(f"{field}.categories", "hold a value twice; give each once")
    if any(len(text) > _MOST_TEXT or "\0" in text for text in feature.categories):
        yield FieldViolation(
            f"{field}.categories", f"hold a NUL or more than {_MOST_TEXT} characters; count that value with the others"
        )
    bins = max(len(feature.edges), len(feature.categories)) + 1
    if len(feature.counts) != bins:
        yield FieldViolation(
            f"{field}.counts", f"has {len(feature.counts)} entries; give {bins}, one more than edges or categories"
        )


def _performance_faults(performance: PerformanceBaseline) -> Iterator[FieldViolation]:
    most = {"auc": 1.0, "auc_spread": math.inf, "log_loss": math.inf, "log_loss_spread": math.inf}
    for name, above in most.items():
        figure = getattr(performance, name)
        if figure is not None and not (math.isfinite(figure) and 0 <= figure <= above):
            told = "from 0 to 1" if above == 1.0 else "from 0 on"
            yield FieldViolation(
                f"version.baseline.performance.{name}", f"is {figure}; give a finite number {told}, or leave it out"
            )
    yield from _count_faults("version.baseline.performance.row_count", performance.row_count)


def _count_faults(field: str, count: int) -> Iterator[FieldViolation]:
    if count > _MOST_ROWS:
        yield FieldViolation(field, f"is above {_MOST_ROWS}; correct it")
