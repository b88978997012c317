"""A version of a model with its artifact, signature and lineage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slipway.client.codec.baselines import decode_baseline, encode_baseline
from slipway.client.codec.scalars import UINT32_MAX, UINT64_MAX, Names, figure, moment, text, texts, timestamp, whole
from slipway.client.types.registry import (
    Artifact,
    CodeReference,
    ColumnSpec,
    DataReference,
    DataType,
    Lineage,
    ModelVersion,
    Signature,
    TensorSpec,
)
from slipway.gen.slipway.registry.v1 import resources_pb2 as res

_INT64_MAX = 2**63 - 1
_DATATYPES = Names(res.DataType, "DATA_TYPE_", DataType)


def encode_artifact(artifact: Artifact) -> res.Artifact:
    """Encode an artifact's name and size."""
    return res.Artifact(
        digest=text("artifact.digest", artifact.digest),
        size_bytes=whole("artifact.size_bytes", artifact.size_bytes, UINT64_MAX),
    )


def decode_artifact(message: res.Artifact) -> Artifact:
    """Decode an artifact's name and size."""
    return Artifact(message.digest, message.size_bytes)


def encode_signature(signature: Signature) -> res.Signature:
    """Encode a signature."""
    return res.Signature(
        inputs=_encode_columns("signature.inputs", signature.inputs),
        outputs=[
            res.TensorSpec(
                name=text(f"signature.outputs[{n}].name", one.name),
                datatype=_DATATYPES.number(f"signature.outputs[{n}].datatype", one.datatype),
                shape=one.shape,
            )
            for n, one in enumerate(signature.outputs)
        ],
        entities=_encode_columns("signature.entities", signature.entities),
    )


def _encode_columns(field: str, columns: Sequence[ColumnSpec]) -> list[res.ColumnSpec]:
    return [
        res.ColumnSpec(
            name=text(f"{field}[{n}].name", one.name),
            datatype=_DATATYPES.number(f"{field}[{n}].datatype", one.datatype),
            nullable=one.nullable,
            description=text(f"{field}[{n}].description", one.description),
            feature=text(f"{field}[{n}].feature", one.feature),
            shape=[whole(f"{field}[{n}].shape", size, _INT64_MAX) for size in one.shape],
        )
        for n, one in enumerate(columns)
    ]


def decode_signature(message: res.Signature) -> Signature:
    """Decode a signature."""
    return Signature(
        inputs=_decode_columns(message.inputs),
        outputs=tuple(TensorSpec(one.name, _DATATYPES.name(one.datatype), tuple(one.shape)) for one in message.outputs),
        entities=_decode_columns(message.entities),
    )


def _decode_columns(columns: Iterable[res.ColumnSpec]) -> tuple[ColumnSpec, ...]:
    return tuple(
        ColumnSpec(
            one.name, _DATATYPES.name(one.datatype), one.nullable, one.description, one.feature, tuple(one.shape)
        )
        for one in columns
    )


def encode_lineage(lineage: Lineage) -> res.Lineage:
    """Encode a lineage; what is None stays absent."""
    made = res.Lineage(run_id=text("lineage.run_id", lineage.run_id))
    if (data := lineage.data) is not None:
        made.data.CopyFrom(
            res.DataReference(
                digest=text("lineage.data.digest", data.digest),
                source=text("lineage.data.source", data.source),
                row_count=whole("lineage.data.row_count", data.row_count, UINT64_MAX),
                training_set=text("lineage.data.training_set", data.training_set),
                definitions=[text(f"lineage.data.definitions[{n}]", one) for n, one in enumerate(data.definitions)],
            )
        )
    if (code := lineage.code) is not None:
        made.code.CopyFrom(
            res.CodeReference(
                digest=text("lineage.code.digest", code.digest),
                revision=text("lineage.code.revision", code.revision),
                workflow=text("lineage.code.workflow", code.workflow),
            )
        )
    return made


def decode_lineage(message: res.Lineage) -> Lineage:
    """Decode a lineage."""
    data, code = message.data, message.code
    return Lineage(
        data=DataReference(data.digest, data.source, data.row_count, data.training_set, tuple(data.definitions))
        if message.HasField("data")
        else None,
        code=CodeReference(code.digest, code.revision, code.workflow) if message.HasField("code") else None,
        run_id=message.run_id,
    )


def encode_version(version: ModelVersion) -> res.ModelVersion:
    """Encode a version with what the registry sets."""
    return res.ModelVersion(
        model=text("version.model", version.model),
        number=whole("version.number", version.number, UINT32_MAX),
        artifact=encode_artifact(version.artifact),
        signature=encode_signature(version.signature),
        metrics={
            text("version.metrics", name): figure(f"version.metrics.{name}", value)
            for name, value in version.metrics.items()
        },
        params=texts("version.params", version.params),
        lineage=encode_lineage(version.lineage),
        create_time=timestamp("version.create_time", version.create_time),
        baseline=encode_baseline(version.baseline) if version.baseline is not None else None,
    )


def decode_version(message: res.ModelVersion) -> ModelVersion:
    """Decode a version."""
    return ModelVersion(
        model=message.model,
        number=message.number,
        artifact=decode_artifact(message.artifact),
        signature=decode_signature(message.signature),
        metrics=dict(message.metrics),
        params=dict(message.params),
        lineage=decode_lineage(message.lineage),
        create_time=moment(message, "create_time"),
        baseline=decode_baseline(message.baseline) if message.HasField("baseline") else None,
    )
