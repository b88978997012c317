"""Between the registry's values and rows of its tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row

from services.registry.adapters.rollout_rows import baseline_of
from services.registry.domain.model import (
    Alias,
    Artifact,
    CodeReference,
    ColumnSpec,
    DataReference,
    DataType,
    Draft,
    Lineage,
    Model,
    ModelVersion,
    Signature,
    TensorSpec,
)

AnyRow = Row[Any]


def model_of(row: AnyRow, aliases: Sequence[Alias]) -> Model:
    """A model and its aliases."""
    return Model(row.name, row.owner, row.description, row.create_time, row.latest_version, tuple(aliases))


def alias_of(row: AnyRow) -> Alias:
    """An alias."""
    return Alias(row.model, row.name, row.version, row.update_time)


def draft_columns(draft: Draft) -> dict[str, Any]:
    """The columns that hold what a version is made of."""
    return {
        "model": draft.model,
        "artifact_digest": draft.artifact.digest,
        "artifact_size": draft.artifact.size_bytes,
        "signature": asdict(draft.signature),
        "metrics": dict(draft.metrics),
        "params": dict(draft.params),
        "lineage": asdict(draft.lineage),
        "baseline": asdict(draft.baseline) if draft.baseline else None,
    }


def version_of(row: AnyRow) -> ModelVersion:
    """A version."""
    signature, lineage = row.signature, row.lineage
    draft = Draft(
        model=row.model,
        artifact=Artifact(row.artifact_digest, row.artifact_size),
        signature=Signature(
            _columns_of(signature["inputs"]),
            tuple(
                TensorSpec(tensor["name"], DataType(tensor["datatype"]), tuple(tensor["shape"]))
                for tensor in signature["outputs"]
            ),
            # Rows that were stored before there were join keys have none.
            _columns_of(signature.get("entities", ())),
        ),
        metrics=row.metrics,
        params=row.params,
        lineage=Lineage(_data_of(lineage["data"]), CodeReference(**lineage["code"]), lineage["run_id"]),
        baseline=baseline_of(row.baseline),
    )
    return ModelVersion(row.number, draft, row.create_time)


def _columns_of(stored: Sequence[dict[str, Any]]) -> tuple[ColumnSpec, ...]:
    return tuple(_column_of(column) for column in stored)


def _column_of(stored: dict[str, Any]) -> ColumnSpec:
    # Rows that were stored before there were vectors have no shape.
    told = {"datatype": DataType(stored["datatype"]), "shape": tuple(stored.get("shape", ()))}
    return ColumnSpec(**stored | told)


def _data_of(stored: dict[str, Any]) -> DataReference:
    return DataReference(**stored | {"definitions": tuple(stored.get("definitions", ()))})
