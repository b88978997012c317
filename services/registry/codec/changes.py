"""What the registry tells the world."""

from __future__ import annotations

from services.registry.codec.endpoints import encode_endpoint
from services.registry.codec.models import encode_version
from services.registry.domain.changes import AliasMoved, Change, EndpointDeleted, EndpointPut, VersionCreated
from slipway.gen.slipway.registry.v1 import events_pb2


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
