from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Distribution(_message.Message):
    __slots__ = ("upper_ends", "counts", "sum")
    UPPER_ENDS_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    SUM_FIELD_NUMBER: _ClassVar[int]
    upper_ends: _containers.RepeatedScalarFieldContainer[float]
    counts: _containers.RepeatedScalarFieldContainer[int]
    sum: float
    def __init__(self, upper_ends: _Optional[_Iterable[float]] = ..., counts: _Optional[_Iterable[int]] = ..., sum: _Optional[float] = ...) -> None: ...

class EndpointStatistics(_message.Message):
    __slots__ = ("name", "waiting_requests", "waiting_rows", "arms")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WAITING_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    WAITING_ROWS_FIELD_NUMBER: _ClassVar[int]
    ARMS_FIELD_NUMBER: _ClassVar[int]
    name: str
    waiting_requests: int
    waiting_rows: int
    arms: _containers.RepeatedCompositeFieldContainer[ArmStatistics]
    def __init__(self, name: _Optional[str] = ..., waiting_requests: _Optional[int] = ..., waiting_rows: _Optional[int] = ..., arms: _Optional[_Iterable[_Union[ArmStatistics, _Mapping]]] = ...) -> None: ...

class ArmStatistics(_message.Message):
    __slots__ = ("route", "model", "version", "weight", "shadow", "request_seconds", "queue_seconds", "request_rows", "failed_requests")
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    REQUEST_SECONDS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ROWS_FIELD_NUMBER: _ClassVar[int]
    FAILED_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    route: str
    model: str
    version: int
    weight: int
    shadow: bool
    request_seconds: Distribution
    queue_seconds: Distribution
    request_rows: Distribution
    failed_requests: int
    def __init__(self, route: _Optional[str] = ..., model: _Optional[str] = ..., version: _Optional[int] = ..., weight: _Optional[int] = ..., shadow: _Optional[bool] = ..., request_seconds: _Optional[_Union[Distribution, _Mapping]] = ..., queue_seconds: _Optional[_Union[Distribution, _Mapping]] = ..., request_rows: _Optional[_Union[Distribution, _Mapping]] = ..., failed_requests: _Optional[int] = ...) -> None: ...

class VersionStatistics(_message.Message):
    __slots__ = ("model", "version", "batch_rows", "compute_seconds", "waiting_rows", "running_batches", "running_rows", "workers")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    BATCH_ROWS_FIELD_NUMBER: _ClassVar[int]
    COMPUTE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    WAITING_ROWS_FIELD_NUMBER: _ClassVar[int]
    RUNNING_BATCHES_FIELD_NUMBER: _ClassVar[int]
    RUNNING_ROWS_FIELD_NUMBER: _ClassVar[int]
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    model: str
    version: int
    batch_rows: Distribution
    compute_seconds: Distribution
    waiting_rows: int
    running_batches: int
    running_rows: int
    workers: _containers.RepeatedCompositeFieldContainer[WorkerStatistics]
    def __init__(self, model: _Optional[str] = ..., version: _Optional[int] = ..., batch_rows: _Optional[_Union[Distribution, _Mapping]] = ..., compute_seconds: _Optional[_Union[Distribution, _Mapping]] = ..., waiting_rows: _Optional[int] = ..., running_batches: _Optional[int] = ..., running_rows: _Optional[int] = ..., workers: _Optional[_Iterable[_Union[WorkerStatistics, _Mapping]]] = ...) -> None: ...

class WorkerStatistics(_message.Message):
    __slots__ = ("pid", "provider", "resident_bytes")
    PID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    RESIDENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    pid: int
    provider: str
    resident_bytes: int
    def __init__(self, pid: _Optional[int] = ..., provider: _Optional[str] = ..., resident_bytes: _Optional[int] = ...) -> None: ...
