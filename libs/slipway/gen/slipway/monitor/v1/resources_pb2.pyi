import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class IncidentState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INCIDENT_STATE_UNSPECIFIED: _ClassVar[IncidentState]
    INCIDENT_STATE_OPEN: _ClassVar[IncidentState]
    INCIDENT_STATE_CLOSED: _ClassVar[IncidentState]

class IncidentKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INCIDENT_KIND_UNSPECIFIED: _ClassVar[IncidentKind]
    INCIDENT_KIND_PERFORMANCE: _ClassVar[IncidentKind]
    INCIDENT_KIND_DATA: _ClassVar[IncidentKind]

class Decision(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECISION_UNSPECIFIED: _ClassVar[Decision]
    DECISION_PROMOTE: _ClassVar[Decision]
    DECISION_ROLL_BACK: _ClassVar[Decision]
    DECISION_INCONCLUSIVE: _ClassVar[Decision]
INCIDENT_STATE_UNSPECIFIED: IncidentState
INCIDENT_STATE_OPEN: IncidentState
INCIDENT_STATE_CLOSED: IncidentState
INCIDENT_KIND_UNSPECIFIED: IncidentKind
INCIDENT_KIND_PERFORMANCE: IncidentKind
INCIDENT_KIND_DATA: IncidentKind
DECISION_UNSPECIFIED: Decision
DECISION_PROMOTE: Decision
DECISION_ROLL_BACK: Decision
DECISION_INCONCLUSIVE: Decision

class PredictionWindow(_message.Message):
    __slots__ = ("endpoint", "model", "version", "route", "start_time", "end_time", "predictions")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    PREDICTIONS_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    model: str
    version: int
    route: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    predictions: int
    def __init__(self, endpoint: _Optional[str] = ..., model: _Optional[str] = ..., version: _Optional[int] = ..., route: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., predictions: _Optional[int] = ...) -> None: ...

class DeadLetter(_message.Message):
    __slots__ = ("event_id", "topic", "partition", "offset", "key", "time", "error", "size_bytes", "value")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    topic: str
    partition: int
    offset: int
    key: str
    time: _timestamp_pb2.Timestamp
    error: str
    size_bytes: int
    value: bytes
    def __init__(self, event_id: _Optional[str] = ..., topic: _Optional[str] = ..., partition: _Optional[int] = ..., offset: _Optional[int] = ..., key: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[str] = ..., size_bytes: _Optional[int] = ..., value: _Optional[bytes] = ...) -> None: ...

class PerformanceWindow(_message.Message):
    __slots__ = ("endpoint", "model", "version", "route", "start_time", "end_time", "predictions", "joined", "newest_label_time", "mean_label_delay_s", "classified", "positives", "auc", "log_loss", "brier", "calibration", "measured", "mean_absolute_error", "root_mean_squared_error", "negative_bins", "positive_bins")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    PREDICTIONS_FIELD_NUMBER: _ClassVar[int]
    JOINED_FIELD_NUMBER: _ClassVar[int]
    NEWEST_LABEL_TIME_FIELD_NUMBER: _ClassVar[int]
    MEAN_LABEL_DELAY_S_FIELD_NUMBER: _ClassVar[int]
    CLASSIFIED_FIELD_NUMBER: _ClassVar[int]
    POSITIVES_FIELD_NUMBER: _ClassVar[int]
    AUC_FIELD_NUMBER: _ClassVar[int]
    LOG_LOSS_FIELD_NUMBER: _ClassVar[int]
    BRIER_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_FIELD_NUMBER: _ClassVar[int]
    MEASURED_FIELD_NUMBER: _ClassVar[int]
    MEAN_ABSOLUTE_ERROR_FIELD_NUMBER: _ClassVar[int]
    ROOT_MEAN_SQUARED_ERROR_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_BINS_FIELD_NUMBER: _ClassVar[int]
    POSITIVE_BINS_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    model: str
    version: int
    route: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    predictions: int
    joined: int
    newest_label_time: _timestamp_pb2.Timestamp
    mean_label_delay_s: float
    classified: int
    positives: int
    auc: float
    log_loss: float
    brier: float
    calibration: _containers.RepeatedCompositeFieldContainer[CalibrationBin]
    measured: int
    mean_absolute_error: float
    root_mean_squared_error: float
    negative_bins: _containers.RepeatedScalarFieldContainer[int]
    positive_bins: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, endpoint: _Optional[str] = ..., model: _Optional[str] = ..., version: _Optional[int] = ..., route: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., predictions: _Optional[int] = ..., joined: _Optional[int] = ..., newest_label_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., mean_label_delay_s: _Optional[float] = ..., classified: _Optional[int] = ..., positives: _Optional[int] = ..., auc: _Optional[float] = ..., log_loss: _Optional[float] = ..., brier: _Optional[float] = ..., calibration: _Optional[_Iterable[_Union[CalibrationBin, _Mapping]]] = ..., measured: _Optional[int] = ..., mean_absolute_error: _Optional[float] = ..., root_mean_squared_error: _Optional[float] = ..., negative_bins: _Optional[_Iterable[int]] = ..., positive_bins: _Optional[_Iterable[int]] = ...) -> None: ...

