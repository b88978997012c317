"""The feature catalogue's messages."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration

from slipway.client.codec.scalars import UINT64_MAX, Names, moment, text, timestamp, whole
from slipway.client.types.features import Feature, FeatureService, FeatureView, OnlineStore, ValueType
from slipway.gen.slipway.features.v1 import features_pb2 as pb
from slipway.gen.slipway.features.v1 import resources_pb2 as res

_TYPES = Names(res.ValueType, "VALUE_TYPE_", ValueType)


def encode_view(view: FeatureView, field: str = "view") -> res.FeatureView:
    """Encode a view with what the service sets; errors name fields under ``field``."""
    made = res.FeatureView(
        name=text(f"{field}.name", view.name),
        owner=text(f"{field}.owner", view.owner),
        description=text(f"{field}.description", view.description),
        entities=[text(f"{field}.entities[{n}]", one) for n, one in enumerate(view.entities)],
        features=[_encode_feature(one, f"{field}.features[{n}]") for n, one in enumerate(view.features)],
        update_time=timestamp(f"{field}.update_time", view.update_time),
        revision=whole(f"{field}.revision", view.revision, UINT64_MAX),
    )
    if view.max_age is not None:
        age = Duration()
        age.FromTimedelta(view.max_age)
        made.max_age.CopyFrom(age)
    return made


def _encode_feature(feature: Feature, field: str) -> res.Feature:
    return res.Feature(
        name=text(f"{field}.name", feature.name),
        type=_TYPES.number(f"{field}.type", feature.type),
        description=text(f"{field}.description", feature.description),
    )


def decode_view(message: res.FeatureView) -> FeatureView:
    """Decode a view."""
    return FeatureView(
        name=message.name,
        owner=message.owner,
        entities=tuple(message.entities),
        features=tuple(Feature(one.name, _TYPES.name(one.type), one.description) for one in message.features),
        description=message.description,
        max_age=message.max_age.ToTimedelta() if message.HasField("max_age") else None,
        update_time=moment(message, "update_time"),
        revision=message.revision,
    )


def encode_service(service: FeatureService, field: str = "service") -> res.FeatureService:
    """Encode a feature service with what the server sets; errors name fields under ``field``."""
    return res.FeatureService(
        name=text(f"{field}.name", service.name),
        owner=text(f"{field}.owner", service.owner),
        description=text(f"{field}.description", service.description),
        features=[text(f"{field}.features[{n}]", one) for n, one in enumerate(service.features)],
        update_time=timestamp(f"{field}.update_time", service.update_time),
        revision=whole(f"{field}.revision", service.revision, UINT64_MAX),
    )


def decode_service(message: res.FeatureService) -> FeatureService:
    """Decode a feature service."""
    return FeatureService(
        name=message.name,
        owner=message.owner,
        features=tuple(message.features),
        description=message.description,
        update_time=moment(message, "update_time"),
        revision=message.revision,
    )


def decode_online_store(message: pb.GetOnlineStoreResponse) -> OnlineStore:
    """Decode how the online store stands."""
    return OnlineStore(message.reachable, message.reason, message.server_version, message.keys)
