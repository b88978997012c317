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

class DataType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DATA_TYPE_UNSPECIFIED: _ClassVar[DataType]
    DATA_TYPE_BOOL: _ClassVar[DataType]
    DATA_TYPE_INT32: _ClassVar[DataType]
    DATA_TYPE_INT64: _ClassVar[DataType]
    DATA_TYPE_FP32: _ClassVar[DataType]
    DATA_TYPE_FP64: _ClassVar[DataType]
    DATA_TYPE_BYTES: _ClassVar[DataType]
    DATA_TYPE_INT8: _ClassVar[DataType]
    DATA_TYPE_INT16: _ClassVar[DataType]
    DATA_TYPE_UINT8: _ClassVar[DataType]
    DATA_TYPE_UINT16: _ClassVar[DataType]
    DATA_TYPE_UINT32: _ClassVar[DataType]
    DATA_TYPE_UINT64: _ClassVar[DataType]
    DATA_TYPE_FP16: _ClassVar[DataType]

class RevisionCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REVISION_CAUSE_UNSPECIFIED: _ClassVar[RevisionCause]
    REVISION_CAUSE_PUT: _ClassVar[RevisionCause]
    REVISION_CAUSE_ALIAS: _ClassVar[RevisionCause]
    REVISION_CAUSE_ROLLOUT: _ClassVar[RevisionCause]
    REVISION_CAUSE_ROLLBACK: _ClassVar[RevisionCause]
    REVISION_CAUSE_GUARDRAIL: _ClassVar[RevisionCause]
    REVISION_CAUSE_DELETED: _ClassVar[RevisionCause]

class RolloutState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLLOUT_STATE_UNSPECIFIED: _ClassVar[RolloutState]
    ROLLOUT_STATE_RUNNING: _ClassVar[RolloutState]
    ROLLOUT_STATE_SUCCEEDED: _ClassVar[RolloutState]
    ROLLOUT_STATE_ROLLED_BACK: _ClassVar[RolloutState]
    ROLLOUT_STATE_INCONCLUSIVE: _ClassVar[RolloutState]

class RolloutKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLLOUT_KIND_UNSPECIFIED: _ClassVar[RolloutKind]
    ROLLOUT_KIND_CANARY: _ClassVar[RolloutKind]
    ROLLOUT_KIND_BLUE_GREEN: _ClassVar[RolloutKind]
    ROLLOUT_KIND_AB: _ClassVar[RolloutKind]
DATA_TYPE_UNSPECIFIED: DataType
DATA_TYPE_BOOL: DataType
DATA_TYPE_INT32: DataType
DATA_TYPE_INT64: DataType
DATA_TYPE_FP32: DataType
DATA_TYPE_FP64: DataType
DATA_TYPE_BYTES: DataType
DATA_TYPE_INT8: DataType
DATA_TYPE_INT16: DataType
DATA_TYPE_UINT8: DataType
DATA_TYPE_UINT16: DataType
DATA_TYPE_UINT32: DataType
DATA_TYPE_UINT64: DataType
DATA_TYPE_FP16: DataType
REVISION_CAUSE_UNSPECIFIED: RevisionCause
REVISION_CAUSE_PUT: RevisionCause
REVISION_CAUSE_ALIAS: RevisionCause
REVISION_CAUSE_ROLLOUT: RevisionCause
REVISION_CAUSE_ROLLBACK: RevisionCause
REVISION_CAUSE_GUARDRAIL: RevisionCause
REVISION_CAUSE_DELETED: RevisionCause
ROLLOUT_STATE_UNSPECIFIED: RolloutState
ROLLOUT_STATE_RUNNING: RolloutState
ROLLOUT_STATE_SUCCEEDED: RolloutState
ROLLOUT_STATE_ROLLED_BACK: RolloutState
ROLLOUT_STATE_INCONCLUSIVE: RolloutState
ROLLOUT_KIND_UNSPECIFIED: RolloutKind
ROLLOUT_KIND_CANARY: RolloutKind
ROLLOUT_KIND_BLUE_GREEN: RolloutKind
ROLLOUT_KIND_AB: RolloutKind

class Model(_message.Message):
    __slots__ = ("name", "description", "owner", "create_time", "aliases", "latest_version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    LATEST_VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    owner: str
    create_time: _timestamp_pb2.Timestamp
    aliases: _containers.RepeatedCompositeFieldContainer[Alias]
    latest_version: int
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., owner: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., aliases: _Optional[_Iterable[_Union[Alias, _Mapping]]] = ..., latest_version: _Optional[int] = ...) -> None: ...

