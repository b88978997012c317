"""The feature catalogue's messages."""

from __future__ import annotations

from datetime import timedelta

from google.protobuf.duration_pb2 import Duration

from slipway.client.codec.fallback import STATUSES, decode_scalar, encode_fallback
from slipway.client.codec.scalars import UINT64_MAX, Names, moment, text, timestamp, whole
from slipway.client.types.features import (
    Aggregation,
    AggregationFunction,
    Feature,
    FeatureService,
    FeatureView,
    OnlineStore,
    Source,
    ValueType,
)
from slipway.gen.slipway.features.v1 import features_pb2 as pb
from slipway.gen.slipway.features.v1 import resources_pb2 as res

_TYPES = Names(res.ValueType, "VALUE_TYPE_", ValueType)
_FUNCTIONS = Names(res.AggregationFunction, "AGGREGATION_FUNCTION_", AggregationFunction)


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
        entity_types=[_TYPES.number(f"{field}.entity_types[{n}]", one) for n, one in enumerate(view.entity_types)],
        source=None if view.source is None else _encode_source(view.source, f"{field}.source"),
        aggregations=[
            _encode_aggregation(one, f"{field}.aggregations[{n}]") for n, one in enumerate(view.aggregations)
        ],
    )
    if view.max_age is not None:
        made.max_age.CopyFrom(_duration(view.max_age))
    if view.hop is not None:
        made.hop.CopyFrom(_duration(view.hop))
    return made


def _duration(span: timedelta) -> Duration:
    made = Duration()
    made.FromTimedelta(span)
    return made


def _encode_source(source: Source, field: str) -> res.Source:
    return res.Source(
        name=text(f"{field}.name", source.name),
        path=text(f"{field}.path", source.path),
        event_time_column=text(f"{field}.event_time_column", source.event_time_column),
        created_time_column=text(f"{field}.created_time_column", source.created_time_column),
    )


def _encode_aggregation(one: Aggregation, field: str) -> res.Aggregation:
    return res.Aggregation(
        feature=text(f"{field}.feature", one.feature),
        column=text(f"{field}.column", one.column),
        function=_FUNCTIONS.number(f"{field}.function", one.function),
        window=_duration(one.window),
    )


def _encode_feature(feature: Feature, field: str) -> res.Feature:
    made = res.Feature(
        name=text(f"{field}.name", feature.name),
        type=_TYPES.number(f"{field}.type", feature.type),
        description=text(f"{field}.description", feature.description),
    )
    encode_fallback(feature, made, field)
    return made


def decode_view(message: res.FeatureView) -> FeatureView:
    """Decode a view."""
    return FeatureView(
        name=message.name,
        owner=message.owner,
        entities=tuple(message.entities),
        features=tuple(_decode_feature(one) for one in message.features),
        description=message.description,
        max_age=message.max_age.ToTimedelta() if message.HasField("max_age") else None,
        update_time=moment(message, "update_time"),
        revision=message.revision,
        entity_types=tuple(_TYPES.name(one) for one in message.entity_types),
        source=_decode_source(message.source) if message.HasField("source") else None,
        aggregations=tuple(
            Aggregation(one.feature, one.column, _FUNCTIONS.name(one.function), one.window.ToTimedelta())
            for one in message.aggregations
        ),
        hop=message.hop.ToTimedelta() if message.HasField("hop") else None,
    )


def _decode_feature(message: res.Feature) -> Feature:
    return Feature(
        name=message.name,
        type=_TYPES.name(message.type),
        description=message.description,
        fallback=decode_scalar(message.fallback),
        fallback_for=tuple(STATUSES.name(one) for one in message.fallback_for),
    )


def _decode_source(message: res.Source) -> Source:
    return Source(message.name, message.path, message.event_time_column, message.created_time_column)


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
