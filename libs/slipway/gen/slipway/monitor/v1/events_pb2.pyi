from slipway.gen.slipway.monitor.v1 import resources_pb2 as _resources_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LabelBatch(_message.Message):
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

class IncidentChanged(_message.Message):
    __slots__ = ("incident",)
    INCIDENT_FIELD_NUMBER: _ClassVar[int]
    incident: _resources_pb2.Incident
    def __init__(self, incident: _Optional[_Union[_resources_pb2.Incident, _Mapping]] = ...) -> None: ...

class VerdictReached(_message.Message):
    __slots__ = ("verdict",)
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    verdict: _resources_pb2.Verdict
    def __init__(self, verdict: _Optional[_Union[_resources_pb2.Verdict, _Mapping]] = ...) -> None: ...
