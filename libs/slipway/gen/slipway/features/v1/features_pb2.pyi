import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from slipway.gen.slipway.features.v1 import events_pb2 as _events_pb2
from slipway.gen.slipway.features.v1 import resources_pb2 as _resources_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ApplyFeatureViewsRequest(_message.Message):
    __slots__ = ("views",)
    VIEWS_FIELD_NUMBER: _ClassVar[int]
    views: _containers.RepeatedCompositeFieldContainer[_resources_pb2.FeatureView]
    def __init__(self, views: _Optional[_Iterable[_Union[_resources_pb2.FeatureView, _Mapping]]] = ...) -> None: ...

class ApplyFeatureViewsResponse(_message.Message):
    __slots__ = ("views",)
    VIEWS_FIELD_NUMBER: _ClassVar[int]
    views: _containers.RepeatedCompositeFieldContainer[_resources_pb2.FeatureView]
    def __init__(self, views: _Optional[_Iterable[_Union[_resources_pb2.FeatureView, _Mapping]]] = ...) -> None: ...

class GetFeatureViewRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetFeatureViewResponse(_message.Message):
    __slots__ = ("view",)
    VIEW_FIELD_NUMBER: _ClassVar[int]
    view: _resources_pb2.FeatureView
    def __init__(self, view: _Optional[_Union[_resources_pb2.FeatureView, _Mapping]] = ...) -> None: ...

class ListFeatureViewsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListFeatureViewsResponse(_message.Message):
    __slots__ = ("views", "next_page_token")
    VIEWS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    views: _containers.RepeatedCompositeFieldContainer[_resources_pb2.FeatureView]
    next_page_token: str
    def __init__(self, views: _Optional[_Iterable[_Union[_resources_pb2.FeatureView, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetOnlineStoreRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetOnlineStoreResponse(_message.Message):
    __slots__ = ("reachable", "reason", "server_version", "keys")
    REACHABLE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SERVER_VERSION_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    reachable: bool
    reason: str
    server_version: str
    keys: int
    def __init__(self, reachable: _Optional[bool] = ..., reason: _Optional[str] = ..., server_version: _Optional[str] = ..., keys: _Optional[int] = ...) -> None: ...

class ApplyFeatureServicesRequest(_message.Message):
    __slots__ = ("services",)
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    services: _containers.RepeatedCompositeFieldContainer[_resources_pb2.FeatureService]
    def __init__(self, services: _Optional[_Iterable[_Union[_resources_pb2.FeatureService, _Mapping]]] = ...) -> None: ...

class ApplyFeatureServicesResponse(_message.Message):
    __slots__ = ("services",)
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    services: _containers.RepeatedCompositeFieldContainer[_resources_pb2.FeatureService]
    def __init__(self, services: _Optional[_Iterable[_Union[_resources_pb2.FeatureService, _Mapping]]] = ...) -> None: ...

class GetFeatureServiceRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetFeatureServiceResponse(_message.Message):
    __slots__ = ("service",)
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    service: _resources_pb2.FeatureService
    def __init__(self, service: _Optional[_Union[_resources_pb2.FeatureService, _Mapping]] = ...) -> None: ...

class ListFeatureServicesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListFeatureServicesResponse(_message.Message):
    __slots__ = ("services", "next_page_token")
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    services: _containers.RepeatedCompositeFieldContainer[_resources_pb2.FeatureService]
    next_page_token: str
    def __init__(self, services: _Optional[_Iterable[_Union[_resources_pb2.FeatureService, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class PushRowsRequest(_message.Message):
    __slots__ = ("rows",)
    ROWS_FIELD_NUMBER: _ClassVar[int]
    rows: _events_pb2.FeatureRows
    def __init__(self, rows: _Optional[_Union[_events_pb2.FeatureRows, _Mapping]] = ...) -> None: ...

class PushRowsResponse(_message.Message):
    __slots__ = ("applied_rows", "late_rows")
    APPLIED_ROWS_FIELD_NUMBER: _ClassVar[int]
    LATE_ROWS_FIELD_NUMBER: _ClassVar[int]
    applied_rows: int
    late_rows: int
    def __init__(self, applied_rows: _Optional[int] = ..., late_rows: _Optional[int] = ...) -> None: ...

class GetOnlineFeaturesRequest(_message.Message):
    __slots__ = ("feature_service", "features", "entities", "event_times_us")
    FEATURE_SERVICE_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    ENTITIES_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIMES_US_FIELD_NUMBER: _ClassVar[int]
    feature_service: str
    features: _containers.RepeatedScalarFieldContainer[str]
    entities: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Column]
    event_times_us: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, feature_service: _Optional[str] = ..., features: _Optional[_Iterable[str]] = ..., entities: _Optional[_Iterable[_Union[_resources_pb2.Column, _Mapping]]] = ..., event_times_us: _Optional[_Iterable[int]] = ...) -> None: ...

class GetOnlineFeaturesResponse(_message.Message):
    __slots__ = ("columns",)
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    columns: _containers.RepeatedCompositeFieldContainer[_resources_pb2.FeatureColumn]
    def __init__(self, columns: _Optional[_Iterable[_Union[_resources_pb2.FeatureColumn, _Mapping]]] = ...) -> None: ...

class GetWatermarkRequest(_message.Message):
    __slots__ = ("view",)
    VIEW_FIELD_NUMBER: _ClassVar[int]
    view: str
    def __init__(self, view: _Optional[str] = ...) -> None: ...

class GetWatermarkResponse(_message.Message):
    __slots__ = ("watermark",)
    WATERMARK_FIELD_NUMBER: _ClassVar[int]
    watermark: _resources_pb2.Watermark
    def __init__(self, watermark: _Optional[_Union[_resources_pb2.Watermark, _Mapping]] = ...) -> None: ...

class AwaitWatermarksRequest(_message.Message):
    __slots__ = ("views", "event_time_us")
    VIEWS_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_US_FIELD_NUMBER: _ClassVar[int]
    views: _containers.RepeatedScalarFieldContainer[str]
    event_time_us: int
    def __init__(self, views: _Optional[_Iterable[str]] = ..., event_time_us: _Optional[int] = ...) -> None: ...

class AwaitWatermarksResponse(_message.Message):
    __slots__ = ("passed",)
    PASSED_FIELD_NUMBER: _ClassVar[int]
    passed: bool
    def __init__(self, passed: _Optional[bool] = ...) -> None: ...

class ListWatermarksRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListWatermarksResponse(_message.Message):
    __slots__ = ("watermarks", "next_page_token")
    WATERMARKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    watermarks: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Watermark]
    next_page_token: str
    def __init__(self, watermarks: _Optional[_Iterable[_Union[_resources_pb2.Watermark, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UploadSpineRequest(_message.Message):
    __slots__ = ("expected_digest", "chunk")
    EXPECTED_DIGEST_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    expected_digest: str
    chunk: bytes
    def __init__(self, expected_digest: _Optional[str] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class UploadSpineResponse(_message.Message):
    __slots__ = ("digest", "size_bytes")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    digest: str
    size_bytes: int
    def __init__(self, digest: _Optional[str] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class CreateTrainingSetRequest(_message.Message):
    __slots__ = ("request_id", "spine_digest", "feature_service", "cutoff_time")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SPINE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    FEATURE_SERVICE_FIELD_NUMBER: _ClassVar[int]
    CUTOFF_TIME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    spine_digest: str
    feature_service: str
    cutoff_time: _timestamp_pb2.Timestamp
    def __init__(self, request_id: _Optional[str] = ..., spine_digest: _Optional[str] = ..., feature_service: _Optional[str] = ..., cutoff_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CreateTrainingSetResponse(_message.Message):
    __slots__ = ("training_set",)
    TRAINING_SET_FIELD_NUMBER: _ClassVar[int]
    training_set: _resources_pb2.TrainingSet
    def __init__(self, training_set: _Optional[_Union[_resources_pb2.TrainingSet, _Mapping]] = ...) -> None: ...

class GetTrainingSetRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class GetTrainingSetResponse(_message.Message):
    __slots__ = ("training_set",)
    TRAINING_SET_FIELD_NUMBER: _ClassVar[int]
    training_set: _resources_pb2.TrainingSet
    def __init__(self, training_set: _Optional[_Union[_resources_pb2.TrainingSet, _Mapping]] = ...) -> None: ...

class ListTrainingSetsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListTrainingSetsResponse(_message.Message):
    __slots__ = ("training_sets", "next_page_token")
    TRAINING_SETS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    training_sets: _containers.RepeatedCompositeFieldContainer[_resources_pb2.TrainingSet]
    next_page_token: str
    def __init__(self, training_sets: _Optional[_Iterable[_Union[_resources_pb2.TrainingSet, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DownloadTrainingSetRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class DownloadTrainingSetResponse(_message.Message):
    __slots__ = ("chunk",)
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    def __init__(self, chunk: _Optional[bytes] = ...) -> None: ...