class CalibrationBin(_message.Message):
    __slots__ = ("lower", "upper", "predictions", "mean_score", "positive_rate")
    LOWER_FIELD_NUMBER: _ClassVar[int]
    UPPER_FIELD_NUMBER: _ClassVar[int]
    PREDICTIONS_FIELD_NUMBER: _ClassVar[int]
    MEAN_SCORE_FIELD_NUMBER: _ClassVar[int]
    POSITIVE_RATE_FIELD_NUMBER: _ClassVar[int]
    lower: float
    upper: float
    predictions: int
    mean_score: float
    positive_rate: float
    def __init__(self, lower: _Optional[float] = ..., upper: _Optional[float] = ..., predictions: _Optional[int] = ..., mean_score: _Optional[float] = ..., positive_rate: _Optional[float] = ...) -> None: ...

class LabelCoverage(_message.Message):
    __slots__ = ("endpoint", "predictions", "joined", "newest_label_time", "labels_joined", "labels_waiting", "labels_expired", "labels_corrected", "labels_repeated", "labels_ignored")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    PREDICTIONS_FIELD_NUMBER: _ClassVar[int]
    JOINED_FIELD_NUMBER: _ClassVar[int]
    NEWEST_LABEL_TIME_FIELD_NUMBER: _ClassVar[int]
    LABELS_JOINED_FIELD_NUMBER: _ClassVar[int]
    LABELS_WAITING_FIELD_NUMBER: _ClassVar[int]
    LABELS_EXPIRED_FIELD_NUMBER: _ClassVar[int]
    LABELS_CORRECTED_FIELD_NUMBER: _ClassVar[int]
    LABELS_REPEATED_FIELD_NUMBER: _ClassVar[int]
    LABELS_IGNORED_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    predictions: int
    joined: int
    newest_label_time: _timestamp_pb2.Timestamp
    labels_joined: int
    labels_waiting: int
    labels_expired: int
    labels_corrected: int
    labels_repeated: int
    labels_ignored: int
    def __init__(self, endpoint: _Optional[str] = ..., predictions: _Optional[int] = ..., joined: _Optional[int] = ..., newest_label_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., labels_joined: _Optional[int] = ..., labels_waiting: _Optional[int] = ..., labels_expired: _Optional[int] = ..., labels_corrected: _Optional[int] = ..., labels_repeated: _Optional[int] = ..., labels_ignored: _Optional[int] = ...) -> None: ...

class FeatureWindow(_message.Message):
    __slots__ = ("endpoint", "model", "version", "feature", "start_time", "end_time", "rows", "nulls", "distance", "threshold", "importance", "drifted", "counts")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FEATURE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    NULLS_FIELD_NUMBER: _ClassVar[int]
    DISTANCE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    IMPORTANCE_FIELD_NUMBER: _ClassVar[int]
    DRIFTED_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    model: str
    version: int
    feature: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    rows: int
    nulls: int
    distance: float
    threshold: float
    importance: float
    drifted: bool
    counts: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, endpoint: _Optional[str] = ..., model: _Optional[str] = ..., version: _Optional[int] = ..., feature: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., rows: _Optional[int] = ..., nulls: _Optional[int] = ..., distance: _Optional[float] = ..., threshold: _Optional[float] = ..., importance: _Optional[float] = ..., drifted: _Optional[bool] = ..., counts: _Optional[_Iterable[int]] = ...) -> None: ...