class Alias(_message.Message):
    __slots__ = ("name", "version", "update_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: int
    update_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ModelVersion(_message.Message):
    __slots__ = ("model", "number", "artifact", "signature", "metrics", "params", "lineage", "create_time", "baseline")
    class MetricsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    class ParamsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    MODEL_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    LINEAGE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    BASELINE_FIELD_NUMBER: _ClassVar[int]
    model: str
    number: int
    artifact: Artifact
    signature: Signature
    metrics: _containers.ScalarMap[str, float]
    params: _containers.ScalarMap[str, str]
    lineage: Lineage
    create_time: _timestamp_pb2.Timestamp
    baseline: Baseline
    def __init__(self, model: _Optional[str] = ..., number: _Optional[int] = ..., artifact: _Optional[_Union[Artifact, _Mapping]] = ..., signature: _Optional[_Union[Signature, _Mapping]] = ..., metrics: _Optional[_Mapping[str, float]] = ..., params: _Optional[_Mapping[str, str]] = ..., lineage: _Optional[_Union[Lineage, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., baseline: _Optional[_Union[Baseline, _Mapping]] = ...) -> None: ...

class Baseline(_message.Message):
    __slots__ = ("features", "performance", "block", "row_count")
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    PERFORMANCE_FIELD_NUMBER: _ClassVar[int]
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    features: _containers.RepeatedCompositeFieldContainer[FeatureBaseline]
    performance: PerformanceBaseline
    block: _duration_pb2.Duration
    row_count: int
    def __init__(self, features: _Optional[_Iterable[_Union[FeatureBaseline, _Mapping]]] = ..., performance: _Optional[_Union[PerformanceBaseline, _Mapping]] = ..., block: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., row_count: _Optional[int] = ...) -> None: ...

class FeatureBaseline(_message.Message):
    __slots__ = ("name", "importance", "edges", "categories", "counts", "null_count", "spread", "minimum", "maximum", "typical_number", "typical_text")
    NAME_FIELD_NUMBER: _ClassVar[int]
    IMPORTANCE_FIELD_NUMBER: _ClassVar[int]
    EDGES_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    NULL_COUNT_FIELD_NUMBER: _ClassVar[int]
    SPREAD_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    TYPICAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    TYPICAL_TEXT_FIELD_NUMBER: _ClassVar[int]
    name: str
    importance: float
    edges: _containers.RepeatedScalarFieldContainer[float]
    categories: _containers.RepeatedScalarFieldContainer[str]
    counts: _containers.RepeatedScalarFieldContainer[int]
    null_count: int
    spread: float
    minimum: float
    maximum: float
    typical_number: float
    typical_text: str
    def __init__(self, name: _Optional[str] = ..., importance: _Optional[float] = ..., edges: _Optional[_Iterable[float]] = ..., categories: _Optional[_Iterable[str]] = ..., counts: _Optional[_Iterable[int]] = ..., null_count: _Optional[int] = ..., spread: _Optional[float] = ..., minimum: _Optional[float] = ..., maximum: _Optional[float] = ..., typical_number: _Optional[float] = ..., typical_text: _Optional[str] = ...) -> None: ...

class PerformanceBaseline(_message.Message):
    __slots__ = ("auc", "auc_spread", "log_loss", "log_loss_spread", "row_count")
    AUC_FIELD_NUMBER: _ClassVar[int]
    AUC_SPREAD_FIELD_NUMBER: _ClassVar[int]
    LOG_LOSS_FIELD_NUMBER: _ClassVar[int]
    LOG_LOSS_SPREAD_FIELD_NUMBER: _ClassVar[int]
    ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    auc: float
    auc_spread: float
    log_loss: float
    log_loss_spread: float
    row_count: int
    def __init__(self, auc: _Optional[float] = ..., auc_spread: _Optional[float] = ..., log_loss: _Optional[float] = ..., log_loss_spread: _Optional[float] = ..., row_count: _Optional[int] = ...) -> None: ...

class Artifact(_message.Message):
    __slots__ = ("digest", "size_bytes")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    digest: str
    size_bytes: int
    def __init__(self, digest: _Optional[str] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class ColumnSpec(_message.Message):
    __slots__ = ("name", "datatype", "nullable", "description", "feature", "shape")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DATATYPE_FIELD_NUMBER: _ClassVar[int]
    NULLABLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    FEATURE_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    name: str
    datatype: DataType
    nullable: bool
    description: str
    feature: str
    shape: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, name: _Optional[str] = ..., datatype: _Optional[_Union[DataType, str]] = ..., nullable: _Optional[bool] = ..., description: _Optional[str] = ..., feature: _Optional[str] = ..., shape: _Optional[_Iterable[int]] = ...) -> None: ...

class TensorSpec(_message.Message):
    __slots__ = ("name", "datatype", "shape")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DATATYPE_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    name: str
    datatype: DataType
    shape: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, name: _Optional[str] = ..., datatype: _Optional[_Union[DataType, str]] = ..., shape: _Optional[_Iterable[int]] = ...) -> None: ...

class Signature(_message.Message):
    __slots__ = ("inputs", "outputs", "entities")
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    ENTITIES_FIELD_NUMBER: _ClassVar[int]
    inputs: _containers.RepeatedCompositeFieldContainer[ColumnSpec]
    outputs: _containers.RepeatedCompositeFieldContainer[TensorSpec]
    entities: _containers.RepeatedCompositeFieldContainer[ColumnSpec]
    def __init__(self, inputs: _Optional[_Iterable[_Union[ColumnSpec, _Mapping]]] = ..., outputs: _Optional[_Iterable[_Union[TensorSpec, _Mapping]]] = ..., entities: _Optional[_Iterable[_Union[ColumnSpec, _Mapping]]] = ...) -> None: ...

class Lineage(_message.Message):
    __slots__ = ("data", "code", "run_id")
    DATA_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    data: DataReference
    code: CodeReference
    run_id: str
    def __init__(self, data: _Optional[_Union[DataReference, _Mapping]] = ..., code: _Optional[_Union[CodeReference, _Mapping]] = ..., run_id: _Optional[str] = ...) -> None: ...

class DataReference(_message.Message):
    __slots__ = ("digest", "source", "row_count", "training_set", "definitions")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    TRAINING_SET_FIELD_NUMBER: _ClassVar[int]
    DEFINITIONS_FIELD_NUMBER: _ClassVar[int]
    digest: str
    source: str
    row_count: int
    training_set: str
    definitions: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, digest: _Optional[str] = ..., source: _Optional[str] = ..., row_count: _Optional[int] = ..., training_set: _Optional[str] = ..., definitions: _Optional[_Iterable[str]] = ...) -> None: ...

class CodeReference(_message.Message):
    __slots__ = ("digest", "revision", "workflow")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    digest: str
    revision: str
    workflow: str
    def __init__(self, digest: _Optional[str] = ..., revision: _Optional[str] = ..., workflow: _Optional[str] = ...) -> None: ...

class Endpoint(_message.Message):
    __slots__ = ("name", "routes", "revision", "update_time", "rollout", "guardrails", "fallback", "sticky_by", "experiment")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROUTES_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ROLLOUT_FIELD_NUMBER: _ClassVar[int]
    GUARDRAILS_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_FIELD_NUMBER: _ClassVar[int]
    STICKY_BY_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    name: str
    routes: _containers.RepeatedCompositeFieldContainer[Route]
    revision: int
    update_time: _timestamp_pb2.Timestamp
    rollout: Rollout
    guardrails: Guardrails
    fallback: Fallback
    sticky_by: _containers.RepeatedScalarFieldContainer[str]
    experiment: Experiment
    def __init__(self, name: _Optional[str] = ..., routes: _Optional[_Iterable[_Union[Route, _Mapping]]] = ..., revision: _Optional[int] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., rollout: _Optional[_Union[Rollout, _Mapping]] = ..., guardrails: _Optional[_Union[Guardrails, _Mapping]] = ..., fallback: _Optional[_Union[Fallback, _Mapping]] = ..., sticky_by: _Optional[_Iterable[str]] = ..., experiment: _Optional[_Union[Experiment, _Mapping]] = ...) -> None: ...

class Guardrails(_message.Message):
    __slots__ = ("max_error_share", "max_p99_latency_ms", "window_batches", "min_batches")
    MAX_ERROR_SHARE_FIELD_NUMBER: _ClassVar[int]
    MAX_P99_LATENCY_MS_FIELD_NUMBER: _ClassVar[int]
    WINDOW_BATCHES_FIELD_NUMBER: _ClassVar[int]
    MIN_BATCHES_FIELD_NUMBER: _ClassVar[int]
    max_error_share: float
    max_p99_latency_ms: float
    window_batches: int
    min_batches: int
    def __init__(self, max_error_share: _Optional[float] = ..., max_p99_latency_ms: _Optional[float] = ..., window_batches: _Optional[int] = ..., min_batches: _Optional[int] = ...) -> None: ...

class Fallback(_message.Message):
    __slots__ = ("version", "default_answer")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_ANSWER_FIELD_NUMBER: _ClassVar[int]
    version: FallbackVersion
    default_answer: DefaultAnswer
    def __init__(self, version: _Optional[_Union[FallbackVersion, _Mapping]] = ..., default_answer: _Optional[_Union[DefaultAnswer, _Mapping]] = ...) -> None: ...

class FallbackVersion(_message.Message):
    __slots__ = ("model", "version", "resolved_model", "resolved_version")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_MODEL_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_VERSION_FIELD_NUMBER: _ClassVar[int]
    model: str
    version: int
    resolved_model: str
    resolved_version: int
    def __init__(self, model: _Optional[str] = ..., version: _Optional[int] = ..., resolved_model: _Optional[str] = ..., resolved_version: _Optional[int] = ...) -> None: ...

class DefaultAnswer(_message.Message):
    __slots__ = ("outputs", "when_not_ready", "when_features_unavailable")
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    WHEN_NOT_READY_FIELD_NUMBER: _ClassVar[int]
    WHEN_FEATURES_UNAVAILABLE_FIELD_NUMBER: _ClassVar[int]
    outputs: _containers.RepeatedCompositeFieldContainer[DefaultOutput]
    when_not_ready: bool
    when_features_unavailable: bool
    def __init__(self, outputs: _Optional[_Iterable[_Union[DefaultOutput, _Mapping]]] = ..., when_not_ready: _Optional[bool] = ..., when_features_unavailable: _Optional[bool] = ...) -> None: ...

class DefaultOutput(_message.Message):
    __slots__ = ("name", "values", "texts")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    values: _containers.RepeatedScalarFieldContainer[float]
    texts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., values: _Optional[_Iterable[float]] = ..., texts: _Optional[_Iterable[str]] = ...) -> None: ...

