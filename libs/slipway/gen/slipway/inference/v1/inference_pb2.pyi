import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from slipway.gen.slipway.inference.v1 import resources_pb2 as _resources_pb2
from slipway.gen.slipway.inference.v1 import statistics_pb2 as _statistics_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PredictRequest(_message.Message):
    __slots__ = ("endpoint", "prediction_ids", "event_times", "entity_keys", "features", "priority", "explain")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    PREDICTION_IDS_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIMES_FIELD_NUMBER: _ClassVar[int]
    ENTITY_KEYS_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    prediction_ids: _containers.RepeatedScalarFieldContainer[str]
    event_times: _containers.RepeatedCompositeFieldContainer[_timestamp_pb2.Timestamp]
    entity_keys: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Column]
    features: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Column]
    priority: int
    explain: bool
    def __init__(self, endpoint: _Optional[str] = ..., prediction_ids: _Optional[_Iterable[str]] = ..., event_times: _Optional[_Iterable[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]]] = ..., entity_keys: _Optional[_Iterable[_Union[_resources_pb2.Column, _Mapping]]] = ..., features: _Optional[_Iterable[_Union[_resources_pb2.Column, _Mapping]]] = ..., priority: _Optional[int] = ..., explain: _Optional[bool] = ...) -> None: ...

class PredictResponse(_message.Message):
    __slots__ = ("predictions",)
    PREDICTIONS_FIELD_NUMBER: _ClassVar[int]
    predictions: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Prediction]
    def __init__(self, predictions: _Optional[_Iterable[_Union[_resources_pb2.Prediction, _Mapping]]] = ...) -> None: ...

class StreamPredictRequest(_message.Message):
    __slots__ = ("correlation_id", "request")
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    correlation_id: str
    request: PredictRequest
    def __init__(self, correlation_id: _Optional[str] = ..., request: _Optional[_Union[PredictRequest, _Mapping]] = ...) -> None: ...

class StreamPredictResponse(_message.Message):
    __slots__ = ("correlation_id", "response", "error")
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    correlation_id: str
    response: PredictResponse
    error: _resources_pb2.PredictError
    def __init__(self, correlation_id: _Optional[str] = ..., response: _Optional[_Union[PredictResponse, _Mapping]] = ..., error: _Optional[_Union[_resources_pb2.PredictError, _Mapping]] = ...) -> None: ...

class ListEndpointsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListEndpointsResponse(_message.Message):
    __slots__ = ("endpoints", "registry_connected")
    ENDPOINTS_FIELD_NUMBER: _ClassVar[int]
    REGISTRY_CONNECTED_FIELD_NUMBER: _ClassVar[int]
    endpoints: _containers.RepeatedCompositeFieldContainer[_resources_pb2.EndpointStatus]
    registry_connected: bool
    def __init__(self, endpoints: _Optional[_Iterable[_Union[_resources_pb2.EndpointStatus, _Mapping]]] = ..., registry_connected: _Optional[bool] = ...) -> None: ...

class GetPredictionLogRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetPredictionLogResponse(_message.Message):
    __slots__ = ("pending_batches", "pending_bytes", "limit_bytes", "dropped_predictions")
    PENDING_BATCHES_FIELD_NUMBER: _ClassVar[int]
    PENDING_BYTES_FIELD_NUMBER: _ClassVar[int]
    LIMIT_BYTES_FIELD_NUMBER: _ClassVar[int]
    DROPPED_PREDICTIONS_FIELD_NUMBER: _ClassVar[int]
    pending_batches: int
    pending_bytes: int
    limit_bytes: int
    dropped_predictions: int
    def __init__(self, pending_batches: _Optional[int] = ..., pending_bytes: _Optional[int] = ..., limit_bytes: _Optional[int] = ..., dropped_predictions: _Optional[int] = ...) -> None: ...

class ListTenantsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListTenantsResponse(_message.Message):
    __slots__ = ("tenants",)
    TENANTS_FIELD_NUMBER: _ClassVar[int]
    tenants: _containers.RepeatedCompositeFieldContainer[_resources_pb2.TenantStatus]
    def __init__(self, tenants: _Optional[_Iterable[_Union[_resources_pb2.TenantStatus, _Mapping]]] = ...) -> None: ...

class GetStatisticsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStatisticsResponse(_message.Message):
    __slots__ = ("time", "start_time", "endpoints", "versions")
    TIME_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    ENDPOINTS_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    start_time: _timestamp_pb2.Timestamp
    endpoints: _containers.RepeatedCompositeFieldContainer[_statistics_pb2.EndpointStatistics]
    versions: _containers.RepeatedCompositeFieldContainer[_statistics_pb2.VersionStatistics]
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., endpoints: _Optional[_Iterable[_Union[_statistics_pb2.EndpointStatistics, _Mapping]]] = ..., versions: _Optional[_Iterable[_Union[_statistics_pb2.VersionStatistics, _Mapping]]] = ...) -> None: ...
