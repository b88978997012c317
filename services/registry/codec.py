"""Between the contract's messages and the registry's values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from services.registry.domain.changes import AliasMoved, Change, EndpointDeleted, EndpointPut, VersionCreated
from services.registry.domain.endpoint import DesiredState, Endpoint, Route, Target
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
from slipway.gen.slipway.registry.v1 import events_pb2, registry_pb2, resources_pb2

_DATATYPES: dict[int, DataType] = {resources_pb2.DataType.Value(f"DATA_TYPE_{kind}"): kind for kind in DataType}


def _time(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def encode_alias(alias: Alias) -> resources_pb2.Alias:
    """An alias as the contract has it."""
    return resources_pb2.Alias(name=alias.name, version=alias.version, update_time=_time(alias.update_time))


def encode_model(model: Model) -> resources_pb2.Model:
    """A model as the contract has it."""
    return resources_pb2.Model(
        name=model.name,
        owner=model.owner,
        description=model.description,
        create_time=_time(model.create_time),
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
            data=resources_pb2.DataReference(digest=data.digest, source=data.source, row_count=data.row_count),
            code=resources_pb2.CodeReference(digest=code.digest, revision=code.revision, workflow=code.workflow),
            run_id=draft.lineage.run_id,
        ),
        create_time=_time(version.create_time),
    )


def encode_artifact(artifact: Artifact) -> resources_pb2.Artifact:
    """An artifact as the contract has it."""
    return resources_pb2.Artifact(digest=artifact.digest, size_bytes=artifact.size_bytes)


def decode_draft(message: resources_pb2.ModelVersion) -> Draft:
    """A version to be registered. Raises InvalidInput about a type that is not set or not known."""
    lineage = message.lineage
    return Draft(
        model=message.model,
        artifact=Artifact(message.artifact.digest, message.artifact.size_bytes),
        signature=_decode_signature(message.signature),
        metrics=dict(message.metrics),
        params=dict(message.params),
        lineage=Lineage(
            DataReference(lineage.data.digest, lineage.data.source, lineage.data.row_count),
            CodeReference(lineage.code.digest, lineage.code.revision, lineage.code.workflow),
            lineage.run_id,
        ),
    )


def _encode_signature(signature: Signature) -> resources_pb2.Signature:
    return resources_pb2.Signature(
        inputs=[
            resources_pb2.ColumnSpec(
                name=column.name,
                datatype=f"DATA_TYPE_{column.datatype}",
                nullable=column.nullable,
                description=column.description,
            )
            for column in signature.inputs
        ],
        outputs=[
            resources_pb2.TensorSpec(name=tensor.name, datatype=f"DATA_TYPE_{tensor.datatype}", shape=tensor.shape)
            for tensor in signature.outputs
        ],
    )


def _decode_signature(message: resources_pb2.Signature) -> Signature:
    return Signature(
        inputs=tuple(
            ColumnSpec(
                column.name,
                _datatype(f"version.signature.inputs[{position}].datatype", column.datatype),
                column.nullable,
                column.description,
            )
            for position, column in enumerate(message.inputs)
        ),
        outputs=tuple(
            TensorSpec(
                tensor.name,
                _datatype(f"version.signature.outputs[{position}].datatype", tensor.datatype),
                tuple(tensor.shape),
            )
            for position, tensor in enumerate(message.outputs)
        ),
    )


def _datatype(field: str, number: int) -> DataType:
    if number not in _DATATYPES:
        raise invalid_field(field, "is not set or not known; give one of DATA_TYPE_" + ", ".join(DataType))
    return _DATATYPES[number]


def encode_endpoint(endpoint: Endpoint) -> resources_pb2.Endpoint:
    """An endpoint as the contract has it."""
    message = resources_pb2.Endpoint(
        name=endpoint.name, revision=endpoint.revision, update_time=_time(endpoint.update_time)
    )
    for route in endpoint.routes:
        entry = message.routes.add(
            name=route.name, model=route.target.model, weight=route.weight, resolved_version=route.resolved
        )
        if route.target.alias:
            entry.alias = route.target.alias
        else:
            entry.version = route.target.version
    return message


def decode_routes(message: resources_pb2.Endpoint) -> Sequence[Route]:
    """The arms of an endpoint to be put, not resolved yet."""
    return [
        Route(route.name, Target(route.model, route.version, route.alias), route.weight) for route in message.routes
    ]


def encode_state(state: DesiredState) -> registry_pb2.WatchEndpointsResponse:
    """A step of the watch stream."""
    return registry_pb2.WatchEndpointsResponse(
        revision=state.revision,
        snapshot=state.snapshot,
        endpoints=[encode_endpoint(endpoint) for endpoint in state.endpoints],
        deleted=state.deleted,
        versions=[encode_version(version) for version in state.versions],
    )


def encode_change(change: Change) -> tuple[str, str, str, bytes]:
    """The topic, key, type and value of a change's event."""
    match change:
        case VersionCreated(version):
            value = events_pb2.ModelVersionChanged(created=encode_version(version))
            return "registry.model-version.v1", version.model, "slipway.registry.version.created", _bytes(value)
        case AliasMoved(model, alias, before, after):
            moved = events_pb2.AliasMoved(model=model, alias=alias, from_version=before, to_version=after)
            value = events_pb2.ModelVersionChanged(alias_moved=moved)
            return "registry.model-version.v1", model, "slipway.registry.alias.moved", _bytes(value)
        case EndpointPut(endpoint):
            put = events_pb2.EndpointChanged(put=encode_endpoint(endpoint))
            return "registry.endpoint.v1", endpoint.name, "slipway.registry.endpoint.put", _bytes(put)
        case EndpointDeleted(name):
            gone = events_pb2.EndpointChanged(deleted=name)
            return "registry.endpoint.v1", name, "slipway.registry.endpoint.deleted", _bytes(gone)


def _bytes(message: events_pb2.ModelVersionChanged | events_pb2.EndpointChanged) -> bytes:
    return message.SerializeToString()
