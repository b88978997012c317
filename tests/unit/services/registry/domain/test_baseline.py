from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.registry.codec import encode_version
from services.registry.codec.baselines import encode_told
from services.registry.domain.baseline import Baseline, FeatureBaseline, PerformanceBaseline
from services.registry.domain.model import (
    Artifact,
    ColumnSpec,
    DataType,
    Draft,
    Lineage,
    ModelVersion,
    Signature,
    TensorSpec,
)
from services.registry.domain.rules import check_draft, fingerprint
from slipway.errors import InvalidInput

NUMBER = FeatureBaseline("distance", 0.7, (100.0, 500.0), (), (1, 2, 3), 4, 0.01)
TEXT = FeatureBaseline("carrier", 0.3, (), ("UA", "AA"), (5, 6, 0), 0)
BASELINE = Baseline((NUMBER, TEXT), PerformanceBaseline(0.7, 0.02, 0.5, 0.03, 100), 7 * 86_400_000_000, 11)
SIGNATURE = Signature(
    (
        ColumnSpec("distance", DataType.FP32, feature="plane:distance"),
        ColumnSpec("carrier", DataType.BYTES),
    ),
    (TensorSpec("late", DataType.FP32, (-1, 1)),),
    (ColumnSpec("plane", DataType.BYTES),),
)
DRAFT = Draft("m", Artifact("sha256:" + "a" * 64, 1), SIGNATURE, {}, {}, Lineage(), BASELINE)


def refused(draft: Draft) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        check_draft(draft)
    return [one.field for one in caught.value.violations]


def test_a_sound_one_is_taken() -> None:
    check_draft(DRAFT)
    check_draft(replace(DRAFT, baseline=Baseline((), None, 0, 0)))
    check_draft(replace(DRAFT, baseline=replace(BASELINE, performance=PerformanceBaseline())))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "unknown"}, "name"),
        ({"importance": 1.5}, "importance"),
        ({"importance": math.nan}, "importance"),
        ({"edges": (500.0, 100.0)}, "edges"),
        ({"edges": (100.0, 100.0)}, "edges"),
        ({"edges": (100.0, math.inf)}, "edges"),
        ({"categories": ("a", "b")}, "categories"),
        ({"counts": (1, 2)}, "counts"),
        ({"counts": (1, 2, 2**63)}, "counts[2]"),
        ({"null_count": 2**63}, "null_count"),
        ({"spread": -0.1}, "spread"),
        ({"spread": math.nan}, "spread"),
    ],
)
def test_a_bad_number_is_refused_by_its_field(change: dict[str, Any], field: str) -> None:
    bad = replace(BASELINE, features=(replace(NUMBER, **change), TEXT))
    assert f"version.baseline.features[0].{field}" in refused(replace(DRAFT, baseline=bad))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"edges": (1.0, 2.0)}, "edges"),
        ({"categories": ("UA", "UA")}, "categories"),
        ({"categories": ("UA", "x" * 6_001)}, "categories"),
        ({"categories": ("UA", "\0")}, "categories"),
        ({"categories": ()}, "counts"),
    ],
)
def test_a_bad_text_is_refused_by_its_field(change: dict[str, Any], field: str) -> None:
    bad = replace(BASELINE, features=(NUMBER, replace(TEXT, **change)))
    assert f"version.baseline.features[1].{field}" in refused(replace(DRAFT, baseline=bad))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"features": (NUMBER, NUMBER)}, "features"),
        ({"block_us": 0}, "block"),
        ({"block_us": -1}, "block"),
        ({"row_count": 2**63}, "row_count"),
        ({"performance": PerformanceBaseline(auc=1.1)}, "performance.auc"),
        ({"performance": PerformanceBaseline(auc_spread=-1)}, "performance.auc_spread"),
        ({"performance": PerformanceBaseline(log_loss=math.inf)}, "performance.log_loss"),
        ({"performance": PerformanceBaseline(log_loss_spread=math.nan)}, "performance.log_loss_spread"),
        ({"performance": PerformanceBaseline(row_count=2**64 - 1)}, "performance.row_count"),
    ],
)
def test_a_bad_whole_is_refused_by_its_field(change: dict[str, Any], field: str) -> None:
    assert f"version.baseline.{field}" in refused(replace(DRAFT, baseline=replace(BASELINE, **change)))


@pytest.mark.parametrize(
    ("columns", "entities", "field"),
    [
        (("plane",), ("plane",), "inputs[0].feature"),
        (("plane:",), ("plane",), "inputs[0].feature"),
        (("Plane:age",), ("plane",), "inputs[0].feature"),
        (("a:b:c",), ("plane",), "inputs[0].feature"),
        (("plane:age", "plane:age"), ("plane",), "inputs[1].feature"),
        (("plane:age",), (), "entities"),
        (("",), ("plane",), "entities"),
        (("plane:age",), ("plane", "plane"), "entities"),
    ],
)
def test_a_signature_says_what_is_read_and_by_what(
    columns: tuple[str, ...], entities: tuple[str, ...], field: str
) -> None:
    signature = replace(
        SIGNATURE,
        inputs=tuple(ColumnSpec(f"x{n}", DataType.FP32, feature=one) for n, one in enumerate(columns)),
        entities=tuple(ColumnSpec(one, DataType.INT64) for one in entities),
    )
    assert refused(replace(DRAFT, signature=signature, baseline=None)) == [f"version.signature.{field}"]