class Experiment(_message.Message):
    __slots__ = ("name", "arms", "salt")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ARMS_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    name: str
    arms: _containers.RepeatedScalarFieldContainer[str]
    salt: str
    def __init__(self, name: _Optional[str] = ..., arms: _Optional[_Iterable[str]] = ..., salt: _Optional[str] = ...) -> None: ...

class EndpointRevision(_message.Message):
    __slots__ = ("endpoint", "cause", "reason", "rollout_id")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ROLLOUT_ID_FIELD_NUMBER: _ClassVar[int]
    endpoint: Endpoint
    cause: RevisionCause
    reason: str
    rollout_id: str
    def __init__(self, endpoint: _Optional[_Union[Endpoint, _Mapping]] = ..., cause: _Optional[_Union[RevisionCause, str]] = ..., reason: _Optional[str] = ..., rollout_id: _Optional[str] = ...) -> None: ...

class Rollout(_message.Message):
    __slots__ = ("id", "model", "candidate_version", "baseline_version", "alias", "main_route", "plan", "state", "step", "reason", "create_time", "update_time", "start_event_time")
    ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    BASELINE_VERSION_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    MAIN_ROUTE_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    START_EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    id: str
    model: str
    candidate_version: int
    baseline_version: int
    alias: str
    main_route: str
    plan: RolloutPlan
    state: RolloutState
    step: int
    reason: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    start_event_time: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., model: _Optional[str] = ..., candidate_version: _Optional[int] = ..., baseline_version: _Optional[int] = ..., alias: _Optional[str] = ..., main_route: _Optional[str] = ..., plan: _Optional[_Union[RolloutPlan, _Mapping]] = ..., state: _Optional[_Union[RolloutState, str]] = ..., step: _Optional[int] = ..., reason: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., start_event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RolloutPlan(_message.Message):
    __slots__ = ("steps", "margin", "error_rate", "kind", "keep_s", "experiment")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    MARGIN_FIELD_NUMBER: _ClassVar[int]
    ERROR_RATE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    KEEP_S_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[RolloutStep]
    margin: float
    error_rate: float
    kind: RolloutKind
    keep_s: int
    experiment: str
    def __init__(self, steps: _Optional[_Iterable[_Union[RolloutStep, _Mapping]]] = ..., margin: _Optional[float] = ..., error_rate: _Optional[float] = ..., kind: _Optional[_Union[RolloutKind, str]] = ..., keep_s: _Optional[int] = ..., experiment: _Optional[str] = ...) -> None: ...

class RolloutStep(_message.Message):
    __slots__ = ("percent", "min_labels", "max_labels")
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    MIN_LABELS_FIELD_NUMBER: _ClassVar[int]
    MAX_LABELS_FIELD_NUMBER: _ClassVar[int]
    percent: int
    min_labels: int
    max_labels: int
    def __init__(self, percent: _Optional[int] = ..., min_labels: _Optional[int] = ..., max_labels: _Optional[int] = ...) -> None: ...

class Route(_message.Message):
    __slots__ = ("name", "model", "version", "alias", "weight", "resolved_version", "shadow")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_VERSION_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    name: str
    model: str
    version: int
    alias: str
    weight: int
    resolved_version: int
    shadow: bool
    def __init__(self, name: _Optional[str] = ..., model: _Optional[str] = ..., version: _Optional[int] = ..., alias: _Optional[str] = ..., weight: _Optional[int] = ..., resolved_version: _Optional[int] = ..., shadow: _Optional[bool] = ...) -> None: ...
