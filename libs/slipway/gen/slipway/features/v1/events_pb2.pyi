from slipway.gen.slipway.features.v1 import resources_pb2 as _resources_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FeatureRows(_message.Message):
    __slots__ = ("view", "entities", "features", "event_times_us", "complete_until_us")
    VIEW_FIELD_NUMBER: _ClassVar[int]
    ENTITIES_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIMES_US_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_UNTIL_US_FIELD_NUMBER: _ClassVar[int]
    view: str
    entities: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Column]
    features: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Column]
    event_times_us: _containers.RepeatedScalarFieldContainer[int]
    complete_until_us: int
    def __init__(self, view: _Optional[str] = ..., entities: _Optional[_Iterable[_Union[_resources_pb2.Column, _Mapping]]] = ..., features: _Optional[_Iterable[_Union[_resources_pb2.Column, _Mapping]]] = ..., event_times_us: _Optional[_Iterable[int]] = ..., complete_until_us: _Optional[int] = ...) -> None: ...
