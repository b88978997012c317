import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ValueType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VALUE_TYPE_UNSPECIFIED: _ClassVar[ValueType]
    VALUE_TYPE_BOOL: _ClassVar[ValueType]
    VALUE_TYPE_INT32: _ClassVar[ValueType]
    VALUE_TYPE_INT64: _ClassVar[ValueType]
    VALUE_TYPE_FLOAT: _ClassVar[ValueType]
    VALUE_TYPE_DOUBLE: _ClassVar[ValueType]
    VALUE_TYPE_STRING: _ClassVar[ValueType]
    VALUE_TYPE_TIMESTAMP: _ClassVar[ValueType]

class AggregationFunction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AGGREGATION_FUNCTION_UNSPECIFIED: _ClassVar[AggregationFunction]
    AGGREGATION_FUNCTION_COUNT: _ClassVar[AggregationFunction]
    AGGREGATION_FUNCTION_SUM: _ClassVar[AggregationFunction]
    AGGREGATION_FUNCTION_MEAN: _ClassVar[AggregationFunction]
    AGGREGATION_FUNCTION_MIN: _ClassVar[AggregationFunction]
    AGGREGATION_FUNCTION_MAX: _ClassVar[AggregationFunction]
    AGGREGATION_FUNCTION_STDDEV: _ClassVar[AggregationFunction]

class FeatureStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FEATURE_STATUS_UNSPECIFIED: _ClassVar[FeatureStatus]
    FEATURE_STATUS_PRESENT: _ClassVar[FeatureStatus]
    FEATURE_STATUS_NULL_VALUE: _ClassVar[FeatureStatus]
    FEATURE_STATUS_NOT_FOUND: _ClassVar[FeatureStatus]
    FEATURE_STATUS_OUTSIDE_MAX_AGE: _ClassVar[FeatureStatus]
    FEATURE_STATUS_UNREADABLE: _ClassVar[FeatureStatus]
    FEATURE_STATUS_FALLBACK: _ClassVar[FeatureStatus]

class TrainingSetState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRAINING_SET_STATE_UNSPECIFIED: _ClassVar[TrainingSetState]
    TRAINING_SET_STATE_BUILDING: _ClassVar[TrainingSetState]
    TRAINING_SET_STATE_READY: _ClassVar[TrainingSetState]
    TRAINING_SET_STATE_FAILED: _ClassVar[TrainingSetState]
VALUE_TYPE_UNSPECIFIED: ValueType
VALUE_TYPE_BOOL: ValueType
VALUE_TYPE_INT32: ValueType
VALUE_TYPE_INT64: ValueType
VALUE_TYPE_FLOAT: ValueType
VALUE_TYPE_DOUBLE: ValueType
VALUE_TYPE_STRING: ValueType
VALUE_TYPE_TIMESTAMP: ValueType
AGGREGATION_FUNCTION_UNSPECIFIED: AggregationFunction
AGGREGATION_FUNCTION_COUNT: AggregationFunction
AGGREGATION_FUNCTION_SUM: AggregationFunction
AGGREGATION_FUNCTION_MEAN: AggregationFunction
AGGREGATION_FUNCTION_MIN: AggregationFunction
AGGREGATION_FUNCTION_MAX: AggregationFunction
AGGREGATION_FUNCTION_STDDEV: AggregationFunction
FEATURE_STATUS_UNSPECIFIED: FeatureStatus
FEATURE_STATUS_PRESENT: FeatureStatus
FEATURE_STATUS_NULL_VALUE: FeatureStatus
FEATURE_STATUS_NOT_FOUND: FeatureStatus
FEATURE_STATUS_OUTSIDE_MAX_AGE: FeatureStatus
FEATURE_STATUS_UNREADABLE: FeatureStatus
FEATURE_STATUS_FALLBACK: FeatureStatus
TRAINING_SET_STATE_UNSPECIFIED: TrainingSetState
TRAINING_SET_STATE_BUILDING: TrainingSetState
TRAINING_SET_STATE_READY: TrainingSetState
TRAINING_SET_STATE_FAILED: TrainingSetState

