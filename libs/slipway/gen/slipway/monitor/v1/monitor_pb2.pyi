import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from slipway.gen.slipway.monitor.v1 import resources_pb2 as _resources_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListPredictionWindowsRequest(_message.Message):
    __slots__ = ("endpoint", "start_time", "end_time", "page_size", "page_token")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    page_size: int
    page_token: str
    def __init__(self, endpoint: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPredictionWindowsResponse(_message.Message):
    __slots__ = ("windows", "next_page_token")
    WINDOWS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    windows: _containers.RepeatedCompositeFieldContainer[_resources_pb2.PredictionWindow]
    next_page_token: str
    def __init__(self, windows: _Optional[_Iterable[_Union[_resources_pb2.PredictionWindow, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CountPredictionsRequest(_message.Message):
    __slots__ = ("endpoint", "start_time", "end_time")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, endpoint: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CountPredictionsResponse(_message.Message):
    __slots__ = ("predictions", "versions")
    PREDICTIONS_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    predictions: int
    versions: _containers.RepeatedCompositeFieldContainer[VersionCount]
    def __init__(self, predictions: _Optional[int] = ..., versions: _Optional[_Iterable[_Union[VersionCount, _Mapping]]] = ...) -> None: ...

class VersionCount(_message.Message):
    __slots__ = ("model", "version", "predictions")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PREDICTIONS_FIELD_NUMBER: _ClassVar[int]
    model: str
    version: int
    predictions: int
    def __init__(self, model: _Optional[str] = ..., version: _Optional[int] = ..., predictions: _Optional[int] = ...) -> None: ...

class ListDeadLettersRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "include_value")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_VALUE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    include_value: bool
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., include_value: _Optional[bool] = ...) -> None: ...

class ListDeadLettersResponse(_message.Message):
    __slots__ = ("dead_letters", "next_page_token")
    DEAD_LETTERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    dead_letters: _containers.RepeatedCompositeFieldContainer[_resources_pb2.DeadLetter]
    next_page_token: str
    def __init__(self, dead_letters: _Optional[_Iterable[_Union[_resources_pb2.DeadLetter, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RecordLabelsRequest(_message.Message):
    __slots__ = ("endpoint", "prediction_ids", "values", "label_times_us", "source")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    PREDICTION_IDS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    LABEL_TIMES_US_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    prediction_ids: _containers.RepeatedScalarFieldContainer[str]
    values: _containers.RepeatedScalarFieldContainer[float]
    label_times_us: _containers.RepeatedScalarFieldContainer[int]
    source: str
    def __init__(self, endpoint: _Optional[str] = ..., prediction_ids: _Optional[_Iterable[str]] = ..., values: _Optional[_Iterable[float]] = ..., label_times_us: _Optional[_Iterable[int]] = ..., source: _Optional[str] = ...) -> None: ...

class RecordLabelsResponse(_message.Message):
    __slots__ = ("recorded", "corrected", "repeats", "ignored", "joined")
    RECORDED_FIELD_NUMBER: _ClassVar[int]
    CORRECTED_FIELD_NUMBER: _ClassVar[int]
    REPEATS_FIELD_NUMBER: _ClassVar[int]
    IGNORED_FIELD_NUMBER: _ClassVar[int]
    JOINED_FIELD_NUMBER: _ClassVar[int]
    recorded: int
    corrected: int
    repeats: int
    ignored: int
    joined: int
    def __init__(self, recorded: _Optional[int] = ..., corrected: _Optional[int] = ..., repeats: _Optional[int] = ..., ignored: _Optional[int] = ..., joined: _Optional[int] = ...) -> None: ...

class ListPerformanceWindowsRequest(_message.Message):
    __slots__ = ("endpoint", "start_time", "end_time", "page_size", "page_token", "include_histograms")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_HISTOGRAMS_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    page_size: int
    page_token: str
    include_histograms: bool
    def __init__(self, endpoint: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., include_histograms: _Optional[bool] = ...) -> None: ...

class ListPerformanceWindowsResponse(_message.Message):
    __slots__ = ("windows", "next_page_token")
    WINDOWS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    windows: _containers.RepeatedCompositeFieldContainer[_resources_pb2.PerformanceWindow]
    next_page_token: str
    def __init__(self, windows: _Optional[_Iterable[_Union[_resources_pb2.PerformanceWindow, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetLabelCoverageRequest(_message.Message):
    __slots__ = ("endpoint", "start_time", "end_time")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, endpoint: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetLabelCoverageResponse(_message.Message):
    __slots__ = ("coverages",)
    COVERAGES_FIELD_NUMBER: _ClassVar[int]
    coverages: _containers.RepeatedCompositeFieldContainer[_resources_pb2.LabelCoverage]
    def __init__(self, coverages: _Optional[_Iterable[_Union[_resources_pb2.LabelCoverage, _Mapping]]] = ...) -> None: ...

class ListFeatureWindowsRequest(_message.Message):
    __slots__ = ("endpoint", "feature", "start_time", "end_time", "drifted_only", "include_histograms", "page_size", "page_token")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    FEATURE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    DRIFTED_ONLY_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_HISTOGRAMS_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    feature: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    drifted_only: bool
    include_histograms: bool
    page_size: int
    page_token: str
    def __init__(self, endpoint: _Optional[str] = ..., feature: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., drifted_only: _Optional[bool] = ..., include_histograms: _Optional[bool] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListFeatureWindowsResponse(_message.Message):
    __slots__ = ("windows", "next_page_token")
    WINDOWS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    windows: _containers.RepeatedCompositeFieldContainer[_resources_pb2.FeatureWindow]
    next_page_token: str
    def __init__(self, windows: _Optional[_Iterable[_Union[_resources_pb2.FeatureWindow, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListIncidentsRequest(_message.Message):
    __slots__ = ("endpoint", "open_only", "page_size", "page_token")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    OPEN_ONLY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    open_only: bool
    page_size: int
    page_token: str
    def __init__(self, endpoint: _Optional[str] = ..., open_only: _Optional[bool] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListIncidentsResponse(_message.Message):
    __slots__ = ("incidents", "next_page_token")
    INCIDENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    incidents: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Incident]
    next_page_token: str
    def __init__(self, incidents: _Optional[_Iterable[_Union[_resources_pb2.Incident, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListVerdictsRequest(_message.Message):
    __slots__ = ("endpoint", "page_size", "page_token")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    page_size: int
    page_token: str
    def __init__(self, endpoint: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListVerdictsResponse(_message.Message):
    __slots__ = ("verdicts", "next_page_token")
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    verdicts: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Verdict]
    next_page_token: str
    def __init__(self, verdicts: _Optional[_Iterable[_Union[_resources_pb2.Verdict, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CompareVersionsRequest(_message.Message):
    __slots__ = ("endpoint", "model", "version", "other_version", "start_time", "end_time")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    OTHER_VERSION_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    model: str
    version: int
    other_version: int
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, endpoint: _Optional[str] = ..., model: _Optional[str] = ..., version: _Optional[int] = ..., other_version: _Optional[int] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CompareVersionsResponse(_message.Message):
    __slots__ = ("labels", "auc", "other_auc", "log_loss", "other_log_loss")
    LABELS_FIELD_NUMBER: _ClassVar[int]
    AUC_FIELD_NUMBER: _ClassVar[int]
    OTHER_AUC_FIELD_NUMBER: _ClassVar[int]
    LOG_LOSS_FIELD_NUMBER: _ClassVar[int]
    OTHER_LOG_LOSS_FIELD_NUMBER: _ClassVar[int]
    labels: int
    auc: float
    other_auc: float
    log_loss: float
    other_log_loss: float
    def __init__(self, labels: _Optional[int] = ..., auc: _Optional[float] = ..., other_auc: _Optional[float] = ..., log_loss: _Optional[float] = ..., other_log_loss: _Optional[float] = ...) -> None: ...

class GetProgressRequest(_message.Message):
    __slots__ = ("endpoint",)
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    def __init__(self, endpoint: _Optional[str] = ...) -> None: ...

class GetProgressResponse(_message.Message):
    __slots__ = ("progress",)
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    progress: _resources_pb2.MonitorProgress
    def __init__(self, progress: _Optional[_Union[_resources_pb2.MonitorProgress, _Mapping]] = ...) -> None: ...
