import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from slipway.gen.slipway.inference.v1 import inference_pb2 as _inference_pb2
from slipway.gen.slipway.inference.v1 import resources_pb2 as _resources_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Protocol(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROTOCOL_UNSPECIFIED: _ClassVar[Protocol]
    PROTOCOL_PREDICT: _ClassVar[Protocol]
    PROTOCOL_OPEN_INFERENCE: _ClassVar[Protocol]
PROTOCOL_UNSPECIFIED: Protocol
PROTOCOL_PREDICT: Protocol
PROTOCOL_OPEN_INFERENCE: Protocol

class PredictionBatch(_message.Message):
    __slots__ = ("endpoint", "model", "version", "route", "protocol", "prediction_ids", "event_times_us", "answer_time", "entity_keys", "features", "outputs", "input_digests", "trace_id", "gateway_id", "shadow", "view_times", "degraded_rows", "request_rows", "trace_ids", "tenants", "latencies_us", "experiment", "fallback", "feature_fallbacks", "more")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    PREDICTION_IDS_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIMES_US_FIELD_NUMBER: _ClassVar[int]
    ANSWER_TIME_FIELD_NUMBER: _ClassVar[int]
    ENTITY_KEYS_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    INPUT_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    GATEWAY_ID_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    VIEW_TIMES_FIELD_NUMBER: _ClassVar[int]
    DEGRADED_ROWS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ROWS_FIELD_NUMBER: _ClassVar[int]
    TRACE_IDS_FIELD_NUMBER: _ClassVar[int]
    TENANTS_FIELD_NUMBER: _ClassVar[int]
    LATENCIES_US_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_FIELD_NUMBER: _ClassVar[int]
    FEATURE_FALLBACKS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    model: str
    version: int
    route: str
    protocol: Protocol
    prediction_ids: _containers.RepeatedScalarFieldContainer[str]
    event_times_us: _containers.RepeatedScalarFieldContainer[int]
    answer_time: _timestamp_pb2.Timestamp
    entity_keys: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Column]
    features: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Column]
    outputs: _containers.RepeatedCompositeFieldContainer[OutputColumn]
    input_digests: _containers.RepeatedScalarFieldContainer[bytes]
    trace_id: str
    gateway_id: str
    shadow: bool
    view_times: _containers.RepeatedCompositeFieldContainer[ViewTimes]
    degraded_rows: _containers.RepeatedScalarFieldContainer[int]
    request_rows: _containers.RepeatedScalarFieldContainer[int]
    trace_ids: _containers.RepeatedScalarFieldContainer[str]
    tenants: _containers.RepeatedScalarFieldContainer[str]
    latencies_us: _containers.RepeatedScalarFieldContainer[int]
    experiment: str
    fallback: bool
    feature_fallbacks: _containers.RepeatedCompositeFieldContainer[FeatureFallback]
    more: _containers.RepeatedCompositeFieldContainer[PredictionBatch]
    def __init__(self, endpoint: _Optional[str] = ..., model: _Optional[str] = ..., version: _Optional[int] = ..., route: _Optional[str] = ..., protocol: _Optional[_Union[Protocol, str]] = ..., prediction_ids: _Optional[_Iterable[str]] = ..., event_times_us: _Optional[_Iterable[int]] = ..., answer_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., entity_keys: _Optional[_Iterable[_Union[_resources_pb2.Column, _Mapping]]] = ..., features: _Optional[_Iterable[_Union[_resources_pb2.Column, _Mapping]]] = ..., outputs: _Optional[_Iterable[_Union[OutputColumn, _Mapping]]] = ..., input_digests: _Optional[_Iterable[bytes]] = ..., trace_id: _Optional[str] = ..., gateway_id: _Optional[str] = ..., shadow: _Optional[bool] = ..., view_times: _Optional[_Iterable[_Union[ViewTimes, _Mapping]]] = ..., degraded_rows: _Optional[_Iterable[int]] = ..., request_rows: _Optional[_Iterable[int]] = ..., trace_ids: _Optional[_Iterable[str]] = ..., tenants: _Optional[_Iterable[str]] = ..., latencies_us: _Optional[_Iterable[int]] = ..., experiment: _Optional[str] = ..., fallback: _Optional[bool] = ..., feature_fallbacks: _Optional[_Iterable[_Union[FeatureFallback, _Mapping]]] = ..., more: _Optional[_Iterable[_Union[PredictionBatch, _Mapping]]] = ...) -> None: ...

class FeatureFallback(_message.Message):
    __slots__ = ("name", "rows")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    name: str
    rows: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, name: _Optional[str] = ..., rows: _Optional[_Iterable[int]] = ...) -> None: ...

class PredictionRequested(_message.Message):
    __slots__ = ("request", "reply_key")
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    REPLY_KEY_FIELD_NUMBER: _ClassVar[int]
    request: _inference_pb2.PredictRequest
    reply_key: str
    def __init__(self, request: _Optional[_Union[_inference_pb2.PredictRequest, _Mapping]] = ..., reply_key: _Optional[str] = ...) -> None: ...

class PredictionAnswered(_message.Message):
    __slots__ = ("request_id", "response", "error", "gateway_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    GATEWAY_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    response: _inference_pb2.PredictResponse
    error: _resources_pb2.PredictError
    gateway_id: str
    def __init__(self, request_id: _Optional[str] = ..., response: _Optional[_Union[_inference_pb2.PredictResponse, _Mapping]] = ..., error: _Optional[_Union[_resources_pb2.PredictError, _Mapping]] = ..., gateway_id: _Optional[str] = ...) -> None: ...

class ViewTimes(_message.Message):
    __slots__ = ("view", "event_times_us")
    VIEW_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIMES_US_FIELD_NUMBER: _ClassVar[int]
    view: str
    event_times_us: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, view: _Optional[str] = ..., event_times_us: _Optional[_Iterable[int]] = ...) -> None: ...

class ArmDisabled(_message.Message):
    __slots__ = ("endpoint", "route", "model", "version", "revision", "reason", "gateway_id", "time")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    GATEWAY_ID_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    route: str
    model: str
    version: int
    revision: int
    reason: str
    gateway_id: str
    time: _timestamp_pb2.Timestamp
    def __init__(self, endpoint: _Optional[str] = ..., route: _Optional[str] = ..., model: _Optional[str] = ..., version: _Optional[int] = ..., revision: _Optional[int] = ..., reason: _Optional[str] = ..., gateway_id: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class OutputColumn(_message.Message):
    __slots__ = ("name", "width", "values", "texts")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    width: int
    values: _containers.RepeatedScalarFieldContainer[float]
    texts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., width: _Optional[int] = ..., values: _Optional[_Iterable[float]] = ..., texts: _Optional[_Iterable[str]] = ...) -> None: ...