def test_a_join_key_is_text_or_a_whole_number_and_holds_no_feature() -> None:
    for bad, field in (
        (ColumnSpec("plane", DataType.FP64), "datatype"),
        (ColumnSpec("plane", DataType.INT64, feature="plane:age"), "feature"),
    ):
        signature = replace(SIGNATURE, entities=(bad,))
        assert refused(replace(DRAFT, signature=signature)) == [f"version.signature.entities[0].{field}"]


def test_a_body_without_news_has_the_fingerprint_that_it_had_before_there_were_any() -> None:
    old = replace(
        DRAFT,
        baseline=None,
        signature=Signature((ColumnSpec("distance", DataType.FP32),), SIGNATURE.outputs),
        metrics={"auc": 0.5},
    )
    assert fingerprint(old) == "d6c3bcd05d83e31743a25030a195d35c5e7d261c2cec9c064555ffe2c56377b9"
    assert fingerprint(DRAFT) != fingerprint(replace(DRAFT, baseline=None))
    # With join keys and a baseline, before there were shapes.
    assert fingerprint(DRAFT) == "d9e946253dd5d62e0763ba5f272cd2825c3526f99d5d2c48155e5c72853e2b7c"


BOUNDS = FeatureBaseline("distance", 0.0, (), (), (), 0, minimum=0.0, maximum=5_000.0)


def test_valid_values_may_stand_without_bins_and_do_at_a_column_of_vectors() -> None:
    check_draft(replace(DRAFT, baseline=replace(BASELINE, features=(BOUNDS,))))
    check_draft(replace(DRAFT, baseline=replace(BASELINE, features=(replace(NUMBER, minimum=0.0),))))
    vectors = replace(
        SIGNATURE, inputs=(ColumnSpec("distance", DataType.UINT8, shape=(2,)), SIGNATURE.inputs[1]), entities=()
    )
    check_draft(replace(DRAFT, signature=vectors, baseline=replace(BASELINE, features=(BOUNDS,))))
    assert refused(replace(DRAFT, signature=vectors)) == ["version.baseline.features[0].counts"]


@pytest.mark.parametrize(
    ("feature", "field"),
    [
        (replace(BOUNDS, minimum=2.0, maximum=1.0), "minimum"),
        (replace(BOUNDS, minimum=math.nan), "minimum"),
        (replace(BOUNDS, maximum=math.inf), "maximum"),
        (replace(BOUNDS, spread=0.1), "spread"),
        (replace(BOUNDS, null_count=1), "counts"),
        (replace(TEXT, minimum=0.0), "minimum"),
    ],
)
def test_valid_values_that_nothing_can_have_are_refused(feature: FeatureBaseline, field: str) -> None:
    found = refused(replace(DRAFT, baseline=replace(BASELINE, features=(feature,))))
    assert found == [f"version.baseline.features[0].{field}"]


def test_valid_values_are_in_the_fingerprint() -> None:
    told = replace(DRAFT, baseline=replace(BASELINE, features=(replace(NUMBER, minimum=0.0), TEXT)))
    assert fingerprint(told) != fingerprint(DRAFT)


def test_what_a_message_carries_is_never_more_than_was_reckoned() -> None:
    for draft in (
        DRAFT,
        replace(DRAFT, baseline=None),
        replace(DRAFT, baseline=replace(BASELINE, features=(replace(BOUNDS, spread=0.5, importance=0.5),) * 99)),
        replace(DRAFT, params={"é" * 250: "ü" * 6_000}, metrics={"m" * 250: 0.1}),
        replace(DRAFT, baseline=replace(BASELINE, features=(replace(NUMBER, counts=(2**62,) * 9_000),) * 9)),
    ):
        carried = encode_version(ModelVersion(2**32 - 1, draft, datetime.now(UTC))).ByteSize()
        assert carried <= draft.carried_bytes <= 5 * carried + 4_000


@pytest.mark.parametrize(
    ("feature", "typical"),
    [
        (NUMBER, 300.0),  # of 6 rows the third lies between the edges
        (replace(NUMBER, counts=(9, 0, 0)), 100.0),
        (replace(NUMBER, counts=(0, 0, 9)), 500.0),
        (replace(NUMBER, counts=(0, 0, 0)), None),
        (TEXT, "AA"),
        (replace(TEXT, counts=(0, 0, 9)), None),
        (replace(TEXT, categories=("UA", "A" * 257)), None),
        (replace(NUMBER, edges=(), counts=()), None),
    ],
)
def test_a_gateway_is_told_what_is_typical_in_place_of_the_bins(feature: FeatureBaseline, typical: object) -> None:
    assert feature.typical == typical
    told = encode_told(Baseline((feature,), None, 0, 1))
    assert [one.typical_text or one.typical_number for one in told.features] == ([] if typical is None else [typical])
    [bounded] = encode_told(Baseline((replace(feature, minimum=1.0),), None, 0, 1)).features
    assert (bounded.minimum, list(bounded.counts), bounded.HasField("maximum")) == (1.0, [], False)
