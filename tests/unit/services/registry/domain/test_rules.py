from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.domain.model import (
    Artifact,
    ColumnSpec,
    DataReference,
    DataType,
    Draft,
    Lineage,
    Signature,
    TensorSpec,
)
from services.registry.domain.rules import (
    MAX_TEXT,
    check_digest,
    check_draft,
    check_model,
    check_signature,
    fingerprint,
)
from slipway.errors import InvalidInput

DIGEST = "sha256:" + "a" * 64
COLUMN = ColumnSpec("distance", DataType.FP32)
TENSOR = TensorSpec("late", DataType.FP32, (-1, 1))
DRAFT = Draft("m", Artifact(DIGEST, 1), Signature((COLUMN,), (TENSOR,)), {"auc": 0.5}, {"leaves": "31"}, Lineage())


def fields(check: Any, *arguments: Any) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        check(*arguments)
    assert all(one.description for one in caught.value.violations)
    return [one.field for one in caught.value.violations]


@pytest.mark.parametrize(
    ("model", "field"),
    [
        (("Late", "dock", ""), "model.name"),
        (("late", " ", ""), "model.owner"),
        (("late", "x" * (MAX_TEXT + 1), ""), "model.owner"),
        (("late", "dock", "x" * (MAX_TEXT + 1)), "model.description"),
    ],
)
def test_a_model_needs_a_name_and_an_owner(model: tuple[str, str, str], field: str) -> None:
    assert fields(check_model, *model) == [field]


def test_a_good_model_and_a_good_draft_pass() -> None:
    check_model("flight-delay", "dock", "")
    check_draft(DRAFT)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"model": "No"}, ["version.model"]),
        ({"artifact": Artifact("sha256:A", 1)}, ["version.artifact.digest"]),
        ({"signature": Signature((), (TENSOR,))}, ["version.signature.inputs"]),
        ({"signature": Signature((COLUMN,), ())}, ["version.signature.outputs"]),
        ({"metrics": {"auc": float("inf")}}, ["version.metrics[auc]"]),
        ({"metrics": {"a": float("nan"), "b": float("-inf")}}, ["version.metrics[a]", "version.metrics[b]"]),
        ({"metrics": {"": 1.0}}, ["version.metrics"]),
        ({"params": {"x" * 251: ""}}, ["version.params"]),
        ({"params": {str(n): "" for n in range(1001)}}, ["version.params"]),
        ({"params": {"p": "x" * (MAX_TEXT + 1)}}, ["version.params[p]"]),
        ({"lineage": Lineage(run_id="x" * (MAX_TEXT + 1))}, ["version.lineage.run_id"]),
        ({"lineage": Lineage(DataReference(row_count=2**63))}, ["version.lineage.data.row_count"]),
        (
            {"signature": Signature((replace(COLUMN, description="x" * (MAX_TEXT + 1)),), (TENSOR,))},
            ["version.signature.inputs[0].description"],
        ),
    ],
)
def test_every_fault_of_a_draft_is_named(changes: dict[str, Any], expected: list[str]) -> None:
    assert fields(check_draft, replace(DRAFT, **changes)) == expected


@pytest.mark.parametrize("shape", [(), (1,), (-1, 0), (-1, -1), (1, -1)])
def test_an_output_is_shaped_as_a_batch(shape: tuple[int, ...]) -> None:
    signature = Signature((COLUMN,), (TENSOR, TensorSpec("odd", DataType.FP32, shape)))
    assert fields(check_signature, signature) == ["version.signature.outputs[1].shape"]


def test_names_in_a_signature_differ_and_are_told_by_place() -> None:
    assert fields(check_signature, Signature((COLUMN, COLUMN), (TENSOR,))) == ["version.signature.inputs"]
    bad = ColumnSpec("two words", DataType.BOOL)
    assert fields(check_signature, Signature((COLUMN, bad), (TENSOR,))) == ["version.signature.inputs[1].name"]
    many = tuple(ColumnSpec(f"c{n}", DataType.FP32) for n in range(10_001))
    assert fields(check_signature, Signature(many, (TENSOR,))) == ["version.signature.inputs"]


@given(st.text())
def test_a_digest_is_allowed_by_its_alphabet_alone(text: str) -> None:
    assert fields(check_digest, "digest", text) == ["digest"]
    assert fields(check_digest, "digest", DIGEST + text[:1] + "\n") == ["digest"]


_FACTS = st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False, allow_infinity=False), max_size=4)


@given(_FACTS, _FACTS)
def test_a_fingerprint_tells_bodies_apart_and_nothing_else(first: dict[str, float], second: dict[str, float]) -> None:
    one, other = replace(DRAFT, metrics=first), replace(DRAFT, metrics=second)
    assert (fingerprint(one) == fingerprint(other)) == (repr(sorted(first.items())) == repr(sorted(second.items())))
    backwards = dict(reversed(copy.copy(first).items()))
    assert fingerprint(replace(DRAFT, metrics=backwards)) == fingerprint(one)


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "n"},
        {"artifact": Artifact(DIGEST, 2)},
        {"params": {"leaves": "32"}},
        {"lineage": Lineage(run_id="r")},
        {"signature": Signature((replace(COLUMN, nullable=True),), (TENSOR,))},
        {"signature": Signature((replace(COLUMN, shape=(1,)),), (TENSOR,))},
    ],
)
def test_every_part_of_a_draft_is_in_its_fingerprint(changes: dict[str, Any]) -> None:
    assert fingerprint(replace(DRAFT, **changes)) != fingerprint(DRAFT)


@pytest.mark.parametrize("shape", [(1,), (32,), (3, 224, 224), (2**20,), (1,) * 8])
def test_a_column_may_be_of_vectors(shape: tuple[int, ...]) -> None:
    check_signature(Signature((replace(COLUMN, shape=shape),), (TENSOR,)))


@pytest.mark.parametrize(
    ("changes", "entity", "field"),
    [
        ({"shape": (0,)}, {}, "inputs[0].shape"),
        ({"shape": (-1, 3)}, {}, "inputs[0].shape"),
        ({"shape": (2**20, 2)}, {}, "inputs[0].shape"),
        ({"shape": (2**62, 8)}, {}, "inputs[0].shape"),
        ({"shape": (1,) * 9}, {}, "inputs[0].shape"),
        ({"shape": (2,), "feature": "plane:age"}, {}, "inputs[0].feature"),
        ({"feature": "plane:age"}, {"shape": (1,)}, "entities[0].shape"),
    ],
)
def test_a_shape_where_it_cannot_be_is_refused(changes: dict[str, Any], entity: dict[str, Any], field: str) -> None:
    key = ColumnSpec("plane", DataType.BYTES, **entity)
    keys = (key,) if "feature" in changes else ()
    assert fields(check_signature, Signature((replace(COLUMN, **changes),), (TENSOR,), keys)) == [
        f"version.signature.{field}"
    ]