class Incident(_message.Message):
    __slots__ = ("id", "endpoint", "model", "version", "kind", "state", "start_time", "trigger_time", "harm", "features", "create_time", "close_time", "close_reason")
    ID_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_TIME_FIELD_NUMBER: _ClassVar[int]
    HARM_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    CLOSE_TIME_FIELD_NUMBER: _ClassVar[int]
    CLOSE_REASON_FIELD_NUMBER: _ClassVar[int]
    id: str
    endpoint: str
    model: str
    version: int
    kind: IncidentKind
    state: IncidentState
    start_time: _timestamp_pb2.Timestamp
    trigger_time: _timestamp_pb2.Timestamp
    harm: Harm
    features: _containers.RepeatedCompositeFieldContainer[IncidentFeature]
    create_time: _timestamp_pb2.Timestamp
    close_time: _timestamp_pb2.Timestamp
    close_reason: str
    def __init__(self, id: _Optional[str] = ..., endpoint: _Optional[str] = ..., model: _Optional[str] = ..., version: _Optional[int] = ..., kind: _Optional[_Union[IncidentKind, str]] = ..., state: _Optional[_Union[IncidentState, str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., trigger_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., harm: _Optional[_Union[Harm, _Mapping]] = ..., features: _Optional[_Iterable[_Union[IncidentFeature, _Mapping]]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., close_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., close_reason: _Optional[str] = ...) -> None: ...

class Harm(_message.Message):
    __slots__ = ("metric", "baseline", "observed", "threshold", "rows")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    BASELINE_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    metric: str
    baseline: float
    observed: float
    threshold: float
    rows: int
    def __init__(self, metric: _Optional[str] = ..., baseline: _Optional[float] = ..., observed: _Optional[float] = ..., threshold: _Optional[float] = ..., rows: _Optional[int] = ...) -> None: ...

class IncidentFeature(_message.Message):
    __slots__ = ("name", "distance", "threshold", "importance", "null_rate")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISTANCE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    IMPORTANCE_FIELD_NUMBER: _ClassVar[int]
    NULL_RATE_FIELD_NUMBER: _ClassVar[int]
    name: str
    distance: float
    threshold: float
    importance: float
    null_rate: float
    def __init__(self, name: _Optional[str] = ..., distance: _Optional[float] = ..., threshold: _Optional[float] = ..., importance: _Optional[float] = ..., null_rate: _Optional[float] = ...) -> None: ...

class Verdict(_message.Message):
    __slots__ = ("endpoint", "rollout_id", "step", "decision", "reason", "labels", "harm", "harm_lower", "harm_upper", "candidate_auc", "baseline_auc", "event_time", "create_time")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    ROLLOUT_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    HARM_FIELD_NUMBER: _ClassVar[int]
    HARM_LOWER_FIELD_NUMBER: _ClassVar[int]
    HARM_UPPER_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_AUC_FIELD_NUMBER: _ClassVar[int]
    BASELINE_AUC_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    rollout_id: str
    step: int
    decision: Decision
    reason: str
    labels: int
    harm: float
    harm_lower: float
    harm_upper: float
    candidate_auc: float
    baseline_auc: float
    event_time: _timestamp_pb2.Timestamp
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, endpoint: _Optional[str] = ..., rollout_id: _Optional[str] = ..., step: _Optional[int] = ..., decision: _Optional[_Union[Decision, str]] = ..., reason: _Optional[str] = ..., labels: _Optional[int] = ..., harm: _Optional[float] = ..., harm_lower: _Optional[float] = ..., harm_upper: _Optional[float] = ..., candidate_auc: _Optional[float] = ..., baseline_auc: _Optional[float] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class MonitorProgress(_message.Message):
    __slots__ = ("predictions_time", "labels_time", "judged_time")
    PREDICTIONS_TIME_FIELD_NUMBER: _ClassVar[int]
    LABELS_TIME_FIELD_NUMBER: _ClassVar[int]
    JUDGED_TIME_FIELD_NUMBER: _ClassVar[int]
    predictions_time: _timestamp_pb2.Timestamp
    labels_time: _timestamp_pb2.Timestamp
    judged_time: _timestamp_pb2.Timestamp
    def __init__(self, predictions_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., labels_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., judged_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
