"""Models, versions and their parts."""

from __future__ import annotations

from collections.abc import Iterable

from services.registry.codec.baselines import decode_baseline, encode_baseline
from services.registry.codec.moments import stamp
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
from slipway.errors import invalid_field
from slipway.gen.slipway.registry.v1 import resources_pb2

_DATATYPES: dict[int, DataType] = {resources_pb2.DataType.Value(f"DATA_TYPE_{kind}"): kind for kind in DataType}


def encode_alias(alias: Alias) -> resources_pb2.Alias:
    """An alias as the contract has it."""
    return resources_pb2.Alias(name=alias.name, version=alias.version, update_time=stamp(alias.update_time))


def encode_model(model: Model) -> resources_pb2.Model:
    """A model as the contract has it."""
    return resources_pb2.Model(
        name=model.name,
        owner=model.owner,
        description=model.description,
        create_time=stamp(model.create_time),
        aliases=[encode_alias(alias) for alias in model.aliases],
        latest_version=model.latest_version,
    )


def encode_version(version: ModelVersion) -> resources_pb2.ModelVersion:
    """A version as the contract has it."""
    draft = version.draft
    data, code = draft.lineage.data, draft.lineage.code
    return resources_pb2.ModelVersion(
        model=draft.model,
        number=version.number,
        artifact=encode_artifact(draft.artifact),
        signature=_encode_signature(draft.signature),
        metrics=draft.metrics,
        params=draft.params,
        lineage=resources_pb2.Lineage(
            data=resources_pb2.DataReference(
                digest=data.digest,
                source=data.source,
                row_count=data.row_count,
                training_set=data.training_set,
                definitions=data.definitions,
            ),
            code=resources_pb2.CodeReference(digest=code.digest, revision=code.revision, workflow=code.workflow),
            run_id=draft.lineage.run_id,
        ),
        create_time=stamp(version.create_time),
        baseline=encode_baseline(draft.baseline) if draft.baseline else None,
    )


def encode_artifact(artifact: Artifact) -> resources_pb2.Artifact:
    """An artifact as the contract has it."""
    return resources_pb2.Artifact(digest=artifact.digest, size_bytes=artifact.size_bytes)


def decode_draft(message: resources_pb2.ModelVersion) -> Draft:
    """A version to be registered. Raises InvalidInput about a type that is not set or not known."""
    lineage, data = message.lineage, message.lineage.data
    return Draft(
        model=message.model,
        artifact=Artifact(message.artifact.digest, message.artifact.size_bytes),
        signature=_decode_signature(message.signature),
        metrics=dict(message.metrics),
        params=dict(message.params),
        lineage=Lineage(
            DataReference(data.digest, data.source, data.row_count, data.training_set, tuple(data.definitions)),
            CodeReference(lineage.code.digest, lineage.code.revision, lineage.code.workflow),
            lineage.run_id,
        ),
        baseline=decode_baseline(message.baseline) if message.HasField("baseline") else None,
    )


def _encode_signature(signature: Signature) -> resources_pb2.Signature:
    return resources_pb2.Signature(
        inputs=[_encode_column(column) for column in signature.inputs],
        outputs=[
            resources_pb2.TensorSpec(name=tensor.name, datatype=f"DATA_TYPE_{tensor.datatype}", shape=tensor.shape)
            for tensor in signature.outputs
        ],
        entities=[_encode_column(column) for column in signature.entities],
    )


def _encode_column(column: ColumnSpec) -> resources_pb2.ColumnSpec:
    return resources_pb2.ColumnSpec(
        name=column.name,
        datatype=f"DATA_TYPE_{column.datatype}",
        nullable=column.nullable,
        description=column.description,
        feature=column.feature,
        shape=column.shape,
    )


def _decode_signature(message: resources_pb2.Signature) -> Signature:
    return Signature(
        inputs=_decode_columns("version.signature.inputs", message.inputs),
        outputs=tuple(
            TensorSpec(
                tensor.name,
                _datatype(f"version.signature.outputs[{position}].datatype", tensor.datatype),
                tuple(tensor.shape),
            )
            for position, tensor in enumerate(message.outputs)
        ),
        entities=_decode_columns("version.signature.entities", message.entities),
    )


def _decode_columns(field: str, columns: Iterable[resources_pb2.ColumnSpec]) -> tuple[ColumnSpec, ...]:
    return tuple(
        ColumnSpec(
            column.name,
            _datatype(f"{field}[{position}].datatype", column.datatype),
            column.nullable,
            column.description,
            column.feature,
            tuple(column.shape),
        )
        for position, column in enumerate(columns)
    )


def _datatype(field: str, number: int) -> DataType:
    if number not in _DATATYPES:
        raise invalid_field(field, "is not set or not known; give one of DATA_TYPE_" + ", ".join(DataType))
    return _DATATYPES[number]