class FeatureView(_message.Message):
    __slots__ = ("name", "owner", "description", "entities", "features", "max_age", "update_time", "revision", "entity_types", "source", "aggregations", "hop")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ENTITIES_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    MAX_AGE_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    ENTITY_TYPES_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    AGGREGATIONS_FIELD_NUMBER: _ClassVar[int]
    HOP_FIELD_NUMBER: _ClassVar[int]
    name: str
    owner: str
    description: str
    entities: _containers.RepeatedScalarFieldContainer[str]
    features: _containers.RepeatedCompositeFieldContainer[Feature]
    max_age: _duration_pb2.Duration
    update_time: _timestamp_pb2.Timestamp
    revision: int
    entity_types: _containers.RepeatedScalarFieldContainer[ValueType]
    source: Source
    aggregations: _containers.RepeatedCompositeFieldContainer[Aggregation]
    hop: _duration_pb2.Duration
    def __init__(self, name: _Optional[str] = ..., owner: _Optional[str] = ..., description: _Optional[str] = ..., entities: _Optional[_Iterable[str]] = ..., features: _Optional[_Iterable[_Union[Feature, _Mapping]]] = ..., max_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revision: _Optional[int] = ..., entity_types: _Optional[_Iterable[_Union[ValueType, str]]] = ..., source: _Optional[_Union[Source, _Mapping]] = ..., aggregations: _Optional[_Iterable[_Union[Aggregation, _Mapping]]] = ..., hop: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Source(_message.Message):
    __slots__ = ("name", "path", "event_time_column", "created_time_column")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_COLUMN_FIELD_NUMBER: _ClassVar[int]
    CREATED_TIME_COLUMN_FIELD_NUMBER: _ClassVar[int]
    name: str
    path: str
    event_time_column: str
    created_time_column: str
    def __init__(self, name: _Optional[str] = ..., path: _Optional[str] = ..., event_time_column: _Optional[str] = ..., created_time_column: _Optional[str] = ...) -> None: ...

class Aggregation(_message.Message):
    __slots__ = ("feature", "column", "function", "window")
    FEATURE_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    feature: str
    column: str
    function: AggregationFunction
    window: _duration_pb2.Duration
    def __init__(self, feature: _Optional[str] = ..., column: _Optional[str] = ..., function: _Optional[_Union[AggregationFunction, str]] = ..., window: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Feature(_message.Message):
    __slots__ = ("name", "type", "description", "fallback", "fallback_for")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_FOR_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: ValueType
    description: str
    fallback: Scalar
    fallback_for: _containers.RepeatedScalarFieldContainer[FeatureStatus]
    def __init__(self, name: _Optional[str] = ..., type: _Optional[_Union[ValueType, str]] = ..., description: _Optional[str] = ..., fallback: _Optional[_Union[Scalar, _Mapping]] = ..., fallback_for: _Optional[_Iterable[_Union[FeatureStatus, str]]] = ...) -> None: ...

class Scalar(_message.Message):
    __slots__ = ("double_value", "int64_value", "string_value", "bool_value", "timestamp_us")
    DOUBLE_VALUE_FIELD_NUMBER: _ClassVar[int]
    INT64_VALUE_FIELD_NUMBER: _ClassVar[int]
    STRING_VALUE_FIELD_NUMBER: _ClassVar[int]
    BOOL_VALUE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_US_FIELD_NUMBER: _ClassVar[int]
    double_value: float
    int64_value: int
    string_value: str
    bool_value: bool
    timestamp_us: int
    def __init__(self, double_value: _Optional[float] = ..., int64_value: _Optional[int] = ..., string_value: _Optional[str] = ..., bool_value: _Optional[bool] = ..., timestamp_us: _Optional[int] = ...) -> None: ...

class FeatureService(_message.Message):
    __slots__ = ("name", "owner", "description", "features", "update_time", "revision")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    name: str
    owner: str
    description: str
    features: _containers.RepeatedScalarFieldContainer[str]
    update_time: _timestamp_pb2.Timestamp
    revision: int
    def __init__(self, name: _Optional[str] = ..., owner: _Optional[str] = ..., description: _Optional[str] = ..., features: _Optional[_Iterable[str]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class Column(_message.Message):
    __slots__ = ("name", "doubles", "int64s", "strings", "bools", "timestamps", "absent_rows")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DOUBLES_FIELD_NUMBER: _ClassVar[int]
    INT64S_FIELD_NUMBER: _ClassVar[int]
    STRINGS_FIELD_NUMBER: _ClassVar[int]
    BOOLS_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMPS_FIELD_NUMBER: _ClassVar[int]
    ABSENT_ROWS_FIELD_NUMBER: _ClassVar[int]
    name: str
    doubles: DoubleValues
    int64s: Int64Values
    strings: StringValues
    bools: BoolValues
    timestamps: TimestampValues
    absent_rows: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, name: _Optional[str] = ..., doubles: _Optional[_Union[DoubleValues, _Mapping]] = ..., int64s: _Optional[_Union[Int64Values, _Mapping]] = ..., strings: _Optional[_Union[StringValues, _Mapping]] = ..., bools: _Optional[_Union[BoolValues, _Mapping]] = ..., timestamps: _Optional[_Union[TimestampValues, _Mapping]] = ..., absent_rows: _Optional[_Iterable[int]] = ...) -> None: ...

class DoubleValues(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, values: _Optional[_Iterable[float]] = ...) -> None: ...

class Int64Values(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, values: _Optional[_Iterable[int]] = ...) -> None: ...

class StringValues(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, values: _Optional[_Iterable[str]] = ...) -> None: ...

class BoolValues(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[bool]
    def __init__(self, values: _Optional[_Iterable[bool]] = ...) -> None: ...

class TimestampValues(_message.Message):
    __slots__ = ("values_us",)
    VALUES_US_FIELD_NUMBER: _ClassVar[int]
    values_us: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, values_us: _Optional[_Iterable[int]] = ...) -> None: ...

class FeatureColumn(_message.Message):
    __slots__ = ("name", "doubles", "int64s", "strings", "bools", "timestamps", "statuses", "event_times_us", "fallback")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DOUBLES_FIELD_NUMBER: _ClassVar[int]
    INT64S_FIELD_NUMBER: _ClassVar[int]
    STRINGS_FIELD_NUMBER: _ClassVar[int]
    BOOLS_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMPS_FIELD_NUMBER: _ClassVar[int]
    STATUSES_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIMES_US_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_FIELD_NUMBER: _ClassVar[int]
    name: str
    doubles: DoubleValues
    int64s: Int64Values
    strings: StringValues
    bools: BoolValues
    timestamps: TimestampValues
    statuses: _containers.RepeatedScalarFieldContainer[FeatureStatus]
    event_times_us: _containers.RepeatedScalarFieldContainer[int]
    fallback: Scalar
    def __init__(self, name: _Optional[str] = ..., doubles: _Optional[_Union[DoubleValues, _Mapping]] = ..., int64s: _Optional[_Union[Int64Values, _Mapping]] = ..., strings: _Optional[_Union[StringValues, _Mapping]] = ..., bools: _Optional[_Union[BoolValues, _Mapping]] = ..., timestamps: _Optional[_Union[TimestampValues, _Mapping]] = ..., statuses: _Optional[_Iterable[_Union[FeatureStatus, str]]] = ..., event_times_us: _Optional[_Iterable[int]] = ..., fallback: _Optional[_Union[Scalar, _Mapping]] = ...) -> None: ...

class Watermark(_message.Message):
    __slots__ = ("view", "event_time_us", "update_time", "late_rows")
    VIEW_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_US_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    LATE_ROWS_FIELD_NUMBER: _ClassVar[int]
    view: str
    event_time_us: int
    update_time: _timestamp_pb2.Timestamp
    late_rows: int
    def __init__(self, view: _Optional[str] = ..., event_time_us: _Optional[int] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., late_rows: _Optional[int] = ...) -> None: ...

class TrainingSet(_message.Message):
    __slots__ = ("id", "state", "error", "feature_service", "spine_digest", "cutoff_time", "digest", "size_bytes", "row_count", "rows_after_cutoff", "columns", "inputs", "feature_service_revision", "code", "create_time", "finish_time")
    ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    FEATURE_SERVICE_FIELD_NUMBER: _ClassVar[int]
    SPINE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    CUTOFF_TIME_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    ROWS_AFTER_CUTOFF_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    FEATURE_SERVICE_REVISION_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    FINISH_TIME_FIELD_NUMBER: _ClassVar[int]
    id: str
    state: TrainingSetState
    error: str
    feature_service: str
    spine_digest: str
    cutoff_time: _timestamp_pb2.Timestamp
    digest: str
    size_bytes: int
    row_count: int
    rows_after_cutoff: int
    columns: _containers.RepeatedCompositeFieldContainer[TrainingSetColumn]
    inputs: _containers.RepeatedCompositeFieldContainer[TrainingSetInput]
    feature_service_revision: int
    code: str
    create_time: _timestamp_pb2.Timestamp
    finish_time: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., state: _Optional[_Union[TrainingSetState, str]] = ..., error: _Optional[str] = ..., feature_service: _Optional[str] = ..., spine_digest: _Optional[str] = ..., cutoff_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., digest: _Optional[str] = ..., size_bytes: _Optional[int] = ..., row_count: _Optional[int] = ..., rows_after_cutoff: _Optional[int] = ..., columns: _Optional[_Iterable[_Union[TrainingSetColumn, _Mapping]]] = ..., inputs: _Optional[_Iterable[_Union[TrainingSetInput, _Mapping]]] = ..., feature_service_revision: _Optional[int] = ..., code: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class TrainingSetColumn(_message.Message):
    __slots__ = ("name", "feature", "null_count", "fallback_count")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FEATURE_FIELD_NUMBER: _ClassVar[int]
    NULL_COUNT_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_COUNT_FIELD_NUMBER: _ClassVar[int]
    name: str
    feature: str
    null_count: int
    fallback_count: int
    def __init__(self, name: _Optional[str] = ..., feature: _Optional[str] = ..., null_count: _Optional[int] = ..., fallback_count: _Optional[int] = ...) -> None: ...

class TrainingSetInput(_message.Message):
    __slots__ = ("view", "view_revision", "path", "digest", "row_count")
    VIEW_FIELD_NUMBER: _ClassVar[int]
    VIEW_REVISION_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    view: str
    view_revision: int
    path: str
    digest: str
    row_count: int
    def __init__(self, view: _Optional[str] = ..., view_revision: _Optional[int] = ..., path: _Optional[str] = ..., digest: _Optional[str] = ..., row_count: _Optional[int] = ...) -> None: ...
