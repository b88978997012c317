"""A version of a model with its artifact, signature and lineage."""

from __future__ import annotations

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
        inputs=[
            res.ColumnSpec(
                name=text(f"signature.inputs[{n}].name", one.name),
                datatype=_DATATYPES.number(f"signature.inputs[{n}].datatype", one.datatype),
                nullable=one.nullable,
                description=text(f"signature.inputs[{n}].description", one.description),
            )
            for n, one in enumerate(signature.inputs)
        ],
        outputs=[
            res.TensorSpec(
                name=text(f"signature.outputs[{n}].name", one.name),
                datatype=_DATATYPES.number(f"signature.outputs[{n}].datatype", one.datatype),
                shape=one.shape,
            )
            for n, one in enumerate(signature.outputs)
        ],
    )


def decode_signature(message: res.Signature) -> Signature:
    """Decode a signature."""
    return Signature(
        inputs=tuple(
            ColumnSpec(one.name, _DATATYPES.name(one.datatype), one.nullable, one.description) for one in message.inputs
        ),
        outputs=tuple(TensorSpec(one.name, _DATATYPES.name(one.datatype), tuple(one.shape)) for one in message.outputs),
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
        data=DataReference(data.digest, data.source, data.row_count) if message.HasField("data") else None,
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
    )
