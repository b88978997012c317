"""Views, feature services and how the online store stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from services.feature_serving.codec.fallback import decode_fallback, encode_fallback
from services.feature_serving.domain.service import FeatureService, ServiceDefinition, reference
from services.feature_serving.domain.view import (
    Aggregation,
    Definition,
    Feature,
    FeatureView,
    Function,
    Source,
    StoreState,
    ValueType,
)
from slipway.errors import invalid_field
from slipway.gen.slipway.features.v1 import features_pb2, resources_pb2

_TYPES: dict[int, ValueType] = {resources_pb2.ValueType.Value(f"VALUE_TYPE_{kind}"): kind for kind in ValueType}
_FUNCTIONS = {resources_pb2.AggregationFunction.Value(f"AGGREGATION_FUNCTION_{one}"): one for one in Function}


def decode_views(messages: Iterable[resources_pb2.FeatureView]) -> Sequence[Definition]:
    """The definitions to be applied. Raises InvalidInput about a type or an age that is none."""
    return [_decode_view(f"views[{position}]", message) for position, message in enumerate(messages)]


def _decode_view(field: str, message: resources_pb2.FeatureView) -> Definition:
    return Definition(
        name=message.name,
        owner=message.owner,
        description=message.description,
        entities=tuple(message.entities),
        features=tuple(_feature(f"{field}.features[{n}]", feature) for n, feature in enumerate(message.features)),
        max_age=_age(f"{field}.max_age", message.max_age) if message.HasField("max_age") else None,
        entity_types=tuple(
            _value_type(f"{field}.entity_types[{position}]", number)
            for position, number in enumerate(message.entity_types)
        ),
        source=_source(message.source) if message.HasField("source") else None,
        aggregations=tuple(
            _aggregation(f"{field}.aggregations[{position}]", one) for position, one in enumerate(message.aggregations)
        ),
        hop=_span(f"{field}.hop", message.hop) if message.HasField("hop") else None,
    )


def _feature(field: str, message: resources_pb2.Feature) -> Feature:
    kind = _value_type(f"{field}.type", message.type)
    return Feature(message.name, kind, message.description, decode_fallback(field, message, kind))


def _source(message: resources_pb2.Source) -> Source:
    return Source(message.name, message.path, message.event_time_column, message.created_time_column)


def _aggregation(field: str, message: resources_pb2.Aggregation) -> Aggregation:
    if message.function not in _FUNCTIONS:
        told = "is not set or not known; give one of AGGREGATION_FUNCTION_" + ", ".join(Function)
        raise invalid_field(f"{field}.function", told)
    window = _span(f"{field}.window", message.window)
    return Aggregation(message.feature, message.column, _FUNCTIONS[message.function], window)


def _span(field: str, duration: Duration) -> timedelta:
    if duration.nanos % 1000:
        raise invalid_field(field, "has a fraction of a second; give whole seconds")
    try:
        return duration.ToTimedelta()
    except (ValueError, OverflowError):
        raise invalid_field(field, "is no duration; give whole seconds above 0") from None


def _value_type(field: str, number: int) -> ValueType:
    if number not in _TYPES:
        raise invalid_field(field, "is not set or not known; give one of VALUE_TYPE_" + ", ".join(ValueType))
    return _TYPES[number]


def _age(field: str, duration: Duration) -> timedelta:
    try:
        return duration.ToTimedelta()
    except (ValueError, OverflowError):
        raise invalid_field(field, "is no duration; give seconds above 0, or leave it out for any age") from None


def encode_view(view: FeatureView) -> resources_pb2.FeatureView:
    """A view as the contract has it."""
    definition = view.definition
    updated = Timestamp()
    updated.FromDatetime(view.update_time)
    message = resources_pb2.FeatureView(
        name=definition.name,
        owner=definition.owner,
        description=definition.description,
        entities=definition.entities,
        features=[_encode_feature(one) for one in definition.features],
        update_time=updated,
        revision=view.revision,
    )
    if definition.max_age is not None:
        message.max_age.FromTimedelta(definition.max_age)
    _encode_making(definition, message)
    return message


def _encode_feature(feature: Feature) -> resources_pb2.Feature:
    made = resources_pb2.Feature(name=feature.name, type=f"VALUE_TYPE_{feature.type}", description=feature.description)
    encode_fallback(feature, made)
    return made


def _encode_making(definition: Definition, message: resources_pb2.FeatureView) -> None:
    """Where the rows lie and what makes the features."""
    message.entity_types.extend(getattr(resources_pb2, f"VALUE_TYPE_{one}") for one in definition.entity_types)
    if (source := definition.source) is not None:
        message.source.name, message.source.path = source.name, source.path
        message.source.event_time_column = source.event_time_column
        message.source.created_time_column = source.created_time_column
    for one in definition.aggregations:
        function = resources_pb2.AggregationFunction.Value(f"AGGREGATION_FUNCTION_{one.function}")
        added = message.aggregations.add(feature=one.feature, column=one.column, function=function)
        added.window.FromTimedelta(one.window)
    if definition.hop is not None:
        message.hop.FromTimedelta(definition.hop)


def decode_services(messages: Iterable[resources_pb2.FeatureService]) -> Sequence[ServiceDefinition]:
    """The feature services to be applied. Raises InvalidInput about a feature that is not spelt ``view:feature``."""
    return [
        ServiceDefinition(
            name=message.name,
            owner=message.owner,
            description=message.description,
            features=tuple(
                reference(f"services[{n}].features[{position}]", text) for position, text in enumerate(message.features)
            ),
        )
        for n, message in enumerate(messages)
    ]


def encode_service(service: FeatureService) -> resources_pb2.FeatureService:
    """A feature service as the contract has it."""
    definition = service.definition
    updated = Timestamp()
    updated.FromDatetime(service.update_time)
    return resources_pb2.FeatureService(
        name=definition.name,
        owner=definition.owner,
        description=definition.description,
        features=[str(one) for one in definition.features],
        update_time=updated,
        revision=service.revision,
    )


def encode_state(state: StoreState) -> features_pb2.GetOnlineStoreResponse:
    """How the online store stands, as the contract has it."""
    return features_pb2.GetOnlineStoreResponse(
        reachable=state.reachable, reason=state.reason, server_version=state.server_version, keys=state.keys
    )
